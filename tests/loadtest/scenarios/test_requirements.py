"""What requirements are tried with, and how their answers are told apart."""

import pytest

from include.loadtest.scenarios.requirements import (
    bulk_parts,
    check_audit,
    check_client_export,
    check_erased,
    check_export,
    check_held,
    check_report,
    complex_parts,
    is_anonymous,
    is_no_such_thing,
    is_not_exposed,
    search_body,
)
from include.loadtest.scenarios.taxes import TAX_KINDS

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("status", "body", "is_missing", "is_gone"),
    [
        (404, b'{"detail":"Not Found"}', True, False),
        (404, b'{"detail": "Not Found"}', True, False),
        (405, b'{"detail":"Method Not Allowed"}', True, False),
        (405, b"", True, False),
        (404, b"", False, False),
        (404, b"null", False, False),
        (404, b"{}", False, False),
        (404, b"<html>nginx: Not Found</html>", False, False),
        (404, b'{"detail":"Not Found","path":"/x"}', False, True),
        (404, b'{"error":"client_not_found","message":"Client 7 does not exist"}', False, True),
        (404, b'{"detail":{"code":"CLIENT_GONE"}}', False, True),
        (404, b'{"detail":"Session not found"}', False, True),
        (404, b'{"id":"' + b"x" * 200 + b'","detail":"Client not found"}', False, True),
        (500, b'{"detail":"Not Found"}', False, False),
        (None, b"", False, False),
    ],
)
def test_a_missing_route_is_told_from_a_missing_thing_and_from_a_failure(
    status: int | None, body: bytes, is_missing: bool, is_gone: bool
) -> None:
    """The whole body decides: the framework's own, one in the application's words, or neither."""
    assert (is_not_exposed(status, body), is_no_such_thing(status, body)) == (is_missing, is_gone)


def test_a_complex_case_has_several_taxes_in_two_regions() -> None:
    """Where the target knows one city only, it is taken twice."""
    parts = complex_parts(("20121", "10121", "00118"))
    assert {kind for kind, _ in parts} == {"irpef", "surcharges", "imu"}
    assert {cap for kind, cap in parts if kind == "surcharges"} == {"20121", "10121"}
    assert [cap for _, cap in complex_parts(("20121",))] == ["20121"] * 4


def test_a_batch_has_so_many_calculations_of_all_kinds_and_cities() -> None:
    """In turn, so that equal batches cost the same."""
    parts = list(bulk_parts(100, ("20121", "10121", "00118")))
    assert len(parts) == 100
    assert {kind for kind, _ in parts} == set(TAX_KINDS)
    assert {cap for _, cap in parts} == {"20121", "10121", "00118"}


def test_searches_differ_in_what_they_ask() -> None:
    """A word; words of a subject since a date; the words of a sentence."""
    simple, hard, text = (search_body(f"{kind}_search", 3, 10) for kind in ("simple", "complex", "full_text"))
    assert len(simple["keywords"]) == 1
    assert {"subjects", "date_from"} <= hard.keys()
    assert len(text["keywords"]) > 3
    assert "subjects" not in text


def test_an_export_is_about_whoever_asked() -> None:
    """Data of somebody else, or none, are no export."""
    data = {"user_id": "8", "consent_records": []}
    assert check_export({"data": data}, "8") is None
    assert check_export({"data": data}, "9") == "export: not this user's data"
    assert check_export({"data": {"user_id": "8"}}, "8") == "export: no data in the answer"
    assert check_export([], "8") == "export: no data in the answer"
    assert check_client_export({"data": {"id": 2, "nome": "Prova"}}, 2, "Prova") is None
    assert check_client_export({"data": {"id": 2, "nome": "Altro"}}, 2, "Prova") == "export: not this client's data"
    assert check_client_export(None, 2, "Prova") == "export: no data in the answer"


CLIENT = {"id": 2, "nome": "Cliente di prova 17-5", "codice_fiscale": "RSSMRA80A01H501U"}
ANONYMOUS = {"id": 2, "nome": "ANONIMIZZATO", "codice_fiscale": "ANONIMIZZATO", "comune": "Milano"}


@pytest.mark.parametrize(
    ("body", "is_held", "is_gone"),
    [
        ({"client": CLIENT}, True, False),
        ({"client": {**CLIENT, "nome": "ANONIMIZZATO"}}, False, False),
        ({"client": {**ANONYMOUS, "codice_fiscale": "rssmra80a01h501u"}}, False, False),
        ({"client": ANONYMOUS, "history": [{"was": "Cliente di prova 17-5"}]}, False, False),
        ({"client": ANONYMOUS}, False, True),
        ({"client": {**ANONYMOUS, "id": 3}}, False, None),
        ({"client": None}, False, None),
        ({"error": "temporarily unavailable"}, False, None),
        (None, False, None),
        ([], False, None),
    ],
)
def test_data_are_gone_only_where_an_answer_about_the_client_holds_neither_name_nor_tax_code(
    body: object, is_held: bool, is_gone: bool | None
) -> None:
    """An error, a page of another kind, or half of an anonymisation is no erasure."""
    assert (check_held(body, CLIENT) is None) is is_held
    assert is_anonymous(body, CLIENT) is is_gone


@pytest.mark.parametrize(
    ("body", "is_named"),
    [
        ({"client_id": 2, "anonymized_at": "2026-11-24T04:02:50+00:00"}, True),
        ({"client_id": 3}, False),
        ({"error": "nothing was erased"}, False),
        (None, False),
    ],
)
def test_an_erasure_names_its_client(body: object, is_named: bool) -> None:
    """As the captured answer does."""
    assert (check_erased(body, 2) is None) is is_named


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"events": [{"id": 1, "user_id": "8", "event": "client_erasure"}], "total": 1}, None),
        ({"items": [{"actor": {"user": 8}}]}, None),
        ({"items": [{"client_id": 2}]}, None),
        ({"items": [{"text": "erased Cliente di prova 17-5"}]}, None),
        ({"events": [{"id": 8, "user_id": "9"}], "total": 8}, "audit: no event of this run's user or client"),
        ({"events": [], "total": 0}, "audit: no event of this run's user or client"),
        ({"error": "internal", "user_id": "8"}, "audit: an error in the answer"),
        ({}, "audit: no JSON with content"),
        (None, "audit: no JSON with content"),
    ],
)
def test_an_audit_log_tells_of_what_was_done_before(body: object, error: str | None) -> None:
    """A number that happens to be the user's is no event of the user."""
    assert check_audit(body, "8", CLIENT) == error


def test_an_audit_log_is_also_looked_through_without_a_client() -> None:
    """A target may have no clients, and still a log."""
    assert check_audit({"events": [{"user_id": "8"}]}, "8", None) is None
    assert check_audit({"events": [{"client_id": 2}]}, "8", None) == "audit: no event of this run's user or client"


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"overall_status": "pass", "checks": [{"check_id": "ACCESS_001"}]}, None),
        ({"overall_status": "fail", "checks": {"right_to_access": 5}}, None),
        ({"overall_status": "fail"}, "report: no checks in it"),
        ({"overall_status": "", "checks": [1]}, "report: overall_status missing"),
        ({"checks": [1]}, "report: overall_status missing"),
        ({"error": "internal", "overall_status": "pass", "checks": [1]}, "report: an error in the answer"),
        ([1], "report: no JSON with content"),
        (None, "report: no JSON with content"),
    ],
)
def test_a_report_has_a_status_and_its_checks(body: object, error: str | None) -> None:
    """What it found is its matter: a status that says "fail" is a report."""
    assert check_report(body) == error
