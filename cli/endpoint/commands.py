"""`endpoint plan|apply|show|drift`. Exit codes: 0 fine, 1 drift or failure, 2 wrong usage."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any

import click

from cli import answers as kept
from cli.answers import ENDPOINT
from cli.endpoint import telling
from cli.endpoint.api import Management, ManagementError
from cli.endpoint.catalogue import catalogue
from cli.endpoint.choices import Setting, option, options, setting
from cli.endpoint.drift import (
    Difference,
    differences_of_endpoint,
    differences_of_template,
    redacted,
)
from cli.endpoint.key import management_key
from cli.endpoint.plan import TEMPLATE_ID, Found, Request, only_one_named, requests_for
from cli.endpoint.wanted import UnfitChoice, Wanted, wanted

_NOT_FOUND = 404


@dataclass(frozen=True, kw_only=True)
class _Desk:
    """What every command has before it: what is wanted, and what there is."""

    setting: Setting
    api: Management
    wanted: Wanted
    found: Found

    @property
    def model(self) -> telling.Model:
        choices = self.setting.choices
        return telling.Model(
            profile=choices.profile,
            variant_name=choices.variant,
            variant=catalogue().variants[choices.profile][choices.variant],
            pools=self.wanted.endpoint["gpu"]["pools"],
            catalogue=catalogue(),
        )

    @property
    def known_environment(self) -> Mapping[str, str]:
        return dict(self.wanted.template["env"])

    def requests(self) -> list[Request]:
        return requests_for(self.wanted, self.found, is_name_chosen=self._is_name_chosen)

    def differences(self, actual: Mapping[str, Any]) -> list[Difference]:
        return differences_of_endpoint(self.wanted, actual, is_name_chosen=self._is_name_chosen)

    def endpoint(self) -> Mapping[str, Any]:
        if self.found.endpoint is None:
            raise click.ClickException(
                f"RunPod has no endpoint of the name {self.setting.choices.name}: `endpoint apply` makes"
                " it; another one is named by --name or --endpoint-id"
            )
        return self.found.endpoint

    @property
    def _is_name_chosen(self) -> bool:
        """An endpoint that was made by hand and is known by its id keeps the name it has."""
        return not self.setting.endpoint_id or "name" in self.setting.chosen


def _at_a_desk(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that all have, and its errors their exit codes."""

    @options
    @wraps(function)
    def run(**given: Any) -> None:
        own = {name: given.pop(name) for name in ("is_sure", "is_dry") if name in given}
        try:
            function(_desk(setting(**given)), **own)
        except UnfitChoice as exc:
            raise click.UsageError(str(exc)) from None
        except ManagementError as exc:
            raise click.ClickException(str(exc)) from None

    return run


@click.group()
def endpoint() -> None:
    """Make RunPod's endpoint what the model profile needs, and keep it so.

    What is wanted comes from the stack's parameters in deploy.toml and from the options, which every
    command takes and `apply` keeps in deploy.toml. The key is RUNPOD_API_KEY, or that in the stack's
    secret. `apply` asks before it changes anything.
    """


@endpoint.command()
@_at_a_desk
def plan(desk: _Desk) -> None:
    """Print the requests that `apply` would send, and send nothing."""
    _tell_plan(desk, desk.requests())


@endpoint.command()
@option("--yes", "is_sure", is_flag=True, help="Do not ask before anything is changed.")
@option("--dry-run", "is_dry", is_flag=True, help="The same as `plan`.")
@_at_a_desk
def apply(desk: _Desk, *, is_sure: bool, is_dry: bool) -> None:
    """Create the endpoint, or change what differs; nothing is sent if nothing does."""
    requests = desk.requests()
    if is_dry:
        _tell_plan(desk, requests)
        return
    if not desk.setting.as_json:
        _tell_plan(desk, requests)
    if requests and not is_sure:
        _ask(desk, requests)
    made = _send(desk, requests)
    remaining = desk.differences(made)
    url, stack_url = _keep(desk.setting, made)
    telling.tell_applied(
        made,
        requests,
        remaining,
        desk.known_environment,
        url=url,
        stack_url=stack_url,
        as_json=desk.setting.as_json,
    )
    if remaining:
        sys.exit(1)


