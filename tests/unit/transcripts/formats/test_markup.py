"""No marker, number, time or tag of a format is left among the words."""

import pytest

from core.errors import BadTranscript
from core.transcripts.reader import Transcript, read_transcript


def read(text: str) -> Transcript:
    return read_transcript(text.encode(), max_bytes=1_000_000)


def test_concatenated_parts_of_a_stream_are_read_once() -> None:
    part = "WEBVTT\nX-TIMESTAMP-MAP=LOCAL:00:00:00.000\n\n1\n00:01.000 --> 00:02.000\nOne.\n\n"
    more = "WEBVTT\n\n1\n00:01.000 --> 00:02.000\nOne.\n\n2\n00:02.000 --> 00:03.000\nTwo.\n"

    assert read(part + more).text == "One. Two."


def test_a_voice_that_is_a_dash_is_somebody_else() -> None:
    text = (
        "WEBVTT\n\n00:01.000 --> 00:02.000\nOne.\n\n00:02.000 --> 00:03.000\n<v ->Two.</v>\n\n"
        "00:03.000 --> 00:04.000\nThree.\n"
    )

    assert read(text).text == "One.\nTwo.\nThree."


def test_two_who_speak_in_one_caption_are_two_turns() -> None:
    text = "1\n00:00:01,000 --> 00:00:02,000\n- Is it back?\n- It is.\n"

    assert read(text).text == "Is it back?\nIt is."


def test_a_change_within_a_caption_begins_a_turn() -> None:
    text = "WEBVTT\n\n00:01.000 --> 00:02.000\nIs it back? &gt;&gt; It is.\n"

    assert read(text).text == "Is it back?\nIt is."


def test_numbers_below_zero_keep_their_sign() -> None:
    assert read("1\n00:00:01,000 --> 00:00:02,000\n-5 degrees\n").text == "-5 degrees"


def test_a_song_in_brackets_is_no_speaker() -> None:
    cues = [
        f"{n}\n00:00:0{n},000 --> 00:00:0{n},900\n{text}\n"
        for n, text in enumerate(["[Music]", "Hello.", "[Music]", "[Applause]", "[Applause]"])
    ]

    assert read("\n".join(cues)).text == "[Music] Hello. [Music] [Applause] [Applause]"


def test_rich_text_is_read_in_its_fonts_code_page() -> None:
    text = (
        r"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0\fcharset0 A;}{\f1\fcharset204 B;}}"
        r"{\*\generator Riched;}{\info{\author Eve}}\f0 Bj\'f6rn: \u8364?5\par"
        "\n"
        r"\f1 \'c8\'e2\'e0\'ed: \'c4\'e0\f0\par Bj\'f6rn: \{ok\}\par}"
    )

    assert read(text).text == "Björn: €5\nИван: Да\nBjörn: {ok}"


def test_a_page_loses_its_tags_scripts_and_entities() -> None:
    text = (
        "<!DOCTYPE html><html><head><title>T</title></head><body><script>let a = 1;</script>"
        "<p>a &amp; b<br>c</p><!-- d --><p>e <i>f</i> g</p></body></html>"
    )

    assert read(text).text.split("\n") == ["a & b", "c", "e f g"]


@pytest.mark.parametrize(
    ("begin", "at"),
    [
        ("00:01:02.500", "00:01:02"),
        ("62.5s", "00:01:02"),
        ("62500ms", "00:01:02"),
        ("620t", "00:01:02"),
    ],
)
def test_every_way_of_writing_times_in_ttml_is_read(begin: str, at: str) -> None:
    text = (
        '<tt xmlns="http://www.w3.org/ns/ttml" ttp:tickRate="10"><body><div>'
        f'<p begin="{begin}" end="99999s">One<br/>two.</p></div></body></tt>'
    )

    assert read(text).text_with_times == f"[{at}] One two."


def test_players_xml_is_read() -> None:
    text = (
        '<?xml version="1.0" encoding="utf-8" ?><transcript><text start="1.5" dur="2">It&amp;#39;s on.'
        '</text><text start="4" dur="2">Two.</text></transcript>'
    )

    assert read(text).text_with_times == "[00:00:01] It's on. Two."


def test_styles_and_drawings_of_ass_are_not_spoken() -> None:
    text = (
        "[Script Info]\nTitle: T\n\n[Events]\nFormat: Layer, Start, End, Style, Name, Text\n"
        "Comment: 0,0:00:00.00,0:00:01.00,D,,No.\n"
        "Dialogue: 0,0:00:02.00,0:00:03.00,D,Bo,{\\an8}Two,\\Nthree.\n"
        "Dialogue: 0,0:00:01.00,0:00:02.00,D,Ann,One.\n"
        "Dialogue: 0,0:00:03.00,0:00:04.00,D,Ann,{\\p1}m 0 0 l 9 9{\\p0}\n"
    )

    assert read(text).text == "Ann: One.\nBo: Two, three."


def test_a_table_keeps_what_parts_its_columns_in_the_words() -> None:
    assert read('speaker,text\nAnn,"One, two"\nBo,"Three ""four"""\n').text == (
        'Ann: One, two\nBo: Three "four"'
    )


def test_whispers_table_has_thousandths() -> None:
    text = "start\tend\ttext\n0\t4000\tOne.\n61000\t65000\tTwo.\n"

    assert read(text).turns[0].text == "One. Two."


def test_a_pdf_under_another_name_is_refused() -> None:
    with pytest.raises(BadTranscript, match="PDF"):
        read("%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\n(Hello) Tj\n")
