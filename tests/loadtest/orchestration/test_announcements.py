"""What a run puts into the outbox: by a token a message with a thread, by a webhook its verdict; and for GitHub."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from include.loadtest.bundle import Bundle
from include.loadtest.errors import ConfigError, InfrastructureError
from include.loadtest.history import outbox
from include.loadtest.orchestration import announcements
from include.loadtest.orchestration.announcements import announce_start, announce_verdict
from include.loadtest.orchestration.order import RunOrder
from include.loadtest.profile import Overrides, find_profile, load_profile
from include.loadtest.publishing.github import GitHubSettings
from include.loadtest.publishing.services import Services
from include.loadtest.publishing.slack import SlackSettings
from tests.helpers.slack_messages import MET, METRICS, document, slo

pytestmark = pytest.mark.unit
TOKEN = SlackSettings.checked(channel="#load-tests", token="xoxb-1", mentions=("U0123456789",))
WEBHOOK = SlackSettings.checked(webhook_url="https://hooks.slack.example/services/x", mentions=("U0123456789",))
GITHUB = GitHubSettings.checked("ghp_x", "acme/shop", pages_branch="gh-pages", pages_url="https://acme.example/pages")
FOUND = {"schema": 1, "state": "bottleneck", "sentence": "Locks of a session.", "next_step": "End the transaction."}


@pytest.fixture
def rows(monkeypatch: pytest.MonkeyPatch) -> list[outbox.Delivery]:
    """All rows that were put, in order; nothing is delivered."""
    found: list[outbox.Delivery] = []
    monkeypatch.setattr(announcements, "put", lambda _context, row: found.append(row))
    monkeypatch.setattr(outbox, "put", lambda _engine, row: found.append(row))
    monkeypatch.setattr(announcements, "outbox_engine", lambda _url: None)
    monkeypatch.setattr(announcements, "deliver_now", lambda _context: None)
    monkeypatch.setattr(outbox, "states", lambda _engine, _subject: [])
    return found


def context_of(tmp_path: Path, services: Services, **changes: Any) -> Any:
    bundle = Bundle(tmp_path / "smoke-1")
    bundle.update_manifest(started="2026-11-26T02:00:00Z", target={"name": "demo"})
    bundle.write("metrics.json", METRICS)
    given = {
        "bundle": bundle,
        "bundle_uri": "results/smoke-1",
        "target_name": "demo",
        "link": "http://127.0.0.1:8080/dags/x/runs/y",
        "history_url": "postgresql://nowhere/history",
        "services": services,
        "order": RunOrder("smoke", None, Overrides(None, None), "demo", "weekly"),
        "suite": None,
        "files_tickets": True,
        "repeats": True,
        "manifest": bundle.update_manifest,
        "profile": lambda: load_profile(find_profile("smoke")),
    }
    return SimpleNamespace(**{**given, **changes})


def kinds(rows: list[outbox.Delivery]) -> list[str]:
    return [row.kind for row in rows]


BREACH = document([slo("error_rate", "missed", 0.2, 0.01)])


def test_by_a_token_the_start_is_the_message_that_becomes_the_verdict(
    tmp_path: Path, rows: list[outbox.Delivery]
) -> None:
    """One key for both, replies in its lane; people are called by a reply, since an edit notifies nobody."""
    context = context_of(tmp_path, Services(TOKEN))
    announce_start(context)
    context.bundle.write("diagnosis.json", FOUND)
    (context.bundle.path / "load_test_plot.png").write_bytes(b"png")
    announce_verdict(context, BREACH)
    assert {row.lane for row in rows if row.kind != "slack_file"} == {"slack/run/smoke-1"}
    assert [row.lane for row in rows if row.kind == "slack_file"] == ["slack/run/smoke-1/plot"]
    assert [(row.key.removeprefix("slack/run/smoke-1"), row.kind) for row in rows] == [
        ("", "slack_message"),
        ("", "slack_message"),
        ("/bottleneck", "slack_reply"),
        ("/call-SLA_BREACH", "slack_reply"),
        ("/plot", "slack_file"),
    ]
    start, verdict, _, call, _ = rows
    assert (start.payload["final"], verdict.payload["final"]) == (False, True)
    assert (start.payload["calls"], verdict.payload["calls"]) == (False, True)
    assert verdict.payload["issues_of"] == "smoke-1"
    assert "<@U0123456789>" not in str(verdict.payload)
    assert "<@U0123456789>" in str(call.payload)


def test_a_green_verdict_calls_nobody(tmp_path: Path, rows: list[outbox.Delivery]) -> None:
    """One message, no reply."""
    announce_verdict(context_of(tmp_path, Services(TOKEN)), document(MET))
    assert kinds(rows) == ["slack_message"]
    assert rows[0].payload["calls"] is False


def test_a_webhook_gets_the_verdict_only_and_calls_people_in_it(tmp_path: Path, rows: list[outbox.Delivery]) -> None:
    """It can neither edit nor thread."""
    context = context_of(tmp_path, Services(WEBHOOK))
    context.bundle.write("diagnosis.json", FOUND)
    announce_start(context)
    announce_verdict(context, BREACH)
    assert kinds(rows) == ["slack_message"]
    assert rows[0].payload["calls"] is False
    assert "<@U0123456789>" in str(rows[0].payload)


def test_nothing_is_put_where_nothing_is_set_up(tmp_path: Path, rows: list[outbox.Delivery]) -> None:
    """Rows that nobody will ever read would only grow old."""
    announce_start(context_of(tmp_path, Services()))
    announce_verdict(context_of(tmp_path, Services()), BREACH)
    assert rows == []


def test_a_connection_that_is_wrong_today_is_mended_tomorrow(tmp_path: Path, rows: list[outbox.Delivery]) -> None:
    """The rows wait for it, with what is wrong as their reason."""
    context = context_of(tmp_path, Services(ConfigError("connection loadtest_slack: no way to send")))
    announce_start(context)
    announce_verdict(context, BREACH)
    assert kinds(rows) == ["slack_message", "slack_message"]


@pytest.fixture
def filed(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The runs whose findings were filed."""
    found: list[Any] = []

    def file_tickets(_engine: object, about: Any, **_: object) -> list[str]:
        found.append(about)
        return []

    monkeypatch.setattr(announcements, "file_tickets", file_tickets)
    return found


