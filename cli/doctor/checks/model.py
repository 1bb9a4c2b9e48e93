"""RunPod's endpoint: the model it serves, its context, the worker image, times."""

import re
from collections.abc import Iterator, Mapping

from cli.doctor.differing import fields_not_as_wanted
from cli.doctor.readings import Readings
from cli.doctor.registry import Trouble, check, doubtful, wrong
from cli.endpoint.catalogue import catalogue
from cli.endpoint.wanted import UnfitChoice
from core.errors import SettingsError
from core.summaries.models import ModelProfile, profile_named

_SERVED_NAMES = ("OPENAI_SERVED_MODEL_NAME_OVERRIDE", "SERVED_MODEL_NAME", "MODEL_NAME")
_RUNPODS_WORKER = "runpod/worker-v1-vllm"
_VERSION = re.compile(r"v?(\d+)\.(\d+)(?:\.\d+)?")
# Answers that are JSON by a schema, which a summary begins with, need vLLM 0.8, in worker-vllm 2.2.
_OLDEST_WORKER = (2, 2)
# The first that starts vLLM by its own flags: the profiles' variables are written for it.
_FIRST_OF_OUR_VARIABLES = (2, 24)
# A token takes some 19 ms on an H100 (bf16) or 11 (FP8), measured; some 45 on an L40S by its bandwidth,
# with others beside it. Slower cards are not among the profiles' pools.
_SLOWEST_TOKEN_SECONDS = 0.05
_READING_SECONDS = 15  # the prompt, and a moment


@check("model-name")
def model_name(readings: Readings) -> Iterator[Trouble]:
    if readings.endpoint is None or _is_pull(readings):
        return
    environment = _environment(readings)
    served = next((environment[name] for name in _SERVED_NAMES if environment.get(name)), "")
    wanted = _asked_for(readings)
    if not served:
        yield wrong(
            f"the endpoint names no model (MODEL_NAME): it does not serve {wanted}",
            "`endpoint apply`",
        )
    elif served != wanted:
        yield wrong(
            f"the endpoint serves {served}, and the stack asks for {wanted}: every request fails with 404",
            "`endpoint apply`, or deploy with ModelName set to what is served",
        )


@check("context")
def context(readings: Readings) -> Iterator[Trouble]:
    if readings.endpoint is None:
        return
    wanted = int(float(readings.environment.get("MAX_MODEL_LEN", "0") or 0))
    stated = _environment(readings).get("MAX_MODEL_LEN", "")
    profile = _profile(readings)
    if not stated.isdigit():
        yield doubtful(
            f"the endpoint's MAX_MODEL_LEN is {stated or 'not set'}: vLLM takes what fits the GPU, which"
            f" may be less than the {wanted} tokens that the stack counts on",
            "`endpoint apply`, which sets it",
        )
    elif int(stated) < wanted:
        yield wrong(
            f"the endpoint's context is {stated} tokens, and the stack counts on {wanted}: long transcripts"
            " fail",
            f"`endpoint apply`, or deploy with MaxModelLenTokens={stated}",
        )
    elif profile and int(stated) > profile.context_tokens:
        yield wrong(
            f"the endpoint's MAX_MODEL_LEN is {stated}, more than the model has ({profile.context_tokens}):"
            " vLLM does not start",
            "`endpoint apply`, with MaxModelLenTokens as wanted",
        )
    elif profile and int(stated) < (usual := int(profile.endpoint_environment["MAX_MODEL_LEN"])):
        yield doubtful(
            f"stack and endpoint have a context of {stated} tokens, and the profile is made for {usual}:"
            " long transcripts take more rounds of notes, and are told less exactly",
            f"deploy with MaxModelLenTokens={usual} and `endpoint apply`, if the GPU has room",
        )


