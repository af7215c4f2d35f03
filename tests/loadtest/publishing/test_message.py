"""Messages that are no run's verdict; and every kind of message under hostile, endless text."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from include.loadtest.publishing import message as build
from include.loadtest.publishing.message_parts import Message, called, noted, with_issues
from include.loadtest.verdict import Reason
from tests.helpers.block_kit import faults
from tests.helpers.slack_messages import HOSTILE, LINK, MET, METRICS, document, slo, texts

pytestmark = pytest.mark.unit
AT = datetime(2026, 3, 1, 2, 0, 13, tzinfo=UTC)
MENTIONS = ("U0123456789",)
STARTED: dict[str, Any] = {
    "title": "Smoke",
    "target": "pratikoai",
    "planned_s": 720.0,
    "planned_end": AT + timedelta(seconds=720),
    "link": LINK,
    "reason": "release 1.2, by maria",
}
ALERT = {
    "id": "error_rate_high",
    "since": "2026-03-01T02:05:00.000000Z",
    "until": None,
    "text": "error_rate at 5 %",
    "page": "docs/alerts/error_rate_high.md",
}


def test_a_start_says_what_is_planned_until_when_and_why() -> None:
    """The end is a moment in UTC; without a reason it says so."""
    shown = build.started_message(profile="smoke", run_id="smoke-1", users=50, **STARTED)
    assert texts(shown)[:2] == [
        "⏳ Started: Smoke",
        "Profile *smoke*, 50 users, target *pratikoai*\nPlanned: about 12 min, until 2026-03-01 02:12:13 UTC\n"
        "Why: release 1.2, by maria",
    ]
    assert texts(shown)[2].endswith("|Open the run>")
    assert texts(shown)[3] == "run `smoke-1`"
    assert shown.text == "⏳ Started: Smoke on pratikoai, about 12 min, until 2026-03-01 02:12:13 UTC"
    silent = build.started_message(profile="smoke", run_id="smoke-1", users=50, **(STARTED | {"reason": ""}))
    assert texts(silent)[1].endswith("Why: no reason was given")


def test_a_suites_start_names_its_runs() -> None:
    """In their order."""
    shown = build.suite_started_message(suite_run_id="weekly-1", profiles=["smoke", "peak_hours"], **STARTED)
    assert texts(shown)[1].startswith("2 runs: smoke, peak_hours; target *pratikoai*\nPlanned: about 12 min")
    assert "suite `weekly-1`" in texts(shown)


def digest(verdicts: dict[str, dict[str, Any] | None], **changes: Any) -> Message:
    runs = [
        {"run_id": run_id, "profile": "smoke", "verdict": "INCONCLUSIVE" if one is None else one["verdict"]}
        for run_id, one in verdicts.items()
    ]
    suite = {"suite_run_id": "weekly-1", "suite": "weekly", "verdict": "SLA_BREACH", "runs": runs}
    words = {"title": "Weekly", "target": "pratikoai", "link": LINK, "bundle_uri": "s3://r/weekly-1", **changes}
    return build.digest_message(suite, verdicts, **words)


def test_a_suites_digest_has_a_line_a_run_with_what_decided_it() -> None:
    """A passed run has no reason, one without a verdict says that."""
    breach = document([slo("latency_p95_ms", "missed", 3456, 2500)])
    shown = digest({"a": document(MET), "b": breach, "c": None}, mentions=MENTIONS)
    assert texts(shown)[:4] == [
        "❌ SLA_BREACH: Weekly",
        "<@U0123456789>",
        "The worst of 3 runs is *SLA_BREACH*. Target: *pratikoai*",
        "*Runs*\n✅ *PASS* smoke\n"
        "❌ *SLA_BREACH* smoke: slo_missed: latency_p95_ms of all in hold: 3,456 ms, limit &lt; 2,500 ms, n=900\n"
        "⚪ *INCONCLUSIVE* smoke: ended without a verdict",
    ]
    assert texts(shown)[-2:] == ["suite `weekly-1`", "bundle `s3://r/weekly-1`"]
    assert "slo_missed" in shown.text


def test_a_suite_without_runs_claims_nothing() -> None:
    """No empty list is sent."""
    assert faults(digest({}).payload()) == []
    assert not any("*Runs*" in text for text in texts(digest({})))


def test_as_many_runs_as_fit_are_listed_and_the_rest_is_counted() -> None:
    """300 runs of long reasons."""
    verdicts = {str(number): document([], Reason("stage_failed", "x" * 400)) for number in range(300)}
    shown = digest(verdicts)
    assert faults(shown.payload()) == []
    lines = [line for text in texts(shown) for line in text.splitlines()]
    listed = sum("INCONCLUSIVE* smoke" in line for line in lines)
    assert listed > 20
    assert f"… and {300 - listed} more" in lines


def test_progress_grows_by_lines_with_their_times() -> None:
    """In UTC; the newest stands in the notification."""
    shown = build.progress_message([(AT, "users ready (50)"), (AT + timedelta(minutes=3), "load begins")])
    assert texts(shown) == ["*Progress* (times are UTC)\n02:00:13 users ready (50)\n02:03:13 load begins"]
    assert shown.text == "Progress: 02:03:13 UTC load begins"
    assert faults(build.progress_message([]).payload()) == []


def test_of_endless_progress_the_latest_is_kept() -> None:
    """What has no room is counted at the top."""
    lines = [(AT, f"step {number} {'x' * 200}") for number in range(500)]
    shown = build.progress_message(lines)
    assert faults(shown.payload()) == []
    told = [line for text in texts(shown) for line in text.splitlines()]
    assert "step 499 " in told[-1]
    assert told[1] == f"… {500 - (len(told) - 2)} earlier"


def test_an_alert_says_its_moment_since_it_may_be_read_late() -> None:
    """Its beginning with what to do, its end with how long it took."""
    begun = build.alert_message(ALERT, run_id="smoke-1", target="demo", link=LINK)
    assert texts(begun)[:2] == [
        "🔔 error_rate_high: smoke-1 on demo",
        "alert error_rate_high since 2026-03-01 02:05:00 UTC: error_rate at 5 %; what to do: "
        "docs/alerts/error_rate_high.md",
    ]
    assert "<http://127.0.0.1:8080/loadtest/docs/alerts/error_rate_high|What to do>" in texts(begun)
    over = ALERT | {"until": "2026-03-01T02:05:42.000000Z"}
    ended = build.alert_message(over, run_id="smoke-1", target="demo", link=LINK)
    assert texts(ended)[:2] == [
        "✅ error_rate_high: smoke-1 on demo",
        "alert error_rate_high over at 2026-03-01 02:05:42 UTC after 42 s; worst: error_rate at 5 %",
    ]
    assert "What to do" not in repr(ended)


def test_a_fault_cannot_be_taken_for_a_verdict() -> None:
    """No verdict's word, what failed and when, the error, what to do, and the way to the log."""
    shown = build.fault_message(subject="run smoke-1", task="run_profile", error="connection refused", log=LINK, at=AT)
    head, what, log = texts(shown)
    assert head == "🔧 Infrastructure fault, not a verdict: run smoke-1"
    assert what.splitlines() == [
        "Task *run_profile* failed at 2026-03-01 02:00:13 UTC. This says nothing about the target.",
        "`connection refused`",
        f"      → {build.FAULT_ACTION}",
    ]
    assert log.endswith("|Open the task's log>")
    assert not [word for word in ("PASS", "SLA_BREACH", "ABORTED", "INCONCLUSIVE") if word in shown.text]


