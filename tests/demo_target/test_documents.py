import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
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


SEARCH = "/api/v1/documents/search"


@pytest.fixture
def faults(demo: DemoTarget, no_faults: None) -> Callable[..., None]:
    del no_faults

    def switch(**values: Any) -> None:
        with demo.client() as client:
            client.put("/admin/faults", json=values).raise_for_status()

    return switch


def _upload_at_once(demo: DemoTarget, token: str, count: int) -> list[httpx.Response]:
    content = pdf_of("Modello F24")
    with demo.client(authorization=f"Bearer {token}") as client, ThreadPoolExecutor(count) as pool:
        return list(pool.map(lambda number: client.post(UPLOAD, files=[_part(f"{number}.pdf", content)]), range(count)))


def _found(demo: DemoTarget, token: str, phrase: str) -> list[str]:
    with demo.client(authorization=f"Bearer {token}") as client:
        return [each["id"] for each in client.get(SEARCH, params={"q": phrase}).raise_for_status().json()["documents"]]


def test_documents_beyond_the_places_wait_and_all_are_kept(
    demo: DemoTarget, tokens: tuple[str, str], faults: Callable[..., None]
) -> None:
    """Five documents of a second each on two places take three seconds."""
    faults(document_slots=2, kind_added_ms={"document_small": 1000})
    begin_s = time.monotonic()
    answers = _upload_at_once(demo, tokens[0], 5)
    assert time.monotonic() - begin_s >= 3
    kept = [answer.json()["uploaded_documents"][0]["id"] for answer in answers]
    with demo.client(authorization=f"Bearer {tokens[0]}") as client:
        assert {client.get(f"/api/v1/documents/{one}").status_code for one in kept} == {200}


@pytest.mark.parametrize("case", [("refuse_queued", 2, 2), ("lose_queued", 3, 2)], ids=["refused", "lost"])
def test_a_document_without_a_place_can_be_refused_or_lost(
    case: tuple[str, int, int], demo: DemoTarget, tokens: tuple[str, str], faults: Callable[..., None]
) -> None:
    """A refusal has its reason; a loss looks like a success."""
    fault, taken, kept = case
    faults(document_slots=2, kind_added_ms={"document_small": 700}, **{fault: True})
    bodies = [answer.json() for answer in _upload_at_once(demo, tokens[0], 3)]
    ids = [body["uploaded_documents"][0]["id"] for body in bodies if body["success"]]
    assert len(ids) == taken
    assert [error["error"][:4] for body in bodies for error in body["errors"]] == ["503:"] * (3 - taken)
    with demo.client(authorization=f"Bearer {tokens[0]}") as client:
        assert sum(client.get(f"/api/v1/documents/{one}").status_code == 200 for one in ids) == kept


def test_a_document_is_found_by_its_owner_as_soon_as_it_is_indexed(
    demo: DemoTarget, tokens: tuple[str, str], faults: Callable[..., None]
) -> None:
    """A second later, by a phrase of its own, by nobody else; and never while the indexing stands still."""
    demo.add_user("finder@pratikoai.it")
    stranger = demo.login("finder@pratikoai.it")
    with demo.client(authorization=f"Bearer {tokens[0]}") as client:

        def upload(word: str) -> str:
            made = client.post(UPLOAD, files=[_part("x.pdf", pdf_of(f"promemoria riservato {word}"))]).json()
            return str(made["uploaded_documents"][0]["id"])

        first = upload("zzqx")
        deadline_s = time.monotonic() + 20
        while _found(demo, tokens[0], "promemoria riservato zzqx") != [first] and time.monotonic() < deadline_s:
            time.sleep(0.1)
        assert _found(demo, tokens[0], "promemoria riservato zzqx") == [first]
        assert _found(demo, tokens[0], "riservato promemoria zzqx") == []
        assert _found(demo, stranger, "promemoria riservato zzqx") == []
        faults(index_stopped=True)
        upload("wwkv")
        time.sleep(1.5)
        assert _found(demo, tokens[0], "promemoria riservato wwkv") == []
        assert _found(demo, tokens[0], "promemoria riservato zzqx") == [first]
