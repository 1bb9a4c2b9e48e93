"""Which request bodies the management API takes: unknown fields and wrong types are 422."""

from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string"}
_NAME: Schema = {"type": "string", "minLength": 1}
_FLAG: Schema = {"type": "boolean"}
_WHOLE: Schema = {"type": "integer"}
_CUDA: Schema = {"type": "string", "pattern": r"^\d+\.\d+$"}
_CUDA_OR_NONE: Schema = {"type": "string", "pattern": r"^$|^\d+\.\d+$"}


def _object(properties: Schema, **more: Any) -> Schema:
    return {"type": "object", "properties": properties, "additionalProperties": False, **more}


def _list(items: Schema, **more: Any) -> Schema:
    return {"type": "array", "items": items, **more}


_CONTAINER: Schema = {
    "args": _TEXT,
    "disk": {"type": "integer", "minimum": 1},
    "env": {"type": "object", "additionalProperties": _TEXT},
    "image": _TEXT,
    "ports": _list(_TEXT),
    "registry": {"type": ["string", "null"]},
}
_GPU: Schema = {
    "pools": _list(_TEXT, minItems=1),
    "excludedTypes": _list({"type": "string", "pattern": r"^\s*[^-\s]"}, uniqueItems=True),
    "count": {"type": "integer", "minimum": 1},
    "allowedCudaVersions": _list(_CUDA),
}
_SCALING: Schema = {
    "oneOf": [
        _object(
            {"type": {"enum": ["QUEUE_DELAY"]}, "queueDelay": {"type": "number", "minimum": 0.5}},
            required=["type", "queueDelay"],
        ),
        _object(
            {
                "type": {"enum": ["REQUEST_COUNT"]},
                "requestCount": {"type": "integer", "minimum": 1},
            },
            required=["type", "requestCount"],
        ),
    ]
}
_WORKERS = _object(
    {
        "min": {"type": "integer", "minimum": 0},
        "max": {"type": "integer", "minimum": 0},
        "idleTimeout": {"type": "integer", "minimum": 1, "maximum": 3600},
    }
)
_CPU = _list(
    _object({"id": _TEXT, "vcpuCount": _WHOLE}, required=["id", "vcpuCount"]),
    minItems=1,
    uniqueItems=True,
)
_ENDPOINT: Schema = {
    **_CONTAINER,
    "name": _NAME,
    "cpu": _CPU,
    "dataCenterIds": _list(_TEXT),
    "flashboot": {"enum": ["OFF", "FLASHBOOT", "PRIORITY_FLASHBOOT"]},
    "networkVolumes": _list(_TEXT),
    "scaling": _SCALING,
    "timeout": _WHOLE,
    "workers": _WORKERS,
}
_MOUNTS = _object(
    {
        "persistent": _object(
            {"size": {"type": "integer", "minimum": 10}, "path": _TEXT}, required=["size", "path"]
        )
    }
)
_TEMPLATE: Schema = {
    **_CONTAINER,
    "name": _NAME,
    "allowedCudaVersions": _list(_CUDA),
    "category": {"enum": ["CPU", "NVIDIA", "AMD"]},
    "mounts": _MOUNTS,
    "public": _FLAG,
    "serverless": _FLAG,
    "startJupyter": _FLAG,
    "startSsh": _FLAG,
}

SCHEMAS: Mapping[str, Schema] = {
    "createEndpoint": _object(
        {
            **_ENDPOINT,
            "type": {"enum": ["QUEUE", "LOAD_BALANCER"]},
            "templateId": _NAME,
            "gpu": _object({**_GPU, "minCudaVersion": _CUDA}, required=["pools"]),
        },
        required=["name", "type", "scaling"],
        anyOf=[{"required": ["templateId"]}, {"required": ["image"]}],
    ),
    "updateEndpoint": _object(
        {
            **_ENDPOINT,
            "templateId": _TEXT,
            "gpu": _object(
                {**_GPU, "minCudaVersion": _CUDA_OR_NONE},
                dependentRequired={"excludedTypes": ["pools"]},
            ),
        }
    ),
    "createTemplate": _object(_TEMPLATE, required=["name", "image"]),
    "updateTemplate": _object(_TEMPLATE),
}


def problems_with(operation: str, body: Any) -> list[str]:
    """Return what RunPod's validator would say of a body: one line each, or none."""
    errors = Draft202012Validator(SCHEMAS[operation]).iter_errors(body)
    return sorted(line for error in errors for line in _lines(error))


def _lines(error: ValidationError) -> Iterator[str]:
    where = error.json_path
    if error.validator == "additionalProperties" and isinstance(error.instance, dict):
        known = error.schema.get("properties", {}) if isinstance(error.schema, dict) else {}
        for name in error.instance.keys() - known.keys():
            yield f"{where}: additional properties {name!r} not allowed"
    else:  # never the value: it may be a secret that was put into the wrong field
        yield f"{where}: does not fit {error.validator}"