def test_a_self_test_is_marked_in_headline_notification_and_end() -> None:
    """Whatever message it is; also where the headline was as long as it may be."""
    shown = build.self_test_message(build.notice("x" * 500, "text", LINK))
    assert texts(shown)[0].startswith("[TEST] ❌ xxx")
    assert shown.text.startswith("[TEST] ❌")
    assert "self-test" in texts(shown)[-1]
    assert faults(shown.payload()) == []


def test_an_alarm_is_one_harmless_section_with_the_way_to_its_run() -> None:
    """However long or hostile its text is; an address that is none is left out."""
    shown = build.notice("The weekly suite is silent", f"no verdict; {HOSTILE}", LINK)
    assert faults(shown.payload()) == []
    header, what, where = texts(shown)
    assert header == "❌ The weekly suite is silent"
    assert what.startswith("no verdict; ")
    assert "<!" not in what
    assert where.endswith("|Open the run>")
    long = build.notice("x" * 500, "<&>" * 5000, "/dags/without/a/host")
    assert faults(long.payload()) == []
    assert len(texts(long)) == 2


def verdict_of(text: str) -> dict[str, Any]:
    reasons = [Reason("stage_failed", text, text[:500], text), Reason("slo_missed", text, "latency_p95_ms", "all")]
    names = {"suite": text, "profile": text, "engine": text}
    return (
        document([slo("latency_p95_ms", "missed", 3456, 2500, scope=text, phase=text)], *reasons, run_id=text) | names
    )


