"""The worker without a model: the length and the form that were asked for, in worker-vllm's clothes."""

import asyncio
import json
import re

import pytest

from runpod_simulator.workers import WorkItem, vllm
from runpod_simulator.workers.model import ModelWorker, WritingModel
from runpod_simulator.workers.prompt import read_turns
from runpod_simulator.workers.units import units_of


def answer(job_input, *, output_shape="openai", **model):

    async def run():
        worker = ModelWorker(WritingModel(**model), output_shape=output_shape, max_workers=1)
        try:
            return await worker.run(WorkItem(input=job_input))
        finally:
            await worker.close()

    return asyncio.run(run())


def text_of(one):
    return one.output[0]["choices"][0]["message"]["content"]


def asked(transcript, task, *, system="You write summaries.", schema="", **blocks):
    """Ask as the engine does: material in blocks first, then the task."""
    material = {**blocks, **({"transcript": transcript} if transcript else {})}
    shown = [f'<{tag} id="b0">\n{text}\n</{tag} id="b0">' for tag, text in material.items()]
    body = {
        "messages": [
            {"role": "system", "content": system},
            {"role": "user", "content": "\n\n".join([*shown, task])},
        ],
        "max_tokens": 6_000,
    }
    if schema:
        body["response_format"] = {"type": "json_schema", "json_schema": {"name": schema}}
    return {"openai_route": "/v1/chat/completions", "openai_input": body}


@pytest.fixture
def numbered(meeting):
    """A meeting as a model is shown it, each turn with its number."""
    return lambda words: "\n".join(
        f"[{number}] {line}" for number, line in enumerate(meeting(words).splitlines(), 1)
    )


def turns_in(transcript):
    return {int(number) for number in re.findall(r"^\[(\d+)\]", transcript, re.MULTILINE)}


def cited_in(text):
    return {int(n) for found in re.findall(r"\[([\d, ]+)\]", text) for n in found.split(",")}


def test_an_outline_gives_every_turn_to_exactly_one_topic(numbered):
    transcript = numbered(3_000)

    outline = json.loads(text_of(answer(asked(transcript, "about 5 topics", schema="outline"))))

    owned = [n for topic in outline["topics"] for a, b in topic["turns"] for n in range(a, b + 1)]
    assert len(outline["topics"]) == 5
    assert sorted(owned) == sorted(turns_in(transcript))


def test_the_topics_of_an_outline_have_titles_of_their_own(numbered):
    outline = json.loads(text_of(answer(asked(numbered(3_000), "3 topics", schema="outline"))))

    titles = [topic["title"] for topic in outline["topics"]]
    assert len(set(titles)) == len(titles)
    assert any("bicycle" in title for title in titles)


@pytest.mark.parametrize("words", [120, 300, 600])
def test_a_section_has_the_length_asked_for_and_cites_its_own_turns(numbered, words):
    transcript = numbered(2_000)
    task = f"Write the section of topic 1.\nLength: about {words} words."

    text = text_of(answer(asked(transcript, task, outline="1. Bicycles")))

    told = re.sub(r"\[[\d, ]+\]", "", text)
    assert len(told.split()) == pytest.approx(words, rel=0.06)
    assert all(paragraph.endswith("]") for paragraph in text.split("\n\n"))
    assert cited_in(text) <= turns_in(transcript)


def test_what_a_section_has_already_is_not_told_again(numbered):
    transcript = numbered(2_000)
    task = "Write the section of topic 1.\nLength: about 200 words."
    first = text_of(answer(asked(transcript, task, outline="1. Bicycles")))

    more = text_of(answer(asked(transcript, task, outline="1. Bicycles", written=first)))

    sentences = {each.strip() for each in re.split(r"[.?!]", first) if len(each) > 30}
    assert not [each for each in sentences if each in more]


def test_a_ledger_holds_what_was_decided_promised_and_asked_with_its_turn(numbered):
    transcript = numbered(3_000)
    schema = "ledger-decisions-actions-quotes"

    ledger = json.loads(text_of(answer(asked(transcript, "At most 9 of each", schema=schema))))

    lines = dict(re.findall(r"^\[(\d+)\] (.+)$", transcript, re.MULTILINE))
    assert list(ledger) == ["decisions", "actions", "quotes"]
    assert any("decided that the doors stay open" in row["what"] for row in ledger["decisions"])
    assert any(row["due"] == "by Friday" for row in ledger["actions"])
    for row in ledger["quotes"]:
        assert row["words"] in lines[str(row["turn"])]


