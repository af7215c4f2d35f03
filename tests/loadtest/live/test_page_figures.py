"""A figure of the live page has its value and limits, or says why it is not known."""

from pathlib import Path

import pytest

from include.loadtest.bundle import Bundle
from include.loadtest.live.page_figures import FAILED, OK, SHARED_HOST, USERS, Figures, Moment, known_figures
from include.loadtest.live.requests import RATE_WINDOW_S
from include.loadtest.live.tail import LiveRun
from include.loadtest.profile import find_profile, load_profile
from include.loadtest.profile.thresholds import load_thresholds
from include.loadtest.recorder import RESOURCE_SCHEMA, SAMPLE_SCHEMA, Reading, write_part
from tests.loadtest.live.test_tail import NOW, S, sample

pytestmark = pytest.mark.unit
BEGAN = NOW - 40


@pytest.fixture
def live(tmp_path: Path) -> LiveRun:
    bundle = Bundle(tmp_path / "smoke-1")
    bundle.samples_dir.mkdir(parents=True)
    bundle.resources_dir.mkdir()
    return LiveRun(bundle, load_thresholds())


@pytest.fixture
def figures() -> Figures:
    return Figures(load_profile(find_profile("smoke")), load_thresholds(), shares_host=False)


def write(live: LiveRun, rows: list, number: int = 0) -> None:
    write_part(rows, SAMPLE_SCHEMA, live.bundle.samples_dir / f"w0-{number:06d}.parquet")
    live.poll(NOW)


def test_rates_are_of_the_last_seconds_that_are_surely_read(live: LiveRun) -> None:
    """Ten seconds that ended five ago: what ended since may lie in a part that is still open."""
    write(live, [sample(NOW - 40, 100)])
    outcomes = ["ok"] * 6 + ["timeout"] * 2 + ["censored"]
    write(live, [sample(NOW - 15 + 0.5, 100, one) for one in outcomes] + [sample(NOW - 4, 100)] * 50, 1)
    known = known_figures(live, NOW)
    assert (known[OK], known[FAILED]) == (36.0, 12.0)


def test_no_rate_is_told_before_two_seconds_are_read(live: LiveRun, figures: Figures) -> None:
    """The first seconds of a load are no rate of a minute."""
    assert figures.row(OK, Moment(live, NOW, None, known_figures(live, NOW)))["why"] == "no request has ended so far"
    write(live, [sample(NOW - 5, 100)])
    known = known_figures(live, NOW)
    assert OK not in known
    assert figures.row(OK, Moment(live, NOW, "ramp_up", known))["why"] == "the load has just begun"


def test_too_few_requests_are_counted_instead_of_a_percentile(live: LiveRun, figures: Figures) -> None:
    """Nor is there an error rate of them."""
    write(live, [sample(NOW - 9, 100, "timeout")] * 12)
    known = known_figures(live, NOW)
    for key in ("latency_p95_ms", "error_rate"):
        row = figures.row(key, Moment(live, NOW, "hold", known))
        assert (row["value"], row["text"]) == (None, None)
        assert row["why"] == "12 requests in the last 60 s, 20 are needed"


def test_an_outage_is_no_lack_of_requests(live: LiveRun, figures: Figures) -> None:
    """Requests that fail have no latency: however many there are, no P95 is told of them, and this says why."""
    write(live, [sample(NOW - 9, 10, "http_error")] * 350 + [sample(NOW - 9, 60_000, "timeout")] * 3)
    moment = Moment(live, NOW, "hold", known_figures(live, NOW))
    row = figures.row("latency_p95_ms", moment)
    assert (row["value"], row["why"]) == (
        None,
        "350 of 353 requests in the last 60 s failed and have no latency; 20 with one are needed",
    )
    assert figures.row("error_rate", moment)["value"] == 1.0


def test_a_request_that_was_cut_counts_as_what_the_figure_is_told_of(live: LiveRun, figures: Figures) -> None:
    """It has a latency, and is neither an error nor a success."""
    write(live, [sample(NOW - 9, 10)] * 12 + [sample(NOW - 9, 10, "censored")] * 7)
    moment = Moment(live, NOW, "hold", known_figures(live, NOW))
    whys = [figures.row(key, moment)["why"] for key in ("latency_p95_ms", "error_rate")]
    assert whys == [f"{count} requests in the last 60 s, 20 are needed" for count in (19, 12)]


