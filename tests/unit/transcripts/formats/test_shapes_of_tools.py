"""Shapes in which tools export transcripts: every sentence is read with its speaker, nothing else is."""

import json
from typing import Any

import pytest

from core.errors import BadTranscript
from core.transcripts.reader import Transcript, read_transcript

SAID = (
    ("Ann Lee", "The kiln was too hot again.", 0),
    ("Bob Ray", "Then half of the bowls are lost.", 5),
    ("Ann Lee", "We should buy a thermometer.", 10),
    ("Bob Ray", "I know a shop that has them.", 15),
    ("Ann Lee", "Please go there before noon.", 20),
)
TOLD = [f"{name}: {words}" for name, words, _ in SAID]


def read(content: str | Any) -> Transcript:
    text = content if isinstance(content, str) else json.dumps(content)
    return read_transcript(text.encode(), max_bytes=1_000_000)


def lines(pattern: str) -> str:
    return "".join(
        pattern.format(
            name=name,
            words=words,
            at=at,
            thousandths=at * 1000,
            until=at * 1000 + 4000,
            short=f"0:{at:02}",
            long=f"00:00:{at:02}",
            end=f"00:00:{at + 4:02}",
            face="".join(part[0] for part in name.split()),
        )
        for name, words, at in SAID
    )


TIMED_TEXTS = {
    "a link behind the time": "**{name}:** [{long}](https://host.example/x?t={at}) {words}\n\n",
    "a link before the name": "[{short}](https://host.example/x?t={at}) **{name}**: {words}\n\n",
    "a time in italics": "**{name}** _{short}_\n{words}\n\n",
    "initials of a face": "{face}\n{name}\n{short}\n{words}\n",
    "a time written three times": "{name}\n0 minutes {at} seconds\n{short}\n"
    "{name} 0 minutes {at} seconds\n{words}\n",
    "start and end behind the name": "{name} {long} - {end}\n{words}\n\n",
    "start and end above the name": "[{long}:00 - {end}:00]\n{name}\n{words}\n\n",
    "the time in a title": "### {long}\n\n**{name}:** {words}\n\n",
    "the time above the label": "[{long}]\n{name}: {words}\n\n",
    "at a time": "{name} at {short}\n{words}\n\n",
    "half of the day behind a dash": "{name} - {long} AM\n{words}\n\n",
    "Zoom's older chat": "{long}\t From {name} : {words}\n",
    "a month in the date": "[12-Mar-24 {long} AM] {name}\n{words}\n\n",
    "columns of seconds": "{at}.00 {at}.90 {name}: {words}\n",
    "STM": "rec1 1 {name} {at}.00 {at}.90 <o,f0> {words}\n".replace("{name}", "{face}"),
    "a table without a heading": '{long},{name},"{words}"\n',
    "a table of annotations": "{name}\t\t{long}.000\t{at}.0\t{end}.000\t{words}\n",
}


@pytest.mark.parametrize("pattern", TIMED_TEXTS.values(), ids=list(TIMED_TEXTS))
def test_marks_around_times_and_names_are_not_words(pattern: str) -> None:
    transcript = read(lines(pattern))

    initials = {"Ann Lee": "AL", "Bob Ray": "BR"} if "rec1" in pattern else {}
    assert [turn.line for turn in transcript.turns] == [
        f"{initials.get(name, name)}: {words}" for name, words, _ in SAID
    ]
    assert [(turn.starts_at.seconds if turn.starts_at else 0) for turn in transcript.turns] == [
        at for _, _, at in SAID
    ]


