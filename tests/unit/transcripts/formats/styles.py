"""A writer for each style in which common tools write who said what, for tests.

Each takes remarks in order and gives a file in which every remark has its speaker.
"""

import html
from collections.abc import Callable, Sequence
from typing import NamedTuple


class Line(NamedTuple):
    name: str
    text: str
    at: int  # seconds; each remark lasts four


Writer = Callable[[Sequence[Line]], str]


def clock(seconds: float, point: str = ".") -> str:
    return f"{short(seconds)}{point}{round(seconds * 1000) % 1000:03}"


def short(seconds: float) -> str:
    whole = int(seconds)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}"


def minutes(seconds: int) -> str:
    return f"{seconds // 60}:{seconds % 60:02}"


def lines(pattern: str, *, between: str = "\n", before: str = "", behind: str = "") -> Writer:
    def write(said: Sequence[Line]) -> str:
        return before + between.join(_filled(pattern, one) for one in said) + behind

    return write


def cues(
    pattern: str, *, header: str = "", point: str = ".", identifier: str = "{number}"
) -> Writer:
    def write(said: Sequence[Line]) -> str:
        blocks = []
        for number, one in enumerate(said, start=1):
            above = identifier.format(number=number, name=one.name)
            times = f"{clock(one.at, point)} --> {clock(one.at + 4, point)}"
            blocks.append(f"{above}\n{times}\n{_filled(pattern, one)}\n".lstrip("\n"))
        return header + "\n".join(blocks)

    return write


def _filled(pattern: str, one: Line) -> str:
    return pattern.format(
        name=one.name,
        escaped=html.escape(one.name),
        text=one.text,
        short=short(one.at),
        clock=clock(one.at),
        end=clock(one.at + 4),
        minutes=minutes(one.at),
        seconds=one.at,
        until=one.at + 4,
        milliseconds=one.at * 1000,
        until_milliseconds=one.at * 1000 + 4000,
    )


def where_it_changes(write: Writer, label: str = "{name}: ") -> Writer:
    """Name a speaker only where another one spoke before."""

    def changed(said: Sequence[Line]) -> str:
        before = ""
        lines = []
        for one in said:
            lines.append(
                one._replace(
                    text=(label.format(name=one.name) if one.name != before else "") + one.text
                )
            )
            before = one.name
        return write(lines)

    return changed


def rtf(said: Sequence[Line]) -> str:
    escaped = "".join(
        character if ord(character) < 128 else f"\\u{_signed(ord(character))}?"
        for one in said
        for character in f"{{\\b {one.name}:}} {one.text}\\par\n"
    )
    return (
        "{\\rtf1\\ansi\\ansicpg1252{\\fonttbl{\\f0\\fswiss\\fcharset0 Helvetica;}}"
        "{\\colortbl;\\red255\\green255\\blue255;}{\\*\\generator Pad;}\\pard\\f0\\fs24 "
        + escaped
        + "}"
    )


def _signed(code: int) -> int:
    return code if code < 32_768 else code - 65_536


def ttml(said: Sequence[Line]) -> str:
    names = list(dict.fromkeys(one.name for one in said))
    agents = "".join(
        f'<ttm:agent xml:id="a{number}" type="person"><ttm:name type="full">{html.escape(name)}</ttm:name>'
        "</ttm:agent>"
        for number, name in enumerate(names)
    )
    paragraphs = "\n".join(
        f'<p xml:id="p{number}" begin="{clock(one.at)}" end="{clock(one.at + 4)}"'
        f' ttm:agent="a{names.index(one.name)}">{html.escape(one.text)}</p>'
        for number, one in enumerate(said)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<tt xmlns="http://www.w3.org/ns/ttml"'
        ' xmlns:ttm="http://www.w3.org/ns/ttml#metadata" xml:lang="en">\n'
        f"<head><metadata>{agents}</metadata><styling><style xml:id='s1'/></styling></head>\n"
        f"<body><div>\n{paragraphs}\n</div></body></tt>\n"
    )


def ass(said: Sequence[Line]) -> str:
    events = "\n".join(
        f"Dialogue: 0,{short(one.at)[1:]}.00,{short(one.at + 4)[1:]}.00,Default,"
        f"{one.name.replace(',', ';')},0,0,0,,{{\\i1}}{one.text}{{\\i0}}"
        for one in said
    )
    return (
        "[Script Info]\n; made by hand\nScriptType: v4.00+\n\n[V4+ Styles]\nFormat: Name, Fontname\n"
        "Style: Default,Arial\n\n[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR,"
        f" MarginV, Effect, Text\n{events}\n"
    )


