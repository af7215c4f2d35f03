"""Release? Why? What next? For each verdict, from what the run says."""

import pytest

from include.loadtest.reasons import REASON_CODES
from include.loadtest.reporting.page.answers import MAX_CHARS, answers, deciding_reasons
from include.loadtest.reporting.report import SENTENCES
from tests.loadtest.reporting.conftest import SLO, manifest_of, reason_of

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("verdict", "code", "release"),
    [
        ("PASS", None, "Yes"),
        ("WARN", "slo_near", "Yes, with care"),
        ("SLA_BREACH", "slo_missed", "No"),
        ("REGRESSION", "regression", "No"),
        ("ABORTED", "operator", "Not known"),
        ("INCONCLUSIVE", "generator_died", "Not known"),
    ],
)
def test_each_verdict_has_its_answer_its_sentence_and_its_action(verdict, code, release) -> None:
    """The words are those of the verdict and of the reason that decided it."""
    reasons = [] if code is None else [reason_of(code, "the figures")]
    found = answers({"verdict": verdict, "reasons": reasons, "slos": []})
    assert (found.release, found.why[0]) == (release, SENTENCES[verdict])
    assert found.what_next[0] == ("Nothing has to be repaired." if code is None else REASON_CODES[code].action)
    assert code is None or "the figures." in found.why


def test_a_pass_names_the_limit_with_the_least_room() -> None:
    """So that a reader sees how safe it is."""
    slo = SLO | {"observed": 3000.0, "outcome": "met"}
    found = answers({"verdict": "PASS", "reasons": [], "slos": [slo]})
    assert found.why[1] == "Closest to its limit: latency_p95_ms 3,000 ms (limit < 4,000 ms, 25 % away)."


def test_a_bottleneck_says_why_and_its_step_comes_first() -> None:
    """It is the most specific thing to do."""
    diagnosis = {"state": "bottleneck", "sentence": "CPU: all cores busy.", "next_step": "Add a core."}
    verdict = {"verdict": "SLA_BREACH", "reasons": [reason_of("slo_missed", "P95")], "slos": []}
    found = answers(verdict, diagnosis=diagnosis)
    assert "CPU: all cores busy." in found.why
    assert found.what_next == ("Add a core.", REASON_CODES["slo_missed"].action)
    no_cause = answers(verdict, diagnosis=diagnosis | {"state": "no_bottleneck"})
    assert no_cause.what_next == (REASON_CODES["slo_missed"].action,)


def test_many_reasons_are_counted_and_notes_decide_nothing() -> None:
    """Two are told, the others stand in the reasons."""
    reasons = [reason_of("slo_missed", f"limit {place}") for place in range(4)] + [reason_of("too_few_runs", "note")]
    found = answers({"verdict": "SLA_BREACH", "reasons": reasons, "slos": []})
    assert found.why[1:] == ("limit 0.", "limit 1.", "And 2 more: see the reasons.")
    assert len(deciding_reasons(reasons)) == 4
    assert deciding_reasons(reasons[4:]) == []


def test_the_stand_in_and_other_numbers_limit_the_answer() -> None:
    """A yes about the demo target is none about the product; where nothing is known there is nothing to limit."""
    manifest = manifest_of("peak_hours", target="demo", users=20)
    found = answers({"verdict": "PASS", "reasons": [], "slos": []}, manifest)
    assert found.but[0].startswith("As far as this test goes: 50 concurrent users")
    assert found.but[1].startswith("The target was the stand-in demo")
    assert "users 20 instead of 50" in found.but[2]
    assert answers({"verdict": "INCONCLUSIVE", "reasons": [], "slos": []}, manifest).but == ()


def test_long_and_unprintable_text_fits() -> None:
    """A reason may quote the target."""
    found = answers({"verdict": "ABORTED", "reasons": [reason_of("operator", "\x1b" + "x" * 900)], "slos": []})
    assert len(found.why[1]) == MAX_CHARS
    assert "\x1b" not in found.why[1]
