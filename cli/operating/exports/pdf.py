"""A summary as PDF, by Typst: any script that a font of this machine has, tagged for screen readers."""

import io
import json
from pathlib import Path

import typst
from pypdf import PdfReader
from pypdf.generic import ContentStream

from cli.operating.exports.about import About
from cli.operating.exports.references import reference

_TEMPLATE = Path(__file__).with_name("summary.typ")


def pdf(about: About) -> bytes:
    """Return the document. The summary reaches Typst as data, never as its markup."""
    fields = about.fields
    data = {
        "title": about.summary.title,
        "parts": [
            {
                "kind": part.kind,
                "level": part.level,
                "runs": [
                    {
                        "text": run.text,
                        "bold": run.is_bold,
                        "italic": run.is_italic,
                        "struck": run.is_struck,
                    }
                    for run in part.runs
                ],
                "reference": reference(part),
            }
            for part in about.summary.parts
        ],
        "doubts": about.doubts,
        "colophon": f"Written by {fields['model']} from {fields['source']}, {fields['created_at']};"
        f" job {about.job.id}",
    }
    body = typst.compile(
        _TEMPLATE.read_bytes(), sys_inputs={"data": json.dumps(data)}, format="pdf"
    )
    if not isinstance(body, bytes):
        raise TypeError("Typst returned no document")
    return body


def signs_without_a_font(body: bytes) -> int:
    """Count the signs that stand as empty boxes: no font here has them, and Typst says nothing."""
    reader = PdfReader(io.BytesIO(body))
    missing = 0
    for page in reader.pages:
        for operands, operator in ContentStream(page.get_contents(), reader).operations:
            if operator in {b"Tj", b"TJ"}:
                shown = operands[0] if operator == b"TJ" else operands
                texts = [each.original_bytes for each in shown if hasattr(each, "original_bytes")]
                # Two bytes name a glyph of the font's; the first is that of what it does not have.
                missing += sum(
                    text[at : at + 2] == b"\0\0" for text in texts for at in range(0, len(text), 2)
                )
    return missing
