"""A summary as a document of Word. Pure."""

import io
import re

from docx import Document
from docx.shared import Pt, RGBColor

from cli.operating.exports.about import About
from cli.operating.exports.parts import Part
from cli.operating.exports.references import reference

_STYLES = {"paragraph": None, "item": "List Bullet", "quote": "Intense Quote"}
_GREY = RGBColor(0x70, 0x70, 0x70)
_SMALL = Pt(8)
_NOT_IN_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")


def docx(about: About) -> bytes:
    document = Document()
    properties = document.core_properties
    properties.title, properties.author = _clean(about.summary.title), ""
    properties.comments = f"job {about.job.id}"
    for part in about.summary.parts:
        _add(document, part)
    for doubt in about.doubts:
        _grey(document.add_paragraph(), f"In doubt: {doubt}")
    fields = about.fields
    _grey(
        document.add_paragraph(),
        f"Written by {fields['model']} from {fields['source']}, {fields['created_at']}; job {about.job.id}",
    )
    body = io.BytesIO()
    document.save(body)
    return body.getvalue()


def _add(document: "Document", part: Part) -> None:  # type: ignore[valid-type]  # docx gives a factory
    if part.kind == "heading":
        document.add_heading(_clean(part.text), level=max(part.level - 1, 0))  # type: ignore[attr-defined]
        return
    paragraph = document.add_paragraph(style=_STYLES[part.kind])  # type: ignore[attr-defined]
    for run in part.runs:
        added = paragraph.add_run(_clean(run.text))
        added.bold, added.font.strike = run.is_bold or None, run.is_struck or None
        added.italic = run.is_italic or None
    if cited := reference(part):
        _grey(paragraph, f"  {cited}")


def _grey(paragraph: object, text: str) -> None:
    run = paragraph.add_run(_clean(text))  # type: ignore[attr-defined]
    run.font.size, run.font.color.rgb = _SMALL, _GREY
    run.italic = False


def _clean(text: str) -> str:
    return _NOT_IN_XML.sub("", text)
