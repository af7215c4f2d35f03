"""Recommendations have the specification's form, the best cause's first, and nothing without evidence."""

import pytest

from include.loadtest.analysis.recommendations import recommend
from include.loadtest.analysis.recommendations.advice import check_causes
from include.loadtest.analysis.recommendations.facts import WHOLE_HOLD, Facts
from include.loadtest.analysis.recommendations.pool import Pool
from include.loadtest.causes import CAUSES
from include.loadtest.errors import ConfigError
from include.loadtest.profile.costs import load_costs
from include.loadtest.profile.optimisations import Evidence, Optimisation, Optimisations, load_optimisations
from tests.loadtest.analysis.recommendations.conftest import cause, diagnosis, hold_metrics

pytestmark = pytest.mark.unit
UNEXPLAINED = Facts(figures={"cache_hits": 1.0, "cache_misses": 9.0, "keys_expired": 0.0})
FORM = {"id", "component", "current", "recommended", "priority", "cost", "effort", "improvement", "trigger"}


def advised(*causes: dict, facts: Facts | None = None, metrics: dict | None = None, **parts) -> dict[str, dict]:
    """Entries by id, in their order; the facts are those of the hold and of every cause."""
    names = [WHOLE_HOLD, *(one["cause"] for one in causes)]
    found = recommend(
        diagnosis(*causes, **parts),
        hold_metrics(**(metrics or {})),
        load_costs(),
        load_optimisations(),
        facts=dict.fromkeys(names, facts or Facts()),
    )
    return {entry["id"]: entry for entry in found}


def test_a_healthy_run_gets_no_advice() -> None:
    """No cause, no trigger, no figure."""
    facts = Facts(figures={"cache_hits": 90.0, "cache_misses": 10.0, "keys_expired": 5.0})
    assert advised(facts=facts, metrics={"host_cpu_pct": 40.0, "host_memory_pct": None}) == {}


def test_an_entry_has_the_specifications_form() -> None:
    """With the cost as the document writes it, and its gain apart from ours."""
    facts = Facts(figures={"host_memory_bytes": 3.8 * 2**30})
    entry = advised(cause("memory"), facts=facts, metrics={"host_memory_pct": 86.0})["scale_memory"]
    assert set(entry) >= FORM
    assert (entry["component"], entry["current"], entry["recommended"]) == ("Memory", "4 GiB RAM", "8GB RAM")
    assert (entry["priority"], entry["cost"], entry["effort"]) == ("HIGH", "€30-60/month", "LOW")
    assert entry["improvement"] == "not estimated"
    assert entry["documents_assumption"] == "35% performance gain"
    assert entry["trigger"] == "host_memory_pct 86 % on average over the hold, more than 80"
    assert (entry["purchase"], entry["cause"]) == ("now", "memory")


def test_the_best_cause_comes_first_then_the_priority() -> None:
    """A full pool before a slow LLM, whatever the file's order."""
    facts = Facts(pool=Pool(2, 2.0, 3.8, 3.5, 4.2, 400.0, 380.0, 350.0, 390.0))
    found = advised(cause("database_connections"), cause("llm_slow"), facts=facts)
    assert list(found) == ["pool_size", "llm_caching"]
    assert [entry["cause"] for entry in found.values()] == ["database_connections", "llm_slow"]
    assert found["pool_size"]["cost"] == "no purchase"
    assert found["pool_size"]["improvement_range"]["model"] == "M/M/n"


def test_a_consequence_gets_no_advice() -> None:
    """A blocked loop makes the calls of the LLM look slow: the diagnosis says so, and the LLM needs no change."""
    consequence = cause("llm_slow") | {"explained_by": "event_loop"}
    assert "llm_caching" not in advised(cause("event_loop"), consequence)
    assert "llm_caching" in advised(cause("event_loop"), cause("llm_slow"))


def test_figures_are_those_of_the_causes_own_time() -> None:
    """Not those of the whole hold, which the diagnosis does not speak of."""
    hold = Facts(figures={"app_processes": 1.0, "host_cores": 2.0})
    since = Facts(figures={"app_processes": 3.0, "host_cores": 8.0})
    args = (diagnosis(cause("event_loop")), hold_metrics(), load_costs(), load_optimisations())
    found = {one["id"]: one for one in recommend(*args, facts={WHOLE_HOLD: hold, "event_loop": since})}
    assert found["more_workers"]["current"] == "3 processes on a machine of 8 cores"


@pytest.mark.parametrize(
    ("found", "parts", "why"),
    [
        ([], {}, "no bottleneck was seen"),
        ([], {"state": "not_known"}, "the cause is not known"),
        ([cause("locks")], {}, "the bottleneck is another (locks)"),
        ([cause("llm_slow"), cause("slow_queries", plan="Index Scan using a on b")], {}, "another (slow LLM)"),
        ([cause("slow_queries", plan="Seq Scan on b")], {}, "first look at the slow statement, its plan and an index"),
        ([cause("slow_queries")], {}, "first look at the slow statement, its plan and an index"),
    ],
)
def test_a_crossed_trigger_without_its_cause_buys_nothing(found: list[dict], parts: dict, why: str) -> None:
    """It is told, last, and with no price."""
    entries = advised(*found, metrics={"slow_queries_per_min": 30.0}, **parts)
    entry = entries["read_replicas"]
    assert entry["recommended"].startswith("nothing to buy now: ")
    assert why in entry["recommended"]
    assert (entry["purchase"], entry["cost"], entry["documents_assumption"]) == ("not_now", "no purchase", None)
    assert entry["trigger"] == "slow_queries_per_min 30 queries/min on average over the hold, more than 10"
    assert list(entries)[-1] == "read_replicas"


def test_replicas_are_for_statements_that_no_index_makes_quicker() -> None:
    """First cause slow queries, its plan known and without a whole read, and the trigger crossed."""
    slow = cause("slow_queries", plan="Index Scan using a on b")
    entry = advised(slow, metrics={"slow_queries_per_min": 30.0})["read_replicas"]
    assert (entry["purchase"], entry["cost"]) == ("now", "€100-200/month")
    assert entry["current"] == "Single PostgreSQL instance (as in costs.yaml)"
    assert "read_replicas" not in advised(slow), "no trigger"


def test_what_is_bought_without_a_known_price_says_so() -> None:
    """A larger generator costs something."""
    assert advised(cause("generator"))["larger_generator"]["cost"] == "not known"
    assert advised(cause("disk"))["fewer_disk_writes"]["cost"] == "not known"


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