def test_github_gets_page_issue_and_pull_request(tmp_path: Path, rows: list[outbox.Delivery], filed: list[Any]) -> None:
    """Each by what the run is: findings of a manual run file nothing, and no pull request gets no comment."""
    order = RunOrder("smoke", None, Overrides(None, None), "demo", "pr", pull_request=12, commit="a" * 40)
    announce_verdict(context_of(tmp_path, Services(None, GITHUB), order=order, files_tickets=False), BREACH)
    assert sorted(kinds(rows)) == ["commit_check", "page", "pull_request"]
    assert filed == []
    rows.clear()
    announce_verdict(context_of(tmp_path, Services(None, GITHUB)), BREACH)
    assert kinds(rows) == ["page"]
    assert [(about.run_id, about.report_url) for about in filed] == [
        ("smoke-1", "https://acme.example/pages/load-tests/smoke-1/")
    ]


def test_what_is_suspected_and_not_decided_is_neither_a_finding_nor_a_clean_run(
    tmp_path: Path, rows: list[outbox.Delivery], filed: list[Any]
) -> None:
    """It is filed, or counts as clean, when its repeats have decided."""
    context = context_of(tmp_path, Services(None, GITHUB))
    context.bundle.write("comparison.json", {"change_test": {"word": "SUSPECTED", "text": "slower"}})
    context.bundle.write("verdict.json", document(MET))
    announce_verdict(context, document(MET))
    assert filed == []
    assert kinds(rows) == ["page"]


@pytest.mark.parametrize("fault", [ConfigError("tickets.yaml: wrong"), ValueError("geheim")])
def test_a_fault_of_one_service_stops_no_other_and_no_run(
    tmp_path: Path, rows: list[outbox.Delivery], monkeypatch: pytest.MonkeyPatch, fault: Exception,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    """One line in the log each; a text that is not ours is not quoted."""

    def broken(*_: object, **__: object) -> list[str]:
        raise fault

    monkeypatch.setattr(announcements, "file_tickets", broken)
    monkeypatch.setattr(announcements, "run_message", broken)
    announce_verdict(context_of(tmp_path, Services(TOKEN, GITHUB)), BREACH)
    assert kinds(rows) == ["page"]
    assert "issues wait for the next run" in caplog.text
    assert "Slack is not told of the verdict" in caplog.text
    assert "geheim" not in caplog.text


def test_once_the_history_has_failed_it_is_asked_no_more(
    tmp_path: Path, rows: list[outbox.Delivery], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Each of its steps would take the time of a connection that is not answered; Slack's comes first."""

    def away(*_: object, **__: object) -> list[str]:
        raise InfrastructureError("history is away")

    monkeypatch.setattr(announcements, "file_tickets", away)
    monkeypatch.setattr(announcements, "deliver_now", lambda _context: pytest.fail("it delivers"))
    announce_verdict(context_of(tmp_path, Services(TOKEN, GITHUB)), BREACH)
    assert kinds(rows) == ["slack_message", "slack_reply"]
    assert "issues wait for the next run of this profile, and the rest is left out: history is away" in caplog.text


@pytest.mark.usefixtures("rows")
def test_the_end_of_a_stages_time_is_not_held_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is swallowed here, that is not."""
    from include.loadtest.orchestration.deadline import StageTimeoutError

    def late(*_: object, **__: object) -> None:
        raise StageTimeoutError("publish did not end within 60 s")

    monkeypatch.setattr(announcements, "run_message", late)
    with pytest.raises(StageTimeoutError):
        announce_verdict(context_of(tmp_path, Services(TOKEN)), BREACH)
