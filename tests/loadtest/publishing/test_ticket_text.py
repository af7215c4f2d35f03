"""What issues and comments say: figures against limits, what changed, how to repeat it; bounded and harmless."""

import re
from dataclasses import replace
from typing import Any

import pytest

from include.loadtest.history.tickets import Decision, EventKind, Problem, Ticket
from include.loadtest.publishing.github_text import MAX_BODY_CHARS
from include.loadtest.publishing.ticket_findings import Finding, findings_of
from include.loadtest.publishing.ticket_text import (
    MAX_TITLE_CHARS,
    TITLE,
    Account,
    body,
    comment,
    labels,
    payload_of,
    title,
    words,
)
from include.loadtest.verdict import Reason
from tests.helpers.ticket_runs import (
    PROFILE,
    RULES,
    TARGET,
    change,
    comparison,
    diagnosis,
    slo,
    ticket_run,
    verdict,
)

pytestmark = pytest.mark.unit
HOSTILE = "<img src=x> @everybody #1 --> https://evil.example/ ``` | `x` "


def ticket(problem: Problem, generation: int = 1, clean_runs: int = 0) -> Ticket:
    covers = frozenset({problem.fingerprint})
    return Ticket(problem.fingerprint, problem, "open", generation, 7, "https://x", covers, clean_runs, None)


def account(document: dict[str, Any] | None = None, **changes: Any) -> Account:
    values: dict[str, Any] = {"comparison": comparison("OK"), "diagnosis": None, "run": ticket_run()} | changes
    return Account(
        verdict=document or verdict([slo("latency_p95_ms"), slo("error_rate", factor=3)]), rules=RULES, **values
    )


def found(about: Account) -> list[Finding]:
    return findings_of(about.verdict, None, about.comparison, TARGET)


def decision(findings: list[Finding], kind: EventKind = "opened", **changes: Any) -> Decision:
    values: dict[str, Any] = {"previous": None, "before": {}} | changes
    return Decision(kind, ticket(findings[0].problem, values.pop("generation", 1)), **values)


def written(about: Account, **changes: Any) -> str:
    findings = found(about)
    return body(about, findings, decision(findings, **changes))


def problem(metric: str, scope: str = "all", profile: str = PROFILE) -> Problem:
    return Problem(profile, TARGET, scope, metric, "lower")


@pytest.mark.parametrize(
    ("metric", "scope", "said"),
    [
        ("latency_p95_ms", "all", "P95 latency of all requests misses its limit"),
        ("error_rate", "scenario:tax_calculation", "error rate of scenario tax_calculation misses its limit"),
        (
            "latency_body_ms",
            "endpoint:chat",
            "typical latency (P10 to P90) of endpoint chat is slower than its baseline",
        ),
        ("auto_stop_errors", "all", "load stopped, nearly all requests failed"),
        ("target_restarted", "all", "the target restarted under load"),
    ],
)
def test_a_title_says_what_is_wrong_and_where(metric: str, scope: str, said: str) -> None:
    """In words, with the spec's words in front."""
    expected = f"{TITLE}: {said} (profile peak_hours, target demo)"
    assert title(problem(metric, scope)) == expected
    assert title(problem(metric, scope), is_test=True) == f"[TEST] {expected}"


def test_a_title_is_one_line_of_bounded_length() -> None:
    """GitHub refuses more than 256 characters."""
    long = title(problem("latency_p95_ms", "endpoint:" + "x\n" * 300))
    assert len(long) <= MAX_TITLE_CHARS
    assert "\n" not in long


def test_words_of_metrics() -> None:
    """Without units, percentiles in front."""
    assert [words(name) for name in ("ttft_p95_ms", "throughput_rpm", "llm_calls", "gdpr_export_s")] == [
        *("P95 ttft", "throughput", "llm calls", "gdpr export")
    ]


