"""The calls of one attempt of each requirement of the Italian market."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from include.loadtest.profile.checks import Checks
from include.loadtest.scenarios.checks import check_search, check_upload
from include.loadtest.scenarios.documents import multipart_of, scanned_document
from include.loadtest.scenarios.requirements import (
    SIMPLE_KINDS,
    bulk_parts,
    check_client_export,
    check_content,
    check_export,
    complex_parts,
    search_body,
)
from include.loadtest.scenarios.texts import RESULTS_WANTED
from include.locustfiles.call import Call, Reply, json_call
from include.locustfiles.tax_calculation import drawn_amount_eur, tax_call
from include.locustfiles.user_context import UserContext

Calls = Callable[[int], Iterable[Call]]
"""The calls of an attempt, by its number from 0, one after the other."""
DOCUMENT_SIZES = ("small", "medium", "large")
QUESTION = "Riassumi il documento"


@dataclass(frozen=True)
class Client:
    """A client of the studio of the user who asks for the data held on them."""

    id: int
    name: str
    studio_id: str
    user_id: str

    @property
    def headers(self) -> Mapping[str, str]:
        """Who asks."""
        return {"X-Studio-ID": self.studio_id, "X-User-ID": self.user_id}

    def call(self, endpoint: str, method: str, right: str, check: Callable[[Reply], str | None]) -> Call:
        """One of the rights of a data subject: access, export, erase."""
        return Call(endpoint, method, f"/data-rights/{right}/{self.id}", check, token="none", headers=self.headers)


@dataclass(frozen=True)
class CheckCalls:
    """Calls for the given user; documents are made when this is, since that takes seconds."""

    checks: Checks
    user: UserContext
    paths: Mapping[str, str | None]
    uploads: dict[str, tuple[bytes, str]] = field(default_factory=dict)

    def of(self, requirement: str) -> Calls | str:
        """How a requirement is tried that needs nothing else; or why it cannot be: what the target does not expose."""
        if requirement in ("audit_query", "compliance_report"):
            path = self.paths.get(requirement)
            if path is None:
                return f"the target file names no path for {requirement} (check_paths.{requirement})"
            return partial(self._read, requirement, path)
        if requirement.endswith("_search"):
            return partial(self._search, requirement)
        if requirement.endswith("_document"):
            return partial(self._upload, requirement.removesuffix("_document"))
        calls: dict[str, Calls] = {
            "simple_calculation": self._simple,
            "complex_calculation": self._complex,
            "bulk_calculation": self._bulk,
        }
        return calls[requirement]

    def _simple(self, number: int) -> list[Call]:
        return [tax_call(SIMPLE_KINDS[number % 2], drawn_amount_eur(self.user.draws), self.user.caps[0])]

    def _complex(self, _number: int) -> list[Call]:
        amount = drawn_amount_eur(self.user.draws)
        return [tax_call(kind, amount, cap) for kind, cap in complex_parts(self.user.caps)]

    def _bulk(self, _number: int) -> list[Call]:
        parts = bulk_parts(self.checks.bulk_items, self.user.caps)
        return [tax_call(kind, drawn_amount_eur(self.user.draws), cap) for kind, cap in parts]

    def _search(self, requirement: str, number: int) -> list[Call]:
        body = search_body(requirement, number, RESULTS_WANTED)
        return [json_call(requirement, "/italian/legal/search", body, lambda reply: check_search(reply.json()))]

    def _upload(self, size: str, _number: int) -> list[Call]:
        return [upload_call(f"upload_{size}", self.uploads[size], lambda reply: check_upload(reply.json(), files=1))]

    def _read(self, requirement: str, path: str, _number: int) -> list[Call]:
        return [Call(requirement, "GET", path, lambda reply: check_content(reply.json()))]


def uploads_of(checks: Checks) -> dict[str, tuple[bytes, str]]:
    """Body and content type of an upload of each size."""
    sizes = checks.document_bytes.model_dump()
    return {size: multipart_of(f"{size}.pdf", scanned_document(sizes[size]), QUESTION) for size in DOCUMENT_SIZES}


def upload_call(endpoint: str, upload: tuple[bytes, str], check: Callable[[Reply], str | None]) -> Call:
    """The upload of one document."""
    body, content_type = upload
    return Call(endpoint, "POST", "/documents/upload", check, body=body, headers={"Content-Type": content_type})


def subject_export_call(user_id: str) -> Call:
    """A user asks for all data held on them; the target allows five such requests an hour and address."""
    content = {"user_id": user_id, "request_type": "portability"}
    return json_call(
        "export_own_data",
        "/privacy/data-subject-request",
        content,
        lambda reply: check_export(reply.json(), user_id),
    )


def client_export_call(client: Client) -> Call:
    """A studio asks for all data held on a client."""
    return client.call(
        "export_client_data", "GET", "export", lambda reply: check_client_export(reply.json(), client.id, client.name)
    )


def new_client_call(studio_id: str, name: str, keep: Callable[[Any], str | None]) -> Call:
    """A client to export and to erase; `keep` is given the answer's content and says what is wrong with it."""
    content = {
        "codice_fiscale": "RSSMRA80A01H501U",
        "nome": name,
        "tipo_cliente": "persona_fisica",
        "comune": "Milano",
        "provincia": "MI",
    }
    path = f"/clients?studio_id={studio_id}"
    return json_call("client_create", path, content, lambda reply: keep(reply.json()), token="none")