UNTIMED_TEXTS = {
    "the label Speaker above": "SPEAKER: {name}\n{words}\n\n",
    "foreign headings": "Locuteur;Texte\n" + lines("{name};{words}\n"),
    "sep=": "sep=;\nSpeaker;Text\n" + lines("{name};{words}\n"),
    "a table of Markdown": "| Speaker | Text |\n|---|---|\n" + lines("| {name} | {words} |\n"),
    "a table of HTML": "<table><tr><th>Speaker</th><th>Text</th></tr>"
    + lines("<tr><td>{name}</td><td>{words}</td></tr>")
    + "</table>",
    "initials in HTML": "<html><body>"
    + lines(
        '<div class="initials">{face}</div><div class="from_name">{name}</div><div>{words}</div>'
    )
    + "</body></html>",
}


@pytest.mark.parametrize("text", UNTIMED_TEXTS.values(), ids=list(UNTIMED_TEXTS))
def test_only_speech_is_read_from_tables_and_pages(text: str) -> None:
    assert read(lines(text) if "{name}" in text else text).text.split("\n") == TOLD


@pytest.mark.parametrize(
    ("names", "pattern"),
    [
        (("Question", "Answer"), "{}: {}\n\n"),
        (("1", "2"), "{}: {}\n\n"),
        (("Mrs. LEE", "The SPEAKER"), "{}. {}\n\n"),
        (("Question", "Answer"), "<v {}>{}</v>"),
        (("1", "2"), "<v {}>{}</v>"),
    ],
)
def test_what_is_hardly_a_name_is_one_where_it_takes_turns(
    names: tuple[str, str], pattern: str
) -> None:
    said = [(names[index % 2], words) for index, (_, words, _) in enumerate(SAID)]
    text = "".join(pattern.format(*one) for one in said)
    if pattern.startswith("<v"):
        text = "WEBVTT\n\n" + "".join(
            f"00:{index:02}.000 --> 00:{index:02}.900\n{pattern.format(*one)}\n\n"
            for index, one in enumerate(said)
        )

    assert read(text).text.split("\n") == [f"{name}: {words}" for name, words in said]


def test_a_numbered_list_is_no_conversation() -> None:
    text = "1: Wedge the clay.\n2: Throw the bowl.\n3: Fire it.\n"

    assert read(text).text == text.strip()


def test_captions_that_highlight_word_by_word_are_read_once() -> None:
    text = "".join(
        f"{second}\n00:00:0{second},000 --> 00:00:0{second},900\n{words}\n\n"
        for second, words in enumerate(
            ["<u>Mind</u> the kiln", "Mind <u>the</u> kiln", "Mind the <u>kiln</u>", "No", "No"]
        )
    )

    assert read(text).text == "Mind the kiln No No"


def test_captions_roll_over_a_pause() -> None:
    shown = [words for _, words, _ in SAID]
    text = "WEBVTT\n\n" + "".join(
        f"00:{at:02}.000 --> 00:{at + 4:02}.000\n{above}\n{words}\n\n"
        f"00:{at + 4:02}.000 --> 00:{at + 4:02}.010\n{words}\n \n\n"
        for above, (_, words, at) in zip([" ", *shown], SAID, strict=False)
    )

    assert read(text).text == " ".join(shown)


def test_json_in_captions_is_read() -> None:
    text = "WEBVTT\n\n" + "".join(
        f"00:{at:02}.000 --> 00:{at + 4:02}.000\n"
        f"{json.dumps({'speakerName': name, 'spokenText': words, 'spokenLanguage': 'en'})}\n\n"
        for name, words, at in SAID
    )

    assert read(text).text.split("\n") == TOLD


def test_the_tags_of_a_song_and_the_times_of_its_words_are_left_out() -> None:
    text = (
        "[ti:Kilns]\n[ar:The Bowls]\n[00:01.00] <00:01.00> Mind <00:01.50> it\n[00:02.00] Burns\n"
    )

    assert read(text).text == "Mind it Burns"


def test_ctm_is_read_word_by_word() -> None:
    assert read("r 1 0.00 0.30 Mind 0.9\nr 1 0.30 0.20 it. 0.9\n").text == "Mind it."


