"""The formats of transcripts, recognised by what stands in them.

members       reading JSON that somebody else wrote
labels        `Ann Lee: words`, and what only looks like it
transcribe    Amazon Transcribe
deepgram      Deepgram
google        Google Speech-to-Text
assemblyai    AssemblyAI
whisper       Whisper and its relatives, RunPod's worker among them
watson        IBM Watson Speech to Text
families      the names that a text, its speaker and its times have in JSON
generic       any other JSON whose objects carry a text
documents     which of these a JSON document is read with
captions      WebVTT and SubRip
plain         prose, Markdown, and the text exports of Zoom, Teams and Otter
"""

from core.formats import captions, documents, plain
from core.turns import Turn, merged


def read(text: str) -> tuple[str, tuple[Turn, ...]]:
    """Return a text's format and turns. Raises BadTranscript."""
    if documents.may_be_json(text) and (found := documents.read(text, read_text=read)):
        return found
    if captions.looks_like_webvtt(text):
        return "webvtt", merged(captions.remarks(text))
    if captions.looks_like_subrip(text):
        return "subrip", merged(captions.remarks(text))
    return plain.read(text)
