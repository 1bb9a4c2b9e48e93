"""Word, OpenDocument and PDF: their text is read like any other; what is hostile or has none is refused."""

import io
import tracemalloc
import zipfile
import zlib
from xml.sax.saxutils import escape

import pytest

from core.errors import BadTranscript
from core.transcripts.reader import read_transcript

MAX_BYTES = 1_000_000
WORD = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
SAID = [("Ann Lee", "0:03", "The ferry is late & wet."), ("Bob Ray", "0:09", "Who tells <them>?")]


def packed(name: str, xml: str | bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr(name, xml)
    return file.getvalue()


def run(text: str) -> str:
    return f'<w:r><w:t xml:space="preserve">{escape(text)}</w:t></w:r>'


def docx(*paragraphs: str) -> bytes:
    body = "".join(f"<w:p>{paragraph}</w:p>" for paragraph in paragraphs)
    return packed("word/document.xml", f"<w:document {WORD}><w:body>{body}</w:body></w:document>")


def docx_of_teams() -> bytes:
    return docx(
        *(
            run(name) + run(f"   {clock}") + "<w:r><w:br/></w:r>" + run(text)
            for name, clock, text in SAID
        )
    )


def pdf(*pages: str, packing: bytes = b"") -> bytes:
    """A PDF of pages whose drawing is given."""
    kids = " ".join(f"{3 + 2 * index} 0 R" for index in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
    ]
    for index, drawing in enumerate(pages):
        font = "<< /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >>"
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources {font}"
            f" /Contents {4 + 2 * index} 0 R >>".encode()
        )
        data = zlib.compress(drawing.encode(), 9)
        objects.append(
            b"<< /Filter /FlateDecode /Length %d >>\nstream\n%s\nendstream" % (len(data), data)
        )
    file = bytearray(b"%PDF-1.4\n")
    resources = []
    for number, content in enumerate(objects, start=1):
        resources.append(len(file))
        file += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = len(file)
    file += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    file += b"".join(b"%010d 00000 n \n" % place for place in resources)
    file += b"trailer\n<< /Size %d /Root 1 0 R >>\n" % (len(objects) + 1)
    return bytes(file + b"startxref\n%d\n%%%%EOF\n" % table)


def page(*lines: str) -> str:
    shown = "".join(f"({line}) Tj 0 -14 Td " for line in lines)
    return f"BT /F1 12 Tf 72 720 Td {shown}ET"


def refusal(body: bytes) -> BadTranscript:
    with pytest.raises(BadTranscript) as refused:
        read_transcript(body, max_bytes=MAX_BYTES)
    return refused.value


def test_the_word_file_of_teams_has_its_speakers_and_times() -> None:
    assert read_transcript(docx_of_teams(), max_bytes=MAX_BYTES).text_with_times == (
        "[00:00:03] Ann Lee: The ferry is late & wet.\n[00:00:09] Bob Ray: Who tells <them>?"
    )


def test_a_word_file_with_names_before_the_words_is_read() -> None:
    body = docx(run("Ann: ") + run("The ferry"), run("Bob: Yes."), run("Ann: It is late."))

    assert [turn.speaker for turn in read_transcript(body, max_bytes=MAX_BYTES).turns] == [
        "Ann",
        "Bob",
        "Ann",
    ]


def test_deleted_and_duplicated_text_of_a_word_file_is_left_out() -> None:
    body = docx(
        run("The ferry")
        + f"<w:del>{run(' gone')}</w:del>"
        + f'<mc:Fallback xmlns:mc="x">{run(" twice")}</mc:Fallback>'
        + "<w:r><w:instrText>PAGE</w:instrText></w:r>"
    )

    assert read_transcript(body, max_bytes=MAX_BYTES).text == "The ferry"


def test_a_table_of_a_word_file_is_a_row_a_line() -> None:
    cells = "".join(f"<w:tc><w:p>{run(cell)}</w:p></w:tc>" for cell in ("00:03", "The ferry"))
    body = packed(
        "word/document.xml",
        f"<w:document {WORD}><w:tbl><w:tr>{cells}</w:tr><w:tr>{cells}</w:tr></w:tbl></w:document>",
    )

    assert read_transcript(body, max_bytes=MAX_BYTES).text.count("The ferry") == 2


def test_an_opendocument_text_is_read() -> None:
    body = packed(
        "content.xml",
        '<office:document-content xmlns:office="o" xmlns:text="t"><text:h>Ferry</text:h>'
        "<text:p>Ann:<text:s/>It <text:span>is</text:span> late.</text:p>"
        "<office:annotation><text:p>a comment</text:p></office:annotation>"
        "<text:p>Bob: Yes.</text:p><text:p>Ann: No.</text:p></office:document-content>",
    )

    assert read_transcript(body, max_bytes=MAX_BYTES).text == (
        "Ferry\nAnn: It is late.\nBob: Yes.\nAnn: No."
    )


def test_a_word_file_that_unpacks_to_too_much_is_refused_without_unpacking_it() -> None:
    bomb = packed("word/document.xml", b"<a>" + b" " * 100_000_000)
    tracemalloc.start()

    refused = refusal(bomb)

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert refused.code == "too-large"
    assert peak < 4 * MAX_BYTES


@pytest.mark.parametrize(
    "body",
    [
        packed(
            "word/document.xml",
            '<!DOCTYPE a [<!ENTITY b "secret"><!ENTITY c "&b;&b;&b;">]><a><w:t>&c;</w:t></a>',
        ),
        packed("word/document.xml", "<w:document><w:t>secret"),
        docx_of_teams()[:-40],
        b"PK\x03\x04rubbish",
    ],
    ids=["entities", "XML cut short", "ZIP cut short", "rubbish"],
)
def test_a_broken_or_hostile_word_file_is_refused(body: bytes) -> None:
    refused = refusal(body)

    assert refused.code == "damaged"
    assert "secret" not in str(refused)


@pytest.mark.parametrize(
    ("body", "advice"),
    [
        (packed("xl/workbook.xml", "<a/>"), "unpack it"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500), "save it as .docx"),
    ],
    ids=["another archive", "old Word"],
)
def test_a_file_that_is_no_text_document_is_refused_with_what_to_do(
    body: bytes, advice: str
) -> None:
    refused = refusal(body)

    assert refused.code == "not-text"
    assert advice in str(refused)


def test_the_text_of_a_pdf_is_read_with_its_speakers() -> None:
    body = pdf(page("Ann: The ferry is late.", "Bob: Yes."), page("Ann: Who tells them?"))

    assert read_transcript(body, max_bytes=MAX_BYTES).text == (
        "Ann: The ferry is late.\nBob: Yes.\nAnn: Who tells them?"
    )


def test_a_pdf_without_text_is_refused_as_scanned() -> None:
    assert refusal(pdf("0 0 100 100 re f")).code == "scanned-pdf"


@pytest.mark.parametrize("keep", [5, 60, 300])
def test_a_pdf_that_is_cut_short_is_refused(keep: int) -> None:
    assert refusal(pdf(page("Ann: The ferry is late."))[:keep]).code in {"damaged", "scanned-pdf"}


def test_a_pdf_that_unpacks_to_too_much_is_refused_without_filling_the_memory() -> None:
    bomb = pdf(" " * 100_000_000)
    tracemalloc.start()

    refused = refusal(bomb)

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert refused.code in {"too-large", "damaged"}
    assert peak < 60_000_000


def test_a_pdf_of_very_many_pages_is_refused() -> None:
    assert refusal(pdf(*["BT ET"] * 1_001)).code == "too-large"