def test_rttm_is_refused_because_it_has_no_words() -> None:
    with pytest.raises(BadTranscript, match="not what is said"):
        read("SPEAKER r 1 0.0 4.5 <NA> <NA> S0 <NA> <NA>\n" * 3)


def objects(**names: str) -> list[dict[str, Any]]:
    values = {"who": 0, "text": 1, "at": 2}
    return [{name: one[values[kind]] for kind, name in names.items()} for one in SAID]


JSON_DOCUMENTS = {
    "pairs": [[name, words] for name, words, _ in SAID],
    "names as members": [{name: words} for name, words, _ in SAID],
    "lines": {"transcript": TOLD},
    "numbered members": {str(index): one for index, one in enumerate(objects(who="speaker", text="text"))},
    "words that are a text": {
        "speaker_blocks": [{"speaker": {"name": one[0]}, "words": one[1]} for one in SAID],
        "key_questions": [{"text": "Who buys the thermometer, and when, and where?"}],
    },
    "a voice beside a number": [
        {"speaker": str(len(one[0])), "voice": one[0], "text": one[1], "start": one[2]} for one in SAID
    ],
    "a name two levels down": [
        {"from": {"user": {"id": "u", "displayName": one[0]}}, "body": {"content": one[1]}}
        for one in SAID
    ],
    "a profile beside an id": [
        {"user": "U01", "text": one[1], "user_profile": {"name": "x", "real_name": one[0]}}
        for one in SAID
    ],
}  # fmt: skip


@pytest.mark.parametrize("document", JSON_DOCUMENTS.values(), ids=list(JSON_DOCUMENTS))
def test_json_of_scripts_names_its_speakers(document: Any) -> None:
    assert read(document).text.split("\n") == TOLD


@pytest.mark.parametrize(
    "names", [("time_begin", 1), ("data_start", 1), ("timeOffset", 1), ("start", 1000)]
)
def test_json_has_its_times_under_many_names(names: tuple[str, int]) -> None:
    name, unit = names
    document = [
        {"speaker": one[0], "text": one[1], name: one[2] * unit, "end": (one[2] + 4) * unit}
        for one in SAID
    ]

    assert [turn.starts_at and turn.starts_at.seconds for turn in read(document).turns][1:] == [
        at for _, _, at in SAID[1:]
    ]


def test_documents_one_after_the_other_are_read_as_one() -> None:
    text = "\n".join(json.dumps(one, indent=2) for one in objects(who="speaker", text="text"))

    assert read(text).text.split("\n") == TOLD


def test_a_list_as_python_prints_it_is_read_like_json() -> None:
    assert read(repr(objects(who="speaker", text="text"))).text.split("\n") == TOLD


def test_speakers_that_are_counted_from_one_keep_their_numbers() -> None:
    document = [{"speaker": "12"[index % 2], "text": one[1]} for index, one in enumerate(SAID)]

    assert {turn.speaker for turn in read(document).turns} == {"Speaker 1", "Speaker 2"}


def test_sentences_as_written_are_preferred_to_their_bare_words() -> None:
    document = {
        "phrases": [
            {
                "speaker": index % 2 + 1,
                "best": [
                    {"display": words, "words": [{"word": w} for w in words.lower().strip(".").split()]}
                ],
            }
            for index, (_, words, _) in enumerate(SAID)
        ]
    }  # fmt: skip

    assert [turn.text for turn in read(document).turns] == [words for _, words, _ in SAID]


@pytest.mark.parametrize("mark", ["\u200b", "\ufeff", "\u200e", "\u202a"])
def test_invisible_characters_do_not_make_a_second_speaker(mark: str) -> None:
    assert read(mark + "\n".join(TOLD)).text.split("\n") == TOLD


@pytest.mark.parametrize("line_end", ["\u2028", "\u2029", "\x85"])
def test_rarer_line_ends_part_the_speakers(line_end: str) -> None:
    assert read(line_end.join(TOLD)).text.split("\n") == TOLD
