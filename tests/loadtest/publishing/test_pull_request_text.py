"""What a pull request is told: the verdict first, what decided it, and what the run could not have seen."""

from typing import Any

import pytest

from include.loadtest.publishing.github_text import harmless
from include.loadtest.publishing.pull_request_text import headline, pull_request_text, short
from include.loadtest.verdict import Reason
from tests.helpers.slack_messages import MET, METRICS, document, slo

pytestmark = pytest.mark.unit
HOSTILE = "@everyone <img src=x> #1 https://example.org/issues/1 | [x](y)\n# x"
LINKS = {"link_to_run": "http://127.0.0.1:8080/dags/x", "report_url": "https://example.org/r", "commit": "a" * 40}
SENSITIVITY = [
    {"measure": "latency_body_ms", "scope": "endpoint:chat", "suspected": 0.12, "confirmed": 0.1},
    {"measure": "latency_tail_ms", "scope": "endpoint:upload", "suspected": 0.45, "confirmed": 0.3},
]
COMPARISON = {"change_test": {"word": "OK", "text": "within what runs differ by", "sensitivity": SENSITIVITY}}
BOTTLENECK = {"state": "bottleneck", "sentence": "The pool of connections is full.", "next_step": "Look at its size."}
MISSED = [slo("latency_p95_ms", "missed", 6789, 3000), *MET[1:]]


def text(verdict: dict[str, Any], **changes: Any) -> str:
    given: dict[str, Any] = {"metrics": METRICS, "comparison": None, "diagnosis": None, **LINKS, **changes}
    return pull_request_text(verdict=verdict, **given)


def test_the_verdict_comes_first_then_what_decided_it() -> None:
    """A reader of a mail sees the verdict; a missed limit stands above those that were met."""
    shown = text(document(MISSED), diagnosis=BOTTLENECK)
    assert shown.startswith("## ❌ SLA_BREACH: load test `smoke`\n")
    rows = [line for line in shown.splitlines() if line.startswith("| `")]
    assert "missed" in rows[0]
    assert "latency_p95_ms" in rows[0]
    assert "error_rate" in rows[1]
    assert "pool of connections" in shown
    assert "good run. [docs/runbooks/limits.md](<http://127.0.0.1:8080/loadtest/docs/runbooks/limits>)" in shown
    assert "[Report](<https://example.org/r>) · [Run](<http://127.0.0.1:8080/dags/x>)" in shown
    assert "`aaaaaaaaaaaa`" in shown


def test_a_green_smoke_run_says_what_it_could_not_have_seen() -> None:
    """Uncompared: how far the limits are, how rare an error stays unseen; the words of the rule of three."""
    shown = text(document(MET))
    assert "what is plainly broken" in shown
    assert "not compared with earlier runs" in shown
    assert "`latency_p95_ms` would miss its limit only at 2.4 times what it was here" in shown
    assert "900 requests: an error that hits fewer than 0.33 % of them can stay unseen" in shown


def test_a_compared_run_says_how_small_a_change_it_finds() -> None:
    """From the best measure to the worst, as the change test computed them."""
    shown = text(document(MET), comparison=COMPARISON)
    assert "from 12 % (`chat`) to 45 % (`upload`)" in shown
    assert "not compared" not in shown
    few = {"change_test": {"word": "NOT_ENOUGH_RUNS", "text": "2 of 5", "sensitivity": []}}
    assert "is not known" in text(document(MET), comparison=few)


def test_what_is_unknown_is_not_a_number() -> None:
    """A run without metrics: nothing is claimed about errors, and a figure is "not measured"."""
    shown = text(document([slo("latency_p95_ms", "not_judged", None, 3000)]), metrics=None)
    assert "not measured" in shown
    assert "times what it was" not in shown
    assert "requests:" not in shown


def test_a_bound_is_told_as_a_bound_and_a_comparator_whole() -> None:
    """With too few requests for a P95 the slowest one was judged: the limit is at least so far away."""
    few = [slo("latency_p95_ms", "met", 1000, 3000), slo("throughput_rpm", "met", 300, 200, comparator=">=")]
    rows = {"metrics": [{**METRICS["metrics"][0], "value": None}]}
    shown = text(document(few), metrics=rows)
    assert "would miss its limit only at 3.0 times what it was here, or more" in shown
    assert "| ≤ 1,000 ms |" in shown
    assert "&gt;= 200" in shown


def test_what_nobody_has_to_judge_is_named_once_with_the_reason_why() -> None:
    """Not as rows that say nothing: a target that shares its host, a figure that is not required."""
    idle = [slo("host_cpu_pct", "not_judged", 96, 80, required=False, phase=phase) for phase in ("hold", "spike")]
    idle.append(slo("cache_hit_rate", "not_judged", None, 0.6, required=False))
    shown = text(document([*idle, *MISSED]))
    assert (
        "In the report, but not judged: `host_cpu_pct` (the target shares its host with the generator); "
        "`cache_hit_rate` (not required of this run)." in shown
    )
    assert shown.count("host_cpu_pct") == 1
    assert "not judged" not in text(document(MISSED))
    missing = slo("cache_hit_rate", "not_judged", None, 0.6, n=0)
    assert "| `cache_hit_rate` | not measured |" in text(document([missing, *MET]))


def test_a_checks_title_is_what_decided_the_verdict() -> None:
    """A note is none: of a green run its sentence."""
    note = Reason("too_few_runs", "3 of 8 runs are there")
    assert short(document(MET, note), 140) == "PASS: All limits held and the test was valid."
    assert short(document(MISSED, note), 140).startswith(
        "SLA_BREACH: slo_missed: latency_p95_ms of all in hold: 6,789 ms"
    )


def test_a_run_that_says_nothing_claims_no_sensitivity() -> None:
    """INCONCLUSIVE: the reasons say what to repair, nothing else."""
    shown = text(document(MET, Reason("setup_failed", "no users")))
    assert "INCONCLUSIVE" in shown.splitlines()[0]
    assert "could have seen" not in shown


def test_hostile_and_endless_texts_stay_harmless_and_within_the_limit() -> None:
    """From reasons, scopes and the diagnosis; GitHub takes 65,536 characters."""
    reasons = [Reason("slo_missed", HOSTILE * 2_000, "error_rate", f"endpoint:{HOSTILE}")] * 50
    slos = [slo("latency_p95_ms", "missed", 6789, 3000, scope=f"endpoint:{HOSTILE}{number}") for number in range(50)]
    wild = {"state": "bottleneck", "sentence": HOSTILE * 2_000, "next_step": HOSTILE * 2_000}
    verdict = document(slos, *reasons, run_id=HOSTILE)
    shown = text(verdict, diagnosis=wild, link_to_run="javascript:alert(1)", report_url=None)
    assert len(shown) <= 65_000
    outside = "".join(shown.split("`")[::2])  # in code nothing is live
    for live in ("@everyone", "<img", "#1", "://", "javascript"):
        assert live not in outside
    assert "more in the report" in shown
    assert len(short(verdict, 140)) <= 140
    assert "\n" not in short(verdict, 140) + headline(verdict)


def test_what_the_change_test_says_is_said_once() -> None:
    """A note that it repeats is no reason; without a change test it is one."""
    verdict = document(MET, Reason("too_few_runs", "3 of 8 runs are there"))
    change = {"change_test": {"word": "NOT_ENOUGH_RUNS", "text": "3 of 8 runs are there", "sensitivity": []}}
    assert text(verdict, comparison=change).count("3 of 8 runs are there") == 1
    assert f"**{harmless('too_few_runs')}**" in text(verdict)
