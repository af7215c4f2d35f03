"""The metrics of requirements: from attempts to a row each."""

from typing import Any

import pytest

from include.loadtest import run
from include.loadtest.metrics.engine import compute_metrics
from include.loadtest.metrics.requirements import Attempt, RequirementFigures, requirement_rows
from include.loadtest.profile import find_profile, load_profile
from include.loadtest.profile.vocabulary import REQUIREMENT_METRICS
from include.loadtest.scenarios.checks import REFUSED_WITH_REASON

pytestmark = pytest.mark.unit
CHECKED = {"state": "checked"}


def rows_of(notes: dict[str, Any], crowd: Any = None, **attempts: list[Attempt]) -> dict[str, dict[str, Any]]:
    return {row["metric"]: row for row in requirement_rows(RequirementFigures(attempts, crowd or {}), notes)}


def took(*seconds: float) -> list[Attempt]:
    return [Attempt(one, is_bound=False, failed=False) for one in seconds]


def test_there_is_a_row_for_each_requirement_also_without_any_sample() -> None:
    """Null and n = 0 for what was not checked: missing data is not zero."""
    rows = rows_of({})
    assert tuple(rows) == REQUIREMENT_METRICS
    assert {(row["value"], row["n"], row["not_exposed"]) for row in rows.values()} == {(None, 0, None)}


def test_of_few_attempts_the_longest_counts_and_of_twenty_the_nineteenth() -> None:
    """The smallest duration with at least 95 % of the attempts at or below it."""
    few = rows_of({"small_document": CHECKED}, small_document=took(3, 9, 1))["small_document_s"]
    assert (few["value"], few["n"], few["ci_low"], few["ci_high"]) == (9, 3, 3, None)
    twenty = rows_of({"simple_search": CHECKED}, simple_search=took(*range(1, 21)))["simple_search_s"]
    assert (twenty["value"], twenty["n"], twenty["ci_low"], twenty["ci_high"]) == (19, 20, 17, None)


def test_an_attempt_that_failed_leaves_no_value() -> None:
    """Its duration would be that of an error."""
    attempts = [*took(1, 2), Attempt(0.1, is_bound=False, failed=True)]
    row = rows_of({"audit_query": CHECKED}, audit_query=attempts)["audit_query_s"]
    assert (row["value"], row["n"], row["failed"]) == (None, 3, 1)


def test_a_patience_that_ended_is_a_lower_bound() -> None:
    """Also that of a document which was looked for in vain."""
    late = [Attempt(120.0, is_bound=True, failed=False)]
    row = rows_of({"gdpr_export": CHECKED}, gdpr_export=late)["gdpr_export_s"]
    assert (row["value"], row["lower_bound"]) == (120.0, True)
    note = {**CHECKED, "seconds": [330.2], "lower_bound": True}
    index = rows_of({"index_update": note}, index_update=took(331.0))["index_update_s"]
    assert (index["value"], index["n"], index["lower_bound"]) == (330.2, 1, True)


def test_what_is_not_exposed_has_no_figure_and_says_what_was_tried() -> None:
    """Even where the refusal was quick."""
    note = {"state": "not_exposed", "text": "GET /audit/events: HTTP 404"}
    row = rows_of({"audit_query": note}, audit_query=took(0.01))["audit_query_s"]
    assert (row["value"], row["n"], row["not_exposed"]) == (None, 0, "GET /audit/events: HTTP 404")


def test_a_requirement_that_was_not_finished_has_no_figure() -> None:
    """The generator notes it when all its attempts were made."""
    row = rows_of({}, medium_document=took(1))["medium_document_s"]
    assert (row["value"], row["n"]) == (None, 0)


KEPT = [("upload_at_once", "ok", 200, None), ("document_read", "ok", 200, None)]


@pytest.mark.parametrize(
    ("last", "taken", "lost"),
    [
        (KEPT, 3, 0),
        ([("upload_at_once", "rejected", 429, "HTTP 429")], 2, 0),
        ([("upload_at_once", "http_error", 503, "HTTP 503")], 2, 0),
        ([("upload_at_once", "wrong_answer", 200, REFUSED_WITH_REASON)], 2, 0),
        ([("upload_at_once", "wrong_answer", 200, "upload: refused (success is not true)")], 2, 1),
        ([("upload_at_once", "http_error", 500, "HTTP 500")], 2, 1),
        ([("upload_at_once", "timeout", None, "timeout")], 2, 1),
        ([("upload_at_once", "connection_error", None, "reset")], 2, 1),
        ([KEPT[0], ("document_read", "http_error", 404, "HTTP 404")], 2, 1),
        ([KEPT[0]], 2, 1),
    ],
    ids=["taken", "429", "503", "refused", "no reason", "500", "timeout", "reset", "gone", "not looked for"],
)
def test_a_document_is_taken_refused_or_lost(last: list[Any], taken: int, lost: int) -> None:
    """Answered as taken is not enough: it has to be there afterwards."""
    rows = rows_of({"documents_at_once": CHECKED}, {1: KEPT, 2: KEPT, 3: last})
    assert (rows["documents_at_once"]["value"], rows["documents_lost"]["value"]) == (taken, lost)
    assert rows["documents_lost"]["n"] == 3


