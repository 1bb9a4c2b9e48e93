"""A summary as PDF, by Typst: any script that a font of this machine has, tagged for screen readers."""

import json
from pathlib import Path

import typst

from cli.operating.exports.about import About
from cli.operating.exports.references import reference

_TEMPLATE = Path(__file__).with_name("summary.typ")


def pdf(about: About) -> bytes:
    """Return the document. The summary reaches Typst as data, never as its markup."""
    fields = about.fields
    data = {
        "title": about.summary.title,
        "language": about.job.options.language or "",
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
