"""Nothing is recommended without a trigger that a measured mean crossed, with no more users than planned."""

from typing import Any

import pytest

from include.loadtest.profile.costs import load_costs
from include.loadtest.reporting.advice import advised_changes, purchase_sentence, recommendations
from include.loadtest.reporting.reviewed_run import ReviewedRun
from tests.helpers.reviewed_runs import hold_row, reviewed, step

pytestmark = pytest.mark.unit


def bought(component: str) -> dict[str, Any]:
    """What a diagnosis whose first cause asks for a part says."""
    part = {"current": "2 cores", "recommended": "4 cores", "cost": "€50-100/month"}
    return {"id": "scale", "component": component, "purchase": "now", "documents_assumption": "40%", **part}


def run_with(
    profile: str = "peak_hours",
    users: int = 50,
    target: str = "pratikoai",
    buys: tuple[str, ...] = ("CPU", "Database"),
    **values: float,
) -> ReviewedRun:
    rows = tuple(hold_row(metric, value) for metric, value in values.items())
    diagnosis = {"recommendations": [bought(component) for component in buys]}
    return reviewed(profile, rows=rows, stages=(step(users, "hold"),), target=target, diagnosis=diagnosis)


def advice_on(*runs: ReviewedRun) -> dict[str, dict[str, Any]]:
    return {entry["component"]: entry for entry in recommendations(runs, load_costs())}


def test_a_crossed_trigger_recommends_the_documents_part() -> None:
    """With the mean, the run, the price and the document's assumption."""
    cpu = advice_on(run_with(host_cpu_pct=82.0))["CPU"]
    assert cpu["state"] == "recommended"
    assert cpu["cost_eur_a_month"] == {"low": 50, "high": 100}
    assert cpu["documents_assumption"] == "40% performance gain"
    observed = {
        "run_id": "peak_hours-1", "profile": "peak_hours", "users": 50, "value": 82.0, "n": 120, "cause_found": True,
        "judged": True,
    }  # fmt: skip
    assert cpu["triggers"][0]["decisive"] == observed
    assert purchase_sentence([cpu]) == (
        "Buy CPU (2 cores → 4 cores, €50-100/month): host_cpu_pct 82 % in peak_hours with 50 users, trigger > 70 %."
    )


def test_exactly_the_threshold_does_not_cross_it() -> None:
    """The document says: above."""
    assert advice_on(run_with(host_cpu_pct=70.0))["CPU"]["state"] == "not_needed"
    assert advice_on(run_with(host_cpu_pct=70.1))["CPU"]["state"] == "recommended"


def test_a_level_without_a_bottleneck_behind_it_buys_nothing() -> None:
    """The trigger is crossed and no diagnosis asks for the part: told as such, with the run."""
    cpu = advice_on(run_with(buys=(), host_cpu_pct=82.0))["CPU"]
    assert (cpu["state"], cpu["advised"], cpu["triggers"][0]["state"]) == ("no_cause", None, "crossed_without_cause")
    assert purchase_sentence([cpu]) == (
        "No purchase is recommended. CPU: nothing to buy now, since no diagnosis names it as the bottleneck "
        "(host_cpu_pct 82 % in peak_hours with 50 users, trigger > 70 %)."
    )
    both = advice_on(run_with(buys=(), host_cpu_pct=95.0), run_with("tax_deadline", host_cpu_pct=75.0))["CPU"]
    assert (both["state"], both["triggers"][0]["decisive"]["profile"]) == ("recommended", "tax_deadline")
    unlike = advice_on(run_with(buys=("Memory",), host_cpu_pct=82.0))["CPU"]
    assert unlike["state"] == "no_cause"


def test_a_stress_beyond_the_plan_is_no_reason_to_buy() -> None:
    """Only 150 users crossed it; with a run of the plan crossed too, that run is named."""
    beyond = run_with("stress_test", 150, host_cpu_pct=97.0)
    cpu = advice_on(run_with(host_cpu_pct=45.0), beyond)["CPU"]
    assert cpu["state"] == "beyond_plan"
    assert cpu["triggers"][0]["decisive"]["users"] == 150
    assert purchase_sentence([cpu]).startswith("No purchase is recommended. CPU runs short only with more users")
    both = advice_on(run_with(host_cpu_pct=75.0), beyond)["CPU"]
    assert (both["state"], both["triggers"][0]["decisive"]["users"]) == ("recommended", 50)


