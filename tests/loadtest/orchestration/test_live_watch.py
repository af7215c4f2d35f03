"""The watch beside a load: log, alerts.json and the run's thread; whatever goes wrong in it, the load goes on."""

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from include.loadtest.bundle import Bundle
from include.loadtest.errors import ConfigError, InfrastructureError
from include.loadtest.history.outbox import Delivery
from include.loadtest.orchestration import live_watch as module
from include.loadtest.orchestration.live_watch import live_watch
from include.loadtest.profile.thresholds import load_thresholds
from include.loadtest.publishing.services import Services
from include.loadtest.publishing.slack import SlackSettings
from include.loadtest.recorder import RESOURCE_SCHEMA, SAMPLE_SCHEMA, Reading, Sample, write_part

pytestmark = pytest.mark.integration


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The committed thresholds, each after a fraction of its time."""
    thresholds = load_thresholds()
    quick = tuple(own.model_copy(update={"for_s": 0}) for own in thresholds.thresholds)
    monkeypatch.setattr(module, "load_thresholds", lambda: thresholds.model_copy(update={"thresholds": quick}))
    monkeypatch.setattr(module, "POLL_S", 0.05)


def context_of(folder: Path, services: Services | None = None) -> Any:
    bundle = Bundle(folder / "smoke-1")
    for part in (bundle.samples_dir, bundle.resources_dir):
        part.mkdir(parents=True)
    target = SimpleNamespace(shares_host=True)
    services = services or Services()
    return SimpleNamespace(bundle=bundle, target=target, target_name="demo", link=None, services=services)


def write_samples(bundle: Bundle, number: int, outcome: str, rows: int) -> None:
    now = time.time_ns()
    row = Sample(
        now, now, 100_000, None, "simple_query", "chat", 0, "hold", "hold", outcome, None, 500, 9, None, "w0", 1
    )
    write_part([row] * rows, SAMPLE_SCHEMA, bundle.samples_dir / f"w0-{number:06d}.parquet")


def write_cpu(bundle: Bundle, source: str) -> None:
    reading = Reading(time.time_ns(), source, "here", "cpu_pct", 99.0, "%")
    write_part([reading], RESOURCE_SCHEMA, bundle.resources_dir / f"{source}-1-000000.parquet")


def await_that(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "did not happen within 20 s"
        time.sleep(0.02)


TOKEN = SlackSettings.checked(channel="#load-tests", token="xoxb-1")
WEBHOOK = SlackSettings.checked(webhook_url="https://hooks.slack.example/services/x")


@pytest.fixture
def rows(monkeypatch: pytest.MonkeyPatch) -> list[Delivery]:
    """What was put into the outbox."""
    found: list[Delivery] = []
    monkeypatch.setattr(module, "put", lambda _context, row: found.append(row))
    return found


def test_an_alert_is_logged_written_and_told_in_the_runs_thread(
    tmp_path: Path, rows: list[Delivery], caplog: pytest.LogCaptureFixture
) -> None:
    """Its beginning and its end are replies of their own; a shared host is for information only."""
    context = context_of(tmp_path, Services(TOKEN))
    with live_watch(context):
        write_samples(context.bundle, 0, "http_error", 40)
        await_that(lambda: len(rows) == 1)
        write_samples(context.bundle, 1, "ok", 40_000)
        await_that(lambda: len(rows) == 2)
        write_cpu(context.bundle, "host")
        await_that(lambda: "host_cpu_high" in caplog.text)
        write_samples(context.bundle, 2, "timeout", 4000)
        await_that(lambda: len(rows) == 3)
    assert {(row.kind, row.lane, row.payload["parent"]) for row in rows} == {
        ("slack_reply", "slack/run/smoke-1", "slack/run/smoke-1")
    }
    assert len({row.key for row in rows}) == 3
    assert rows[0].payload["text"].startswith("🔔 error_rate_high: smoke-1 on demo. alert error_rate_high since ")
    assert "✅ error_rate_high" in rows[1].payload["text"]
    assert "docs/alerts/error_rate_high.md" in caplog.text
    found = context.bundle.read("alerts.json")
    assert [(alert["id"], alert["severity"]) for alert in found["alerts"]] == [
        ("error_rate_high", "critical"),
        ("host_cpu_high", "info"),
        ("error_rate_high", "critical"),
    ]
    first, host, last = found["alerts"]
    assert (first["value"], first["limit"], first["unit"]) == (1.0, 0.01, "ratio")
    assert first["since"] < first["until"] < last["since"]
    assert (last["until"], "shared host" in host["text"]) == (None, True)
    assert "cache_hit_rate" in found["without_data"]


def test_without_an_alert_the_file_says_what_was_watched(tmp_path: Path) -> None:
    """The last parts are looked at, too; the generator's machine is none of the target's."""
    context = context_of(tmp_path)
    with live_watch(context):
        write_cpu(context.bundle, "generator")
        write_samples(context.bundle, 0, "ok", 40)
    found = context.bundle.read("alerts.json")
    assert found["alerts"] == []
    assert "host_cpu_pct" in found["without_data"]
    assert not {"error_rate", "latency_p95_ms"} & set(found["without_data"])


def test_a_webhook_gets_nothing_live(tmp_path: Path, rows: list[Delivery]) -> None:
    """It has no threads: the channel would fill."""
    context = context_of(tmp_path, Services(WEBHOOK))
    with live_watch(context):
        write_samples(context.bundle, 0, "http_error", 40)
        await_that(lambda: context.bundle.has("alerts.json"))
    assert rows == []


def test_an_outbox_that_fails_costs_a_line_and_no_alert(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Log and file have it all the same."""

    def away(*_: object) -> None:
        raise InfrastructureError("history database h at db:5432: connection refused")

    monkeypatch.setattr(module, "put", away)
    context = context_of(tmp_path, Services(TOKEN))
    with live_watch(context):
        write_samples(context.bundle, 0, "http_error", 40)
        await_that(lambda: "an alert is not in Slack: history database" in caplog.text)
    assert len(context.bundle.read("alerts.json")["alerts"]) == 1


