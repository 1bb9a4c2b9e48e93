"""What differs between the wanted endpoint and the one there is, and the body that puts it right."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cli.endpoint.catalogue import catalogue
from cli.endpoint.drift import HIDDEN, differences_of_endpoint, patch, redacted
from cli.endpoint.plan import Found, only_one_named, requests_for
from cli.endpoint.wanted import Body, Choices, UnfitChoice, wanted
from tests.cli.endpoint.bodies_schema import UPDATE_ENDPOINT, UPDATE_TEMPLATE, problems

WANTED = wanted(Choices(name="summaries", data_centers=("EU-RO-1",)), catalogue())


def there(**changes: Any) -> Body:
    """An endpoint as RunPod tells of it, as wanted but for these changes: gpu__count=2."""
    endpoint: Body = {
        "id": "ep1",
        **{
            name: dict(part) if isinstance(part, dict) else part
            for name, part in WANTED.whole_endpoint.items()
        },
        "networkVolumes": [],
        "registry": None,
        "ports": [],
        "createdAt": "2026-11-27T00:00:00Z",
    }
    for path, value in changes.items():
        part, _, name = path.partition("__")
        if name:
            endpoint[part][name] = value
        else:
            endpoint[part] = value
    return endpoint


def drifting(actual: Body) -> list[str]:
    return [each.field for each in differences_of_endpoint(WANTED, actual)]


def test_an_endpoint_as_wanted_has_no_drift_and_needs_no_request() -> None:
    found = Found(endpoint=there(), template={**WANTED.template, "id": "t1"})

    assert drifting(there()) == []
    assert requests_for(WANTED, found) == []


def _leaves(part: Body, prefix: str = "") -> Iterator[str]:
    for name, value in part.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{name}.")
        else:
            yield prefix + name


@pytest.mark.parametrize("field", sorted(_leaves(WANTED.whole_endpoint)))
def test_every_field_that_is_wanted_is_named_when_it_is_another(field: str) -> None:
    actual = there(**{field.replace(".", "__", 1): "something else"})

    assert field in drifting(actual)


@pytest.mark.parametrize(
    "field",
    sorted(set(_leaves(WANTED.whole_endpoint)) - {"type", "args", "gpu.allowedCudaVersions"}),
)
def test_every_field_that_is_wanted_is_named_when_it_is_missing(field: str) -> None:
    actual = there()
    part, _, name = field.partition(".")
    if name:
        del actual[part][name]
    else:
        del actual[part]

    assert field in drifting(actual)


@pytest.mark.parametrize("field", sorted(set(_leaves(WANTED.whole_endpoint)) - {"type"}))
def test_a_patch_for_any_field_is_one_that_runpod_takes_and_puts_it_right(field: str) -> None:
    actual = there(**{field.replace(".", "__", 1): "something else"})

    body = patch(WANTED.whole_endpoint, differences_of_endpoint(WANTED, actual))

    assert problems(UPDATE_ENDPOINT, body) == []
    part, _, name = field.partition(".")
    assert (body[part][name] if name else body[part]) == (
        WANTED.whole_endpoint[part][name] if name else WANTED.whole_endpoint[part]
    )


def test_cards_left_out_of_a_pool_are_drift_that_sending_the_pools_puts_right() -> None:
    actual = there(gpu__excludedTypes=["NVIDIA L40"])

    differing = differences_of_endpoint(WANTED, actual)

    assert [each.field for each in differing] == ["gpu.excludedTypes"]
    assert patch(WANTED.whole_endpoint, differing) == {
        "gpu": {"pools": WANTED.endpoint["gpu"]["pools"]}
    }


def test_pools_in_another_order_are_drift_since_runpod_ranks_them() -> None:
    pools = list(reversed(WANTED.endpoint["gpu"]["pools"]))

    assert drifting(there(gpu__pools=pools)) == ["gpu.pools"]


def test_a_variable_that_nobody_wanted_is_named_without_its_value() -> None:
    (difference,) = differences_of_endpoint(WANTED, there(env__THEIR_SETTING="s3cret"))

    assert difference.field == "env.THEIR_SETTING"
    assert difference.told() == {"field": "env.THEIR_SETTING", "wanted": None, "actual": HIDDEN}


def test_a_variable_that_runpod_itself_sets_is_no_drift() -> None:
    assert drifting(there(env__RUNPOD_INIT_TIMEOUT="600")) == []


def test_a_wrong_value_of_a_known_variable_is_shown() -> None:
    (difference,) = differences_of_endpoint(WANTED, there(env__MAX_MODEL_LEN="8192"))

    assert difference.told()["actual"] == "8192"


def test_a_token_in_plain_sight_is_drift_from_its_reference_and_never_shown() -> None:
    want = wanted(
        Choices(name="summaries", profile="llama-3.3-70b", hf_token_secret="hugging_face"),
        catalogue(),
    )
    actual = {**want.whole_endpoint, "env": {**want.template["env"], "HF_TOKEN": "hf_plain"}}

    (difference,) = differences_of_endpoint(want, actual)

    assert difference.told() == {
        "field": "env.HF_TOKEN",
        "wanted": "{{ RUNPOD_SECRET_hugging_face }}",
        "actual": HIDDEN,
    }


def test_a_token_that_somebody_put_into_a_known_variable_is_not_shown() -> None:
    (difference,) = differences_of_endpoint(WANTED, there(env__MODEL_NAME="hf_abcdefghijkl"))

    assert difference.told()["actual"] == HIDDEN


def test_what_is_shown_of_an_endpoint_has_no_value_that_could_be_a_secret() -> None:
    actual = there(env__THEIR_SETTING="s3cret", env__API_KEY="rpa_x", env__MAX_MODEL_LEN="8192")

    shown = redacted(actual, WANTED.template["env"])["env"]

    assert (shown["THEIR_SETTING"], shown["API_KEY"], shown["MAX_MODEL_LEN"]) == (
        HIDDEN,
        HIDDEN,
        "8192",
    )


def test_a_type_that_runpod_leaves_out_is_no_drift() -> None:
    actual = there()
    del actual["type"]

    assert drifting(actual) == []


def test_a_name_that_was_not_chosen_is_left_as_it_is() -> None:
    actual = there(name="made by hand")

    assert differences_of_endpoint(WANTED, actual, is_name_chosen=False) == []


def test_the_suffix_by_which_runpods_older_api_marks_flashboot_is_no_part_of_the_name() -> None:
    assert drifting(there(name="summaries -fb")) == []
    assert only_one_named("summaries", [there(name="summaries -fb")]) is not None


class TestRequests:
    def test_for_a_new_endpoint_make_its_template_first(self) -> None:
        requests = requests_for(WANTED, Found())

        assert [(each.method, each.path) for each in requests] == [
            ("POST", "/v2/templates"),
            ("POST", "/v2/serverless"),
        ]

    def test_go_on_with_the_template_of_an_apply_that_did_not_get_to_its_end(self) -> None:
        requests = requests_for(WANTED, Found(template={**WANTED.template, "id": "t1"}))

        assert [(each.method, each.body["templateId"]) for each in requests] == [("POST", "t1")]

    def test_keep_the_template_as_the_endpoint(self) -> None:
        old = {**WANTED.template, "id": "t1", "image": "old", "disk": 20}

        (request,) = requests_for(WANTED, Found(endpoint=there(), template=old))

        assert (request.method, request.path) == ("PATCH", "/v2/templates/t1")
        assert problems(UPDATE_TEMPLATE, request.body) == []
        assert request.body.keys() == {"image", "disk"}

    @pytest.mark.parametrize(
        "change",
        [
            lambda endpoint: endpoint.update(type="LOAD_BALANCER"),
            lambda endpoint: endpoint.update(gpu=None, cpu=[{"id": "cpu5c", "vcpuCount": 4}]),
        ],
    )
    def test_are_refused_for_what_runpod_never_changes(
        self, change: Callable[[Body], None]
    ) -> None:
        actual = there()
        change(actual)

        with pytest.raises(UnfitChoice, match="ep1"):
            requests_for(WANTED, Found(endpoint=actual))

    def test_are_refused_while_two_have_the_name(self) -> None:
        with pytest.raises(UnfitChoice, match="--endpoint-id"):
            only_one_named("summaries", [there(), there(id="ep2")])
