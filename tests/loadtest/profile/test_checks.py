"""A profile that checks requirements one by one is complete and consistent, or refused with one line."""

import pytest

from include.loadtest.errors import ConfigError
from include.loadtest.profile import Overrides, find_profile, load_profile, load_profile_text
from include.loadtest.profile.checks import planned_longest_s
from include.loadtest.profile.vocabulary import REQUIREMENT_METRICS, SCENARIOS, TIMED_REQUIREMENTS

pytestmark = pytest.mark.unit
ITALIAN = find_profile("italian_market").read_text(encoding="utf-8")
BROKEN = [
    ("engine: locust", "engine: k6", "x.yaml:4: engine is k6, but checks run on locust only"),
    ("users: 21", "users: 20", "x.yaml:5: users is 20, but checks need 21"),
    ("ramp_up_s: 0", "ramp_up_s: 5", "x.yaml:6: ramp_up_s is 0 beside checks"),
    ("ramp_up_s: 0", "ramp_up_s: 0\nmix_pct: {simple_query: 100}", "x.yaml:7: mix_pct has no meaning beside checks"),
    ("duration_s: 2400", "duration_s: 900", "x.yaml:7: duration_s is 900 s, but the checks may take"),
    ("index_wait_s: 330", "index_wait_s: 300", "checks.index_wait_s is 300 s, not above the limit of index_update_s"),
    ("gdpr_export: 2", "gdpr_export: 6", "repeats.gdpr_export is 6, at most 4"),
    ("small: 500000", "small: 1500000", "checks.document_bytes.small: input should be less than or equal to 980000"),
    ("medium: 3000000", "medium: 5000000", "checks.document_bytes.medium: input should be less than or equal"),
    ("large: 7000000", "large: 10000000", "checks.document_bytes.large: input should be less than or equal"),
    ("simple_search: 20", "simple_serach: 20", "did you mean simple_search?"),
    ("  poll_s: 0.5", "  poll: 0.5", "checks.poll: unknown key; did you mean poll_s?"),
    ('- {metric: audit_query_s, comparator: "<", limit: 5}', "", "slos: checks need a limit on audit_query_s"),
]


@pytest.mark.parametrize(("old", "new", "line"), BROKEN, ids=[new[:25] or "no limit" for _, new, _ in BROKEN])
def test_broken_checks_are_refused_with_one_line(old: str, new: str, line: str) -> None:
    """The line says where and what to do."""
    text = ITALIAN.replace(old, new, 1)
    assert text != ITALIAN
    with pytest.raises(ConfigError) as error:
        load_profile_text(text, "x.yaml")
    assert line in str(error.value)
    assert str(error.value).startswith("x.yaml:")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("overrides", "word"),
    [(Overrides(users=5), "users"), (Overrides(duration_s=60), "duration_s"), (Overrides(engine="k6"), "engine")],
)
def test_what_checks_need_cannot_be_overridden(overrides: Overrides, word: str) -> None:
    """Fewer users cannot upload twenty documents, and a k6 cannot check them."""
    with pytest.raises(ConfigError, match=word) as error:
        load_profile(find_profile("italian_market"), overrides)
    assert "\n" not in str(error.value)


def test_a_requirements_limit_needs_checks() -> None:
    """Nothing measures it elsewhere."""
    smoke = find_profile("smoke").read_text(encoding="utf-8")
    with pytest.raises(ConfigError, match="gdpr_export_s is measured by a profile with checks only"):
        load_profile_text(f"{smoke}  - {{metric: gdpr_export_s, comparator: '<', limit: 60}}\n", "x.yaml")


def test_checks_are_one_users_hold_and_their_limits_are_all_critical() -> None:
    """With each built-in scenario's own limit; a stall is longer than the slowest requirement may take."""
    profile = load_profile(find_profile("italian_market"))
    assert [(stage.phase, stage.users_from, stage.users_to) for stage in profile.stages()] == [("hold", 1, 1)]
    critical = {slo.metric for slo in profile.slos if slo.is_required and slo.scope == "all"}
    assert critical == set(REQUIREMENT_METRICS)
    scopes = {slo.scope for slo in profile.slos if slo.level == "critical" and slo.metric == "latency_p95_ms"}
    assert scopes == {f"scenario:{name}" for name in SCENARIOS}
    assert profile.stall_limit_s == 300


def test_patience_is_twice_the_limit_and_that_of_the_index_is_its_wait() -> None:
    """Documents at once may each take as long as a large one; a scenario keeps its own patience."""
    profile = load_profile(find_profile("italian_market"))
    wanted = {
        "simple_calculation": 2,
        "gdpr_export": 120,
        "documents_at_once": 120,
        "index_update": 330,
        "simple_query": 6,
    }
    assert {name: profile.request_timeout_s(name) for name in wanted} == wanted


def test_the_longest_time_is_that_of_answers_that_are_all_late() -> None:
    """Each requirement: its repeats but one within their limits, and one more that uses up its patience.

    Besides an upload, and a client that is made and looked at: they come before the time of an index and of a deletion.
    """
    profile = load_profile(find_profile("italian_market"))
    checks = profile.checks
    limits = {slo.metric: slo.limit for slo in profile.slos}
    assert checks is not None
    alone_s = sum(
        (checks.repeats_of(name) - 1) * limits[f"{name}_s"] + checks.patience_s(name, limits[f"{name}_s"])
        for name in TIMED_REQUIREMENTS
    )
    longest_s = planned_longest_s(checks, profile.slos, 0)
    assert longest_s == alone_s + 20 + 2 * 60 + 4 * limits["large_document_s"] + 6 * (3 + 5 + 2 + 30 + 3 + 1)
    assert checks.repeats_of("gdpr_deletion") == 1
