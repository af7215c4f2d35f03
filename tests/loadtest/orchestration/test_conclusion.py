"""Whatever a bundle holds, there is one verdict, and it is never PASS without data."""

from typing import Any

import pytest

from include.loadtest.bundle import Bundle
from include.loadtest.orchestration.conclusion import conclude_run
from include.loadtest.profile import Profile, find_profile, load_profile
from include.loadtest.verdict import SloResult

pytestmark = pytest.mark.unit
PROFILE = load_profile(find_profile("smoke"))
LOAD = {
    "engine": "locust",
    "started": "2026-11-24T20:00:00Z",
    "ended": "2026-11-24T20:01:05Z",
    "completed": True,
    "exit_code": 0,
    "planned_users": 10,
    "reached_users": 10,
}
PARTS: dict[str, Any] = {"environment": {}, "seed": {}, "warm_up": {}, "load": LOAD}


def concluded(
    tmp_path, metrics: list[dict[str, Any]] | None = None, profile_: Profile = PROFILE, **parts: Any
) -> dict[str, Any]:
    bundle = Bundle(tmp_path / "smoke-1")
    bundle.update_manifest(profile=profile_.model_dump(mode="json"), **parts)
    if metrics is not None:
        bundle.write("metrics.json", {"schema": 1, "metrics": metrics})
    return conclude_run(bundle, profile_)


@pytest.mark.parametrize(
    ("missing", "code", "text"),
    [
        ("environment", "stage_failed", "preflight"),
        ("seed", "setup_failed", "seed_users"),
        ("warm_up", "setup_failed", "warm_cache"),
        ("load", "generator_died", "run_profile"),
    ],
)
def test_a_stage_that_was_killed_is_named(tmp_path, missing: str, code: str, text: str) -> None:
    """It left neither its part of the manifest nor a fault."""
    parts = {name: part for name, part in PARTS.items() if name != missing}
    document = concluded(tmp_path, **parts)
    assert document["verdict"] == "INCONCLUSIVE"
    assert any(reason["code"] == code and text in reason["text"] for reason in document["reasons"])


def test_a_fault_gives_its_own_reason(tmp_path) -> None:
    """The code that the stage raised, with its text."""
    fault = {"code": "target_unreachable", "text": "http://127.0.0.1:1/health: refused", "at": "2026-11-24T20:00:00Z"}
    document = concluded(tmp_path, faults={"preflight": fault})
    assert document["verdict"] == "INCONCLUSIVE"
    assert document["reasons"][0]["code"] == "target_unreachable"
    assert "refused" in document["reasons"][0]["text"]


def test_samples_that_could_not_be_written_are_no_basis(tmp_path) -> None:
    """A complete load whose requests are not all known is INCONCLUSIVE."""
    document = concluded(tmp_path, **{**PARTS, "load": LOAD | {"lost_samples": 41}})
    assert document["verdict"] == "INCONCLUSIVE"
    assert any(reason["code"] == "samples_unreadable" and "41" in reason["text"] for reason in document["reasons"])


def test_a_stress_test_needs_to_know_that_nothing_restarted(tmp_path) -> None:
    """A target that does not say when it started cannot pass it; other profiles only note it."""
    stress = load_profile(find_profile("stress_test"))
    for kind, is_named in (("unknown", True), ("joined", True), ("same", False)):
        document = concluded(tmp_path, profile_=stress, **PARTS, restart={"kind": kind, "text": "So it is."})
        assert any("whether the target crashed" in reason["text"] for reason in document["reasons"]) is is_named
    document = concluded(tmp_path, **PARTS, restart={"kind": "joined", "text": "So it is."})
    assert not any("crashed" in reason["text"] for reason in document["reasons"])


def test_a_generator_that_died_and_one_that_missed_users(tmp_path) -> None:
    """Both make the samples untrustworthy."""
    died = concluded(tmp_path / "a", [], **PARTS | {"load": LOAD | {"completed": False, "exit_code": -9}})
    assert (died["verdict"], died["reasons"][0]["code"]) == ("INCONCLUSIVE", "generator_died")
    half = concluded(tmp_path / "b", [], **PARTS | {"load": LOAD | {"reached_users": 5}})
    assert (half["verdict"], half["reasons"][0]["code"]) == ("INCONCLUSIVE", "load_not_achieved")


def test_refusals_by_a_limiter_name_it(tmp_path) -> None:
    """More than the profile's share of 429 answers: the test measured the limiter."""
    row = {"metric": "rejected_rate", "scope": "all", "phase": "hold", "value": 0.2, "n": 100}
    document = concluded(tmp_path, [row], **PARTS)
    assert (document["verdict"], document["reasons"][0]["code"]) == ("INCONCLUSIVE", "rate_limiter")


