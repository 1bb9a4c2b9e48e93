"""Plans, carried out with a model that is only its habits: what it makes of an ask, where it stops."""

from dataclasses import dataclass, field

import pytest
from core.summaries.chunks import partition, split_into_chunks
from core.summaries.plans import (
    Kind,
    Limits,
    PlanImpossibleError,
    Task,
    Written,
    plan_repair,
    plan_stage,
    target_words,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from core.summaries.tokens import estimate_tokens

TOKENS_PER_WORD = 2  # as our estimate counts an English transcript


@dataclass
class Model:
    makes_of_ask: float = 1.0
    tokens_per_word: float = 1.4
    most_words: int = 10**9
    calls: list[Task] = field(default_factory=list)

    def write(self, task: Task, limits: Limits) -> Written:
        self.calls.append(task)
        words = min(round(task.requested_words * self.makes_of_ask), self.most_words)
        fits = int(limits.max_tokens / self.tokens_per_word)
        return Written(task=task, words=min(words, fits), was_cut=words > fits)


def limits(context: int = 32_768, max_tokens: int = 6_000) -> Limits:
    return Limits(context_tokens=context, max_tokens=max_tokens, prompt_overhead_tokens=900)


def summarised(words: int, model: Model, context: int = 32_768, target: int = 4_000) -> int:
    """Carry a whole job out; return the words of its summary."""
    bounds = limits(context, min(6_000, context // 2))
    target = target_words(target, words)
    level, layer_words = 0, words
    while True:
        tokens = chunks(layer_words, bounds)
        written = [
            model.write(task, bounds)
            for task in plan_stage(level, tokens, layer_words, target=target, limits=bounds)
        ]
        assert covered(written, tokens)
        if written[0].task.kind is Kind.NOTES:
            level, layer_words = level + 1, sum(each.words for each in written)
            continue
        for _ in range(2):
            redone = plan_repair(written, tokens, target=target, limits=bounds, least_share=0.75)
            written = [
                each
                for old, tasks in zip(written, redone, strict=True)
                for each in ([model.write(task, bounds) for task in tasks] or [old])
            ]
            assert covered(written, tokens)
        return sum(each.words for each in written)


def chunks(words: int, bounds: Limits) -> list[int]:
    size = bounds.chunk_tokens
    total = words * TOKENS_PER_WORD
    return [size] * (total // size) + ([total % size] if total % size else [])


def covered(written: list[Written], tokens: list[int]) -> bool:
    """Does every chunk have exactly one reader?"""
    read = [chunk for each in written for chunk in range(each.task.first, each.task.last)]
    return read == list(range(len(tokens)))


@pytest.mark.parametrize("context", [8_192, 32_768, 131_072])
@pytest.mark.parametrize("words", [10_000, 30_000, 100_000, 1_000_000])
@pytest.mark.parametrize(
    "model",
    [
        Model(),
        Model(makes_of_ask=0.4),
        Model(makes_of_ask=1.6),
        Model(tokens_per_word=2.5),
        Model(makes_of_ask=0.9, tokens_per_word=2.2),
    ],
    ids=["obedient", "terse", "talkative", "runs into max_tokens", "both"],
)
def test_the_summary_has_the_requested_length(words: int, context: int, model: Model) -> None:
    model.calls.clear()

    got = summarised(words, model, context)

    assert got == pytest.approx(4_000, rel=0.10)


def test_a_terse_model_gets_many_small_parts() -> None:
    model = Model(most_words=1_500)

    assert summarised(10_000, model) >= 3_000


def test_a_transcript_that_fits_is_one_call() -> None:
    model = Model()
    summarised(10_000, model)

    assert [task.kind for task in model.calls] == [Kind.COMPOSE]


def test_a_longer_one_has_a_call_a_section_and_one_that_combines() -> None:
    model = Model()
    summarised(100_000, model)

    kinds = [task.kind for task in model.calls]
    assert kinds == [Kind.NOTES] * (len(kinds) - 1) + [Kind.COMPOSE]
    assert 6 <= len(kinds) <= 12


def test_a_million_words_need_calls_in_proportion() -> None:
    short, long = Model(), Model()
    summarised(100_000, short)
    summarised(1_000_000, long)

    assert len(long.calls) < 12 * len(short.calls)


@pytest.mark.parametrize(
    ("words", "expected"), [(1_500, 600), (10_000, 4_000), (100_000, 4_000), (60, 50), (14, 14)]
)
def test_a_short_transcript_gets_a_proportionate_summary(words: int, expected: int) -> None:
    assert target_words(4_000, words) == expected


def test_no_prompt_of_a_plan_is_longer_than_its_room() -> None:
    for context in (4_096, 8_192, 32_768, 131_072):
        bounds = limits(context, min(6_000, context // 2))
        tokens = chunks(500_000, bounds)
        for task in plan_stage(0, tokens, 500_000, target=4_000, limits=bounds):
            assert sum(tokens[task.first : task.last]) <= bounds.available_tokens(task.words)


def test_a_prompt_that_was_too_long_after_all_is_split() -> None:
    task = Task(kind=Kind.NOTES, level=0, first=0, last=8, words=600, requested_words=600)
    other = Written(
        task=Task(kind=Kind.NOTES, level=0, first=8, last=16, words=600, requested_words=600),
        words=600,
    )

    redone = plan_repair(
        [Written(task=task, words=0, overflowed=True), other],
        [1_000] * 16,
        target=4_000,
        limits=limits(),
        least_share=0.75,
    )

    assert [(each.first, each.last, each.words) for each in redone[0]] == [(0, 4, 300), (4, 8, 300)]
    assert redone[1] == []


def test_a_part_that_was_cut_off_is_requested_shorter() -> None:
    task = Task(kind=Kind.COMPOSE, level=1, first=0, last=8, words=1_000, requested_words=1_000)

    [[redone]] = plan_repair(
        [Written(task=task, words=1_600, was_cut=True)],
        [500] * 8,
        target=1_000,
        limits=limits(),
        least_share=0.75,
    )

    assert (redone.first, redone.last, redone.words, redone.requested_words) == (0, 8, 1_000, 625)


def test_a_context_too_small_for_anything_is_an_error() -> None:
    with pytest.raises(PlanImpossibleError, match="MAX_MODEL_LEN"):
        plan_stage(0, [900] * 50, 20_000, target=4_000, limits=limits(2_048, 1_024))


def test_a_prompt_that_can_not_get_smaller_is_an_error() -> None:
    task = Task(kind=Kind.COMPOSE, level=0, first=0, last=1, words=600, requested_words=600)

    with pytest.raises(PlanImpossibleError, match="MaxModelLenTokens"):
        plan_repair(
            [Written(task=task, words=0, overflowed=True)],
            [900],
            target=4_000,
            limits=limits(),
            least_share=0.75,
        )


class TestChunks:
    @given(st.text(st.sampled_from("ab.!? \n。x"), max_size=600), st.integers(8, 60))
    def test_hold_every_word_in_order(self, text: str, most: int) -> None:
        cut = split_into_chunks(text, most_tokens=most, tokens_of=len)

        assert "".join("".join(cut).split()) == "".join(text.split())

    @given(st.text(max_size=400), st.integers(8, 60))
    def test_are_never_larger_than_allowed(self, text: str, most: int) -> None:
        for chunk in split_into_chunks(text, most_tokens=most, tokens_of=len):
            assert len(chunk) <= most

    def test_of_a_word_that_is_longer_than_a_chunk_hold_all_of_it(self) -> None:
        word = "".join(chr(ord("a") + number % 26) for number in range(100))

        cut = split_into_chunks(f"One two. {word} three.", most_tokens=20, tokens_of=len)

        assert "".join("".join(cut).split()) == f"Onetwo.{word}three."
        assert max(map(len, cut)) <= 20

    def test_keep_the_lines_that_fit_as_they_are(self) -> None:
        lines = "\n".join(f"Ann: {number}" for number in range(9))

        assert split_into_chunks(lines, most_tokens=1_000, tokens_of=len) == [lines]

    def test_end_with_a_turn_where_they_can(self) -> None:
        text = "\n".join(f"Mara: sentence number {number}." for number in range(40))

        for chunk in split_into_chunks(text, most_tokens=120, tokens_of=len):
            assert chunk.startswith("Mara:")
            assert chunk.endswith(".")

    def test_end_with_a_sentence_where_a_turn_is_too_long(self) -> None:
        text = "Mara: " + "One sentence here. " * 50

        for chunk in split_into_chunks(text, most_tokens=120, tokens_of=len)[:-1]:
            assert chunk.strip().endswith(".")

    @pytest.mark.parametrize("line", ["." * 36_000, "a." * 18_000, "a: " * 12_000, "a\n" * 18_000])
    def test_are_not_counted_sign_by_sign(self, line: str) -> None:
        """A file of nothing but these kept the submitter busy for minutes, and no job was recorded."""
        counted: list[int] = []

        def tokens_of(text: str) -> int:
            counted.append(len(text))
            return estimate_tokens(text)

        split_into_chunks(line, most_tokens=900, tokens_of=tokens_of)

        assert len(counted) < len(line) / 10
        assert sum(counted) < 5 * len(line)

    @given(st.text(max_size=400))
    def test_may_rely_on_what_a_character_costs_at_most(self, text: str) -> None:
        assert estimate_tokens(text) <= 4 * len(text) + 1

    def test_of_a_million_words_are_cut_in_seconds(self) -> None:
        text = "\n".join("Mara: " + "word " * 30 for _ in range(33_000))

        assert len(split_into_chunks(text, most_tokens=5_000, tokens_of=len)) > 900


def test_a_summary_a_little_longer_than_an_answer_is_written_in_two_short_parts() -> None:
    """Each is shorter than parts are made otherwise: notes of notes would never fit one answer."""
    short_answers = Limits(context_tokens=8_192, max_tokens=1_000, prompt_overhead_tokens=1_241)

    tasks = plan_stage(1, [1_000, 250], 805, target=668, limits=short_answers)

    assert [(task.kind, task.words) for task in tasks] == [(Kind.COMPOSE, 334)] * 2


class TestPartition:
    @settings(max_examples=300)
    @given(st.lists(st.integers(1, 50), min_size=1, max_size=40), st.integers(1, 50))
    def test_gives_every_item_once_and_each_share_at_least_one(
        self, weights: list[int], shares: int
    ) -> None:
        ranges = partition(weights, shares)

        assert len(ranges) == min(shares, len(weights))
        assert all(first < last for first, last in ranges)
        assert [index for first, last in ranges for index in range(first, last)] == list(
            range(len(weights))
        )

    @given(st.integers(1, 20))
    def test_is_fair_among_equals(self, shares: int) -> None:
        sizes = [last - first for first, last in partition([1] * 200, shares)]

        assert max(sizes) - min(sizes) <= 1
