"""The document of the live page: what is known of a load at each moment, bounded, and the end of it."""

import json
from pathlib import Path
from typing import Any

import pytest

from include.loadtest.bundle import Bundle
from include.loadtest.live.history import MAX_ROWS
from include.loadtest.live.page import MAX_ALERTS, MAX_SCENARIOS, LoadPage, closed
from include.loadtest.live.page_figures import ENDED
from include.loadtest.live.tail import LiveRun
from include.loadtest.profile import Profile, find_profile, load_profile
from include.loadtest.profile.thresholds import load_thresholds
from include.loadtest.recorder import SAMPLE_SCHEMA, write_part
from tests.loadtest.live.test_tail import NOW, sample

pytestmark = pytest.mark.unit


@pytest.fixture
def live(tmp_path: Path) -> LiveRun:
    bundle = Bundle(tmp_path / "smoke-1")
    bundle.samples_dir.mkdir(parents=True)
    return LiveRun(bundle, load_thresholds())


def page_of(name: str = "smoke") -> LoadPage:
    return LoadPage(load_profile(find_profile(name)), load_thresholds(), shares_host=False)


def write(live: LiveRun, rows: list, number: int = 0) -> None:
    write_part(rows, SAMPLE_SCHEMA, live.bundle.samples_dir / f"w0-{number:06d}.parquet")
    live.poll(NOW)


def values(document: dict[str, Any]) -> dict[str, Any]:
    return {row["key"]: row["value"] for row in (*document["figures"], *document["resources"])}


def test_before_the_first_request_nothing_is_known_and_nothing_invented(live: LiveRun) -> None:
    """No phase, no time left, each figure null with its reason."""
    found = page_of().look(live, NOW, [])
    assert (found["began"], found["until"], found["left_s"], found["phase"], found["phases"]) == (None,) * 4 + ([],)
    assert set(values(found).values()) == {None}
    assert all(row["why"] for row in (*found["figures"], *found["resources"]))
    assert found["requests"] == {"n": 0, "ok": 0, "failed": 0, "cut": 0, "scenarios": []}


def test_a_look_tells_phase_time_left_and_counts(live: LiveRun) -> None:
    """The first intended start is the load's beginning; a request that was cut is neither good nor failed."""
    rows = [sample(NOW - 9, 1000)] * 30 + [sample(NOW - 8, 1000, "http_error", "b")] * 2
    write(live, [*rows, sample(NOW - 7, 1000, "censored", "b")])
    found = page_of().look(live, NOW, [])
    assert found["began"] == "2023-11-14T22:13:10.000000Z"
    assert (found["left_s"], found["phase"]) == (55.0, {"name": "hold", "stage": "hold", "left_s": 55.0})
    assert [(phase["name"], phase["start"][17:19]) for phase in found["phases"]] == [("ramp_up", "10"), ("hold", "15")]
    assert found["requests"] == {
        "n": 33, "ok": 30, "failed": 2, "cut": 1,
        "scenarios": [
            {"scenario": "simple_query", "n": 30, "ok": 30, "failed": 0, "cut": 0},
            {"scenario": "b", "n": 3, "ok": 0, "failed": 2, "cut": 1},
        ],
    }  # fmt: skip
    assert values(found)["latency_p95_ms"] == 1000.0
    assert values(found)["error_rate"] == 2 / 32
    series = found["history"]["series"]
    assert (series["planned_users"]["value"], series["latency_p95_ms"]["value"]) == ([10.0], [1000.0])


def test_after_the_load_no_figure_is_of_now(live: LiveRun) -> None:
    """Totals and history stay, and each figure says that the load has ended."""
    page = page_of()
    write(live, [sample(NOW - 9, 1000)] * 30)
    page.look(live, NOW, [])
    found = page.ended(live, NOW + 1, [])
    assert set(values(found).values()) == {None}
    assert {row["why"] for row in (*found["figures"], *found["resources"])} == {ENDED}
    assert (found["ended"], found["left_s"], found["phase"]) == ("2023-11-14T22:13:21.000000Z", None, None)
    assert found["requests"]["n"] == 30
    assert len(found["history"]["t"]) == 1


def test_a_load_whose_process_was_killed_ended_with_its_last_sign_of_life(live: LiveRun) -> None:
    """What the next stage finds is no figure of now; an end that was written stays as it was."""
    page = page_of()
    write(live, [sample(NOW - 9, 9000)] * 30)
    last = page.look(live, NOW, [])
    found = closed(last)
    assert (found["ended"], found["left_s"], found["phase"]) == (last["at"], None, None)
    assert set(values(found).values()) == {None}
    assert not any(limit["beyond"] for row in found["figures"] for limit in row["limits"])
    assert (found["requests"], found["history"]) == (last["requests"], last["history"])
    ended = page.ended(live, NOW + 1, [])
    assert closed(ended) == ended
    assert found.keys() == ended.keys()


def test_a_load_that_is_late_has_no_time_left_rather_than_less(live: LiveRun) -> None:
    """Requests that still finish after the last stage belong to no phase."""
    write(live, [sample(NOW - 100, 1000)] * 30)
    found = page_of().look(live, NOW, [])
    assert (found["left_s"], found["phase"]) == (0.0, None)


def test_the_document_is_bounded_whatever_the_load_does(live: LiveRun) -> None:
    """Hundreds of alerts and scenarios: the last alerts and the largest scenarios are shown."""
    write(live, [sample(NOW - 9, 100, "ok", f"s{number % 90}") for number in range(900)])
    alerts = [{"id": f"a{number}", "text": "x" * 200} for number in range(200)]
    page = page_of()
    for look in range(MAX_ROWS + 2):
        found = page.look(live, NOW + 2 * look, alerts)
    assert [alert["id"] for alert in found["alerts"]] == [f"a{number}" for number in range(150, 200)]
    assert (len(found["alerts"]), found["alerts_left_out"]) == (MAX_ALERTS, 150)
    assert len(found["requests"]["scenarios"]) == MAX_SCENARIOS
    assert len(json.dumps(found)) < 150_000


def test_every_profile_can_be_followed(live: LiveRun) -> None:
    """Checks may end sooner; arrivals on a schedule plan no users."""
    write(live, [sample(NOW - 9, 1000)] * 30)
    checks = page_of("italian_market").look(live, NOW, [])
    assert checks["may_end_sooner"]
    profile = load_profile(find_profile("smoke"))
    arrival = {"rate_rpm": 400.0, "max_users": 10}
    scheduled = LoadPage(
        Profile.model_validate({**profile.model_dump(), "arrival": arrival}), load_thresholds(), shares_host=False
    )
    assert scheduled.look(live, NOW, [])["figures"][0]["planned"] is None
