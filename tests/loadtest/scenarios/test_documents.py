"""The uploaded documents are real PDFs."""

from io import BytesIO

import pytest
from pypdf import PdfReader

from include.loadtest.scenarios.documents import DOCUMENT_KINDS, document, multipart

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("kind", "word"), [("fattura_elettronica", "FATTURA"), ("f24", "F24"), ("dichiarazione_redditi", "DICHIARAZIONE")]
)
def test_each_kind_is_a_pdf_with_its_own_text(kind, word: str) -> None:
    """A PDF reader finds the words of the kind."""
    assert word in PdfReader(BytesIO(document(kind))).pages[0].extract_text()


def test_the_multipart_body_carries_file_and_question() -> None:
    """The file's bytes are unchanged, and the boundary is the one of the header."""
    for kind in DOCUMENT_KINDS:
        body, content_type = multipart(kind, "Riassumi")
        boundary = content_type.partition("boundary=")[2].encode()
        assert document(kind) in body
        assert b"Riassumi" in body
        assert body.endswith(b"--" + boundary + b"--\r\n")
