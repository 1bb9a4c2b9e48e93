"""The text of a PDF, page by page. One that is a picture of text is refused: nobody here reads those."""

import io
import logging
from typing import Any

from core.errors import BadTranscript

_MARK = b"%PDF-"
_MARK_WITHIN_BYTES = 1024
_MOST_PAGES = 1_000
_MOST_DRAWING_BYTES = 10_000_000  # of all pages, unpacked: what takes the time
# Of one stream; fonts and pictures are streams too, and not unpacked.
_LIMITS: dict[str, Any] = {
    "zlib_maximum_output_length": 10_000_000,
    "lzw_maximum_output_length": 10_000_000,
    "run_length_maximum_output_length": 10_000_000,
    "array_based_stream_maximum_output_length": 10_000_000,
    "stream_decoding_work_maximum_length": 60_000_000,
    "xform_maximum_invocations_per_extraction": 500,
}


def looks_like(body: bytes) -> bool:
    return _MARK in body[:_MARK_WITHIN_BYTES]


def text_of(body: bytes) -> str:
    """Return the text. Raises BadTranscript."""
    try:
        text = _text_of(body)
    except BadTranscript:
        raise
    except Exception:
        raise BadTranscript(
            "damaged", "the PDF is cut short or broken; export it again, or as text in UTF-8"
        ) from None
    if not any(character.isalnum() for character in text):
        raise BadTranscript(
            "scanned-pdf",
            "the PDF has pages but no text in them, as a scan has; upload the transcript as text",
        )
    return text


def _text_of(body: bytes) -> str:
    # Here, because most invocations meet no PDF and pypdf takes its time to load.
    import pypdf  # noqa: PLC0415

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # it quotes the file
    with pypdf.apply_configuration(**_LIMITS):
        reader = pypdf.PdfReader(io.BytesIO(body), strict=False)
        if reader.is_encrypted:
            raise BadTranscript(
                "not-text", "the PDF is encrypted; save it without a password, or upload the text"
            )
        if len(reader.pages) > _MOST_PAGES:
            raise _too_large(f"more than {_MOST_PAGES:,} pages")
        pages = []
        drawing_bytes = 0
        for page in reader.pages:
            contents = page.get_contents()
            drawing_bytes += len(contents.get_data()) if contents else 0
            if drawing_bytes > _MOST_DRAWING_BYTES:
                raise _too_large(f"more than {_MOST_DRAWING_BYTES:,} bytes of drawing")
            pages.append(page.extract_text())
    return "\n".join(pages)


def _too_large(what: str) -> BadTranscript:
    return BadTranscript("too-large", f"the PDF has {what}; upload the transcript as text")