def test_the_body_has_figures_baseline_bottleneck_links_and_the_way_to_repeat_it() -> None:
    """Everything that a person needs to begin."""
    text = written(account(diagnosis=diagnosis()))
    fingerprint = problem("error_rate").fingerprint
    assert text.startswith(f"<!-- load-test-ticket: {fingerprint} -->\n")
    assert "| error rate of all requests | hold | ≥ 3 % | &lt; 1 % | not measured | 2.7 % – 3.3 % | 5,000 |" in text
    assert "| P95 latency of all requests | hold | ≥ 6,000 ms | &lt; 4,000 ms | 2,100 ms |" in text
    assert "the latest comparable runs, 2 runs: `peak_hours-a` to `peak_hours-b`" in text
    assert "the last comparable run, `peak_hours-0`" in text
    assert "**Event loop since 18:35:53 UTC: its event loop stood still for up to 3,032 ms, again and again.**" in text
    assert "Next step: Look for a blocking call in an async handler" in text
    assert "[DAG run](<http://127.0.0.1:8080/dags/load_test_nightly/runs/scheduled__1>)" in text
    assert "[Report](<https://example.github.io/assistant/peak_hours-1/>)" in text
    assert "Bundle: `s3://results/peak_hours-1`" in text
    assert "```sh\nmake run PROFILE=peak_hours USERS=30 DURATION_S=600 TARGET=demo\n```" in text


def test_what_is_not_there_is_said_to_be_missing() -> None:
    """No baseline, no diagnosis, no addresses; the reasons' own next step serves."""
    run = ticket_run(link=None, report_url=None)
    text = written(account(comparison=None, diagnosis=None, run=run))
    assert "Baseline: not measured, there is no comparable run." in text
    assert "Not measured: this run has no diagnosis." in text
    assert "Next step: Read the SLO table of the summary" in text
    assert "DAG run: its address is not known" in text
    assert "Report: not published" in text


def test_a_regression_is_told_with_its_interval_and_its_baseline() -> None:
    """Change, interval, the number of runs it is measured against."""
    reason = Reason("regression", "chat: body +20 %", "latency_body_ms", "endpoint:chat", 0.2, 0.1, "ratio")
    document = verdict([slo("latency_p95_ms", outcome="met")], reason)
    about = account(document, comparison=comparison("REGRESSION", change("endpoint:chat", 0.2)))
    row = "| typical latency (P10 to P90) of endpoint chat | hold | +20.0 % | relevant from 10 % | 0 % is the baseline "
    assert f"{row}| +18.0 % – +22.0 % | 10 of the latest comparable runs |" in written(about)


def test_a_new_issue_names_the_one_before() -> None:
    """With a mark of its own, so that the old one is not taken for it."""
    findings = found(account())
    text = body(account(), findings, decision(findings, generation=2, previous="owner/name#12"))
    assert "The same problem was told in owner/name#12 before." in text
    assert text.startswith(f"<!-- load-test-ticket: {findings[0].problem.fingerprint} 2 -->\n")


def test_hostile_text_of_the_target_is_harmless_in_body_and_comment() -> None:
    """Statements, error texts and addresses come from the target and from people."""
    hostile = diagnosis() | {"sentence": HOSTILE, "next_step": HOSTILE}
    run = ticket_run(bundle_uri=HOSTILE, link=HOSTILE, parameters={"profile": HOSTILE, "overrides": {}, "target": "x"})
    document = verdict([], Reason("auto_stop_errors", HOSTILE))
    about = account(document, diagnosis=hostile, run=run)
    findings = found(about)
    told = comment(
        about, findings, decision(findings, "updated", before=payload_of(about, findings, decision(findings)))
    )
    for text in (written(about), told or ""):
        outside = re.sub(r"```sh\n.*\n```|`[^`\n]*`", "", text)
        marks = re.findall(r"<!--.*?-->", outside)
        assert len(marks) == 1
        assert not re.search(r"<img|@everybody|#1|https://evil|-->", outside.replace(marks[0], ""))


def test_a_body_is_bounded_with_many_findings_and_long_texts() -> None:
    """Three hundred scopes and 100,000 characters of a sentence."""
    slos = [slo("latency_p95_ms", f"scenario:{'|' * 200}{number}") for number in range(300)]
    about = account(verdict(slos), diagnosis=diagnosis() | {"sentence": "<" * 100_000, "next_step": "@a " * 50_000})
    text = written(about)
    assert len(text) <= MAX_BODY_CHARS
    assert "… and 240 more; the report has them." in text
    assert "make run" in text


def test_a_profile_that_is_not_committed_is_asked_for_as_a_file() -> None:
    """Its name alone would be refused."""
    own = ticket_run(parameters={"profile": "own", "overrides": {}, "target": "demo"})
    assert "give its file as `PROFILE`" in written(account(run=own))
    assert "give its file as `PROFILE`" not in written(account())


