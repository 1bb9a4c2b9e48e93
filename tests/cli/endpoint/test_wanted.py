"""From a model profile and choices to RunPod's request bodies."""

import re
from pathlib import Path

import pytest

from cli.endpoint.catalogue import catalogue
from cli.endpoint.wanted import Choices, UnfitChoice, Wanted, wanted
from core.summaries.models import PROFILES
from tests.cli.endpoint.bodies_schema import CREATE_ENDPOINT, CREATE_TEMPLATE, problems

ROOT = Path(__file__).parents[3]
VARIANTS = [
    (profile, variant) for profile, held in catalogue().variants.items() for variant in held
]


def made(profile: str = "mistral-small-3.1-24b", variant: str = "bf16", **more: object) -> Wanted:
    if catalogue().variants[profile][variant].is_gated:
        more.setdefault("hf_token_secret", "hugging_face")
    choices = Choices(name="summaries", profile=profile, variant=variant, **more)  # type: ignore[arg-type]
    return wanted(choices, catalogue())


def refusal(**more: object) -> str:
    with pytest.raises(UnfitChoice) as caught:
        made(**more)  # type: ignore[arg-type]
    return str(caught.value)


@pytest.mark.parametrize(("profile", "variant"), VARIANTS)
class TestEveryVariantOfEveryProfile:
    def test_is_a_body_that_runpods_schema_takes(self, profile: str, variant: str) -> None:
        want = made(profile, variant, data_centers=("EU-RO-1",))

        assert problems(CREATE_TEMPLATE, want.template) == []
        assert problems(CREATE_ENDPOINT, {**want.endpoint, "templateId": "t1"}) == []

    def test_serves_the_model_by_the_name_that_the_stack_asks_for(
        self, profile: str, variant: str
    ) -> None:
        environment = made(profile, variant).template["env"]

        served = environment.get("OPENAI_SERVED_MODEL_NAME_OVERRIDE", environment["MODEL_NAME"])
        assert served == PROFILES[profile].served_name

    def test_names_its_pools_by_price(self, profile: str, variant: str) -> None:
        pools = made(profile, variant).endpoint["gpu"]["pools"]

        prices = [catalogue().pools[pool].dollars_per_second for pool in pools]
        assert prices == sorted(prices)

    def test_names_no_more_pools_than_runpod_ranks(self, profile: str, variant: str) -> None:
        assert 1 <= len(made(profile, variant).endpoint["gpu"]["pools"]) <= 3

    def test_has_gpus_that_hold_the_context_of_the_default_stack(
        self, profile: str, variant: str
    ) -> None:
        assert catalogue().variants[profile][variant].most_context_tokens >= 32_768

    def test_spreads_the_model_over_all_its_gpus(self, profile: str, variant: str) -> None:
        want = made(profile, variant)

        count = want.endpoint["gpu"]["count"]
        assert want.template["env"].get("TENSOR_PARALLEL_SIZE", "1") == str(count)


@pytest.mark.parametrize("profile", PROFILES)
def test_every_profile_can_be_set_up_and_is_served_unquantised_by_default(profile: str) -> None:
    environment = made(profile).template["env"]

    assert PROFILES[profile].endpoint_environment.items() <= environment.items()


def test_the_image_is_the_one_that_the_worker_of_pull_mode_builds_on() -> None:
    (base,) = re.findall(r"^FROM (\S+)", (ROOT / "worker/Dockerfile").read_text(), re.M)

    assert made().template["image"] == base


def test_workers_are_added_by_the_queue_so_that_a_fan_out_starts_no_cold_worker_for_each_call() -> (
    None
):
    assert made().endpoint["scaling"] == {"type": "QUEUE_DELAY", "queueDelay": 4.0}


def test_flashboot_and_the_execution_timeout_are_said_since_the_api_leaves_both_off() -> None:
    endpoint = made(execution_timeout_seconds=1_200).endpoint

    assert (endpoint["flashboot"], endpoint["timeout"]) == ("FLASHBOOT", 1_200_000)


