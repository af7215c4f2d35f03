import pytest

from tests.helpers.contract import pdf_of
from tests.helpers.demo import DemoTarget

pytestmark = pytest.mark.integration

UPLOAD = "/api/v1/documents/upload"


def _part(name: str, content: bytes) -> tuple[str, tuple[str, bytes, str]]:
    return "files", (name, content, "application/pdf")


def test_text_of_an_upload_is_read_and_kept(demo: DemoTarget, tokens: tuple[str, str]) -> None:
    """A PDF is really parsed: its text comes back, says the category, and goes with a deletion."""
    with demo.client(authorization=f"Bearer {tokens[0]}") as client:
        made = client.post(UPLOAD, files=[_part("allegato.pdf", pdf_of("Fattura elettronica n. 77"))]).json()
        document = made["uploaded_documents"][0]
        assert document["document_category"] == "fattura_elettronica"
        place = f"/api/v1/documents/{document['id']}"
        assert "Fattura elettronica n. 77" in client.get(place).json()["extracted_text"]
        assert document["id"] in [each["id"] for each in client.get("/api/v1/documents/").json()["documents"]]
        assert client.delete(place).status_code == 200
        assert client.get(place).status_code == 404


def test_refused_files_are_told_one_by_one_with_status_200(demo: DemoTarget, tokens: tuple[str, str]) -> None:
    """Of several files the good ones are taken; broken, too large and wrong ones are named with their reason."""
    good = pdf_of("Modello F24")
    files = [
        _part("f24.pdf", good),
        _part("broken.pdf", b"%PDF-1.4 and then nonsense"),
        _part("large.pdf", b"%PDF-" + b"0" * (10 * 1024 * 1024)),
        _part("notes.txt", b"text"),
    ]
    with demo.client(authorization=f"Bearer {tokens[0]}") as client:
        response = client.post(UPLOAD, files=files)
        assert client.post(UPLOAD, files=[_part(f"{n}.pdf", good) for n in range(6)]).status_code == 400
    assert response.status_code == 200
    body = response.json()
    assert body["success"] is True
    assert body["total_uploaded"] == 1
    assert [error["filename"] for error in body["errors"]] == ["broken.pdf", "large.pdf", "notes.txt"]


def test_document_of_another_account_is_not_found(demo: DemoTarget, tokens: tuple[str, str]) -> None:
    """Nobody reads or deletes another account's document."""
    demo.add_user("other@pratikoai.it")
    with demo.client(authorization=f"Bearer {tokens[0]}") as client:
        made = client.post(UPLOAD, files=[_part("f24.pdf", pdf_of("F24"))]).json()["uploaded_documents"][0]
    with demo.client(authorization=f"Bearer {demo.login('other@pratikoai.it')}") as client:
        assert client.get(f"/api/v1/documents/{made['id']}").status_code == 404
        assert client.delete(f"/api/v1/documents/{made['id']}").status_code == 404
