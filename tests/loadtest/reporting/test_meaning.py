"""A profile's words are shown for its own numbers only, and "met" only where it is proved."""

import pytest

from include.loadtest.reporting.meaning import statement_of
from tests.loadtest.reporting.conftest import judged, manifest_of, reason_of

pytestmark = pytest.mark.unit
PEAK = manifest_of("peak_hours")
WORDS = PEAK["profile"]["meaning"]


@pytest.mark.parametrize(
    ("verdict", "state"),
    [
        ("PASS", "met"),
        ("WARN", "met"),
        ("SLA_BREACH", "missed"),
        ("REGRESSION", "missed"),
        ("ABORTED", "unknown"),
        ("INCONCLUSIVE", "unknown"),
    ],
)
def test_each_verdict_has_its_words(verdict, state) -> None:
    """The sentence is the profile's own."""
    statement = statement_of(PEAK, judged(PEAK, verdict))
    assert (statement.state, statement.text) == (state, WORDS[state])


def test_a_breach_before_the_load_was_stopped_has_the_words_of_one() -> None:
    """As the answer at the head of the report; not where the samples prove nothing."""
    stopped = judged(PEAK, "ABORTED", latency_p95_ms="missed")
    stopped["reasons"] = [reason_of("auto_stop_errors", "x"), reason_of("slo_missed", "y")]
    assert statement_of(PEAK, stopped).state == "missed"
    stopped["reasons"].append(reason_of("generator_died", "z"))
    assert statement_of(PEAK, stopped).state == "unknown"


def test_a_profile_without_words_says_nothing() -> None:
    """smoke has no meaning of its own."""
    smoke = manifest_of("smoke")
    assert statement_of(smoke, judged(smoke, "PASS")) is None
    assert statement_of({}, None) is None


def test_met_names_the_figures_of_the_critical_limits() -> None:
    """Observed and limit of each, no warning among them."""
    statement = statement_of(PEAK, judged(PEAK, "PASS"))
    assert "latency_p95_ms 1 ms (limit < 5,000 ms)" in statement.figures
    assert statement.qualifications == ()
    assert not any("scenario" in figure for figure in statement.figures)


def test_missed_names_the_missed_limits_only() -> None:
    """What held did not decide."""
    statement = statement_of(PEAK, judged(PEAK, "SLA_BREACH", cache_hit_rate="missed"))
    assert [figure.split()[0] for figure in statement.figures] == ["cache_hit_rate"]


def test_a_restart_of_the_target_decided_as_a_missed_limit_does() -> None:
    """It is named beside the limits, and alone where all of them held."""
    verdict = judged(PEAK, "SLA_BREACH") | {"reasons": [reason_of("target_restarted", "at 20:15:01")]}
    assert statement_of(PEAK, verdict).figures == ("target_restarted: at 20:15:01",)


def test_other_users_never_meet_the_words_about_50() -> None:
    """A green run of 10 users, and a red one of 80, are unknown and say so."""
    for users, verdict in ((10, "PASS"), (80, "SLA_BREACH")):
        manifest = manifest_of("peak_hours", users=users)
        statement = statement_of(manifest, judged(manifest, verdict))
        assert statement.state == "unknown"
        assert f"users {users} instead of 50" in statement.qualifications[0]


def test_loosened_limits_never_meet_the_words() -> None:
    """A profile given as text may carry the name and the words with a limit of its own."""
    manifest = manifest_of("peak_hours")
    manifest["profile"]["slos"][0]["limit"] *= 10
    statement = statement_of(manifest, judged(manifest, "PASS"))
    assert statement.state == "unknown"
    assert "other slos" in statement.qualifications[0]


def test_a_shortened_hold_is_said_beside_the_words() -> None:
    """Met, for the time that was held."""
    manifest = manifest_of("peak_hours", duration_s=60)
    statement = statement_of(manifest, judged(manifest, "PASS"))
    assert statement.state == "met"
    assert statement.qualifications == ("The duration was shortened from 600 s to 60 s: shown for that time only.",)


def test_an_override_with_the_own_number_changes_nothing() -> None:
    """50 users are 50 users."""
    manifest = manifest_of("peak_hours", users=50, duration_s=600)
    assert statement_of(manifest, judged(manifest, "PASS")).qualifications == ()


def test_a_green_verdict_without_judged_limits_meets_nothing() -> None:
    """A required limit that nobody judged, or none at all, proves nothing."""
    assert statement_of(PEAK, judged(PEAK, "PASS", cache_hit_rate="not_judged")).state == "unknown"
    assert statement_of(PEAK, {"verdict": "PASS", "reasons": [], "slos": []}).state == "unknown"
    assert statement_of(PEAK, None).state == "unknown"


def test_what_a_green_run_leaves_open_is_said() -> None:
    """A missed warning, a near limit, a host that is not judged."""
    verdict = judged(PEAK, "WARN", throughput_worst_minute_rpm="missed", error_rate="near", host_cpu_pct="not_judged")
    statement = statement_of(PEAK, verdict)
    assert statement.state == "met"
    missed, near, unjudged = statement.qualifications
    assert "throughput_worst_minute_rpm" in missed
    assert "error_rate" in near
    assert unjudged == "Not judged, so not part of this: host_cpu_pct."


def test_the_stand_in_is_never_taken_for_the_product() -> None:
    """A run against the demo target says so first."""
    manifest = manifest_of("peak_hours", target="demo")
    assert "stand-in demo" in statement_of(manifest, judged(manifest, "PASS")).qualifications[0]


def test_a_regression_says_that_the_limits_held() -> None:
    """It is red for another reason than a limit."""
    assert "The limits held" in statement_of(PEAK, judged(PEAK, "REGRESSION")).qualifications[0]


def test_unknown_names_the_first_reasons() -> None:
    """What to repair stands beside it."""
    verdict = judged(PEAK, "INCONCLUSIVE") | {"reasons": [reason_of("generator_died", "exit code -9")]}
    assert statement_of(PEAK, verdict).figures == ("generator_died: exit code -9",)


def test_an_own_profile_with_overridden_users_is_unknown() -> None:
    """There is no committed file to compare with, so the order counts."""
    manifest = manifest_of("peak_hours", users=20, duration_s=30)
    manifest["profile"]["name"] = "our_peak"
    statement = statement_of(manifest, judged(manifest, "PASS"))
    assert statement.state == "unknown"
    assert "users overridden to 20" in statement.qualifications[0]
    assert "overridden to 30 s" in statement.qualifications[1]