def test_an_outbox_that_hangs_holds_up_neither_the_watch_nor_the_stage(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next alert is seen while the first row is under way; in the end alerts.json has both."""
    monkeypatch.setattr(module, "OUTBOX_JOIN_S", 0.1)
    asked, ended = threading.Event(), threading.Event()

    def hang(*_: object) -> None:
        asked.set()
        ended.wait(60)

    monkeypatch.setattr(module, "put", hang)
    context = context_of(tmp_path, Services(TOKEN))
    try:
        with live_watch(context):
            write_samples(context.bundle, 0, "http_error", 40)
            await_that(asked.is_set)
            write_cpu(context.bundle, "host")
            await_that(lambda: "host_cpu_high" in caplog.text)
            write_samples(context.bundle, 1, "ok", 40_000)
    finally:
        ended.set()
    found = context.bundle.read("alerts.json")
    assert [alert["id"] for alert in found["alerts"]] == ["error_rate_high", "host_cpu_high"]
    assert found["alerts"][0]["until"] is not None
    assert found["fault"] is None
    assert "the outbox has not taken all alerts" in caplog.text


def test_no_more_replies_than_people_bear(
    tmp_path: Path, rows: list[Delivery], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A figure that swings goes on in the log."""
    monkeypatch.setattr(module, "MAX_MESSAGES", 1)
    context = context_of(tmp_path, Services(TOKEN))
    with live_watch(context):
        write_samples(context.bundle, 0, "http_error", 40)
        await_that(lambda: len(rows) == 1)
        write_samples(context.bundle, 1, "ok", 40_000)
        await_that(lambda: "error_rate_high is over" in caplog.text)
    assert len(rows) == 1


def test_an_airflow_that_cannot_say_what_is_set_up_costs_a_line_and_no_alert(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Log and alerts.json have it; a text that is not ours is not quoted."""
    context = context_of(tmp_path)
    context.services = property(lambda _: 1 / 0)  # whatever is asked of it fails
    with live_watch(context):
        write_samples(context.bundle, 0, "http_error", 40)
        await_that(lambda: "alert error_rate_high" in caplog.text)
    found = context.bundle.read("alerts.json")
    assert ([alert["id"] for alert in found["alerts"]], found["fault"]) == (["error_rate_high"], None)
    assert caplog.text.count("no alerts of this load in Slack") == 1


def test_broken_thresholds_stand_in_the_alerts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """No alert is not taken for no trouble: the file says that nothing was watched, and why."""

    def broken() -> None:
        raise ConfigError("thresholds.yaml:7: limit: expected a number")

    monkeypatch.setattr(module, "load_thresholds", broken)
    context = context_of(tmp_path)
    with live_watch(context):
        write_samples(context.bundle, 0, "http_error", 40)
        await_that(lambda: "the load goes on" in caplog.text)
    found = context.bundle.read("alerts.json")
    assert found["alerts"] == []
    assert found["fault"] == "ConfigError: thresholds.yaml:7: limit: expected a number"
    assert {"error_rate", "host_cpu_pct"} <= set(found["without_data"])
    assert caplog.text.count("the live watch of the thresholds failed") == 1


@pytest.mark.parametrize("fault", ["bundle", "target", "parts"])
def test_a_watch_that_is_broken_says_so_once_and_harms_nothing(
    tmp_path: Path, fault: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that takes nothing, a target that is gone, parts that cannot be counted: alerts.json has what it can."""
    context = context_of(tmp_path)
    if fault == "target":
        del context.target
    if fault == "bundle":
        (context.bundle.path / "alerts.json").mkdir()
    if fault == "parts":
        monkeypatch.setattr("include.loadtest.live.tail.LiveRun.figures", lambda *_: 1 / 0)
    with live_watch(context):
        write_samples(context.bundle, 0, "http_error", 40)
        await_that(lambda: "the load goes on" in caplog.text)
        time.sleep(0.3)
    assert caplog.text.count("the live watch of the thresholds failed") == 1
    if fault == "bundle":
        assert not context.bundle.has("alerts.json")
    else:
        assert context.bundle.read("alerts.json")["fault"].startswith(("AttributeError: ", "ZeroDivisionError: "))


def test_the_manifest_is_left_to_the_load(tmp_path: Path) -> None:
    """The load's own stage writes it at the same time."""
    context = context_of(tmp_path)
    context.bundle.write("manifest.json", {"a": 1})
    before = (context.bundle.path / "manifest.json").stat().st_mtime_ns
    with live_watch(context):
        write_samples(context.bundle, 0, "http_error", 40)
        await_that(lambda: context.bundle.has("alerts.json"))
    assert json.loads((context.bundle.path / "manifest.json").read_text()) == {"a": 1}
    assert (context.bundle.path / "manifest.json").stat().st_mtime_ns == before
