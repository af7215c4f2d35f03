"""The calls of one attempt of each requirement of the Italian market."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from include.loadtest.profile.checks import Checks
from include.loadtest.scenarios.checks import check_search, check_upload, fingerprint
from include.loadtest.scenarios.documents import UPLOAD_QUESTION, multipart_of, scanned_document
from include.loadtest.scenarios.requirements import (
    SIMPLE_KINDS,
    bulk_parts,
    check_audit,
    check_client_export,
    check_export,
    check_report,
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
TAX_CODE = "RSSMRA80A01H501U"
"""Of the client of a load test: the usual example of one, which is nobody's."""


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

    @property
    def data(self) -> dict[str, Any]:
        """What tells who the client is, as the target names it."""
        return {"id": self.id, "nome": self.name, "codice_fiscale": TAX_CODE}

    def call(self, endpoint: str, method: str, right: str, check: Callable[[Reply], str | None]) -> Call:
        """One of the rights of a data subject: access, export, erase."""
        return Call(endpoint, method, f"/data-rights/{right}/{self.id}", check, token="none", headers=self.headers)


@dataclass(frozen=True)
class CheckCalls:
    """Calls for the given user; documents are made when this is, since that takes seconds.

    `figures`: what the answers to a requirement's calls held besides, for its note; see `_search` and `report`.
    """

    checks: Checks
    user: UserContext
    paths: Mapping[str, str | None]
    uploads: dict[str, tuple[bytes, str]] = field(default_factory=dict)
    figures: dict[str, dict[str, Any]] = field(default_factory=dict)

    def of(self, requirement: str) -> Calls | str:
        """How a requirement is tried that needs nothing else; or why it cannot be: what the target does not expose."""
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
        """Notes the `hits` of each search that was answered: a search that finds nothing has little to do."""
        hits: list[int] = self.figures.setdefault(requirement, {}).setdefault("hits", [])

        def check(reply: Reply) -> str | None:
            content = reply.json()
            error = check_search(content)
            if error is None:
                hits.append(len(content["regulations"]))
            return error

        body = search_body(requirement, number, RESULTS_WANTED)
        return [json_call(requirement, "/italian/legal/search", body, check)]

    def _upload(self, size: str, _number: int) -> list[Call]:
        return [upload_call(f"upload_{size}", self.uploads[size], lambda reply: check_upload(reply.json(), files=1))]

    def audit(self, user_id: str, client: Client | None) -> Calls | str:
        """A query of the audit log, which holds an event of this user or client by then."""
        data = None if client is None else client.data
        return self._read("audit_query", lambda content: check_audit(content, user_id, data))

    def report(self) -> Calls | str:
        """A compliance report; notes its `status`."""

        def check(content: Any) -> str | None:
            error = check_report(content)
            if error is None:
                self.figures.setdefault("compliance_report", {})["status"] = fingerprint(content["overall_status"])
            return error

        return self._read("compliance_report", check)

    def _read(self, requirement: str, check: Callable[[Any], str | None]) -> Calls | str:
        path = self.paths.get(requirement)
        if path is None:
            return f"the target file names no path for {requirement} (check_paths.{requirement})"
        return lambda _number: [Call(requirement, "GET", path, lambda reply: check(reply.json()))]


def uploads_of(checks: Checks) -> dict[str, tuple[bytes, str]]:
    """Body and content type of an upload of each size."""
    sizes = checks.document_bytes.model_dump()
    documents = {size: scanned_document(sizes[size]) for size in DOCUMENT_SIZES}
    return {size: multipart_of(f"{size}.pdf", content, UPLOAD_QUESTION) for size, content in documents.items()}


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
        "codice_fiscale": TAX_CODE,
        "nome": name,
        "tipo_cliente": "persona_fisica",
        "comune": "Milano",
        "provincia": "MI",
    }
    path = f"/clients?studio_id={studio_id}"
    return json_call("client_create", path, content, lambda reply: keep(reply.json()), token="none")
