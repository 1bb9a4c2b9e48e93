"""The formats of transcripts, recognised by their content.

A format is a module of its own, whose docstring says which files it reads, and a line in the table that
tries it: JSON in documents.py, everything else in texts.py, archives and PDF in core/transcripts/reader.py.
The other modules are what the formats share:

documents     JSON: the table of its readers, and why a document is refused
texts         everything else: the table of its readers
generic       any other JSON whose objects carry a text
families      the names that a text, its speaker and its times have in JSON
shapes        JSON without members' names: lists of lines, of pairs, of `{"Ann Lee": "words"}`
members       reading JSON that somebody else wrote
weight        JSON that would not fit into memory
plain         prose, Markdown, and the text exports of Zoom, Teams, Webex, Otter and others
names         what people and their devices are called
labels        `Ann Lee: words`, and what only looks like it
stamps        times at the beginning of lines
headings      lines that name the speaker of the lines below
cues          the speaker of each caption, in any caption format
rolling       captions that repeat the line before
marks         what tools put around times and names in text
columns       tables without a heading that says what is in them
"""

from core.transcripts.formats import documents, texts
from core.transcripts.formats.weight import check_weight
from core.transcripts.turns import Turn


def read(text: str, *, max_bytes: int) -> tuple[str, tuple[Turn, ...]]:
    """Return a text's format and turns; `max_bytes` is what the reader is sized for.

    Raises BadTranscript.
    """
    if documents.may_be_json(text):
        check_weight(text, max_bytes)
        if found := documents.read(text, read_text=texts.read):
            return found
    return texts.read(text)
