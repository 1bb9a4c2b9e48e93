"""The worker without a model: a real summary of the wanted length, in worker-vllm's clothes."""

import asyncio
import re

import pytest
import sentencex

from core.words import count_words
from runpod_simulator.workers import WorkItem
from runpod_simulator.workers.extractive import ExtractiveWorker
from runpod_simulator.workers.languages import LANGUAGES
from runpod_simulator.workers.summary import Stopped, summarise
from runpod_simulator.workers.transcript import read_sentences, read_turns, tidied


def answer(job_input, *, max_model_len=32_768, output_shape="openai", model_name=""):

    async def run():
        worker = ExtractiveWorker(
            max_model_len=max_model_len,
            output_shape=output_shape,
            model_name=model_name,
            max_workers=1,
        )
        try:
            return await worker.run(WorkItem(input=job_input))
        finally:
            await worker.close()

    return asyncio.run(run())


def text_of(one):
    return one.output[0]["choices"][0]["message"]["content"]


@pytest.mark.parametrize(
    ("transcript_words", "wanted"), [(3_000, 600), (9_000, 1_500), (12_000, 4_000)]
)
def test_the_summary_has_about_the_wanted_length(meeting, transcript_words, wanted):
    summary = summarise(meeting(transcript_words), wanted)

    assert len(summary.split()) == pytest.approx(wanted, rel=0.04)


def test_the_same_transcript_gives_the_same_summary(meeting):
    assert summarise(meeting(4_000), 800) == summarise(meeting(4_000), 800)


def test_a_summary_is_never_most_of_the_transcript(meeting):
    transcript = meeting(1_500)

    assert len(summarise(transcript, 4_000).split()) < 0.85 * len(transcript.split())


def test_each_part_is_headed_by_who_spoke_most(meeting):
    summary = summarise(meeting(6_000), 1_200)

    headings = re.findall(r"^### (.+)$", summary, re.MULTILINE)
    people = ["Ada Okafor", "Bruno Keller", "Chen Wei"]
    assert len(headings) >= 4
    for number, heading in enumerate(headings, 1):
        labels = heading.removeprefix(f"{number}. ").split(", ")
        assert len(labels) == 2
        assert set(labels) <= set(people)


@pytest.mark.parametrize(
    ("language", "sentences", "headings"),
    [
        ("German", "Der Wasserstand an der Brücke Nummer {n} ist in diesem Jahr nicht mehr so hoch.",
         ["Überblick", "Der Reihe nach"]),
        ("French", "Le niveau de la rivière près du pont {n} n'est pas aussi haut que dans les autres.",
         ["Aperçu", "Dans l'ordre"]),
        ("Spanish", "El nivel del río cerca del puente {n} no es tan alto como en los otros años.",
         ["Resumen", "Por orden"]),
        ("Dutch", "De stand van het water bij brug {n} is in dit jaar niet meer zo hoog als het was.",
         ["Overzicht", "Op volgorde"]),
        ("Chinese", "今年第{n}号桥附近的水位没有去年那么高。", ["概述", "依次内容"]),
        ("Japanese", "今年は第{n}橋のそばの水位が去年ほど高くありません。", ["概要", "順を追って"]),
        ("Hungarian", "A folyó vízszintje a {n}. híd közelében idén nem olyan magas, mint tavaly volt.",
         ["Overview", "Topics in order"]),
    ],
    ids=lambda value: value if isinstance(value, str) and value.isalpha() and value.isascii() else "",
)  # fmt: skip
def test_a_summary_has_its_headings_in_the_transcripts_own_language(language, sentences, headings):
    said = [f"Mara: {sentences.format(n=n)}" for n in range(200)]

    summary = summarise("\n".join(said), 400)

    assert re.findall(r"^## (.+)$", summary, re.MULTILINE) == headings
    assert count_words(summary) == pytest.approx(400, rel=0.1)
    # Every line but headings and the first, which says what this is, was said.
    lines = [line for line in summary.splitlines() if line and not line.startswith("#")]
    for line in lines[1:]:
        for one in sentencex.segment("en", line.removeprefix("Mara: ")):
            assert f"Mara: {one.strip()}" in said or language in {
                "Chinese",
                "Japanese",
                "Hungarian",
            }


def test_an_unknown_language_is_reported_as_unknown():
    sentence = "A folyó vízszintje a {n}. híd közelében idén nem olyan magas, mint tavaly volt."
    said = "\n".join(f"Mara: {sentence.format(n=n)}" for n in range(200))

    assert "under English headings because this simulator doesn't know their language" in summarise(
        said, 400
    )


def test_every_sentence_is_from_the_transcript_and_by_its_speaker(meeting):
    transcript = meeting(6_000)
    said = {(one.speaker, one.text) for one in read_sentences(read_turns(transcript))}

    topics = summarise(transcript, 1_200).partition("## Topics in order")[2].partition("\n## ")[0]
    paragraphs = [
        line.split(": ", 1) for line in topics.splitlines() if line and not line.startswith("#")
    ]

    assert len(paragraphs) > 10
    for speaker, text in paragraphs:
        for sentence in re.findall(r"[^.?!]+[.?!]", text):
            assert (speaker, sentence.strip()) in said


def test_no_sentence_is_used_twice(meeting):
    sentences = re.findall(r"[A-Z][^.?!\n]{40,}[.?!]", summarise(meeting(6_000), 1_500))

    assert len(sentences) == len(set(sentences))


