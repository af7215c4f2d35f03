"""What the requirements of the Italian market are tried with, and the names under which it is measured. Pure."""

import re
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
_ROUTE_IS_MISSING = ("Not Found", "Method Not Allowed")
_DETAIL = re.compile(r'"detail"\s*:\s*"([^"]*)')


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


def is_not_exposed(status: int | None, error: str | None) -> bool:
    """Whether a refusal says that there is no such route: a 405, or a 404 in no words of the application's own.

    "Client not found" is an answer about a client, and no sign that the route is missing.
    """
    if status == 405:
        return True
    if status != 404:
        return False
    detail = _DETAIL.search(error or "")
    return detail is None or detail[1] in _ROUTE_IS_MISSING


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


def check_content(body: Any) -> str | None:
    """An answer of which only the installation knows the form: JSON with something in it."""
    return None if isinstance(body, Mapping | list) and body else "answer: no JSON with content"
