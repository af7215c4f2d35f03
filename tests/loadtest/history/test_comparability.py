"""What makes two runs comparable."""

from typing import Any

import pytest

from include.loadtest.history.comparability import comparability, comparability_key, differing_fields
from include.loadtest.profile import Overrides, Profile, find_profile, load_profile
from include.loadtest.profile.suites import load_suite, suite_names

pytestmark = pytest.mark.unit


def key(profile: Profile, manifest: dict[str, Any], **environment: Any) -> str:
    return comparability_key(
        comparability(profile, {**manifest, "environment": {**manifest["environment"], **environment}})
    )


def test_what_is_compared_and_what_cannot_matter_leaves_the_key(profile: Profile, manifest: dict[str, Any]) -> None:
    """Application version, limits, seed, a page of memory, a few more rows."""
    own = key(profile, manifest)
    assert own == key(profile, manifest, app_version="2.0", migration_head="abc")
    assert own == key(profile.model_copy(update={"slos": (), "seed": 7, "warning_margin": 0.2}), manifest)
    assert own == key(profile, manifest, row_counts={"user": 200, "query_history": 4000})
    assert own == key(profile, manifest, generator_host={"cpu_count": 2, "cpu_model": "x", "memory_bytes": 8 * 1024**3})


@pytest.mark.parametrize(
    "environment",
    [
        {"row_counts": {"user": 200, "query_history": 30_000}},
        {"row_counts": None},
        {"postgres": {"server_version": "18.1", "max_connections": "200"}},
        {"redis": {"version": "7.2"}},
        {"hardware": {"cores": 8}},
        {"generator_host": {"cpu_count": 4, "cpu_model": "x", "memory_bytes": 8 * 1024**3}},
    ],
)
def test_other_conditions_change_the_key(
    profile: Profile, manifest: dict[str, Any], environment: dict[str, Any]
) -> None:
    """Size of the data, server settings, hardware."""
    assert key(profile, manifest) != key(profile, manifest, **environment)


def test_overrides_and_targets_change_the_key(profile: Profile, manifest: dict[str, Any]) -> None:
    """Users, duration, target; an override with the profile's own value does not."""
    smoke = find_profile("smoke")
    own = key(profile, manifest)
    assert own != key(load_profile(smoke, Overrides(users=20)), manifest)
    assert own != key(load_profile(smoke, Overrides(duration_s=90)), manifest)
    assert own == key(load_profile(smoke, Overrides(duration_s=profile.duration_s)), manifest)
    assert own != key(profile, {**manifest, "target": {"name": "staging"}})


def test_an_unknown_environment_has_a_key(profile: Profile) -> None:
    """A run that ended before the environment was known is kept as well."""
    content = comparability(profile, {})
    assert (content["target"], content["size_band"], content["generator"]) == (None, None, None)
    assert len(comparability_key(content)) == 32


@pytest.mark.parametrize(("rows", "band"), [(0, 2), (999, 2), (1000, 3), (9999, 3), (10_000, 4)])
def test_size_bands_are_powers_of_ten(profile: Profile, rows: int, band: int) -> None:
    """Below a thousand rows there is one band."""
    content = comparability(profile, {"environment": {"row_counts": {"user": rows}}})
    assert content["size_band"] == band


def test_differing_fields_are_named_with_both_values() -> None:
    """Nested fields by their dotted name, a missing one as None."""
    current = {"users": 10, "server_settings": {"postgres": {"work_mem": "4MB"}}, "target": "a"}
    other = {"users": 10, "server_settings": {"postgres": {"work_mem": "8MB"}}}
    assert differing_fields(current, other) == [
        {"field": "server_settings.postgres.work_mem", "current": "4MB", "other": "8MB"},
        {"field": "target", "current": "a", "other": None},
    ]


@pytest.mark.parametrize("name", suite_names())
def test_a_suites_run_has_the_key_of_a_single_run_of_equal_numbers(name: str, manifest: dict[str, Any]) -> None:
    """Also where the single run gets them as overrides; a run that the suite shortens has not the key of the full."""
    within = {**manifest, "suite": name, "suite_run_id": f"{name}-1"}
    for entry in load_suite(name).runs:
        own = key(entry.load(), within)
        full = load_profile(find_profile(entry.profile))
        by_hand = load_profile(find_profile(entry.profile), Overrides(entry.users, entry.duration_s))
        assert own == key(by_hand, manifest)
        assert (own == key(full, manifest)) == (
            (entry.users or full.users, entry.duration_s or full.duration_s) == (full.users, full.duration_s)
        )


def test_what_defines_a_shapes_figures_changes_the_key(profile: Profile, manifest: dict[str, Any]) -> None:
    """When a spike counts as recovered decides what recovery_time_s means; a steady load has nothing of the kind."""
    spike = load_profile(find_profile("spike_test"))
    assert spike.recovery is not None
    recovery = spike.recovery.model_copy(update={"windows": spike.recovery.windows + 1})
    changed = spike.model_copy(update={"shape": spike.shape.model_copy(update={"recovery": recovery})})
    assert key(spike, manifest) != key(changed, manifest)
    assert "breaking_point" in comparability(load_profile(find_profile("stress_test")), manifest)
    assert not {"recovery", "breaking_point"} & set(comparability(profile, manifest))


def test_checks_are_part_of_the_load_where_there_are_any(manifest: dict[str, Any]) -> None:
    """More attempts, or larger documents, are another load; other profiles keep the key of earlier releases."""
    italian = load_profile(find_profile("italian_market"))
    assert italian.checks is not None
    fewer = italian.model_copy(update={"checks": italian.checks.model_copy(update={"bulk_items": 99})})
    assert key(italian, manifest) != key(fewer, manifest)
    assert "checks" not in comparability(load_profile(find_profile("smoke")), manifest)


def test_runs_of_another_number_of_generators_are_not_compared() -> None:
    """What is left out means one, so the key of earlier releases stays."""
    own, other = (
        comparability(load_profile(find_profile("smoke"), Overrides(generators=count)), {}) for count in (None, 2)
    )
    assert "generators" not in own
    assert differing_fields(own, other) == [{"field": "generators", "current": 1, "other": 2}]