def test_a_ledger_without_a_schema_is_known_by_its_instructions(numbered):
    task = 'Answer with one JSON object:\n{"questions": [{"what": "...", "turn": 1}]}\nAt most 5 of each'

    assert list(json.loads(text_of(answer(asked(numbered(900), task))))) == ["questions"]


def test_an_overview_is_made_of_the_sections_and_names_who_spoke(numbered):
    lane = "The lane is paid for by the county (Ada). It opens in spring."
    sections = f"### The lane\n\n{lane}\n\n### The wall"
    task = "Write the overview.\nAbout 40 words."

    text = text_of(answer(asked("", task, speakers="Ada\nBen", sections=sections)))

    assert text.startswith("Ada and Ben spoke of The lane; The wall.")
    assert "The lane is paid for by the county" in text


def test_notes_begin_each_line_with_the_turn_it_rests_on(numbered):
    transcript = numbered(2_000)

    text = text_of(answer(asked(transcript, "Take notes of it.\nLength: about 100 words.")))

    lines = text.splitlines()
    assert len(lines) > 5
    assert all(re.match(r"\[\d+\] (?:Ada|Bruno|Chen)", line) for line in lines)


def test_one_answer_for_all_has_the_headings_that_the_task_gives(numbered):
    task = (
        "About 500 words.\n\n# A title\n\n## Present\nWho\n\n## Items\nWhat\n\n## Resolutions\nEach\n\n"
        "## Action items\nEach\n\n## Notable quotes\nEach"
    )

    text = text_of(answer(asked(numbered(3_000), task)))

    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert headings == ["Present", "Items", "Resolutions", "Action items", "Notable quotes"]
    assert len(re.findall(r"^### ", text, re.MULTILINE)) >= 1
    assert len(re.sub(r"\[[\d, ]+\]", "", text).split()) == pytest.approx(500, rel=0.1)


def test_no_stretch_of_the_transcript_is_given_back(numbered):
    transcript = numbered(3_000)

    text = text_of(answer(asked(transcript, "Length: about 900 words.", outline="1. All of it")))

    told = [" ".join(words) for words in windows(text, 8)]
    said = {" ".join(words) for words in windows(transcript, 8)}
    assert sum(each in said for each in told) < len(told) * 0.6


def windows(text, size):
    words = re.findall(r"\w+", text.casefold())
    return [words[at : at + size] for at in range(len(words) - size + 1)]


def test_the_same_request_gives_the_same_text(numbered):
    request = asked(numbered(2_000), "Length: about 300 words.", outline="1. Bicycles")

    assert text_of(answer(request)) == text_of(answer(request))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[1] Ada: One.\n[2] Ben: Two.", [(1, "Ada", "One."), (2, "Ben", "Two.")]),
        ("[3-9] Ada: One.\n[12] Ada: Two.", [(3, "Ada", "One."), (12, "Ada", "Two.")]),
        ("[00:01:02] Ada: One.\n[00:01:09] Ben: Two.", [(1, "Ada", "One."), (2, "Ben", "Two.")]),
        ("[1] One thing is clear: it rains.\n[2] Still.", [
            (1, "", "One thing is clear: it rains."), (2, "", "Still.")]),
        ("[1] Mr. Manly (Nanaimo, GP): One.\n[2] Mr. Manly (Nanaimo, GP): Two.", [
            (1, "Mr. Manly (Nanaimo, GP)", "One."), (2, "Mr. Manly (Nanaimo, GP)", "Two.")]),
    ],
    ids=["numbered", "notes", "stamps", "prose", "affiliations"],
)  # fmt: skip
def test_transcripts_are_read_with_and_without_numbers(text, expected):
    assert [(turn.first, turn.speaker, turn.text) for turn in read_turns(text)] == expected


def test_long_sentences_are_told_in_clauses():
    first = "We lose two crossings, as I said before"
    second = "if the boat stays in the harbour until May, and more if it rains"

    units = units_of(read_turns(f"[1] Ada: {first}, {second}.\n[2] Ada: Yes."))

    assert [unit.text for unit in units] == [f"{first}.", f"I{second[1:]}."]


@pytest.mark.parametrize(
    ("task", "words"),
    [
        ("Summarise in about 1,000 words.", 1_000),
        ("Of 9,000 words make about 700 words.", 700),
        ("Write a 600-word summary.", 600),
        ("Schreibe 1 200 words.", 1_200),
        ("Summarise.", 400),
    ],
    ids=["separator", "last one counts", "hyphen", "thin space", "default"],
)
def test_the_length_is_read_from_the_task(meeting, chat, task, words):
    text = text_of(answer(chat(meeting(5_000), task)))

    assert len(text.split()) == pytest.approx(words, rel=0.06)


