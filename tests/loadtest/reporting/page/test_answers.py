"""Release? Why? What next? For each verdict, from what the run says."""

import pytest

from include.loadtest.reasons import REASON_CODES
from include.loadtest.reporting.page.answers import MAX_CHARS, answers, answers_so_far, deciding_reasons, is_suspected
from include.loadtest.reporting.report import SENTENCES
from tests.loadtest.reporting.conftest import ROW, SLO, manifest_of, reason_of

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


def test_each_page_on_what_to_do_is_named_once() -> None:
    """The bottleneck's first, then those of the reasons in their order; a code of another release has none."""
    codes = ("slo_missed", "regression", "slo_near", "slo_missed", "of_another_release")
    diagnosis = {"state": "bottleneck", "causes": [{"cause": "llm_slow"}], "sentence": "The LLM is slow."}
    verdict = {"verdict": "SLA_BREACH", "reasons": [{"code": code, "text": "x"} for code in codes], "slos": []}
    found = answers(verdict, None, diagnosis).guides
    assert [(guide.name, guide.parts, guide.about) for guide in found] == [
        ("llm", ["runbooks", "llm"], ("bottleneck",)),
        ("limits", ["runbooks", "limits"], ("slo_missed", "slo_near")),
        ("slower", ["runbooks", "slower"], ("regression",)),
    ]
    assert answers({"verdict": "PASS", "reasons": [], "slos": []}).guides == ()


def test_a_pass_names_the_limit_with_the_least_room() -> None:
    """So that a reader sees how safe it is."""
    slo = SLO | {"observed": 3000.0, "outcome": "met", "phase": "spike"}
    row = ROW | {"metric": "latency_p95_ms", "phase": "spike", "value": 3000.0, "lower_bound": False}
    found = answers({"verdict": "PASS", "reasons": [], "slos": [slo], "metrics": [row]})
    assert found.why[1] == "Closest to its limit: latency_p95_ms in spike 3,000 ms (limit < 4,000 ms, 25 % within)."


def test_the_closest_limit_of_few_requests_is_a_bound() -> None:
    """As the table of limits has it; where the figures are not known nothing is called the closest."""
    document = {"verdict": "PASS", "reasons": [], "slos": [SLO | {"observed": 906.5, "outcome": "met", "n": 12}]}
    row = ROW | {"metric": "latency_p95_ms", "value": None, "n": 12, "lower_bound": False}
    found = answers({**document, "metrics": [row]})
    assert found.why[1:] == (
        "Closest to its limit: latency_p95_ms ≤ 906.5 ms (limit < 4,000 ms, at least 77 % within).",
    )
    assert answers(document).why[1:] == ()


def test_a_breach_that_a_stopped_load_had_proved_is_told() -> None:
    """It releases nothing, and is told among the first, whatever else stopped the load."""
    stops = [reason_of("auto_stop_errors", "99 % failed"), reason_of("auto_stop_latency", "P95 20 s")]
    document = {"verdict": "ABORTED", "reasons": [*stops, reason_of("slo_missed", "error_rate 98 %")], "slos": []}
    found = answers(document)
    assert (found.release, found.why[1:3]) == ("No", ("99 % failed.", "error_rate 98 %."))
    assert found.what_next == (REASON_CODES["auto_stop_errors"].action, REASON_CODES["slo_missed"].action)
    assert answers(document, manifest_of("smoke", target="demo")).but[1].startswith("The target was the stand-in demo")
    untrusted = [*document["reasons"], reason_of("overlap", "others sent requests too")]
    assert answers(document | {"reasons": untrusted}).release == "Not known", "it may be theirs"


def test_what_a_run_with_other_numbers_held_is_no_yes() -> None:
    """The answer and the profile's words are one; a breach stays a no."""
    slo = SLO | {"observed": 900.0, "outcome": "met"}
    document = {"verdict": "PASS", "reasons": [], "slos": [slo]}
    assert answers(document, manifest_of("peak_hours")).release == "Yes"
    found = answers(document, manifest_of("peak_hours", users=1))
    assert found.release == "Not known"
    assert "users 1 instead of 50" in found.but[-1]
    breach = {"verdict": "SLA_BREACH", "reasons": [reason_of("slo_missed", "x")], "slos": [SLO]}
    assert answers(breach, manifest_of("peak_hours", users=1)).release == "No"


