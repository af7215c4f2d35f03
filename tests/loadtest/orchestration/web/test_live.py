"""The live page's question: what a run does now, as JSON, cheap, and true at every moment."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from include.loadtest.bundle import Bundle
from include.loadtest.live.page_state import NOTHING_KNOWN
from include.loadtest.profile import find_profile, load_profile
from include.loadtest.run import utc_text
from tests.helpers.live_bundles import live_document, load_document

pytestmark = pytest.mark.integration
RUN = "smoke-20260301-120000-abcdef"


@pytest.fixture
def bundle(results: Path) -> Bundle:
    """A run that has begun."""
    bundle = Bundle(results / RUN)
    profile = load_profile(find_profile("smoke")).model_dump(mode="json")
    bundle.update_manifest(profile=profile, target={"name": "demo"}, started=utc_text(datetime.now(UTC)))
    return bundle


def asked(viewer: TestClient, **headers: str) -> Any:
    return viewer.get(f"/loadtest/runs/{RUN}/live", headers=headers)


@pytest.mark.usefixtures("bundle")
def test_nobody_reads_it_without_a_login(browse: Any) -> None:
    """As every page."""
    assert asked(browse(None)).status_code == 401


@pytest.mark.usefixtures("bundle")
def test_a_run_that_nobody_knows_is_said_to_be_unknown(viewer: TestClient) -> None:
    """With the nearest id; what is no id at all reaches no file."""
    answer = viewer.get(f"/loadtest/runs/{RUN[:-1]}0/live")
    assert (answer.status_code, RUN in answer.json()["detail"]) == (404, True)
    for path in ("..%2f..%2fetc", "A", "%2e%2e"):
        assert viewer.get(f"/loadtest/runs/{path}/live").status_code == 404


@pytest.mark.usefixtures("bundle")
def test_a_run_without_notes_is_not_invented(viewer: TestClient) -> None:
    """Before its first stage has written anything."""
    found = asked(viewer).json()
    assert found["state"] == {"kind": "unknown", "text": NOTHING_KNOWN, "todo": None, "age_s": None}
    assert (found["load"], found["log"], found["verdict"], found["has_report"]) == (None, [], None, False)


def test_a_load_is_shown_with_its_figures_and_linked_alerts(viewer: TestClient, bundle: Bundle) -> None:
    """An alert's page is one of this app; anything else is no link."""
    alerts = [
        {"id": "error_rate_high", "metric": "error_rate", "severity": "critical", "text": "error_rate at 4 %",
         "since": utc_text(datetime.now(UTC)), "until": None, "page": page}
        for page in ("docs/alerts/error_rate_high.md", "https://evil.example/", "docs/../../x.md")
    ]  # fmt: skip
    bundle.write("live.json", live_document(RUN, load_document(alerts=alerts)))
    found = asked(viewer).json()
    assert (found["state"]["kind"], found["load"]["requests"]["n"]) == ("working", 600)
    assert [alert["page"] for alert in found["load"]["alerts"]] == [
        "/loadtest/docs/alerts/error_rate_high.md",
        None,
        None,
    ]
    assert [entry["page"] for entry in found["log"] if entry["kind"] == "alert"][1:] == [None, None]


def test_what_has_not_changed_is_not_sent_again(viewer: TestClient, bundle: Bundle) -> None:
    """The age of the last sign of life alone makes no new answer."""
    bundle.write("live.json", live_document(RUN))
    first = asked(viewer)
    again = asked(viewer, **{"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    bundle.write("live.json", live_document(RUN, load_document()))
    assert asked(viewer, **{"If-None-Match": first.headers["etag"]}).status_code == 200


def test_a_run_whose_process_died_is_said_to_be_silent(viewer: TestClient, bundle: Bundle) -> None:
    """The figures stay, with their age, and what to do."""
    late = datetime.now(UTC) - timedelta(seconds=61)
    bundle.write("live.json", live_document(RUN, load_document(), at=late))
    state = asked(viewer).json()["state"]
    age_s = (datetime.now(UTC) - late).total_seconds()
    assert (state["kind"], 61 <= state["age_s"] <= age_s) == ("silent", True)
    assert "No sign of life from run_profile" in state["text"]
    assert "scheduler" in state["todo"]


def test_a_verdict_is_not_final_before_the_report_is_there(viewer: TestClient, bundle: Bundle) -> None:
    """A suspected run is repeated between the two; so far it is a release that nobody knows of."""
    bundle.write("live.json", live_document(RUN))
    slo = {"metric": "error_rate", "scope": "all", "phase": "hold", "level": "critical", "required": True}
    slo |= {
        "comparator": "<",
        "limit": 0.01,
        "unit": "ratio",
        "observed": 0.0,
        "n": 600,
        "outcome": "met",
        "close": False,
    }
    bundle.write("verdict.json", {"schema": 1, "run_id": RUN, "verdict": "PASS", "reasons": [], "slos": [slo]})
    found = asked(viewer).json()
    assert (found["verdict"], found["has_report"], found["is_over"]) == ("PASS", False, False)
    page = viewer.get(f"/loadtest/runs/{RUN}").text
    assert ('id="live"' in page, "so far PASS, not final" in page, ">Not known<" in page) == (True, True, True)
    bundle.write_text("report.html", "<!doctype html>")
    found = asked(viewer).json()
    assert (found["has_report"], found["is_over"]) == (True, False)
    assert "Report so far" in viewer.get(f"/loadtest/runs/{RUN}").text
    bundle.write("live.json", live_document(RUN, stage="publish", state="ended"))
    assert asked(viewer).json()["is_over"]
    page = viewer.get(f"/loadtest/runs/{RUN}").text
    assert ('id="live"' in page, "not final" in page, ">Yes<" in page) == (False, False, True)


def test_a_stage_that_was_killed_after_the_verdict_makes_it_no_final_one(viewer: TestClient, bundle: Bundle) -> None:
    """The change test, and what follows it, is still to come, or comes never: nobody is told to release."""
    killed = datetime.now(UTC) - timedelta(seconds=30)
    bundle.write("live.json", live_document(RUN, at=killed, stage="diff_history"))
    bundle.write("verdict.json", {"schema": 1, "run_id": RUN, "verdict": "PASS", "reasons": [], "slos": []})
    found = asked(viewer).json()
    assert (found["state"]["kind"], found["is_over"]) == ("silent", False)
    page = viewer.get(f"/loadtest/runs/{RUN}").text
    assert ("Nothing has to be repaired" in page, ">Yes<" in page, ">Not known<" in page) == (False, False, True)
    assert "No sign of life from diff_history" in page


def test_the_page_leaves_when_publish_has_failed_for_good(viewer: TestClient, bundle: Bundle) -> None:
    """A suite's run has no clean-up after it; the verdict is there, only its report is not."""
    bundle.write("verdict.json", {"schema": 1, "run_id": RUN, "verdict": "PASS", "reasons": [], "slos": []})
    for age_s, is_over in ((30, False), (300, True)):
        at = datetime.now(UTC) - timedelta(seconds=age_s)
        bundle.write("live.json", live_document(RUN, at=at, stage="publish", state="failed", text="no disk"))
        found = asked(viewer).json()
        assert (found["is_over"], found["has_report"]) == (is_over, False)


def test_half_a_file_is_no_document(viewer: TestClient, bundle: Bundle) -> None:
    """A store that is not atomic may show one for a moment."""
    bundle.write_text("live.json", '{"schema": 1, "sta')
    answer = asked(viewer)
    assert (answer.status_code, answer.json()["state"]["kind"]) == (200, "unknown")
