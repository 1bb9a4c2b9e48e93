import base64
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadToken
from core.jobs.callback import CallRef, callback_url, is_token_of, token_for
from tests.builders import JOB_ID, SECRET, a_ref

OTHER = b"another-secret-of-forty-characters-00000"


def test_the_token_has_its_documented_form() -> None:
    """A change of this value would orphan every request under way at a deployment."""
    token = token_for(CallRef(JOB_ID, "whole", 1), b"k" * 40)

    assert token == "7bL33OiBLbclCRFF9gVDdGUotOtQOhzCFD8_WcUNzUw"


def test_a_token_opens_its_own_attempt() -> None:
    assert is_token_of(a_ref(), token_for(a_ref(), SECRET), [SECRET])


@pytest.mark.parametrize(
    "ref",
    [CallRef("f" * 32, "whole", 1), CallRef(JOB_ID, "other", 1), CallRef(JOB_ID, "whole", 2)],
    ids=["job", "call", "attempt"],
)
def test_a_token_opens_nothing_else(ref: CallRef) -> None:
    assert not is_token_of(ref, token_for(a_ref(), SECRET), [SECRET])


def test_two_secrets_are_valid_while_one_replaces_the_other() -> None:
    old = token_for(a_ref(), OTHER)

    assert is_token_of(a_ref(), old, [SECRET, OTHER])
    assert not is_token_of(a_ref(), old, [SECRET])


@pytest.mark.parametrize("secrets", [[], [b""], [b"", b""]], ids=["none", "empty", "two empty"])
def test_without_a_secret_no_token_is_right(secrets: list[bytes]) -> None:
    message = f"callback-v1 {JOB_ID} whole 1".encode()
    with_no_secret = base64.urlsafe_b64encode(hmac.digest(b"", message, "sha256"))

    assert not is_token_of(a_ref(), with_no_secret.rstrip(b"=").decode(), secrets)
    assert not is_token_of(a_ref(), token_for(a_ref(), SECRET), secrets)


def test_an_empty_secret_makes_no_token() -> None:
    with pytest.raises(BadToken):
        token_for(a_ref(), b"")


@given(st.one_of(st.none(), st.text(), st.binary(), st.integers()))
def test_anything_else_is_no_token(token: object) -> None:
    assert not is_token_of(a_ref(), token, [SECRET])


def test_the_url_holds_what_the_receiver_reads_back() -> None:
    url = callback_url("https://hooks.invalid/webhook/", a_ref(3), SECRET)
    *_, job_id, call_id, attempt, token = url.split("/")

    ref = CallRef.parse(job_id, call_id, attempt)

    assert ref == a_ref(3)
    assert is_token_of(ref, token, [SECRET])
    assert url.startswith("https://hooks.invalid/webhook/0123")


@given(
    st.tuples(
        st.one_of(st.none(), st.text(max_size=40)),
        st.one_of(st.none(), st.text(max_size=40)),
        st.one_of(st.none(), st.text(max_size=6), st.integers()),
    )
)
def test_any_path_is_a_reference_or_a_bad_token(parts: tuple[object, object, object]) -> None:
    try:
        ref = CallRef.parse(*parts)
    except BadToken:
        return
    assert (ref.job_id, ref.call_id, str(ref.attempt)) == parts


@pytest.mark.parametrize(
    "parts",
    [
        (JOB_ID.upper(), "whole", "1"),
        (JOB_ID + "\n", "whole", "1"),
        (JOB_ID, "../whole", "1"),
        (JOB_ID, "whole", "0"),
        (JOB_ID, "whole", "01"),
        (JOB_ID, "whole", "١"),
        (JOB_ID, "whole", "99999"),
    ],
)
def test_a_path_that_no_url_of_ours_holds_is_refused(parts: tuple[str, str, str]) -> None:
    with pytest.raises(BadToken):
        CallRef.parse(*parts)