def test_a_pass_says_which_limits_it_is_without() -> None:
    """The first of them, and how many more."""
    names = ("a", "b", "c", "d", "e")
    missing = [SLO | {"metric": name, "outcome": "not_judged", "required": False, "observed": None} for name in names]
    document = {"verdict": "PASS", "reasons": [], "slos": [SLO | {"observed": 900.0, "outcome": "met"}, *missing]}
    assert answers(document).but == ("Not judged, so not part of this: a, b, c and 2 more.",)


def test_an_invalid_run_is_repaired_before_its_bottleneck() -> None:
    """What somebody else's requests saturated is nothing to buy for."""
    diagnosis = {"state": "bottleneck", "sentence": "CPU: all cores busy.", "next_step": "Add a core."}
    document = {"verdict": "INCONCLUSIVE", "reasons": [reason_of("overlap", "9,000 more requests")], "slos": []}
    assert answers(document, None, diagnosis).what_next == (REASON_CODES["overlap"].action, "Add a core.")


@pytest.mark.parametrize("code", ["stall", "not_confirmed", "slo_near"])
def test_a_warnings_sentence_is_true_of_every_warning(code: str) -> None:
    """What it is about is said by its reason."""
    found = answers({"verdict": "WARN", "reasons": [reason_of(code, "the figures")], "slos": []})
    assert found.why == ("All critical limits held, with a warning.", "the figures.")


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


SUSPICION = reason_of("regression_suspected", "chat: body +18 %")
UNDECIDED = reason_of("not_confirmed", "suspected of being slower, and not decided: chat: body +18 %")


@pytest.mark.parametrize(
    ("verdict", "before", "release"),
    [("PASS", (), "Yes, not final"), ("WARN", ("stall", "slo_near"), "Yes, with care, not final")],
)
def test_an_open_suspicion_limits_a_yes_whatever_stands_before_it(verdict: str, before: tuple, release: str) -> None:
    """The verdict is as if there were none, and that is said; nobody is told that there is nothing to do."""
    document = {"verdict": verdict, "reasons": [*(reason_of(code, "x") for code in before), SUSPICION], "slos": []}
    found = answers(document)
    assert (found.release, is_suspected(document)) == (release, True)
    assert found.but[0] == "Suspected of being slower, and no repeat has decided that so far: chat: body +18 %."
    assert REASON_CODES["regression_suspected"].action in found.what_next
    assert "Nothing has to be repaired." not in found.what_next


def test_a_suspicion_that_was_closed_undecided_stays_beside_the_answer() -> None:
    """The run's end makes it a warning: nothing changes the verdict any more, and a reader has to know."""
    reasons = [reason_of("stall", "x"), reason_of("slo_near", "y"), UNDECIDED, SUSPICION]
    document = {"verdict": "WARN", "reasons": reasons, "slos": []}
    found = answers(document)
    assert (found.release, is_suspected(document)) == ("Yes, with care", False)
    assert found.but == ("Not decided by repeats: suspected of being slower, and not decided: chat: body +18 %.",)


@pytest.mark.parametrize("verdict", ["SLA_BREACH", "INCONCLUSIVE"])
def test_a_suspicion_changes_no_answer_that_is_no_yes(verdict: str) -> None:
    """A breach stays one, and a run that is not valid is never compared."""
    document = {"verdict": verdict, "reasons": [SUSPICION], "slos": []}
    found = answers(document)
    assert (found.release in ("No", "Not known"), found.but, is_suspected(document)) == (True, (), False)


def test_a_verdict_that_may_change_releases_nothing() -> None:
    """Whatever it is so far: what the run does now, and what is to be done, stand there instead."""
    found = answers_so_far({"verdict": "PASS", "reasons": [SUSPICION]}, "confirm works.", None)
    assert (found.release, found.why[0]) == ("Not known", "The verdict is PASS so far, and not final.")
    assert (found.why[1], len(found.but)) == ("confirm works.", 1)
    assert answers_so_far({"verdict": "PASS"}, "It died.", "Look.").what_next == ("Look.",)
