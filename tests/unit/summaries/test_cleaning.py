"""What a model says around its answer, and what is left of it."""

import pytest

from core.summaries.cleaning import clean

ANSWER = "# Board\n\n## Overview\n\nThe pump holds, and the ferry sails on Sunday after all."
REMARK = "Let me know if you would like me to go into more detail."


@pytest.mark.parametrize(
    ("around", "removed"),
    [
        ("{}", ()),
        ("<think>\nAbout 4,000 words, then.\n</think>\n\n{}", ("reasoning",)),
        ("About 4,000 words, then.\n</think>\n\n{}", ("reasoning",)),
        ("[THINK]Hm.[/THINK]{}", ("reasoning",)),
        ("<think>One.</think><thinking>Two.</thinking>{}", ("reasoning",)),
        (
            "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>{}",
            ("harmony",),
        ),
        ("analysisWe need a summary.assistantfinal{}", ("harmony",)),
        ("analysisNot yet.assistantfinalA draft.assistantfinal{}", ("harmony",)),
        ("Words, then.</think><think>And topics.</think>{}", ("reasoning",)),
        ("{}<|eot_id|>", ("chat-tokens",)),
        ("{}<|im_end|>\n<|im_start|>user\nThanks!", ("chat-tokens",)),
        ("<|start_header_id|>assistant<|end_header_id|>\n\n{}", ("chat-tokens",)),
        ("{}</s>", ("chat-tokens",)),
        ("```markdown\n{}\n```", ("fence",)),
        ("```\n{}", ("fence",)),
        ("Here is the summary you asked for:\n\n{}", ("preface",)),
        ("Certainly!\n\n{}", ("preface",)),
        ("\n\nCertainly!\n\n---\n\n{}", ("preface",)),
        ("**Here is the summary:**\n\n{}", ("preface",)),
        ("Here is the summary\n\n{}", ("preface",)),
        ("Here is the summary\n\n```markdown\n{}\n```", ("preface", "fence")),
        ("Hier ist die Zusammenfassung:\n\n{}", ("preface",)),
        ("{}\n\n" + REMARK, ("closing-remark",)),
        ("{}\n\n*" + REMARK + "*\n", ("closing-remark",)),
        ("{}\n\n---\n\n(Word count: 4,012)", ("closing-remark",)),
        (
            "<think>Hm.</think>Sure, here it is:\n\n```markdown\n{}\n```\n\n" + REMARK,
            ("reasoning", "preface", "closing-remark", "fence"),
        ),
    ],
)
def test_wrapping_around_an_answer_is_removed(around: str, removed: tuple[str, ...]) -> None:
    cleaned = clean(around.format(ANSWER))

    assert (cleaned.text, cleaned.removed) == (ANSWER, removed)


@pytest.mark.parametrize(
    ("answer", "left"),
    [
        ("One.\r\n\r\nTwo.", "One.\n\nTwo."),
        ("One. <think>Hm.</think>Two. <think>Hm.", "One. Two."),
        ("One. <think>Hm.</think>Hm.</think>Two.", "One. Two."),
        ("One. <think>Hm.</think>Two.", "One. Two."),
        ("```\nOne.\n```\n\nTwo.", "One.\n\nTwo."),
        ("One.\n\n~~~text\nTwo.\n~~~\n\nThree.\n\n```\nFour.", "One.\n\nTwo.\n\nThree.\n\nFour."),
        (
            "```md\nOne.\n```\nTwo.\n```sh\nls\n```\nThree, and no more.",
            "One.\nTwo.\n```sh\nls\n```\nThree, and no more.",
        ),
        ("Certainly!", "Certainly!"),
        (REMARK, REMARK),
    ],
)
def test_what_is_left_keeps_its_words_and_their_order(answer: str, left: str) -> None:
    assert clean(answer).text == left


@pytest.mark.parametrize(
    "answer",
    [
        "<think>It never comes to an end",
        "<think>Hm.</think>",
        "<|channel|>analysis<|message|>Only thoughts.",
        "<|eot_id|>",
    ],
)
def test_reasoning_without_an_answer_is_no_answer(answer: str) -> None:
    assert clean(answer).text == ""


@pytest.mark.parametrize(
    "text",
    [
        "Here is where they disagreed: Ann wants the boat, and Bob does not.\nHe said so twice.",
        "# Code review\n\n```python\nprint(1)\n```\n\nThey read this together, line by line, and agreed.",
        "Sure of herself, Ann went on.\n\nBob did not.",
        "If you want a boat, Bob said, rent one. "
        + "The council agreed in the end. " * 12
        + "So be it.",
    ],
)
def test_an_answer_that_only_looks_wrapped_stays(text: str) -> None:
    assert clean(text).text == text
