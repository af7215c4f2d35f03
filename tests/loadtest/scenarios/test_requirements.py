"""What requirements are tried with, and how their answers are told apart."""

import pytest

from include.loadtest.scenarios.requirements import (
    bulk_parts,
    check_client_export,
    check_content,
    check_export,
    complex_parts,
    is_not_exposed,
    search_body,
)
from include.loadtest.scenarios.taxes import TAX_KINDS

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("status", "error", "missing"),
    [
        (404, 'HTTP 404: {"detail":"Not Found"}', True),
        (404, 'HTTP 404: {"detail": "Not Found"}', True),
        (405, 'HTTP 405: {"detail":"Method Not Allowed"}', True),
        (404, "HTTP 404: <html>nginx</html>", True),
        (404, 'HTTP 404: {"detail":"Session not found"}', False),
        (404, 'HTTP 404: {"detail":"CAP 20121 non trovato"}', False),
        (500, 'HTTP 500: {"detail":"Not Found"}', False),
        (200, None, False),
        (None, "timeout after 2 s", False),
    ],
)
def test_a_missing_route_is_told_from_a_missing_thing(status: int | None, error: str | None, missing: bool) -> None:
    """The application's own words say that somebody is there to answer."""
    assert is_not_exposed(status, error) is missing


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


@pytest.mark.parametrize(
    ("body", "is_content"), [({"a": 1}, True), ([1], True), ({}, False), (None, False), ("x", False)]
)
def test_an_answer_has_content(body: object, is_content: bool) -> None:
    """JSON with something in it."""
    assert (check_content(body) is None) is is_content
