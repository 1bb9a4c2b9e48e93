"""The formats of transcripts, recognised by what stands in them.

members       reading JSON that somebody else wrote
weight        JSON that would not fit into memory
names         what people and their devices are called
labels        `Ann Lee: words`, and what only looks like it
stamps        times at the beginning of lines
headings      lines that say who speaks below them
cues          who says what in captions of any format
rolling       captions that show the line before again
transcribe    Amazon Transcribe
deepgram      Deepgram
google        Google Speech-to-Text
assemblyai    AssemblyAI
whisper       Whisper and its relatives, RunPod's worker among them
watson        IBM Watson Speech to Text
families      the names that a text, its speaker and its times have in JSON
shapes        JSON without members' names: lists of lines, of pairs, of `{"Ann Lee": "words"}`
generic       any other JSON whose objects carry a text
documents     which of these a JSON document is read with
texts         everything that is no JSON: which of the following it is
captions      WebVTT, SubRip and SubViewer
ass           Advanced SubStation Alpha
markup        TTML, other XML and HTML
rtf           rich text
kaldi         CTM and STM of speech research
tables        commas or tabs between who, when and what
columns       tables without a heading that says what is in them
marks         what tools put around times and names in text
office        Word and other office documents
pdf           PDF
plain         prose, Markdown, and the text exports of Zoom, Teams, Webex, Otter and others
office, pdf   Word, OpenDocument and PDF, as lines of text for the readers above
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
