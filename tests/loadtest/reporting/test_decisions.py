"""A decision follows from figures, names them and its options; without such figures there is none."""

from typing import Any

import pytest

from include.loadtest.reporting.decisions import MOST_EVIDENCE, NOTHING, Standing
from tests.helpers.planted_review import full_review, nothing_open, open_things
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


def test_a_regression_is_of_this_suite_or_still_open() -> None:
    """Both are named once, with their runs."""
    found = decided(CARRIED, reviewed("normal_day", "REGRESSION", codes=("regression",)),
                    standing=open_things(tickets=[], baselines=[]))["regression"]  # fmt: skip
    assert found["evidence"] == [
        "normal_day: not accepted since 2027-02-24 04:05:06 UTC (normal_day-7)",
        "normal_day: because of regression (normal_day-1)",
    ]


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


def test_a_weekly_suite_that_is_silent_is_asked_about() -> None:
    """After more days than the threshold, or if it never came to a verdict; not before."""
    silent = {"suites": [{"suite": "weekly", "last_verdict": "2027-02-01T04:05:06.000000Z"}], "tickets": []}
    found = decided(CARRIED, standing=open_things(**silent, regressions=[], baselines=[]))["weekly_silent"]
    assert found["evidence"] == ["weekly on pratikoai: last verdict 2027-02-01 04:05:06 UTC, 28 days ago"]
    never = decided(CARRIED, standing=open_things(suites=[], tickets=[], regressions=[], baselines=[]))
    assert never["weekly_silent"]["evidence"] == ["weekly on pratikoai: it never came to a verdict"]
    assert "weekly_silent" not in decided(CARRIED)


def test_without_a_history_it_is_said_what_is_not_known() -> None:
    """Whether or not other figures ask for a decision."""
    down = Standing(None, "the history gave no answer")
    unknown = "What is open in the history is not known: the history gave no answer."
    assert review_of(CARRIED, standing=down)["answer"]["decide"] == f"{NOTHING} {unknown}"
    assert review_of(reviewed("peak_hours"), standing=down)["answer"]["decide"].endswith(unknown)


def test_much_evidence_is_counted() -> None:
    """The rest stands in the tables."""
    ticket = open_things().document["tickets"][0]  # type: ignore[index]
    found = decided(CARRIED, standing=open_things(tickets=[ticket] * 20, regressions=[], baselines=[]))["tickets"]
    assert len(found["evidence"]) == MOST_EVIDENCE + 1
    assert found["evidence"][-1] == "and 12 more"
    assert found["evidence"][0].startswith("own/er#12: latency_p95_ms of peak_hours (all), open since")