def one_line(said: Sequence[Line]) -> str:
    return cues("{name}: {text}", header="WEBVTT\n\n")(said).replace("\n\n", " ").replace("\n", " ")


def table(delimiter: str, heading: str, row: str) -> Writer:
    def quoted(value: str) -> str:
        return f'"{value}"' if delimiter in value else value

    def write(said: Sequence[Line]) -> str:
        rows = (
            _filled(row, one._replace(name=quoted(one.name), text=quoted(one.text))) for one in said
        )
        return "\n".join([heading, *rows]) + "\n"

    return write


WEBVTT = "WEBVTT\n\n"
TEXT: dict[str, Writer] = {
    "names": lines("{name}: {text}"),
    "names, paragraphs": lines("{name}: {text}", between="\n\n"),
    "names alone, words below": lines("{name}:\n{text}", between="\n\n"),
    "names above, without a colon": lines("{name}\n{text}", between="\n\n"),
    "names in square brackets": lines("[{name}]: {text}"),
    "names in square brackets, no colon": lines("[{name}] {text}"),
    "names in round brackets": lines("({name}): {text}"),
    "names in round brackets above": lines("({name})\n{text}", between="\n\n"),
    "chat": lines("<{name}> {text}"),
    "names, tab": lines("{name}\t{text}"),
    "bold names": lines("**{name}:** {text}", between="\n\n"),
    "bold names, colon outside": lines("**{name}**: {text}", between="\n\n", before="# Talk\n\n"),
    "bold names, no colon": lines("**{name}** {text}", between="\n\n"),
    "bold names above": lines("**{name}**\n{text}", between="\n\n"),
    "bold names in a list": lines("- **{name}:** {text}"),
    "titles above": lines("### {name}\n\n{text}", between="\n\n"),
    "dialogue marks": lines(">> {name}: {text}"),
    "dashes": lines("- {name}: {text}"),
    "space before the colon": lines("{name} : {text}"),
    "full-width colon": lines("{name}：{text}"),
}
TIMED_TEXT: dict[str, Writer] = {
    "time, name": lines("[{short}] {name}: {text}"),
    "time, name, round": lines("({minutes}) {name}: {text}"),
    "bare time, name": lines("{short} {name}: {text}"),
    "time, dash, name": lines("{short} - {name}: {text}"),
    "time : name : words (Webex)": lines("{minutes} : {name} : {text}"),
    "time range, name (WhisperX)": lines("[{clock} --> {end}] {name}: {text}"),
    "time range, [name] (whisper)": lines("[{clock} --> {end}]  [{name}] {text}"),
    "seconds range, name": lines("[{seconds}.00s -> {until}.00s] {name}: {text}"),
    "name [time]: words (Rev)": lines("{name} [{short}]: {text}"),
    "name (time): words below (Rev)": lines("{name} ({minutes}):\n{text}", between="\n\n"),
    "name time: words": lines("{name} {short}: {text}"),
    "name: [time] words": lines("{name}: [{short}] {text}"),
    "bold name [time]: words": lines(
        "**{name}** [{short}]: {text}", between="\n\n", before="# E\n\n"
    ),
    "bold [time] name: words": lines("**[{short}] {name}:** {text}", between="\n\n"),
    "name  time above (Otter)": lines("{name}  {minutes}  \n{text}", between="\n\n"),
    "name time above": lines("{name} {short}\n{text}", between="\n\n"),
    "name   time above (Teams)": lines("{name}   {minutes}\n{text}"),
    "name | time above": lines("{name} | {short}\n{text}", between="\n\n"),
    "name - time above": lines("{name} - {short}\n{text}", between="\n\n"),
    "name (time) above": lines("{name} ({short})\n{text}", between="\n\n"),
    "bold name  time above": lines("**{name}** {short}\n{text}", between="\n\n"),
    "[time] - name above (Happy Scribe)": lines("[{clock}] - {name}\n{text}", between="\n\n"),
    "time name above (Amberscript)": lines("{short} {name}\n{text}", between="\n\n"),
    "name, time, words on three lines": lines("{name}\n{minutes}\n{text}", between="\n\n"),
    "time, name, words on three lines": lines("{short}\n{name}\n{text}", between="\n\n"),
    "[name] time above (Zoom)": lines("[{name}] {short}\n{text}", between="\n\n"),
    "name N seconds above (Teams)": lines("{name} {seconds} seconds\n{minutes}\n{text}"),
    "Zoom chat": lines("{short}\t From {name} to Everyone:\n\t{text}"),
    "WhatsApp": lines("[12/03/2024, {short}] {name}: {text}"),
    "WhatsApp, dash": lines("12/03/24, {short} - {name}: {text}"),
    "Google Meet": lines("{name}: {text}", before="00:00:00\n \n"),
}
CAPTIONS: dict[str, Writer] = {
    "WebVTT, voices": cues("<v {escaped}>{text}</v>", header=WEBVTT),
    "WebVTT, names (Zoom)": cues("{name}: {text}", header=WEBVTT),
    "WebVTT, identifiers (Webex)": cues(
        "{text}", header=WEBVTT, identifier='{number} "{name}" (3330436864)'
    ),
    "WebVTT, names as identifiers": cues("{text}", header=WEBVTT, identifier="{name}"),
    "WebVTT, (name) above": cues("({name})\n{text}", header=WEBVTT),
    "WebVTT, name above": cues("{name}\n{text}", header=WEBVTT),
    "WebVTT, [name]": cues("[{name}] {text}", header=WEBVTT),
    "WebVTT, >> name": cues("&gt;&gt; {name}: {text}", header=WEBVTT),
    "WebVTT, - name": cues("- {name}: {text}", header=WEBVTT),
    "WebVTT, bold": cues("<b>{name}</b>: {text}", header=WEBVTT),
    "WebVTT on one line": one_line,
    "WebVTT, settings": lines(
        "{clock} --> {end} align:start position:0%\n{name}: {text}", between="\n\n", before=WEBVTT
    ),
    "SubRip, names": cues("{name}: {text}", point=","),
    "SubRip, [name]:": cues("[{name}]: {text}", point=","),
    "SubRip, (name):": cues("({name}): {text}", point=","),
    "SubRip, colons before thousandths": cues("{name}: {text}", point=":"),
    "SubRip, CR CR LF": lambda said: cues("{name}: {text}", point=",")(said).replace(
        "\n", "\r\r\n"
    ),
    "SubRip, a blank line behind each": lambda said: cues("{name}: {text}", point=",")(
        said
    ).replace("\n", "\n\n"),
    "SubRip, where it changes (gigaam)": where_it_changes(cues("{text}", point=",")),
    "sbv": lines("{clock},{end}\n{name}: {text}", between="\n\n"),
    "ASS": ass,
    "TTML": ttml,
}
DOCUMENTS: dict[str, Writer] = {
    "RTF": rtf,
    "HTML, bold": lines(
        "<p><b>{escaped}:</b> {text}</p>",
        before="<!DOCTYPE html><html><head><title>T</title><style>p {{}}</style></head><body>\n",
        behind="\n</body></html>",
    ),
    "HTML, strong above": lines(
        "<p><strong>{escaped}</strong><br>{text}</p>", before="<html><body>"
    ),
    "HTML, classes": lines(
        '<div class="cue"><span class="time">{short}</span><span class="speaker">{escaped}</span>'
        '<span class="text">{text}</span></div>',
        before="<html><body>",
    ),
    "HTML, dl": lines("<dt>{escaped}</dt>\n<dd>{text}</dd>", before="<dl>\n", behind="</dl>"),
    "HTML, table": lines(
        "<tr><td>{short}</td><td>{escaped}</td><td>{text}</td></tr>",
        before="<table>",
        behind="</table>",
    ),
    "TSV": table(
        "\t", "start\tend\tspeaker\ttext", "{milliseconds}\t{until_milliseconds}\t{name}\t{text}"
    ),
    "CSV": table(",", "Speaker Name,Start Time,End Time,Text", "{name},{clock},{end},{text}"),
    "CSV, semicolons": table(";", "time;speaker;transcript", "{short};{name};{text}"),
}
STYLES = TEXT | TIMED_TEXT | CAPTIONS | DOCUMENTS
