"""From a model profile and an operator's choices to the endpoint that should be. Pure.

What is wanted is written as the bodies of RunPod's management API: one for a template, which holds the
container (image, environment, disk), and one for the endpoint made of it.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cli.endpoint.catalogue import Catalogue, Variant
from core.errors import SettingsError
from core.summaries.models import ModelProfile, profile_named

Body = dict[str, Any]

CONTAINER_FIELDS = ("image", "args", "disk", "env")  # a template's, and its endpoint's
_SERVED_NAME = "OPENAI_SERVED_MODEL_NAME_OVERRIDE"
_SECRET_NAME = re.compile(r"(?:^|_)(?:TOKEN|KEY|SECRET|PASSWORD|CREDENTIALS?)(?:_|$)")
_TOKEN = re.compile(r"(?:hf_|rpa_|sk-|AKIA|gh[ps]_)[\w-]{8,}")  # how well-known tokens begin
_REFERENCE = re.compile(r"\{\{ *RUNPOD_SECRET_[\w-]+ *\}\}")
_SECRET_CHARACTERS = re.compile(r"[A-Za-z0-9_-]+")
_MOST_IDLE_SECONDS, _LEAST_DELAY_SECONDS = 3600, 0.5  # RunPod's


class UnfitChoice(Exception):
    """No endpoint can be made of these choices; the text says which, and what would do."""


@dataclass(frozen=True, kw_only=True)
class Choices:
    name: str
    profile: str = "mistral-small-3.1-24b"
    variant: str = "bf16"
    image: str = ""  # "" is the catalogue's; in pull mode, the image that was built from worker/
    is_pull_mode: bool = False
    served_name: str = ""  # what the stack asks for; "" is the profile's
    context_tokens: int = 32_768
    execution_timeout_seconds: int = 900
    pools: tuple[str, ...] = ()  # empty: the variant's, cheapest first
    workers_min: int = 0
    workers_max: int = 3
    # Longer than the pause between two rounds of a summary, in which a callback and two functions run:
    # a worker that went to sleep there would have to load the model again.
    idle_timeout_seconds: int = 15
    queue_delay_seconds: float = 4.0
    data_centers: tuple[str, ...] = ()  # empty: left as they are
    hf_token_secret: str = ""  # name of a secret of RunPod's
    environment: Mapping[str, str] = field(default_factory=dict)  # over everything else


@dataclass(frozen=True, kw_only=True)
class Wanted:
    template: Body
    endpoint: Body  # without the template's id, which is known only once there is one

    @property
    def whole_endpoint(self) -> Body:
        """The endpoint with its container, as RunPod tells of it."""
        return {**self.endpoint, **{name: self.template[name] for name in CONTAINER_FIELDS}}


def wanted(choices: Choices, catalogue: Catalogue) -> Wanted:
    """
    Raises:
        UnfitChoice: the choices contradict each other, or the model.
    """
    profile = _profile(choices.profile)
    variant = _variant(choices, catalogue)
    _refuse_unfit(choices, profile, variant, catalogue)
    template = {
        "name": choices.name,
        "image": choices.image or catalogue.image,
        "args": "",
        "disk": variant.disk_gb,
        "env": _environment(choices, profile, variant),
        "serverless": True,
        "public": False,
        "startSsh": False,
        "startJupyter": False,
    }
    endpoint = {
        "name": choices.name,
        "type": "QUEUE",
        "gpu": {
            "pools": list(choices.pools or catalogue.cheapest_first(variant.pools)),
            "count": variant.gpus_per_worker,
            "allowedCudaVersions": [],
            "minCudaVersion": catalogue.min_cuda_version,
        },
        "workers": {
            "min": choices.workers_min,
            "max": choices.workers_max,
            "idleTimeout": choices.idle_timeout_seconds,
        },
        # By the queue, not by the number of requests: a summary sends some twenty at once, which one
        # worker batches; REQUEST_COUNT would start a cold one for each.
        "scaling": {"type": "QUEUE_DELAY", "queueDelay": choices.queue_delay_seconds},
        "timeout": choices.execution_timeout_seconds * 1000,  # left out, RunPod sets 0
        "flashboot": "FLASHBOOT",  # left out, RunPod's API switches it off
    }
    if choices.data_centers:
        endpoint["dataCenterIds"] = list(choices.data_centers)
    return Wanted(template=template, endpoint=endpoint)


def could_be_secret(name: str, value: str) -> bool:
    """Judge a variable by its name and by its value; the name of a secret that RunPod keeps is none."""
    if is_reference(value):
        return False
    return bool(_SECRET_NAME.search(name.upper()) or _TOKEN.match(value.strip()))


def is_reference(value: str) -> bool:
    """Is this the name of a secret that RunPod keeps, and not a secret?"""
    return bool(_REFERENCE.fullmatch(value.strip()))


def reference_to(secret: str) -> str:
    return "{{ RUNPOD_SECRET_" + secret + " }}"


def _profile(name: str) -> ModelProfile:
    try:
        return profile_named(name)
    except SettingsError as exc:
        raise UnfitChoice(str(exc)) from None


def _variant(choices: Choices, catalogue: Catalogue) -> Variant:
    variants = catalogue.variants.get(choices.profile, {})
    if choices.variant not in variants:
        known = ", ".join(variants) or "none"
        raise UnfitChoice(
            f"{choices.profile} has no variant {choices.variant!r}; known are: {known}"
        )
    return variants[choices.variant]


def _environment(choices: Choices, profile: ModelProfile, variant: Variant) -> dict[str, str]:
    model = dict(variant.environment or profile.endpoint_environment)
    model["MAX_MODEL_LEN"] = str(choices.context_tokens)
    model["MAX_CONCURRENCY"] = str(variant.max_concurrency)
    if variant.gpus_per_worker > 1:
        model["TENSOR_PARALLEL_SIZE"] = str(variant.gpus_per_worker)
    if choices.hf_token_secret:
        model["HF_TOKEN"] = reference_to(choices.hf_token_secret)
    model |= choices.environment
    served_name = choices.served_name or profile.served_name
    if model["MODEL_NAME"] != served_name:  # the stack asks for the model by this name
        model.setdefault(_SERVED_NAME, served_name)
    return model


def _refuse_unfit(
    choices: Choices, profile: ModelProfile, variant: Variant, catalogue: Catalogue
) -> None:
    problems = [
        *_problems_with_model(choices, profile, variant),
        *_problems_with_workers(choices),
        *_problems_with_secrets(choices),
    ]
    unknown = [pool for pool in choices.pools if pool not in catalogue.pools]
    if unknown:
        known = ", ".join(catalogue.pools)
        problems.append(f"pool {', '.join(unknown)} is not in models.toml; known are: {known}")
    if problems:
        raise UnfitChoice("; ".join(problems))


def _problems_with_model(choices: Choices, profile: ModelProfile, variant: Variant) -> list[str]:
    most = min(profile.context_tokens, variant.most_context_tokens)
    problems = []
    if choices.context_tokens > most:
        problems.append(
            f"MaxModelLenTokens is {choices.context_tokens}, but {choices.profile} as {choices.variant}"
            f" has room for {most} on the GPUs it is given"
        )
    if variant.is_gated and not choices.hf_token_secret and "HF_TOKEN" not in choices.environment:
        problems.append(
            "Hugging Face gives these weights only to a token: store one as a secret of RunPod's"
            " (console, Secrets) and name it with --hf-token-secret, or choose another --variant"
        )
    if choices.is_pull_mode and not choices.image:
        problems.append(
            "in pull mode the endpoint runs an image that you build from worker/ (docs/pull-mode.md):"
            " name it with --image"
        )
    return problems


def _problems_with_workers(choices: Choices) -> list[str]:
    problems = [] if choices.name.strip() else ["--name must not be empty"]
    if choices.workers_max < 1:
        problems.append("with --workers-max 0 no request is ever worked on: give 1 or more")
    if not 0 <= choices.workers_min <= max(choices.workers_max, 0):
        problems.append("--workers-min must be from 0 to --workers-max")
    if not 1 <= choices.idle_timeout_seconds <= _MOST_IDLE_SECONDS:
        problems.append(f"--idle-timeout-seconds must be from 1 to {_MOST_IDLE_SECONDS}")
    if not _LEAST_DELAY_SECONDS <= choices.queue_delay_seconds < math.inf:
        problems.append("--queue-delay-seconds must be 0.5 or more")
    return problems


def _problems_with_secrets(choices: Choices) -> list[str]:
    problems = [
        f"{name} looks like a secret: store it as a secret of RunPod's (console, Secrets), and give"
        f" --env '{name}={reference_to('NAME')}'"
        for name, value in choices.environment.items()
        if could_be_secret(name, value)
    ]
    if choices.hf_token_secret and not _SECRET_CHARACTERS.fullmatch(choices.hf_token_secret):
        problems.append(
            "--hf-token-secret takes the name of a secret of RunPod's: letters, digits, _ -"
        )
    if _TOKEN.match(choices.hf_token_secret):
        problems.append(
            "--hf-token-secret was given what looks like a token itself: store that as a secret of"
            " RunPod's, and give the secret's name"
        )
    return problems
