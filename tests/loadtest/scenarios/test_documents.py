"""The uploaded documents are real PDFs."""

import zlib
from io import BytesIO

import pytest
from pypdf import PdfReader

from include.loadtest.profile import find_profile, load_profile
from include.loadtest.scenarios.documents import (
    DOCUMENT_KINDS,
    document,
    multipart,
    multipart_of,
    scanned_document,
    text_document,
)

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


@pytest.mark.parametrize(
    ("size", "least", "most"), [("small", 0, 1e6), ("medium", 2**20, 5e6), ("large", 5 * 2**20, 1e7)]
)
def test_a_scanned_document_has_its_size_and_readable_pages(size: str, least: float, most: float) -> None:
    """Within 2 % of what the profile wants, between the bounds of its kind, with text and an image on every page."""
    checks = load_profile(find_profile("italian_market")).checks
    assert checks is not None
    wanted = getattr(checks.document_bytes, size)
    content = scanned_document(wanted)
    assert least < len(content) < most
    assert abs(len(content) - wanted) <= 0.02 * wanted
    pages = PdfReader(BytesIO(content)).pages
    assert all("DICHIARAZIONE" in page.extract_text() for page in pages)
    assert f"Pagina {len(pages)} di {len(pages)}" in pages[-1].extract_text()
    assert len(pages[0].images) == 1


def test_a_scan_does_not_compress_away() -> None:
    """What travels is what was wanted, whatever a proxy packs."""
    content = scanned_document(300_000)
    assert len(zlib.compress(content)) > 0.75 * len(content)
    assert scanned_document(300_000) == content


def test_a_text_of_ones_own_is_found_in_its_document() -> None:
    """And travels unchanged."""
    content = text_document("promemoria riservato bcd")
    assert "promemoria riservato bcd" in PdfReader(BytesIO(content)).pages[0].extract_text()
    body, content_type = multipart_of("promemoria.pdf", content, "Riassumi")
    assert content in body
    assert content_type.endswith("boundary=----loadtest-promemoria")
