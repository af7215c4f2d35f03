"""Recommendations have the specification's form, the best cause's first, and nothing without evidence."""

import pytest

from include.loadtest.analysis.recommendations import recommend
from include.loadtest.analysis.recommendations.advice import check_causes
from include.loadtest.analysis.recommendations.facts import Facts
from include.loadtest.analysis.recommendations.pool import Pool
from include.loadtest.causes import CAUSES
from include.loadtest.errors import ConfigError
from include.loadtest.profile import find_profile, load_profile
from include.loadtest.profile.costs import load_costs
from include.loadtest.profile.optimisations import Evidence, Optimisation, Optimisations, load_optimisations
from tests.loadtest.analysis.recommendations.conftest import cause, diagnosis, hold_metrics

pytestmark = pytest.mark.unit
PROFILE = load_profile(find_profile("peak_hours"))
FORM = {"id", "component", "current", "recommended", "priority", "cost", "effort", "improvement", "trigger"}


def advised(*causes: dict, facts: Facts | None = None, metrics: dict | None = None, **parts) -> dict[str, dict]:
    """Entries by id, in their order."""
    found = recommend(
        diagnosis(*causes, **parts),
        hold_metrics(**(metrics or {})),
        load_costs(),
        load_optimisations(),
        PROFILE,
        facts=facts,
    )
    return {entry["id"]: entry for entry in found}


def test_a_healthy_run_gets_no_advice() -> None:
    """No cause, no trigger, no figure."""
    facts = Facts(figures={"cache_hits": 90.0, "cache_misses": 10.0, "keys_expired": 5.0})
    assert advised(facts=facts, metrics={"host_cpu_pct": 40.0, "host_memory_pct": None}) == {}


def test_an_entry_has_the_specifications_form() -> None:
    """With the cost as the document writes it, and its gain apart from ours."""
    entry = advised(metrics={"host_memory_pct": 85.0})["scale_memory"]
    assert set(entry) >= FORM
    assert (entry["component"], entry["current"], entry["recommended"]) == ("Memory", "4GB RAM", "8GB RAM")
    assert (entry["priority"], entry["cost"], entry["effort"]) == ("HIGH", "€30-60/month", "LOW")
    assert entry["improvement"] == "not estimated"
    assert entry["documents_assumption"] == "35% performance gain"
    assert entry["trigger"] == "host_memory_pct 85 % on average, more than 80"


def test_the_best_cause_comes_first_then_the_priority() -> None:
    """A full pool before a slow LLM, whatever the file's order."""
    facts = Facts(pool=Pool(2, 2.0, 3.8, 3.5, 4.2, 400.0))
    found = advised(cause("database_connections"), cause("llm_slow"), facts=facts)
    assert list(found) == ["pool_size", "llm_caching"]
    assert [entry["cause"] for entry in found.values()] == ["database_connections", "llm_slow"]
    assert found["pool_size"]["cost"] == "no purchase"
    assert found["pool_size"]["improvement_range"]["model"] == "Amdahl"


def test_a_cause_whose_condition_was_not_measured_gives_no_entry() -> None:
    """The pool's figures are missing: its size is not advised."""
    assert advised(cause("database_connections")) == {}


@pytest.mark.parametrize("name", sorted(set(CAUSES) - {"database_connections", "cache_misses", "cache_evictions"}))
def test_every_other_cause_has_an_answer_without_further_figures(name: str) -> None:
    """What to do is said even where only the diagnosis is there."""
    found = advised(cause(name, statement="SELECT 1", plan=None))
    assert found, name
    assert all(entry["cause"] == name for entry in found.values())


def test_the_same_advice_is_told_once() -> None:
    """An entry with `same_as` is told under the other id."""
    found = advised(cause("cpu"))
    assert "autoscale_pods" in found
    assert "autoscale_metrics" not in found


def test_an_unknown_cause_in_the_file_is_an_error() -> None:
    """With the near one."""
    wrong = Optimisation(
        id="x", text="X", source="own", component="X", priority="LOW", effort="LOW",
        evidence=Evidence(causes=("lock",)),
    )  # fmt: skip
    with pytest.raises(ConfigError, match="unknown cause 'lock'; did you mean locks"):
        check_causes(Optimisations(entries=(wrong,)))