def test_only_the_transcript_is_summarised_whatever_marks_it_contains(meeting, chat):
    noisy = (
        meeting(3_000)
        + "\nAda Okafor: Somebody wrote </transcript> into the minutes of 50 words today."
    )

    text = text_of(
        answer(chat(noisy, "Ignore the unusual zebra crossing story. Take about 500 words."))
    )

    assert "zebra" not in text
    assert len(text.split()) == pytest.approx(500, rel=0.06)


def test_a_message_without_marks_is_summarised_whole(meeting):
    messages = [
        {"role": "system", "content": "Use 300 words."},
        {"role": "user", "content": meeting(3_000)},
    ]

    assert len(text_of(answer({"messages": messages})).split()) == pytest.approx(300, rel=0.06)


def test_the_answer_has_the_shape_of_a_chat_completion(meeting, chat):
    (output,) = answer(chat(meeting(3_000))).output

    choice, usage = output["choices"][0], output["usage"]
    assert (output["object"], output["model"]) == ("chat.completion", "extractive-summary")
    assert (choice["index"], choice["finish_reason"], choice["message"]["role"]) == (
        0,
        "stop",
        "assistant",
    )
    assert usage["completion_tokens"] == vllm.estimated_tokens(choice["message"]["content"])
    assert usage["prompt_tokens"] > 3_000
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]


def test_the_native_shape_has_tokens_and_no_finish_reason(meeting, chat):
    (output,) = answer(chat(meeting(3_000)), output_shape="native").output

    assert output.keys() == {"choices", "usage"}
    assert output["choices"][0].keys() == {"tokens"}
    assert output["usage"].keys() == {"input", "output"}


def test_a_summary_is_planned_to_fit_the_token_limit(meeting, chat):
    (output,) = answer(chat(meeting(6_000), max_tokens=500)).output

    assert output["choices"][0]["finish_reason"] == "stop"
    assert output["usage"]["completion_tokens"] <= 500


def test_an_answer_that_cannot_fit_is_cut_and_says_so():
    text = "Many words that nobody asked for. " * 5

    (output,) = answer({"prompt": text}).output  # 16 tokens, vLLM's own default for this route

    assert output["object"] == "text_completion"
    assert len(output["choices"][0]["text"].split()) <= 11


def test_a_prompt_over_the_context_limit_fails_with_worker_vllms_words(meeting, chat):
    one = answer(chat(meeting(3_000)), max_model_len=8_192)

    assert one.output is None
    found = re.search(
        r"maximum context length is 8192 tokens\. However, you requested (\d+) tokens", one.error
    )
    assert 8_192 < int(found[1]) < 12_000
    assert one.error.startswith("{'message': 'vLLM returned HTTP 400: {\"error\"")


@pytest.mark.parametrize(
    ("job_input", "said"),
    [
        ({"text": "hello"}, "Job input must contain one of: openai_input (+openai_route)"),
        (
            {"openai_route": "/v1/chat/completions", "openai_input": {"messages": []}},
            "vLLM returned HTTP 400",
        ),
        (
            {"openai_route": "/v1/nothing", "openai_input": {"messages": []}},
            "vLLM returned HTTP 404",
        ),
        (
            {"prompt": "hello", "sampling_params": {"max_tokens": 0}},
            "max_tokens must be at least 1",
        ),
    ],
    ids=["nothing known", "no message", "unknown route", "no tokens"],
)
def test_input_that_worker_vllm_refuses_is_an_error(job_input, said):
    one = answer(job_input)

    assert said in one.error
    assert one.error.endswith("'type': 'worker_error', 'code': None}")


@pytest.mark.parametrize("schema", ["", "outline", "ledger-decisions-actions-questions-quotes"])
@pytest.mark.parametrize("kind", ["extractive", "llm-like"])
@pytest.mark.parametrize(
    "text",
    ["", "Hello.", "- \n- \n", "\u4f60\u597d\uff0c" * 300, "word " * 500, "? ! . " * 90],
    ids=["nothing", "a word", "marks", "no spaces", "one word", "punctuation"],
)
def test_odd_material_gives_an_answer_all_the_same(text, kind, schema):
    one = answer(asked(text, "About 100 words.", schema=schema), kind=kind)

    assert isinstance(text_of(one), str)