def test_nothing_judged_is_never_a_pass(tmp_path) -> None:
    """All stages left their parts, and still no limit was judged."""
    assert concluded(tmp_path, [], **PARTS)["verdict"] == "INCONCLUSIVE"


@pytest.mark.parametrize(("seconds", "expected"), [(3.1, ["stall"]), (3.0, []), (None, [])])
def test_a_stall_over_the_limit_is_a_warning_with_its_time(tmp_path, seconds: float | None, expected: list) -> None:
    """Profiles name the longest time without an answer that is no stall; smoke's is 3 s."""
    row = {"metric": "longest_stall_s", "scope": "all", "phase": "hold", "value": seconds, "n": 5}
    began = {"from": "2026-11-24T20:00:20.000000Z", "waiting": 9}
    ramp = row | began | {"phase": "ramp_up", "value": 60.0}
    document = concluded(tmp_path, [row | began, ramp], **PARTS)
    found = [reason for reason in document["reasons"] if reason["code"] == "stall"]
    assert [reason["code"] for reason in found] == expected
    for reason in found:
        assert "from 2026-11-24T20:00:20.000000Z nothing finished for 3.1 s, while 9 requests waited" in reason["text"]
        assert (reason["observed"], reason["limit"], reason["unit"]) == (3.1, PROFILE.stall_limit_s, "s")


ITALIAN = load_profile(find_profile("italian_market"))


def test_what_the_target_does_not_expose_is_a_warning_that_names_it(tmp_path) -> None:
    """It is never passed, and never a failure of the target either."""
    row = {"metric": "audit_query_s", "scope": "all", "phase": "hold", "value": None, "n": 0}
    document = concluded(tmp_path, [row | {"not_exposed": "GET /audit/events: HTTP 404"}], ITALIAN, **PARTS)
    found = [reason for reason in document["reasons"] if reason["code"] == "not_exposed"]
    assert [(reason["metric"], reason["text"]) for reason in found] == [
        ("audit_query_s", "audit_query_s: not exposed (GET /audit/events: HTTP 404)")
    ]
    document = concluded(tmp_path, [row | {"not_exposed": None}], ITALIAN, **PARTS)
    assert not any(reason["code"] == "not_exposed" for reason in document["reasons"])


@pytest.mark.parametrize(
    ("hits", "texts"),
    [([0, 0], ["simple_search_s: 2 of 2 searches found nothing"]), ([3, 0], ["simple_search_s: 1 of 2"]), ([3, 1], [])],
)
def test_a_search_that_finds_nothing_is_a_warning(tmp_path, hits: list[int], texts: list[str]) -> None:
    """Its time is met, and says little."""
    row = {"metric": "simple_search_s", "scope": "all", "phase": "hold", "value": 0.01, "n": 2, "hits": hits}
    document = concluded(tmp_path, [row, row | {"metric": "audit_query_s", "hits": None}], ITALIAN, **PARTS)
    found = [reason["text"] for reason in document["reasons"] if reason["code"] == "nothing_found"]
    assert len(found) == len(texts)
    assert all(text.startswith(start) for text, start in zip(found, texts, strict=True))


@pytest.mark.parametrize(
    ("scope", "limited"), [("scenario:documents_at_once", False), ("scenario:gdpr_export", True), ("all", False)]
)
def test_a_refusal_among_documents_at_once_is_no_limiter(tmp_path, scope: str, limited: bool) -> None:
    """There the target may refuse one; a 429 of any other requirement measured the limiter."""
    row = {"metric": "rejected_rate", "scope": scope, "phase": "hold", "value": 0.5, "n": 2}
    document = concluded(tmp_path, [row], ITALIAN, **PARTS)
    assert any(reason["code"] == "rate_limiter" for reason in document["reasons"]) is limited


def test_a_soak_that_knows_nothing_of_leaks_says_so(tmp_path) -> None:
    """Limits on growth only warn, so nothing else would tell that they were not judged; a measured one is fine."""
    bundle = Bundle(tmp_path / "soak-1")
    bundle.update_manifest(profile=PROFILE.model_dump(mode="json"), **PARTS)
    common = {"scope": "all", "phase": "hold", "level": "warning", "required": False, "comparator": "<=", "n": 0}
    unit = {"ci_low": None, "ci_high": None, "limit": 5.0, "unit": "%/h", "close": False}
    results = [
        SloResult(metric=metric, observed=observed, outcome=outcome, **common, **unit)
        for metric, observed, outcome in (
            ("redis_memory_growth_pct_per_h", 0.1, "met"),
            ("target_memory_growth_pct_per_h", None, "not_judged"),
        )
    ]
    reasons = {reason["code"]: reason["text"] for reason in conclude_run(bundle, PROFILE, results)["reasons"]}
    assert reasons["growth_unknown"] == "not measured: target_memory_growth_pct_per_h"