def _run(text: str, verdict: str = "SLA_BREACH") -> Message:
    found = {"state": "bottleneck", "sentence": text, "next_step": text}
    change = {"change_test": {"word": "REGRESSION", "text": text}}
    words = {"title": text, "link": text, "report": f"https://e/{text}", "bundle_uri": text, "target": text}
    return build.run_message(verdict_of(text) | {"verdict": verdict}, METRICS, found, change, mentions=(text,), **words)


def _mention(text: str) -> Message:
    call = build.mention_message(
        verdict_of(text) | {"verdict": "ABORTED"}, None, title=text, target=text, mentions=(*MENTIONS, text)
    )
    assert call is not None
    return call


def _start(text: str) -> dict[str, Any]:
    return STARTED | {"title": text, "target": text, "link": text, "reason": text}


BUILDERS: dict[str, Callable[[str], Message]] = {
    "run": _run,
    "started": lambda text: build.started_message(profile=text, run_id=text, users=50, **_start(text)),
    "suite started": lambda text: build.suite_started_message(suite_run_id=text, profiles=[text] * 40, **_start(text)),
    "digest": lambda text: digest(
        {text: verdict_of(text), "b": None}, title=text, target=text, link=text, bundle_uri=text, report=text
    ),
    "progress": lambda text: build.progress_message([(AT, text)] * 100),
    "bottleneck": lambda text: build.bottleneck_message({"sentence": text, "next_step": text}),
    "mention": _mention,
    "alert": lambda text: build.alert_message(
        ALERT | {"id": text, "text": text, "page": text}, run_id=text, target=text, link=text
    ),
    "fault": lambda text: build.fault_message(subject=text, task=text, error=text, log=text, at=AT, action=text),
    "notice": lambda text: build.notice(text, text, text),
    "self-test": lambda text: build.self_test_message(_run(text)),
    "noted": lambda text: noted(_run(text), text),
    "issues": lambda text: with_issues(_run(text), [(1, text), (2, f"https://e/{text}")] * 20),
}
ADDITIONS: dict[str, Callable[[Message], Message]] = {
    "called": lambda shown: called(shown, [f"S{number:030}" for number in range(50)]),
    "issues": lambda shown: with_issues(shown, [(n, f"https://e/{'x' * 140}") for n in range(50)]),
    "noted": lambda shown: noted(shown, "x" * 1_000),
    "self-test": build.self_test_message,
}
MOST_CHARS = 10_000
"""Slack refuses a message somewhat above 12,000 characters."""
SIGNS = ["x", "&", "<", "😀", "@", ":a:", "`", " y", "|", "\ud800", "\x00", "\u202e", "\u200b", ""]
"""Plain, escaped, wide, marking up, broken, invisible, none at all."""
DANGEROUS = ("<!here>", "<!channel>", "<!everyone>", "<@U123", "<!subteam^S1")


