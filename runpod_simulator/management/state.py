"""The endpoints and templates of an account, in memory; what RunPod adds to a body, what it refuses."""

import random
import string
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

Body = dict[str, Any]

_CONTAINER = ("image", "args", "disk", "ports", "env", "registry")
_EMPTY_CONTAINER: Body = {
    "image": "",
    "args": "",
    "disk": 20,
    "ports": [],
    "env": {},
    "registry": None,
}
_PATHS = {
    "run": "run",
    "runSync": "runsync",
    "status": "status/{job_id}",
    "stream": "stream/{job_id}",
    "cancel": "cancel/{job_id}",
    "retry": "retry/{job_id}",
    "purgeQueue": "purge-queue",
    "health": "health",
}


class Refused(Exception):
    """An answer by RFC 9457."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


class Account:
    def __init__(self, new_id: Callable[[], str] | None = None) -> None:
        self.endpoints: dict[str, Body] = {}
        self.templates: dict[str, Body] = {}
        self._template_of: dict[str, str] = {}  # by endpoint: deleted with it
        self._new_id = new_id or _random_id

    def add_endpoint(self, body: Mapping[str, Any], endpoint_id: str = "") -> Body:
        """Create an endpoint; what its body leaves out takes the API's defaults, not the console's."""
        if ("gpu" in body) == ("cpu" in body):
            raise Refused(400, "specify exactly one of gpu or cpu")
        template = self._serverless_template(body)
        endpoint: Body = {
            "id": endpoint_id or self._new_id(),
            "name": body["name"],
            "type": body["type"],
            **_container(body, template),
            "workers": {"min": 0, "max": 3, "idleTimeout": 10, **body.get("workers", {})},
            "scaling": body["scaling"],
            "dataCenterIds": body.get("dataCenterIds", []),
            "networkVolumes": body.get("networkVolumes", []),
            "timeout": body.get("timeout", 0),
            "flashboot": body.get("flashboot", "OFF"),
            "createdAt": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        if "cpu" in body:
            endpoint["cpu"] = body["cpu"]
        else:
            endpoint["gpu"] = _gpu(body["gpu"], template)
        _refuse_conflicts(endpoint, body)
        self.endpoints[endpoint["id"]] = endpoint
        if template:
            self._template_of[endpoint["id"]] = template["id"]
        return endpoint

    def change_endpoint(self, endpoint_id: str, body: Mapping[str, Any]) -> Body:
        before = _known(self.endpoints, endpoint_id)
        for family, other in (("gpu", "cpu"), ("cpu", "gpu")):
            if family in body and other in before:
                raise Refused(400, f"endpoint has {other}: {family} can't be set on it")
        template = self._serverless_template(body)
        from_template = {name: template[name] for name in _CONTAINER} if template else {}
        given = {name: value for name, value in body.items() if name not in {"templateId", "gpu"}}
        endpoint = {**before, **from_template, **given}
        if template and "env" in body:
            endpoint["env"] = {**template["env"], **body["env"]}
        if "workers" in body:
            endpoint["workers"] = {**before["workers"], **body["workers"]}
        if "gpu" in body:
            endpoint["gpu"] = _changed_gpu(before["gpu"], body["gpu"])
        _refuse_conflicts(endpoint, body)
        self.endpoints[endpoint_id] = endpoint
        return endpoint

    def delete_endpoint(self, endpoint_id: str) -> None:
        _known(self.endpoints, endpoint_id)
        del self.endpoints[endpoint_id]
        bound = self._template_of.pop(endpoint_id, "")
        if bound not in self._template_of.values():
            self.templates.pop(bound, None)

    def add_template(self, body: Mapping[str, Any]) -> Body:
        template: Body = {
            "id": self._new_id(),
            **_EMPTY_CONTAINER,
            "mounts": {},
            "serverless": False,
            "public": False,
            "category": "NVIDIA",
            "startSsh": True,
            "startJupyter": True,
            "allowedCudaVersions": [],
            **body,
        }
        self.templates[template["id"]] = template
        return template

    def change_template(self, template_id: str, body: Mapping[str, Any]) -> Body:
        template = {**_known(self.templates, template_id), **body}
        self.templates[template_id] = template
        return template

    def delete_template(self, template_id: str) -> None:
        _known(self.templates, template_id)
        if template_id in self._template_of.values():
            raise Refused(400, "template is bound to a serverless endpoint")
        del self.templates[template_id]

    def _serverless_template(self, body: Mapping[str, Any]) -> Body | None:
        if "templateId" not in body:
            return None
        template = _known(self.templates, body["templateId"])
        if not template["serverless"]:
            raise Refused(422, "templateId: not a serverless template")
        return template


def shown(endpoint: Mapping[str, Any], origin: str) -> Body:
    """An endpoint as the API tells of it, with the URLs of its jobs."""
    base = f"{origin}/v2/{endpoint['id']}"
    urls = {name: f"{base}/{path}" for name, path in _PATHS.items()}
    if endpoint["type"] == "LOAD_BALANCER":
        urls = {"base": base, "health": f"{base}/ping"}
    workers = dict(endpoint["workers"])
    if endpoint["scaling"]["type"] == "REQUEST_COUNT" and endpoint["type"] == "QUEUE":
        workers.pop("idleTimeout", None)
    return {**endpoint, "workers": workers, "requestUrls": urls}


def _known(held: Mapping[str, Body], one_id: str) -> Body:
    if one_id not in held:
        raise Refused(404, "resource not found")
    return held[one_id]


def _container(body: Mapping[str, Any], template: Mapping[str, Any] | None) -> Body:
    """The body's settings over the template's; variables are merged one by one."""
    held = {name: template[name] for name in _CONTAINER} if template else _EMPTY_CONTAINER
    given = {name: body[name] for name in _CONTAINER if name in body}
    return {**held, **given, "env": {**held["env"], **body.get("env", {})}}


def _gpu(body: Mapping[str, Any], template: Mapping[str, Any] | None) -> Body:
    gpu = {"count": 1, "allowedCudaVersions": [], "minCudaVersion": None, **body}
    if template and "allowedCudaVersions" not in body and not body.get("minCudaVersion"):
        gpu["allowedCudaVersions"] = template["allowedCudaVersions"]
    return gpu


def _changed_gpu(before: Mapping[str, Any], body: Mapping[str, Any]) -> Body:
    gpu = {**before, **body}
    if "pools" in body and "excludedTypes" not in body:  # the two are one selection
        gpu.pop("excludedTypes", None)
    gpu["minCudaVersion"] = gpu["minCudaVersion"] or None
    return gpu


def _refuse_conflicts(endpoint: Mapping[str, Any], body: Mapping[str, Any]) -> None:
    gpu = endpoint.get("gpu") or {}
    if gpu.get("allowedCudaVersions") and gpu.get("minCudaVersion"):
        raise Refused(400, "allowedCudaVersions and minCudaVersion are mutually exclusive")
    scaling = endpoint["scaling"]["type"]
    if endpoint["type"] == "LOAD_BALANCER" and scaling == "QUEUE_DELAY":
        raise Refused(422, "QUEUE_DELAY is for queue-based endpoints")
    is_counting = endpoint["type"] == "QUEUE" and scaling == "REQUEST_COUNT"
    if is_counting and "idleTimeout" in body.get("workers", {}):
        raise Refused(422, "idleTimeout is not applicable to REQUEST_COUNT scaling")


def _random_id() -> str:
    letters = string.ascii_lowercase + string.digits
    return "".join(random.choices(letters, k=14))  # noqa: S311 (a name, not a secret)
