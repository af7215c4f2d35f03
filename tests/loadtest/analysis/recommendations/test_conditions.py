"""Each condition of optimisations.yaml holds where it was measured, and only there."""

from typing import get_args

import pytest

from include.loadtest.analysis.recommendations.case import Detail
from include.loadtest.analysis.recommendations.conditions import CONDITIONS
from include.loadtest.analysis.recommendations.facts import Facts
from include.loadtest.profile.optimisations import Condition
from tests.loadtest.analysis.recommendations.conftest import case_of, cause

pytestmark = pytest.mark.unit


def test_every_condition_has_its_test() -> None:
    """The file cannot name one that does not exist."""
    assert set(CONDITIONS) == set(get_args(Condition))


def found(condition: Condition, *causes: dict, facts: Facts | None = None, **parts) -> Detail | None:
    case = case_of(*causes, facts=facts, **parts)
    return CONDITIONS[condition](case, causes[0] if causes else None)


LOOKUPS = {"cache_hits": 40.0, "cache_misses": 60.0}


@pytest.mark.parametrize(
    ("figures", "holds"),
    [
        ({"keys_expired": 50.0, "cache_flushes": 0.0, "keys_evicted": 0.0}, {"keys_expire"}),
        ({"keys_expired": 50.0, "cache_flushes": 1.0, "keys_evicted": 0.0}, {"cache_flushed"}),
        ({"keys_expired": 0.0, "cache_flushes": 0.0, "keys_evicted": 0.0}, {"misses_not_explained"}),
        ({"keys_expired": 0.0, "cache_flushes": 0.0, "keys_evicted": 7.0}, {"keys_evicted"}),
        ({}, set()),
    ],
)
def test_misses_have_one_explanation(figures: dict[str, float], holds: set[str]) -> None:
    """What expires, what was emptied, what had no room, or none of it; nothing without its counters."""
    names: tuple[Condition, ...] = ("keys_expire", "cache_flushed", "keys_evicted", "misses_not_explained")
    facts = Facts(figures=LOOKUPS | figures)
    assert {name for name in names if found(name, cause("cache_misses"), facts=facts) is not None} == holds


def test_evictions_name_the_limit() -> None:
    """And the room that is missing; or that it is not known. 128 MiB of 65,536 keys are 2 KiB each: 512 take 1 MiB."""
    sizes = {"cache_limit_bytes": 128 * 2**20, "cache_used_bytes": 128 * 2**20, "cache_keys": 65_536.0}
    facts = Facts(figures={"keys_evicted": 512.0, **sizes}, seconds=40.0)
    detail = found("keys_evicted", cause("cache_evictions"), facts=facts)
    assert detail is not None
    assert detail.current == "the cache's limit is 128 MiB, 128 MiB were used at most"
    assert detail.recommended == (
        "the keys that were thrown away have to fit, "
        "which takes at most 1.0 MiB for those of these 40 s (2.0 KiB a key)"
    )
    unlimited = found("keys_evicted", cause("cache_evictions"), facts=Facts(figures={"keys_evicted": 9.0}))
    assert unlimited is not None
    assert "limit is not known" in unlimited.current


def test_redis_has_one_core_for_its_commands() -> None:
    """0.75 of it, not 0.5: as the diagnosis judges a process of the application."""
    slow = cause("cache_slow")
    assert found("redis_cpu_used_up", slow, facts=Facts(figures={"redis_cpu_cores": 0.75})) is not None
    assert found("redis_cpu_used_up", slow, facts=Facts(figures={"redis_cpu_cores": 0.5})) is None


def test_what_nobody_sees_has_to_be_measured() -> None:
    """Symptoms without a cause; time in no layer; memory without a reading. A healthy run has none of them."""
    symptom = {"kind": "slow", "text": "P95 rose", "since": None}
    assert found("cause_not_known", state="not_known", symptoms=[symptom]) is not None
    assert found("cause_not_known", state="not_known") is None
    budget = [{"layer": "elsewhere", "ms_per_request": 800.0, "share": 0.8}]
    assert found("time_elsewhere", state="not_known", time_budget=budget) is not None
    assert found("time_elsewhere", time_budget=budget) is None
    assert found("time_elsewhere", cause("llm_slow"), time_budget=budget) is None, "its cause is known"
    unread = {"host_memory_pct": None}
    assert found("memory_not_measured", state="not_known", metrics=unread) is not None
    assert found("memory_not_measured", metrics=unread) is None
    assert found("memory_not_measured", cause("locks"), metrics=unread) is None, "its cause is known"
    assert found("memory_not_measured", state="not_known", metrics={"host_memory_pct": 50.0}) is None
