"""A PDF holds what the summary says, whatever it says, and tells of signs that no font has."""

import io

import pytest
from pypdf import PdfReader

from cli.operating.exports.about import about
from cli.operating.exports.pdf import pdf, signs_without_a_font
from cli.operating.exports.word import docx
from tests.builders import a_job, a_summary


def read(text: str) -> str:
    body = pdf(about(a_job(summary=a_summary()), f"# The board\n\n{text}", {}))
    return "".join(page.extract_text() for page in PdfReader(io.BytesIO(body)).pages)


@pytest.mark.parametrize(
    "text", ["#panic[x] $x^2$ @foo = heading", "Это русский текст", "a\\*b `raw` <label>"], ids=str
)
def test_markup_of_typst_is_text(text: str) -> None:
    assert text.replace("\\", "").replace("`", "") in read(text)


@pytest.mark.parametrize(("text", "missing"), [("The pump holds.", 0), ("\u0378\u0379", 2)])
def test_signs_that_no_font_has_are_counted(text: str, missing: int) -> None:
    body = pdf(about(a_job(summary=a_summary()), f"# The board\n\n{text}", {}))

    assert signs_without_a_font(body) == missing


def test_signs_that_xml_may_not_hold_are_left_out_of_word() -> None:
    assert docx(about(a_job(summary=a_summary()), "# The board\n\nA bell \x07 and \ufffe.", {}))
