"""What the requirements of the Italian market are tried with, and the names under which it is measured. Pure."""

import json
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

UPLOAD_AT_ONCE, DOCUMENT_READ = "upload_at_once", "document_read"
"""Endpoints: an upload at the same moment as others, and the look afterwards whether the document was kept."""
SIMPLE_KINDS = ("iva", "irpef")
BULK_KINDS = ("iva", "irpef", "imu", "surcharges", "iva")
"""Taken in turn."""
REGIONS_OF_A_CASE = 2
SIMPLE_KEYWORDS = ("IVA", "IRPEF", "IMU", "fatturazione", "superbonus", "forfettario", "detrazioni", "antiriciclaggio")
SUBJECTS = ("regime forfettario", "reverse charge", "fatturazione elettronica", "startup innovative")
SINCE = date(2018, 1, 1)
PHRASES = (
    "comunicazione mediante i servizi telematici",
    "sanzione prevista in caso di omesso versamento",
    "disciplina applicata ai soggetti residenti nel territorio dello Stato",
    "istruzioni già fornite con i documenti di prassi precedenti",
)
NO_SUCH_ROUTE = {"detail": "Not Found"}
"""The whole body with which the target's framework answers where there is no route."""
_WHOSE_USER = ("user", "subject", "actor")
"""Parts of the names under which an event says who acted, or about whom."""


def complex_parts(caps: tuple[str, ...]) -> list[tuple[str, str]]:
    """The taxes of one complex case, as kind and postal code: income tax, and what two regions and a city want."""
    regions = [caps[number % len(caps)] for number in range(REGIONS_OF_A_CASE)]
    return [("irpef", caps[0]), *(("surcharges", cap) for cap in regions), ("imu", caps[0])]


def bulk_parts(items: int, caps: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """The calculations of a batch, as kind and postal code: all kinds and cities in turn."""
    for number in range(items):
        yield BULK_KINDS[number % len(BULK_KINDS)], caps[number % len(caps)]


def search_body(requirement: str, number: int, wanted: int) -> dict[str, Any]:
    """The search of one attempt: a word, regulations of a subject since a date, or the words of a sentence."""
    if requirement == "simple_search":
        return {"keywords": [SIMPLE_KEYWORDS[number % len(SIMPLE_KEYWORDS)]], "limit": wanted}
    if requirement == "complex_search":
        subject = SUBJECTS[number % len(SUBJECTS)]
        words = subject.split()
        return {"keywords": words, "subjects": [subject], "date_from": SINCE.isoformat(), "limit": wanted}
    return {"keywords": PHRASES[number % len(PHRASES)].split(), "limit": wanted}


def is_not_exposed(status: int | None, body: bytes) -> bool:
    """Whether a refusal says that there is no such route: a 405, or a 404 with the framework's own body and no other.

    "Client not found" is an answer about a client; a gateway's page, or an empty body, is a failure of whoever sent it.
    """
    return status == 405 or (status == 404 and _parsed(body) == NO_SUCH_ROUTE)


def is_no_such_thing(status: int | None, body: bytes) -> bool:
    """Whether the application says in words of its own that what was asked for is not there."""
    content = _parsed(body)
    return status == 404 and isinstance(content, Mapping) and bool(content) and content != NO_SUCH_ROUTE


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None


def check_export(body: Any, user_id: str) -> str | None:
    """An export of one's own data: it is about this user, and it is there."""
    data = body.get("data") if isinstance(body, Mapping) else None
    if not isinstance(data, Mapping) or len(data) < 2:
        return "export: no data in the answer"
    return None if str(data.get("user_id")) == user_id else "export: not this user's data"


def check_client_export(body: Any, client_id: int, name: str) -> str | None:
    """An export of a client's data: it is about this client."""
    data = body.get("data") if isinstance(body, Mapping) else None
    if not isinstance(data, Mapping):
        return "export: no data in the answer"
    return None if (data.get("id"), data.get("nome")) == (client_id, name) else "export: not this client's data"


def check_held(body: Any, client: Mapping[str, Any]) -> str | None:
    """Access to a client's data before they are erased: `id`, `nome` and `codice_fiscale` are those of `client`."""
    held = body.get("client") if isinstance(body, Mapping) else None
    is_there = isinstance(held, Mapping) and all(held.get(key) == value for key, value in client.items())
    return None if is_there else "access: not this client's data"


def check_erased(body: Any, client_id: int) -> str | None:
    """The answer to an erasure names the client whose data were erased."""
    named = body.get("client_id") if isinstance(body, Mapping) else None
    return None if _is_id(named, client_id) else "erasure: the answer does not name the client"


def is_anonymous(body: Any, client: Mapping[str, Any]) -> bool | None:
    """Whether access to an erased client tells neither name nor tax code; None: the answer is not about that client."""
    held = body.get("client") if isinstance(body, Mapping) else None
    if not isinstance(held, Mapping) or not _is_id(held.get("id"), client["id"]):
        return None
    shown = json.dumps(body, ensure_ascii=False).lower()
    return not any(client[key].lower() in shown for key in ("nome", "codice_fiscale"))


def check_audit(body: Any, user_id: str, client: Mapping[str, Any] | None) -> str | None:
    """A query of the audit log: no error, and an event of this user, or of the client that was exported and erased.

    Only the installation knows the form of its events: a value under a name with `user`, `subject` or `actor` is the
    user's id, one under a name with `client` the client's id, or some text holds the client's name.
    """
    error = _check_json(body, "audit")
    if error is not None:
        return error
    is_found = any(_is_ours(name.lower(), value, user_id, client) for name, value in _leaves(body))
    return None if is_found else "audit: no event of this run's user or client"


def _is_ours(name: str, value: object, user_id: str, client: Mapping[str, Any] | None) -> bool:
    if any(part in name for part in _WHOSE_USER) and str(value) == user_id:
        return True
    if client is None:
        return False
    return ("client" in name and str(value) == str(client["id"])) or client["nome"] in str(value)


def _leaves(body: Any, name: str = "") -> Iterator[tuple[str, object]]:
    """Values that hold no others, each with the nearest name above it."""
    if isinstance(body, Mapping):
        for key, value in body.items():
            yield from _leaves(value, str(key))
    elif isinstance(body, list):
        for value in body:
            yield from _leaves(value, name)
    else:
        yield name, body


def check_report(body: Any) -> str | None:
    """A compliance report: no error, `overall_status`, and the `checks` that led to it.

    A status that says that something does not comply is what the report found, and no failure to report.
    """
    error = _check_json(body, "report")
    if error is not None:
        return error
    status, checks = body.get("overall_status"), body.get("checks")
    if not isinstance(status, str) or not status:
        return "report: overall_status missing"
    return None if isinstance(checks, Mapping | list) and checks else "report: no checks in it"


def _check_json(body: Any, what: str) -> str | None:
    if not isinstance(body, Mapping) or not body:
        return f"{what}: no JSON with content"
    return f"{what}: an error in the answer" if body.get("error") else None


def _is_id(value: object, wanted: int) -> bool:
    return value == wanted and not isinstance(value, bool)