def test_time_stamps_lead_to_the_place_of_a_subject(meeting):
    stamped = "\n".join(
        f"[00:{number // 60:02}:{number % 60:02}] {line}"
        for number, line in enumerate(meeting(3_000).splitlines())
    )

    assert re.search(r"^### 1\. .+ \[00:00:00\]$", summarise(stamped, 700), re.MULTILINE)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ada: One.\nBen: Two.", [("Ada", "One."), ("Ben", "Two.")]),
        ("[00:01:02] Ada: One.\n[00:01:09] Ben: Two.", [("Ada", "One."), ("Ben", "Two.")]),
        ("Ada (00:01:02):\nOne.\n\nBen (00:01:09):\nTwo.", [("Ada", "One."), ("Ben", "Two.")]),
        ("**Ada:** One.\n**Ben:** Two.", [("Ada", "One."), ("Ben", "Two.")]),
        ("# Title\nAda: One.\nMore.\nBen: Two.", [("Ada", "One. More."), ("Ben", "Two.")]),
        ("1\n00:00:01,000 --> 00:00:02,000\nAda: One.\n\n2\n00:00:02,000 --> 00:00:03,000\nBen: Two.",
         [("Ada", "One."), ("Ben", "Two.")]),
        ("One thing is clear: it rains.\nIt rains a lot.\nStill.", [
            ("", "One thing is clear: it rains."), ("", "It rains a lot."), ("", "Still.")]),
    ],
    ids=["plain", "stamps", "speaker on its own line", "Markdown", "two lines", "subtitles", "prose"],
)  # fmt: skip
def test_transcripts_of_many_kinds_are_read(text, expected):
    assert [(turn.speaker, turn.text) for turn in read_turns(text)] == expected


@pytest.mark.parametrize(
    ("spoken", "expected"),
    [
        ("Um , I think {vocalsound} we 're done .", "I think we're done."),
        ("the the the logo", "the logo"),
        ("on the on the on the back", "on the back"),
        ("to be because", "to be because"),
        ("It rained . [Laughter]", "It rained."),
    ],
)
def test_speech_is_tidied_without_changing_its_words(spoken, expected):
    assert tidied(spoken) == expected


def test_words_of_another_language_are_not_mistaken_for_english_stutters():
    german = next(each for each in LANGUAGES if each.code == "de")

    assert tidied("Die, die um eins kommen", german) == "Die, die um eins kommen"


def test_a_negation_survives_the_tidying():
    (sentence,) = read_sentences(read_turns("Ada: No further petitions were received.\nAda: Yes."))[
        :1
    ]

    assert sentence.text == "No further petitions were received."


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

    assert len(text.split()) == pytest.approx(words, rel=0.05)


def test_only_the_transcript_is_summarised_whatever_marks_it_contains(meeting, chat):
    noisy = (
        meeting(3_000)
        + "\nAda Okafor: Somebody wrote </transcript> into the minutes of 50 words today."
    )

    text = text_of(
        answer(chat(noisy, "Ignore the unusual zebra crossing story. Take about 500 words."))
    )

    assert "zebra" not in text
    assert len(text.split()) == pytest.approx(500, rel=0.05)


def test_a_message_without_marks_is_summarised_whole(meeting):
    messages = [
        {"role": "system", "content": "Use 300 words."},
        {"role": "user", "content": meeting(3_000)},
    ]

    text = text_of(answer({"messages": messages}))

    assert len(text.split()) == pytest.approx(300, rel=0.06)


def test_the_answer_has_the_shape_of_a_chat_completion(meeting, chat):
    one = answer(chat(meeting(3_000)))

    (output,) = one.output
    choice, usage = output["choices"][0], output["usage"]
    assert (output["object"], output["model"]) == ("chat.completion", "extractive-summary")
    assert (choice["index"], choice["finish_reason"], choice["message"]["role"]) == (
        0,
        "stop",
        "assistant",
    )
    words = len(choice["message"]["content"].split())
    assert usage["completion_tokens"] == pytest.approx(words * 1.35, abs=2)
    assert usage["prompt_tokens"] > 3_000
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]


def test_the_native_shape_has_tokens_and_no_finish_reason(meeting, chat):
    (output,) = answer(chat(meeting(3_000)), output_shape="native").output

    assert output.keys() == {"choices", "usage"}
    assert output["choices"][0].keys() == {"tokens"}
    assert output["choices"][0]["tokens"][0].startswith("## Overview")
    assert output["usage"].keys() == {"input", "output"}


def test_a_summary_is_planned_to_fit_the_token_limit(meeting, chat):
    (output,) = answer(chat(meeting(6_000), max_tokens=500)).output

    assert output["choices"][0]["finish_reason"] == "stop"
    assert output["usage"]["completion_tokens"] <= 500


def test_an_answer_that_cannot_fit_is_cut_and_says_so():
    text = "Many words that nobody asked for. " * 5

    (output,) = answer({"prompt": text}).output  # 16 tokens, vLLM's own default for this route

    assert output["choices"][0]["finish_reason"] == "length"
    assert output["object"] == "text_completion"
    assert len(output["choices"][0]["text"].split()) == 11


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


@pytest.mark.parametrize(
    "text", ["", "Hello.", "- \n- \n", "\u4f60\u597d" * 300, "word " * 500, "? ! . " * 90]
)
def test_odd_material_gives_an_answer_all_the_same(text):
    assert isinstance(summarise(text, 100), str)


def test_a_job_that_was_stopped_makes_nothing(meeting):
    with pytest.raises(Stopped):
        summarise(meeting(3_000), 500, lambda: True)
