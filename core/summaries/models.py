"""What each model can take, and the settings its RunPod endpoint needs.

Context windows are the model's own; what counts is the deployment's MAX_MODEL_LEN, a setting.
Sources: Mistral-Small-3.1-24B-Instruct-2503 config.json (max_position_embeddings 131072) and the
Llama 3.3 model card (128k). Mind the names: Llama 3 70B of April 2024 has 8,192 tokens.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from core.errors import SettingsError


@dataclass(frozen=True, kw_only=True)
class ModelProfile:
    served_name: str  # what the endpoint calls the model: its MODEL_NAME or served-name override
    context_tokens: int  # the model's own window; a deployment may serve less
    endpoint_environment: Mapping[str, str]  # worker-vllm variables the operator sets on RunPod
    reliable_words: int = (
        700  # the most that one answer is asked for; not measured for each model yet
    )


PROFILES: Mapping[str, ModelProfile] = {
    "mistral-small-3.1-24b": ModelProfile(
        served_name="mistralai/Mistral-Small-3.1-24B-Instruct-2503",
        context_tokens=131_072,
        endpoint_environment={
            "MODEL_NAME": "mistralai/Mistral-Small-3.1-24B-Instruct-2503",
            "TOKENIZER_MODE": "mistral",
            "CONFIG_FORMAT": "mistral",
            "LOAD_FORMAT": "mistral",
            "LIMIT_MM_PER_PROMPT": '{"image":0}',
            "MAX_MODEL_LEN": "32768",
        },
    ),
    "llama-3.3-70b": ModelProfile(
        served_name="meta-llama/Llama-3.3-70B-Instruct",
        context_tokens=131_072,
        endpoint_environment={
            "MODEL_NAME": "meta-llama/Llama-3.3-70B-Instruct",
            "MAX_MODEL_LEN": "32768",
        },
    ),
}


def profile_named(name: str) -> ModelProfile:
    """Return a profile. Raises SettingsError that lists the names there are."""
    try:
        return PROFILES[name]
    except KeyError:
        known = ", ".join(sorted(PROFILES))
        raise SettingsError(f"MODEL_PROFILE is {name!r}; known are {known}") from None
