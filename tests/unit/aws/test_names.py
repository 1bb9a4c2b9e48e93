from hypothesis import given
from hypothesis import strategies as st

from core.aws.names import facts_key_for, summary_key_for

SUFFIXES = (".txt", ".md", ".vtt", ".json")


def key_for(key: str) -> str:
    return summary_key_for(key, prefix="summaries/", suffixes=SUFFIXES)


def test_the_summary_is_named_for_the_transcript() -> None:
    assert key_for("calls/board.txt") == "summaries/calls/board.txt"
    assert facts_key_for(key_for("calls/board.txt")) == "summaries/calls/board.json"


def test_another_ending_stays_in_the_name() -> None:
    assert key_for("calls/board.vtt") == "summaries/calls/board.vtt.txt"
    assert key_for("calls/board.vtt.gz") == "summaries/calls/board.vtt.gz.txt"
    assert key_for("calls/board.txt.gz") == "summaries/calls/board.txt.gz.txt"


NAMES = st.builds(
    "".join,
    st.lists(
        st.sampled_from(
            ["a", "b", "/", ".txt", ".TXT", ".md", ".vtt", ".json", ".gz", ".GZ", ".", "~"]
        ),
        min_size=1,
        max_size=6,
    ),
).flatmap(
    lambda stem: st.sampled_from([".txt", ".txt.gz", ".vtt", ".vtt.gz", ".json"]).map(
        lambda ending: stem + ending
    )
) | st.text(min_size=1, max_size=1100).map(lambda stem: stem + ".md")


@given(st.lists(NAMES, min_size=2, max_size=30, unique=True))
def test_no_two_transcripts_share_a_summary(keys: list[str]) -> None:
    summaries = [key_for(key) for key in keys]

    assert len(set(summaries)) == len(keys)
    assert len({facts_key_for(key) for key in summaries}) == len(keys)


@given(st.integers(1010, 1020), st.sampled_from(["a", "é", "港", "😀", "/"]))
def test_the_name_that_a_long_one_is_cut_to_can_not_be_taken_by_another(size: int, of: str) -> None:
    """Its author can calculate it, upload a file of that name, and would overwrite the summary."""
    long = "x" * (size % len(of.encode())) + of * (size // len(of.encode())) + ".txt"
    taken = key_for(long).removeprefix("summaries/")

    assert len(taken.encode()) <= 1024
    assert key_for(taken) != key_for(long)


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=1024).map(lambda s: s + ".txt"))
def test_every_name_fits_into_s3(key: str) -> None:
    for name in (key_for(key), facts_key_for(key_for(key))):
        assert len(name.encode()) <= 1024
        assert name.startswith("summaries/")