@pytest.mark.parametrize("window_s", [10, 14, 60])
def test_rates_do_not_depend_on_the_window_of_the_other_figures(tmp_path: Path, window_s: int) -> None:
    """Ten requests a second are 600 a minute; the seconds of the rates are kept, however short the window is."""
    bundle = Bundle(tmp_path / "smoke-2")
    bundle.samples_dir.mkdir(parents=True)
    live = LiveRun(bundle, load_thresholds().model_copy(update={"window_s": window_s}))
    write(live, [sample(NOW - second + 0.5, 100) for second in range(1, 40)] * RATE_WINDOW_S)
    assert known_figures(live, NOW)[OK] == 600.0


def test_a_figure_beyond_its_limit_says_so_in_the_phase_that_is_judged(live: LiveRun, figures: Figures) -> None:
    """The profile's limit on the P95 is one of the hold; the alert's holds whenever load is sent."""
    write(live, [sample(NOW - 9, 4500)] * 30)
    known = known_figures(live, NOW)
    for phase, beyond in (("ramp_up", [False, False]), ("hold", [True, False])):
        row = figures.row("latency_p95_ms", Moment(live, NOW, phase, known))
        assert row["text"] == "4,500 ms"
        assert [limit["beyond"] for limit in row["limits"]] == beyond
    assert [limit["text"] for limit in row["limits"]] == ["< 4,000 ms", "> 5,000 ms"]
    write(live, [sample(NOW - 9, 9000)] * 30, 1)
    row = figures.row("latency_p95_ms", Moment(live, NOW, "ramp_up", known_figures(live, NOW)))
    assert [limit["beyond"] for limit in row["limits"]] == [False, True]


def test_users_stand_beside_the_planned_ones(live: LiveRun, figures: Figures) -> None:
    """Planned by the shape, from the first intended start on; without a reading it says so."""
    write(live, [sample(BEGAN + 1, 1000)])
    unknown = figures.row(USERS, Moment(live, NOW, "hold", known_figures(live, NOW)))
    assert (unknown["value"], unknown["planned"]) == (None, 10)
    assert unknown["why"] == "no generator has told it in the last 30 s"
    rows = [Reading((NOW - 2) * S, "generator", worker, "users", 4.0, "users") for worker in ("w0", "w1")]
    write_part(rows, RESOURCE_SCHEMA, live.bundle.resources_dir / "generator-000000.parquet")
    live.poll(NOW)
    assert figures.row(USERS, Moment(live, NOW, "hold", known_figures(live, NOW)))["text"] == "8 users"
    ramp = Moment(live, BEGAN + 2.5, "ramp_up", {})
    assert figures.planned_users(ramp) == 5
    assert figures.planned_users(Moment(live, NOW, None, {})) is None


def test_a_resource_without_a_reading_says_so(live: LiveRun, figures: Figures) -> None:
    """A monitor that died is no zero."""
    row = figures.row("host_cpu_pct", Moment(live, NOW, "hold", known_figures(live, NOW)))
    assert (row["value"], row["why"]) == (None, "no reading in the last 60 s")
    assert {limit["of"] for limit in row["limits"]} == {
        "critical limit in hold",
        "warning limit in hold",
        "alert after 60 s",
    }


@pytest.mark.parametrize("shares_host", [True, False])
def test_a_machine_that_the_generator_uses_too_says_nothing_of_the_target(live: LiveRun, shares_host: bool) -> None:
    """Its figure is shown for information, and is beyond no limit."""
    figures = Figures(load_profile(find_profile("smoke")), load_thresholds(), shares_host=shares_host)
    row = figures.row("host_cpu_pct", Moment(live, NOW, "hold", {"host_cpu_pct": 99.0}))
    assert row["note"] == (SHARED_HOST if shares_host else None)
    assert {limit["beyond"] for limit in row["limits"]} == {not shares_host}
