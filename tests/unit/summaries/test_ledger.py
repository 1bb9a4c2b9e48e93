import json
from typing import Any

import pytest

from core.summaries.document import told_registers, words_of_registers
from core.summaries.ledger import Ledger, parse_ledger
from core.summaries.outline import Outline
from core.summaries.passages import numbered
from core.summaries.quotes import QuoteFinder
from core.summaries.registers import MOST_QUOTES, Registers, merged
from core.transcripts.turns import Turn

PASSAGES = numbered(
    [
        Turn(f"S{at}", f"We counted boats on day {at} and it was {at * 37} of them in all.")
        for at in range(1, 31)
    ]
)
ALL = frozenset(range(1, 31))


def ledger(**fields: Any) -> Ledger:
    parsed = parse_ledger(json.dumps(fields), ALL, PASSAGES)
    assert parsed is not None
    return parsed


def together(*ledgers: Ledger) -> Registers:
    return merged(ledgers, QuoteFinder(PASSAGES))


def decision(what: str, turn: int, reverses: int | None = None) -> dict[str, Any]:
    return {"what": what, "who": "Ann", "why": "", "turn": turn, "reverses_turn": reverses}


@pytest.mark.parametrize(
    "text", ["", "No decisions were made.", "[]", '{"summary": []}', '{"decisions"']
)
def test_what_is_no_ledger_is_none(text: str) -> None:
    assert parse_ledger(text, ALL, PASSAGES) is None


def test_a_ledger_that_was_cut_off_is_read_up_to_its_last_whole_entry() -> None:
    text = json.dumps({"decisions": [decision("Buy the ferry", 3), decision("Paint it", 4)]})

    parsed = parse_ledger("```json\n" + text[: text.index("Paint") + 3], ALL, PASSAGES)

    assert parsed is not None
    assert [entry.what for entry in parsed.decisions] == ["Buy the ferry"]


@pytest.mark.parametrize("junk", [None, 3, "x", [3], [{"what": 3}], [None], {"what": "x"}])
def test_entries_of_the_wrong_shape_are_left_out(junk: Any) -> None:
    assert ledger(decisions=junk, actions=[]).decisions == ()


def test_a_turn_that_was_not_shown_is_left_out_and_counted() -> None:
    parsed = ledger(decisions=[decision("Buy the ferry", 99), decision("Paint it", 4)])

    assert [entry.turn for entry in parsed.decisions] == [0, 4]
    assert parsed.wrong_numbers == 1


def test_what_two_calls_list_stands_once() -> None:
    one = ledger(decisions=[decision("Buy the second ferry before winter", 3)])
    other = ledger(decisions=[decision("They will buy the second ferry before the winter", 9)])

    assert len(together(one, other).decisions) == 1


def test_a_decision_and_its_opposite_are_two() -> None:
    both = ledger(
        decisions=[decision("Buy the ferry now", 3), decision("Do not buy the ferry now", 9)]
    )

    assert len(together(both).decisions) == 2


def test_a_decision_that_a_later_one_takes_back_says_so() -> None:
    both = ledger(decisions=[decision("Buy the ferry now", 3), decision("Keep the old boat", 9, 3)])

    first, second = together(both).decisions

    assert (first.ended_at, second.ended_at) == (9, 0)


def test_a_question_that_was_answered_is_not_open() -> None:
    questions = [
        {"what": "Who pays for it?", "who": "Bo", "turn": 3, "answered_at_turn": 9},
        {"what": "When does it sail?", "who": "Bo", "turn": 4, "answered_at_turn": None},
    ]

    registers = together(ledger(questions=questions))

    assert [entry.what for entry in registers.questions] == ["When does it sail?"]
    assert registers.answered == 1


@pytest.mark.parametrize("nothing", ["", "N/A", "none", "null", "Unknown.", "-"])
def test_a_model_that_says_that_there_is_nothing_says_nothing(nothing: str) -> None:
    actions = [{"owner": nothing, "what": "Count the boats", "due": nothing, "turn": 3}]

    (entry,) = ledger(actions=actions).actions

    assert (entry.who, entry.detail) == ("", "")


def test_only_quotes_that_were_said_are_kept_with_the_one_who_said_them() -> None:
    quotes = [
        {"turn": 3, "words": "“We counted boats on day 3 and it was 111 of them”"},
        {"turn": 3, "words": "We counted boats on day 5 and it was 185 of them"},
        {"turn": 4, "words": "We never counted a single boat that week at all"},
    ]

    registers = together(ledger(quotes=quotes))

    assert [(quote.speaker, quote.turn) for quote in registers.quotes] == [("S3", 3), ("S5", 5)]
    assert (registers.dropped_quotes, registers.moved_quotes) == (1, 1)


def test_at_most_eight_quotes_are_kept_from_all_over_the_conversation() -> None:
    quotes = [{"turn": at, "words": PASSAGES[at].text} for at in range(1, 31)]

    kept = [quote.turn for quote in together(ledger(quotes=quotes)).quotes]

    assert len(kept) == MOST_QUOTES
    assert max(kept) - min(kept) > 15


def test_registers_without_entries_have_no_words() -> None:
    assert words_of_registers(Registers(), PASSAGES, {"decisions": "Decisions"}) == 0


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ("Count the boats", "Count the boats (by Friday)."),
        ("Count the boats by Friday, the 6th.", "Count the boats by Friday, the 6th."),
    ],
)
def test_a_day_is_added_to_an_action_item_that_does_not_say_it(what: str, told: str) -> None:
    actions = [{"owner": "Ann", "what": what, "due": "by Friday", "turn": 3}]

    registers = together(ledger(actions=actions))
    outline = Outline(title="Boats", headings={"actions": "Action items"}, topics=())

    assert f"- **Ann**: {told}" in told_registers(registers, PASSAGES, outline)