def test_labels_are_the_rules_the_verdicts_and_the_profiles() -> None:
    """A test of the alarm chain has its own only."""
    assert labels(account()) == ["load-test", "performance", "sla-breach", "profile:peak_hours"]
    assert labels(account(run=ticket_run(is_test=True))) == ["load-test-selftest"]
    assert max(map(len, labels(account(run=ticket_run(profile="x" * 60))))) == 50


def test_a_new_issue_has_no_comment() -> None:
    """Its text says it all."""
    assert comment(account(), found(account()), decision(found(account()))) is None


def test_an_update_tells_what_changed() -> None:
    """Before and now; what is new and what is gone are named. How far bounds are apart says nothing of the figures."""
    before_account = account(verdict([slo("latency_p95_ms"), slo("throughput_rpm", factor=2)]))
    earlier = found(before_account)
    before = payload_of(before_account, earlier, decision(earlier))
    about = account(verdict([slo("latency_p95_ms", factor=1.25), slo("error_rate", factor=3)]), run=ticket_run("p-2"))
    text = comment(about, found(about), decision(found(about), "updated", before=before)) or ""
    assert text.startswith(f"<!-- load-test-event: {found(about)[0].problem.fingerprint} p-2 -->\n")
    assert "**Still there** in `p-2`" in text
    assert "| P95 latency of all requests | hold | ≥ 6,000 ms | ≥ 5,000 ms | – |" in text
    assert "| error rate of all requests | hold | not missed before | ≥ 3 % | – |" in text
    assert "| throughput of all requests | hold | ≤ 500 req/min | not missed in this run | – |" in text
    assert "Before: `peak_hours-1`" in text


def test_a_difference_of_ratios_is_in_points() -> None:
    """From 3 % to 2 % is one point, not a third; other figures differ in their own unit."""
    first = account(verdict([slo("error_rate", factor=3), slo("latency_p95_ms")]))
    before = payload_of(first, [replace(one, measured="3") for one in found(first)], decision(found(first)))
    about = account(verdict([slo("error_rate", factor=2), slo("latency_p95_ms", factor=1.25)]))
    now = [replace(one, measured="2") for one in found(about)]
    text = comment(about, now, decision(now, "updated", before=before)) or ""
    assert "| error rate of all requests | hold | 3 | 2 | −1 points |" in text
    assert "| P95 latency of all requests | hold | 3 | 2 | −1,000 ms |" in text


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("reopened", "**Back** in `peak_hours-1`"),
        ("closed", "**Gone**: 3 clean runs in a row, the last of them `peak_hours-1`"),
        ("disproved", "**Not confirmed**: the repeats of `peak_hours-1`"),
    ],
)
def test_each_event_has_its_words(kind: EventKind, said: str) -> None:
    """What happened comes first."""
    about, findings = account(), found(account())
    made = Decision(kind, ticket(findings[0].problem, clean_runs=3), None, {})
    assert said in (comment(about, findings if kind == "reopened" else [], made) or "")


def test_a_closing_leaves_the_text_as_it_is() -> None:
    """The last bad figures stay to be read."""
    about, findings = account(), found(account())
    closing = payload_of(about, [], Decision("closed", ticket(findings[0].problem), None, {}))
    opening = payload_of(about, findings, decision(findings))
    assert (closing["state"], closing["body"]) == ("closed", None)
    assert (opening["state"], opening["comment"]) == ("open", None)


def test_the_pages_of_cause_and_reason_are_linked_beside_the_next_step() -> None:
    """The cause's first; where Airflow's address is not known the files are named."""
    cause = {"state": "bottleneck", "sentence": "A lock.", "next_step": "End it.", "causes": [{"cause": "locks"}]}
    about = account(diagnosis=cause, run=replace(ticket_run(), link="https://airflow.example/dags/d/runs/r"))
    text = body(about, found(about), decision(found(about)))
    first, second = (f"[docs/runbooks/{page}.md](<https://airflow.example/loadtest/docs/runbooks/{page}>)"
                     for page in ("slow-statements", "limits"))  # fmt: skip
    assert f"Next step: End it.\n\nWhat to do in detail: {first}, {second}" in text
    nowhere = account(diagnosis=None, run=replace(ticket_run(), link=None))
    assert "What to do in detail: `docs/runbooks/limits.md`" in body(nowhere, found(nowhere), decision(found(nowhere)))