def harmless(shown: Message) -> bool:
    """Only what this program means is markup."""
    return not any(sign in text for text in [shown.text, *texts(shown)[1:]] for sign in DANGEROUS)


@pytest.mark.parametrize("name", BUILDERS)
@pytest.mark.parametrize("sign", SIGNS)
def test_100_000_characters_in_every_field_keep_slacks_rules(name: str, sign: str) -> None:
    """Escapes count; nothing is left empty."""
    shown = BUILDERS[name](sign * (100_000 // max(len(sign), 1)))
    assert faults(shown.payload()) == []
    assert "".join([shown.text, *texts(shown)]).encode()


@pytest.mark.parametrize("name", BUILDERS)
def test_hostile_text_in_every_field_mentions_nobody(name: str) -> None:
    """In any message; a person or group is mentioned by an id of the settings only."""
    shown = BUILDERS[name](HOSTILE)
    assert faults(shown.payload()) == []
    assert harmless(shown)
    assert "\x1b" not in repr(shown.payload())


@pytest.mark.parametrize("name", BUILDERS)
@pytest.mark.parametrize("sign", ["x", "&", "<", " y", "|"])
def test_all_blocks_of_a_message_together_are_not_too_long_for_slack(name: str, sign: str) -> None:
    """With everything that is added on its way: people, issues, a note, the mark of a test."""
    shown = BUILDERS[name](sign * (100_000 // len(sign)))
    for add in ADDITIONS.values() if shown.blocks[0]["type"] == "header" else ():
        shown = add(shown)
    assert sum(map(len, texts(shown))) <= MOST_CHARS
    assert faults(shown.payload()) == []


def test_a_digest_of_60_long_runs_keeps_slacks_limit_and_counts_the_rest() -> None:
    """Its end says how many runs are not listed."""
    verdicts = {str(number): verdict_of("& <x> " * 20_000) for number in range(60)}
    shown = digest(verdicts, link=f"https://e/{'y' * 480}", bundle_uri="x" * 1_000)
    assert sum(map(len, texts(shown))) <= MOST_CHARS
    listed = [line for text in texts(shown) for line in text.splitlines() if "SLA_BREACH* smoke" in line]
    assert f"… and {60 - len(listed)} more" in "\n".join(texts(shown))


def test_issues_that_have_no_room_are_counted() -> None:
    """The first five are links; they stand above the small print, and below the text where there is none."""
    shown = with_issues(build.notice("x", "y", LINK), [(n, f"https://e/issues/{n}") for n in range(1, 9)])
    assert next(text for text in texts(shown) if text.startswith("Issues: ")).endswith("/5|#5> and 3 more")
    tested = with_issues(build.self_test_message(build.notice("x", "y", LINK)), [(1, "https://e/1")])
    assert [block["type"] for block in tested.blocks] == ["header", "section", "section", "context", "context"]
    bare = with_issues(build.notice("x", "y", None), [(1, "https://e/1")])
    assert texts(bare)[-1] == "Issues: <https://e/1|#1>"


PIECES = st.sampled_from([*DANGEROUS, HOSTILE, "&amp;", "<https://e|x>", "https://e/", "*", "_", "~", "`", "\n", ":a:"])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(name=st.sampled_from(sorted(BUILDERS)), pieces=st.lists(st.text(max_size=30) | PIECES, max_size=60))
def test_no_text_breaks_a_rule(name: str, pieces: list[str]) -> None:
    """Whatever it is made of, in every field of any message."""
    shown = BUILDERS[name]("".join(pieces))
    assert faults(shown.payload()) == []
    assert harmless(shown)