@endpoint.command()
@_at_a_desk
def show(desk: _Desk) -> None:
    """Print the endpoint as RunPod has it, without secrets, and what is known of its GPUs."""
    shown = redacted(desk.endpoint(), desk.known_environment)
    telling.tell_endpoint(shown, desk.model, as_json=desk.setting.as_json)


@endpoint.command()
@_at_a_desk
def drift(desk: _Desk) -> None:
    """Name every field that is not as wanted; exit code 1 if there is one."""
    actual = desk.endpoint()
    differing = desk.differences(actual)
    if desk.found.template is not None:
        differing += differences_of_template(desk.wanted, desk.found.template)
    telling.tell_drift(str(actual["id"]), differing, as_json=desk.setting.as_json)
    if differing:
        sys.exit(1)


def _desk(told: Setting) -> _Desk:
    want = wanted(told.choices, catalogue())
    api = Management(told.management_url, management_key(told.answers))
    return _Desk(setting=told, api=api, wanted=want, found=_found(told, api))


def _found(told: Setting, api: Management) -> Found:
    name = told.choices.name
    template = only_one_named(name, api.templates())
    if not told.endpoint_id:
        return Found(endpoint=only_one_named(name, api.endpoints()), template=template)
    try:
        return Found(endpoint=api.endpoint(told.endpoint_id), template=template)
    except ManagementError as exc:
        if exc.status != _NOT_FOUND:
            raise
        raise ManagementError(
            f"RunPod has no endpoint {told.endpoint_id}, which --endpoint-id or RunpodApiEndpoint in"
            f" {told.file.name} names, or this key may not see it; without that line, a new endpoint"
            " is made",
            status=_NOT_FOUND,
        ) from None


def _tell_plan(desk: _Desk, requests: Sequence[Request]) -> None:
    url = desk.setting.management_url.rstrip("/")
    if desk.setting.as_json:
        telling.tell_json({**telling.plan_told(requests, url), **desk.model.told()})
    else:
        telling.tell_plan(requests, url, desk.model)


def _ask(desk: _Desk, requests: Sequence[Request]) -> None:
    if not sys.stdin.isatty():
        raise click.UsageError("nothing was changed: there is nobody to ask here; give --yes")
    if desk.setting.as_json:  # a person sees the plan, a program the JSON alone
        url = desk.setting.management_url.rstrip("/")
        telling.tell_plan(requests, url, desk.model, to_stderr=True)
    click.confirm("Send this to RunPod?", abort=True, err=desk.setting.as_json)


def _send(desk: _Desk, requests: Sequence[Request]) -> Mapping[str, Any]:
    """Send what is to be sent, and return the endpoint as RunPod has it then."""
    made, template_id = desk.found.endpoint, ""
    for request in requests:
        body = request.body
        if body.get("templateId") == TEMPLATE_ID:
            body = {**body, "templateId": template_id}
        answer = desk.api.change(request.method, request.path, body)
        if request.is_of_template:
            template_id = str(answer.get("id", ""))
        else:
            made = answer
    if made is None or not made.get("id"):
        raise ManagementError("RunPod answered without an endpoint's id: run `endpoint show`")
    return made


def _keep(told: Setting, made: Mapping[str, Any]) -> tuple[str, str]:
    """Write down what was chosen; return the endpoint's URL, and the one that the stack is told."""
    url = _url_of(made)
    before = kept.read(told.file)
    answers = replace(told.answers, region=before.region, endpoint=told.chosen)
    if not answers.parameters.get(ENDPOINT):
        answers = answers.having(**{ENDPOINT: url})
    if answers != before:
        kept.write(told.file, answers)
    return url, answers.parameters[ENDPOINT]


def _url_of(made: Mapping[str, Any]) -> str:
    urls = made.get("requestUrls")
    run = str(urls.get("run", "")) if isinstance(urls, dict) else ""
    return run.removesuffix("/run") or f"https://api.runpod.ai/v2/{made['id']}"