@pytest.mark.parametrize(
    ("last", "taken", "lost"),
    [
        ([KEPT[0], ("document_read", "http_error", 404, "HTTP 404")], 3, None),
        ([("upload_at_once", "rejected", 429, "HTTP 429")], 2, None),
        ([("upload_at_once", "http_error", 500, "HTTP 500")], 2, 1),
    ],
    ids=["taken", "refused", "lost"],
)
def test_where_documents_cannot_be_read_back_only_an_uploads_own_answer_loses_one(
    last: list[Any], taken: int, lost: int | None
) -> None:
    """That none is lost cannot be told then, and that all are lost would be a false alarm."""
    unread = [KEPT[0], ("document_read", "http_error", 404, "HTTP 404")]
    note = {**CHECKED, "read_back": "GET /documents/{id}: HTTP 404"}
    rows = rows_of({"documents_at_once": note}, {1: unread, 2: unread, 3: last})
    assert (rows["documents_at_once"]["value"], rows["documents_lost"]["value"]) == (taken, lost)
    assert rows["documents_at_once"]["not_exposed"] is None
    assert (rows["documents_lost"]["not_exposed"] is None) is (lost is not None)
    assert lost is not None or "GET /documents/{id}: HTTP 404" in rows["documents_lost"]["not_exposed"]


def test_a_failed_beginning_is_a_failed_attempt_also_where_it_took_shorter_than_the_limit() -> None:
    """An upload that was given up after 20 s says nothing of an index that may take 300 s, but it missed."""
    note = {**CHECKED, "failed": "timeout after 20 s"}
    upload = [Attempt(20.0, is_bound=True, failed=False)]
    row = rows_of({"index_update": note}, index_update=upload)["index_update_s"]
    assert (row["value"], row["n"], row["failed"], row["lower_bound"]) == (None, 1, 1, False)


def test_hits_of_searches_stand_beside_their_times() -> None:
    """A search that finds nothing has little to do."""
    rows = rows_of({"simple_search": {**CHECKED, "hits": [10, 0]}}, simple_search=took(1, 2), complex_search=took(1))
    assert (rows["simple_search_s"]["hits"], rows["complex_search_s"]["hits"]) == ([10, 0], None)


def test_samples_of_one_iteration_are_one_attempt(maker: Any, sample: Any, row_of: Any) -> None:
    """From the first intended start to the end of the last answer; cut and failed ones are told apart."""
    profile = load_profile(find_profile("italian_market"))
    seconds = 1_000_000
    maker.samples(
        [
            sample(10, 2 * seconds, scenario="complex_calculation", iteration=0),
            sample(12.5, 1 * seconds, scenario="complex_calculation", iteration=0),
            sample(20, 1 * seconds, scenario="complex_calculation", iteration=1),
            sample(30, 9 * seconds, scenario="audit_query", iteration=2, outcome="timeout"),
            sample(40, 1 * seconds, scenario="compliance_report", iteration=3, outcome="http_error", status=500),
            sample(50, 1 * seconds, scenario="large_document", iteration=4),
            sample(60, 1 * seconds, scenario="large_document", iteration=5, outcome="censored"),
        ]
    )
    names = ("complex_calculation", "audit_query", "compliance_report", "large_document")
    maker.bundle.write(run.CHECKS, {"schema": 1, "requirements": dict.fromkeys(names, CHECKED)})
    document = compute_metrics(maker.bundle, profile)
    found = {name: row_of(document, f"{name}_s") for name in names}
    assert {name: (row["value"], row["n"], row["lower_bound"], row["failed"]) for name, row in found.items()} == {
        "complex_calculation": (3.5, 2, False, 0),
        "audit_query": (9.0, 1, True, 0),
        "compliance_report": (None, 1, False, 1),
        "large_document": (1.0, 1, False, 0),
    }
    assert row_of(document, "latency_p95_corrected_ms")["value"] is None


def test_other_profiles_have_no_such_rows(maker: Any, sample: Any, profile: Any) -> None:
    """Their scenarios are no requirements."""
    maker.samples([sample(10, 1000)])
    document = compute_metrics(maker.bundle, profile)
    assert not {row["metric"] for row in document["metrics"]} & set(REQUIREMENT_METRICS)