def test_fewer_users_than_planned_show_that_nothing_is_needed_for_themselves_only() -> None:
    """A single user does not fill a CPU."""
    cpu = advice_on(run_with("baseline", 1, host_cpu_pct=5.0))["CPU"]
    assert (cpu["state"], cpu["triggers"][0]["state"]) == ("not_known", "too_few_users")
    assert "measured with fewer users than planned" in purchase_sentence([cpu])


def test_a_shared_host_is_shown_and_not_judged() -> None:
    """Its CPU and memory are the generator's too; the database's connections are not."""
    advice = advice_on(run_with(target="demo", host_cpu_pct=99.0, host_memory_pct=95.0, postgres_connections=90.0))
    assert {name: entry["state"] for name, entry in advice.items()} == {
        "CPU": "not_known",
        "Memory": "not_known",
        "Database": "recommended",
    }
    trigger = advice["CPU"]["triggers"][0]
    assert (trigger["state"], trigger["decisive"]["value"], trigger["decisive"]["judged"]) == (
        "not_judged",
        99.0,
        False,
    )


def test_a_metric_that_nothing_measured_recommends_nothing() -> None:
    """Without a reading of slow queries: few connections alone do not show that the database is large enough."""
    database = advice_on(run_with(postgres_connections=30.0))["Database"]
    assert [trigger["state"] for trigger in database["triggers"]] == ["not_crossed", "not_measured"]
    assert database["state"] == "not_known"
    assert purchase_sentence([database]) == (
        "No purchase is recommended. Not known: Database (slow_queries_per_min not measured)."
    )
    assert {entry["state"] for entry in advice_on().values()} == {"not_known"}


def test_a_row_without_a_value_is_not_measured() -> None:
    """A null is no zero."""
    rows = (hold_row("host_cpu_pct", None),)
    assert advice_on(reviewed("peak_hours", rows=rows))["CPU"]["triggers"][0]["state"] == "not_measured"


@pytest.mark.parametrize(("verdict", "code"), [("ABORTED", "operator"), ("INCONCLUSIVE", "generator_starved")])
def test_cut_and_invalid_runs_trigger_nothing(verdict: str, code: str) -> None:
    """Their means are of another load."""
    run = reviewed("peak_hours", verdict, rows=(hold_row("host_cpu_pct", 99.0),), codes=(code,))
    assert advice_on(run)["CPU"]["triggers"][0]["observations"] == []


def test_what_is_not_needed_is_said() -> None:
    """Once the planned users were there."""
    advice = list(advice_on(run_with(host_cpu_pct=40.0, host_memory_pct=40.0)).values())
    assert purchase_sentence(advice[:2]) == "No purchase is recommended. Not needed: CPU, Memory."


ENTRY = {"id": "pool_size", "recommended": "7 connections", "purchase": None}


def test_changes_of_the_runs_diagnoses_are_told_once() -> None:
    """The same change of two runs with the first profile; what the cost file sells is judged from all runs instead."""
    told = {"id": "read_replicas", "recommended": "nothing to buy now", "purchase": "not_now"}
    runs = [
        reviewed("peak_hours", diagnosis={"recommendations": [ENTRY, bought("CPU"), told]}),
        reviewed("tax_deadline", diagnosis={"recommendations": [ENTRY, ENTRY | {"recommended": "9 connections"}]}),
    ]
    assert [(one["profile"], one["recommended"]) for one in advised_changes(runs)] == [
        ("peak_hours", "7 connections"),
        ("tax_deadline", "9 connections"),
    ]


def test_a_run_that_is_not_whole_recommends_nothing() -> None:
    """Its load was ended early; nor does one without a diagnosis."""
    runs = [reviewed("peak_hours", "ABORTED", diagnosis={"recommendations": [ENTRY]}), reviewed("baseline")]
    assert advised_changes(runs) == []