@check("worker-image")
def worker_image(readings: Readings) -> Iterator[Trouble]:
    image = str((readings.endpoint or {}).get("image", ""))
    repository, _, tag = image.partition(":")
    if repository.removeprefix("docker.io/") != _RUNPODS_WORKER:
        return  # of somebody's own; nobody can tell
    tested = catalogue().image.rsplit(":", 1)[-1]
    found = _VERSION.match(tag)
    fix = f"`endpoint apply`, which sets {catalogue().image}"
    if _is_pull(readings):
        yield wrong(
            f"in pull mode the endpoint must run this project's worker, and runs {image}: every job fails",
            "build worker/ and name it: `endpoint apply --image NAME` (docs/pull-mode.md), or Mode=push",
        )
    elif not found:
        yield doubtful(
            f"worker image {image} names no version: it changes under a running stack", fix
        )
    elif (version := (int(found[1]), int(found[2]))) < _OLDEST_WORKER:
        yield wrong(
            f"worker image {tag} is too old for what is sent: answers as JSON by a schema need v2.2",
            fix,
        )
    elif version < _FIRST_OF_OUR_VARIABLES:
        yield doubtful(
            f"worker image {tag} is older than v2.24, which the model's variables are written for (tested"
            f" with {tested})",
            fix,
        )


@check("execution-timeout")
def execution_timeout(readings: Readings) -> Iterator[Trouble]:
    given = float(readings.environment.get("EXECUTION_TIMEOUT_SECONDS", "0") or 0)
    tokens = float(readings.environment.get("MAX_TOKENS", "0") or 0)
    if _is_pull(readings):  # one request writes the whole summary
        tokens = max(tokens, float(readings.environment.get("SUMMARY_WORDS", "0") or 0) * 1.5)
    needed = _READING_SECONDS + tokens * _SLOWEST_TOKEN_SECONDS
    if given and given < needed:
        yield wrong(
            f"a request may run {given:.0f} s, and {tokens:.0f} tokens can take {needed:.0f} s on the"
            " slowest GPU of the profiles: long answers are cut off and paid for",
            f"deploy with ExecutionTimeoutSeconds={needed:.0f} or more, or a lower MaxTokens",
        )


@check("endpoint-timeout")
def endpoint_timeout(readings: Readings) -> Iterator[Trouble]:
    endpoint = readings.endpoint
    if endpoint is not None and int(endpoint.get("timeout") or 0) == 0:
        yield doubtful(
            "the endpoint's timeout is 0, which RunPod's API sets where none is given. The stack's requests"
            " bring their own; any other could run, and be billed, without end",
            "`endpoint apply` sets it",
        )


@check("endpoint-drift")
def endpoint_drift(readings: Readings) -> Iterator[Trouble]:
    """Only for who keeps the endpoint as code: others have it as they like."""
    if readings.endpoint is None or not readings.endpoint_choices:
        return
    try:
        fields = fields_not_as_wanted(
            readings.stack.parameters, readings.endpoint_choices, readings.endpoint
        )
    except UnfitChoice as exc:
        yield doubtful(f"no endpoint can be made of deploy.toml: {exc}", "correct its [endpoint]")
        return
    if fields:
        yield doubtful(
            f"the endpoint is not as deploy.toml wants it: {', '.join(fields[:6])}",
            "`endpoint drift` shows each, `endpoint apply` sets it right",
        )


@check("endpoint-managed")
def endpoint_managed(readings: Readings) -> Iterator[Trouble]:
    if readings.endpoint is None:
        yield doubtful(
            f"RunPod's management API has no endpoint {readings.endpoint_id} for this key",
            "put a key of the account that owns the endpoint into RUNPOD_API_KEY",
        )


def _environment(readings: Readings) -> Mapping[str, str]:
    held = (readings.endpoint or {}).get("env") or {}
    return {name: str(value) for name, value in held.items()}


def _asked_for(readings: Readings) -> str:
    profile = _profile(readings)
    return readings.environment.get("MODEL_NAME", "") or (profile.served_name if profile else "")


def _profile(readings: Readings) -> ModelProfile | None:
    try:
        return profile_named(readings.environment.get("MODEL_PROFILE", ""))
    except SettingsError:
        return None  # `settings` tells


def _is_pull(readings: Readings) -> bool:
    return readings.environment.get("MODE", "") == "pull"
