"""Lines that a careless pattern takes minutes for, each of about the requested length."""

PIECES = {
    "spaces": " ",
    "tabs": "\t",
    "wide spaces": "\u3000",
    "letters": "a",
    "words": "a ",
    "names": "Ann Lee ",
    "digits": "1",
    "numbers": "1 ",
    "clocks": "0:00 ",
    "clocks run together": "0:00:",
    "arrows": "--> ",
    "times": "00:00:00.000 --> 00:00:01.000 ",
    "colons": ":",
    "labels": "a: ",
    "wide colons": "字：",
    "square brackets": "[",
    "closing square brackets": "]",
    "closed square brackets": "[a]",
    "round brackets": "(",
    "closing round brackets": ")",
    "closed round brackets": "(a) ",
    "braces": "{",
    "closing braces": "}",
    "overrides": "{\\",
    "smaller": "<",
    "tags": "<a ",
    "tags that close": "</a>",
    "tags that begin": "<b>",
    "voices": "<v ",
    "named voices": "<v Ann>a",
    "classes": "<c.",
    "comments": "<!--",
    "declarations": "<!",
    "instructions": "<?",
    "character data": "<![CDATA[",
    "attributes": '<p begin="',
    "equals": "a=",
    "quotes": '"',
    "quotes behind stops": '."',
    "ampersands": "&",
    "entities": "&#",
    "greater": ">",
    "changes": ">> ",
    "hashes": "#",
    "titles": "# ",
    "stars": "*",
    "bold": "**a",
    "bold names": "**a** ",
    "underlines": "__",
    "dashes": "-",
    "dashes apart": "- ",
    "pipes": " | ",
    "commas": ",",
    "semicolons": ";",
    "backslashes": "\\",
    "control words": "\\f0\\fcharset0 ",
    "bytes": "\\'e4",
    "groups": "{\\b ",
    "groups with stars": "{\\*\\",
    "stops": ".",
    "stops apart": ". ",
    "CJK": "字",
    "CJK sentences": "字。",
    "no-break spaces": "\u00a0",
    "combining": "e\u0301",
    "to": "to ",
    "hours": "1 hours ",
    "addresses": "a@a.",
    "telephones": "+1-",
    "links": "https://",
}

# What makes a reader look at the line: a beginning of each format, and an end.
FRAMES = {
    "text": "begin\n{line}\nend\n",
    "only line": "{line}",
    "text with names": "Ann: one\nBob: two\n{line}\nAnn: three\nBob: four\n",
    "named line": "Ann: one\nBob: two\nAnn: {line}\nBob: four\n",
    "text with times": "[0:00] Ann: one\n[0:01] {line}\n[0:02] Ann: three\n",
    "bare times": "0:00 Ann: one\n0:01 {line}\n0:02 Ann: three\n",
    "headings": "Ann Lee  0:00\none\n\nBob Ray  0:07\n{line}\n",
    "chat": "10:00:00 From Ann to Everyone: one\n10:00:01 From {line}\n",
    "bold": "**Ann** [0:00]: one\n\n**{line}\n",
    "list": "- {line}\n> {line}\n### {line}\n",
    "WebVTT": "WEBVTT\n\n00:00.000 --> 00:01.000\n{line}\n\n00:01.000 --> 00:02.000\n{line}\nend\n",
    "WebVTT header": "WEBVTT {line}\n\n00:00.000 --> 00:01.000\nend\n",
    "WebVTT identifiers": (
        "WEBVTT\n\n1 {line}\n00:00.000 --> 00:01.000\none\n\n2 {line}\n00:01.000 --> 00:02.000\nend\n"
    ),
    "WebVTT times": "WEBVTT\n\n00:00.000 --> 00:01.000 {line}\nend\n",
    "SubRip": "1\n00:00:00,000 --> 00:00:01,000\n{line}\n\n2\n00:00:01,000 --> 00:00:02,000\nend\n",
    "sbv": "0:00:00.000,0:00:01.000\n{line}\n\n0:00:01.000,0:00:02.000\nend\n",
    "ASS": (
        "[Events]\nFormat: Start, End, Name, Text\nDialogue: 0:00:00.00,0:00:01.00,Ann,{line}\n"
        "Dialogue: {line}\n"
    ),
    "TTML": (
        '<tt xmlns="http://www.w3.org/ns/ttml"><body><div><p begin="0s" end="1s">{line}</p>'
        '<p begin="1s">end</p></div></body></tt>'
    ),
    "HTML": "<html><body><p>{line}</p><p>end</p></body></html>",
    "RTF": "{{\\rtf1\\ansi {line}\\par end}}",
    "TSV": "start\tend\tspeaker\ttext\n0\t1000\tAnn\t{line}\n1000\t2000\tBob\tend\n",
    "CSV": "speaker,text\nAnn,{line}\nBob,end\n",
    "JSON": '{{"segments": [{{"start": 0, "end": 1, "text": "one"}}]}} {line}',
}
ENDS = ("", "x", ":", "]", ")", "**", ">", "0:00", "\u0000")


MANY_LINES = {
    "captions": "00:00:00.000 --> 00:00:01.000\na\n\n",
    "captions that roll": "00:00:00.000 --> 00:00:01.000\na b c d e f g h i j k l\n\n",
    "numbers above times": "1\n00:00:00.000 --> 00:00:01.000\n",
    "headers": "WEBVTT\n\n",
    "headings": "Ann Lee  0:00\n",
    "names above times": "Ann Lee\n0:00\n\n",
    "dialogue": "Dialogue: 0,0:00:00.00,0:00:01.00,,Ann,0,0,0,,a\n",
    "blank lines": "\n",
    "blank lines with spaces": " \n",
}


def line(piece: str, length: int, end: str = "") -> str:
    return piece * (length // len(piece)) + end