def test_the_context_is_the_stacks() -> None:
    assert made(context_tokens=65_536).template["env"]["MAX_MODEL_LEN"] == "65536"


def test_a_model_name_of_the_stack_is_what_the_endpoint_serves() -> None:
    environment = made(served_name="our-model").template["env"]

    assert environment["OPENAI_SERVED_MODEL_NAME_OVERRIDE"] == "our-model"


def test_a_quantised_checkpoint_in_hugging_faces_format_is_not_loaded_as_mistrals() -> None:
    environment = made(variant="fp8").template["env"]

    assert not {"CONFIG_FORMAT", "LOAD_FORMAT"} & environment.keys()


def test_a_token_is_given_by_the_name_of_runpods_secret() -> None:
    environment = made("llama-3.3-70b", hf_token_secret="hugging_face").template["env"]

    assert environment["HF_TOKEN"] == "{{ RUNPOD_SECRET_hugging_face }}"


def test_a_variable_of_the_operator_goes_over_what_the_catalogue_says() -> None:
    environment = made(environment={"MAX_CONCURRENCY": "60", "MAX_NUM_SEQS": "128"}).template["env"]

    assert (environment["MAX_CONCURRENCY"], environment["MAX_NUM_SEQS"]) == ("60", "128")


def test_chosen_pools_keep_the_order_they_were_chosen_in() -> None:
    chosen = ("ADA_80_PRO", "AMPERE_80")

    assert made(pools=chosen).endpoint["gpu"]["pools"] == list(chosen)


class TestWhatCanNotWorkIsRefusedWithWhatWould:
    def test_a_context_for_which_the_gpus_have_no_room(self) -> None:
        text = refusal(profile="llama-3.3-70b", context_tokens=131_072)

        assert "131072" in text
        assert "40960" in text

    def test_weights_that_need_a_token_without_one(self) -> None:
        choices = Choices(name="summaries", profile="llama-3.3-70b")

        with pytest.raises(UnfitChoice, match="--hf-token-secret"):
            wanted(choices, catalogue())

    def test_pull_mode_without_its_image(self) -> None:
        assert "--image" in refusal(is_pull_mode=True)

    def test_an_unknown_variant(self) -> None:
        choices = Choices(name="summaries", variant="q2")

        with pytest.raises(UnfitChoice, match="bf16, fp8, w4a16"):
            wanted(choices, catalogue())

    def test_an_unknown_profile(self) -> None:
        with pytest.raises(UnfitChoice, match=r"mistral-small-3\.1-24b"):
            wanted(Choices(name="summaries", profile="gpt"), catalogue())

    @pytest.mark.parametrize(
        ("choice", "named"),
        [
            ({"workers_max": 0}, "--workers-max"),
            ({"workers_min": 4}, "--workers-min"),
            ({"idle_timeout_seconds": 0}, "--idle-timeout-seconds"),
            ({"queue_delay_seconds": 0.1}, "--queue-delay-seconds"),
            ({"pools": ("ADA_81",)}, "ADA_81"),
        ],
    )
    def test_a_number_or_a_pool_that_runpod_would_not_take(
        self, choice: dict[str, object], named: str
    ) -> None:
        assert named in refusal(**choice)

    @pytest.mark.parametrize("name", ["HF_TOKEN", "MY_SETTING"])
    def test_a_secret_in_plain_sight_and_without_repeating_it(self, name: str) -> None:
        text = refusal(environment={name: "hf_abcdefghijkl"})

        assert name in text
        assert "hf_abcdefghijkl" not in text

    def test_a_token_in_place_of_its_secrets_name_and_without_repeating_it(self) -> None:
        token = "hf_" + "aB3" * 12

        text = refusal(hf_token_secret=token)

        assert "--hf-token-secret" in text
        assert token not in text

    def test_but_not_a_variable_that_only_sounds_like_one(self) -> None:
        assert made(environment={"TOKENIZER_NAME": "x"}).template["env"]["TOKENIZER_NAME"] == "x"
