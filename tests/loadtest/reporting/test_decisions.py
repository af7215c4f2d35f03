"""A decision follows from figures, names them and its options; without such figures there is none."""

from typing import Any

import pytest

from include.loadtest.reporting.decision import Standing
from include.loadtest.reporting.decisions import NOTHING
from tests.helpers.planted_review import BUY, full_review, nothing_open
from tests.helpers.reviewed_runs import hold_row, reviewed, step
from tests.helpers.reviews import review_of

pytestmark = pytest.mark.unit
CARRIED = reviewed(
    "tax_deadline",
    rows=tuple(hold_row(name, 1.0) for name in ("host_cpu_pct", "host_memory_pct", "postgres_connections",
                                                "slow_queries_per_min")),
    stages=(step(100, "hold"),),
)  # fmt: skip


def decided(*runs: Any, standing: Standing | None = None) -> dict[str, dict[str, Any]]:
    made = review_of(*runs, standing=standing or nothing_open())
    return {one["id"]: one for one in made["decisions"]}


def test_nothing_is_decided_without_a_figure_that_asks_for_it() -> None:
    """All limits met with the planned users, all triggers measured, nothing open: it says so."""
    made = review_of(CARRIED, standing=nothing_open())
    assert made["decisions"] == []
    assert made["answer"]["decide"] == NOTHING


def test_all_kinds_in_the_order_of_what_concerns_users() -> None:
    """Each with its evidence, who decides, and doing nothing as its last option."""
    found = full_review()["decisions"]
    assert [one["id"] for one in found] == [
        *("regression", "capacity", "buy_cpu", "tickets", "limits_near", "not_measured", "growth", "baselines"),
    ]
    for one in found:
        assert one["evidence"]
        assert one["who"]
        assert one["options"][-1].startswith("Do nothing: ")
        assert len(one["options"]) >= 2


def test_a_date_is_named_only_where_the_calendar_has_one() -> None:
    """What the users need before a deadline; the rest has no date."""
    dates = {one["id"]: one["by"] for one in full_review()["decisions"]}
    assert dates["capacity"] == dates["buy_cpu"] == "IVA: deadline Tue 2027-03-16"
    assert {dates[name] for name in ("regression", "tickets", "growth", "baselines")} == {None}


def test_missed_limits_within_the_plan_ask_how_to_serve_it() -> None:
    """With no more users than planned; beyond the plan they ask nothing."""
    found = decided(CARRIED, reviewed("peak_hours", "SLA_BREACH", outcomes={"latency_p95_ms": "missed"}))
    assert found["capacity"]["evidence"] == ["limits missed with 50 users (peak_hours, peak_hours-1)"]
    assert "no run's diagnosis names a change" in found["capacity"]["options"][0]


def test_an_unknown_capacity_is_a_decision_too() -> None:
    """No steady run had all its limits judged and met."""
    found = decided(reviewed("peak_hours", "INCONCLUSIVE", codes=("generator_starved",)))
    assert found["capacity_unknown"]["evidence"][0].startswith("Not known how many users it carries")


def test_a_limit_that_is_near_shows_its_figure_and_room() -> None:
    """Observed, limit, and how far away."""
    found = decided(CARRIED, reviewed("peak_hours", "WARN", outcomes={"latency_p95_ms": "near"}))
    assert found["limits_near"]["evidence"] == ["peak_hours: latency_p95_ms 1 ms, limit < 5,000 ms (100.0 % away)"]


def test_without_a_history_it_is_said_what_is_not_known() -> None:
    """Whether or not other figures ask for a decision."""
    down = Standing(None, "the history gave no answer")
    unknown = "What is open in the history is not known: the history gave no answer."
    assert review_of(CARRIED, standing=down)["answer"]["decide"] == f"{NOTHING} {unknown}"
    assert review_of(reviewed("peak_hours"), standing=down)["answer"]["decide"].endswith(unknown)


def test_a_purchase_has_the_price_that_the_answer_has() -> None:
    """Of this machine's part, not of the cost file's example, which may be another one."""
    unknown = "not known (EUR 50-100 a month for 2 cores → 4 cores)"
    buy = BUY | {"current": "8 cores", "recommended": "16 cores", "cost": unknown}
    run = reviewed("peak_hours", rows=(hold_row("host_cpu_pct", 82.0),), stages=(step(50, "hold"),),
                   diagnosis={"recommendations": [buy]})  # fmt: skip
    made = review_of(run, standing=nothing_open())
    assert made["decisions"][0]["question"] == f"Is CPU bought (8 cores → 16 cores; cost: {unknown})?"
    assert f"8 cores → 16 cores, {unknown}" in made["answer"]["buy"]


@pytest.mark.parametrize(
    "run",
    [
        reviewed("peak_hours", "INCONCLUSIVE", codes=("generator_died",), outcomes={"error_rate": "not_judged"}),
        reviewed("peak_hours", "ABORTED", codes=("operator",), outcomes={"error_rate": "not_judged"}),
        reviewed("peak_hours", manifest={"target": {"name": "pratikoai", "shares_host": True}},
                 outcomes={"host_cpu_pct": "not_judged"}),
    ],
    ids=["not trusted", "cut short", "shared host"],
)  # fmt: skip
def test_a_limit_that_no_source_would_make_judged_asks_for_none(run: Any) -> None:
    """A run that says nothing, or not all, is repeated; a shared host stays shared."""
    assert any(slo["outcome"] == "not_judged" for slo in run.slos)
    assert "not_measured" not in decided(CARRIED, run)


def test_without_a_whole_run_nobody_knows_what_is_measured() -> None:
    """Then no source is asked for, though no trigger has a figure."""
    found = decided(reviewed("peak_hours", "INCONCLUSIVE", codes=("generator_died",)))
    assert list(found) == ["capacity_unknown"]


def test_what_a_whole_run_did_not_measure_is_asked_for() -> None:
    """The limit and the purchase's trigger."""
    evidence = decided(reviewed("peak_hours", outcomes={"error_rate": "not_judged"}))["not_measured"]["evidence"]
    assert evidence[0] == "peak_hours: error_rate, limit not judged"
    assert "host_cpu_pct: the trigger of CPU" in evidence
