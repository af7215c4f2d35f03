"""How many users: the largest steady load whose required limits were all judged and met, or "not known"."""

from typing import Any

import pytest

from include.loadtest.profile.costs import load_costs
from include.loadtest.reporting.capacity import capacity
from include.loadtest.reporting.reviewed_run import ReviewedRun
from tests.helpers.reviewed_runs import hold_row, reviewed, step

pytestmark = pytest.mark.unit
GOAL = "the 50 to 100 users of the goal of 25,000 euro ARR (about 50 active customers)"
STEPS = (step(25), step(50), step(75), step(100), step(125), step(150, "hold"), step(1, "recovery"))


def of(*runs: ReviewedRun) -> dict[str, Any]:
    return capacity(runs, load_costs().planned)


def stepped(
    broken: float | None, looked_up_to: int | None, verdict: str = "PASS", codes: tuple[str, ...] = ()
) -> ReviewedRun:
    rows = (
        hold_row("breaking_point_users", broken, looked_up_to=looked_up_to),
        hold_row("saturation_users", 75.0, looked_up_to=looked_up_to),
    )
    return reviewed("stress_test", verdict, rows=rows, stages=STEPS, codes=codes)


def test_the_largest_met_load_counts_with_its_verdict() -> None:
    """100 users met, so the whole range is carried."""
    found = of(reviewed("baseline"), reviewed("tax_deadline", "WARN"), reviewed("peak_hours"))
    carried = found["carried"]
    assert (carried["users"], carried["profile"], carried["verdict"]) == (100, "tax_deadline", "WARN")
    assert found["sentence"] == (
        f"It carries 100 users within every required limit (tax_deadline, {carried['hold_s'] / 60:.3g} min, WARN). "
        f"So it carries {GOAL}."
    )


def test_a_regression_still_carries_its_users() -> None:
    """Its limits held."""
    assert of(reviewed("peak_hours", "REGRESSION"))["carried"]["verdict"] == "REGRESSION"


@pytest.mark.parametrize(
    ("runs", "ending"),
    [
        ([("peak_hours", "PASS")], f"So it carries the lower end of {GOAL}; the upper one is not shown."),
        (
            [("peak_hours", "PASS"), ("tax_deadline", "SLA_BREACH")],
            f"So it carries the lower end of {GOAL}, and not the upper one.",
        ),
        ([("normal_day", "PASS"), ("peak_hours", "SLA_BREACH")], f"So {GOAL} are not served as promised."),
        (
            [("peak_hours", "SLA_BREACH"), ("tax_deadline", "PASS")],
            f"Whether it carries {GOAL} is not settled: no more users than these missed their limits too.",
        ),
        ([("normal_day", "PASS")], f"Whether it carries {GOAL} is not shown."),
        (
            [("normal_day", "PASS"), ("tax_deadline", "SLA_BREACH")],
            f"Whether it carries {GOAL} is not shown, and its upper end is not carried.",
        ),
        ([("peak_hours", None)], f"Whether it carries {GOAL} is not shown."),
        ([], f"Whether it carries {GOAL} is not shown."),
    ],
)
def test_the_plan_is_carried_only_where_runs_show_it(runs: list[tuple[str, str | None]], ending: str) -> None:
    """Both ends of the range, each met, missed or not shown."""
    assert of(*(reviewed(profile, verdict) for profile, verdict in runs))["sentence"].endswith(ending)


def test_missed_limits_are_named() -> None:
    """With users, profile and verdict."""
    sentence = of(reviewed("peak_hours", "SLA_BREACH", outcomes={"latency_p95_ms": "missed"}))["sentence"]
    assert sentence.startswith("Not known how many users it carries")
    assert "Limits were missed with 50 users (peak_hours, SLA_BREACH)." in sentence


@pytest.mark.parametrize(
    "run",
    [
        reviewed("peak_hours", "PASS", outcomes={"latency_p99_ms": "not_judged"}),
        reviewed("peak_hours", "INCONCLUSIVE", codes=("source_missing",)),
        reviewed("peak_hours", "ABORTED", codes=("operator",)),
        reviewed("peak_hours", "PASS", codes=("generator_starved",)),
        reviewed("peak_hours", None),
    ],
)
def test_what_was_not_judged_is_not_carried(run: ReviewedRun) -> None:
    """A required limit without a judgement, an invalid test, a cut one, none at all."""
    found = of(run)
    assert found["carried"] is None
    assert found["steady"][0]["limits"] == "not_known"


def test_a_limit_that_is_not_required_is_named_where_it_was_not_judged() -> None:
    """As the host's are where the generator shares it."""
    carried = of(reviewed("peak_hours", outcomes={"host_cpu_pct": "not_judged"}))["carried"]
    assert carried["not_judged"] == ["host_cpu_pct"]


def test_arrivals_and_checks_are_no_number_of_users() -> None:
    """Nor are steps and spikes: they are judged by something else."""
    by_schedule, by_checks = reviewed("peak_hours"), reviewed("peak_hours")
    by_schedule.entry.manifest["profile"]["arrival"] = {"rate_rpm": 100.0}  # type: ignore[index]
    by_checks.entry.manifest["profile"]["checks"] = [{"metric": "x"}]  # type: ignore[index]
    assert of(by_schedule, by_checks, reviewed("spike_test"), stepped(None, 150))["steady"] == []


def test_a_broken_step_leaves_the_one_before_within() -> None:
    """Broken at 125: 100 were within."""
    row = of(stepped(125.0, 150))["stepped"][0]
    assert row["largest_users_within"] == 100
    assert row["breaking_point_users"] == {"users": 125, "looked_up_to": 150}
    assert row["saturation_users"]["users"] == 75
    assert row["limits"]["p95_limit_ms"] > 0


def test_without_a_breaking_point_the_last_judged_step_was_within() -> None:
    """And where nothing could be judged it is not known; broken at once: none was."""
    assert of(stepped(None, 150))["stepped"][0]["largest_users_within"] == 150
    assert of(stepped(None, None))["stepped"][0]["largest_users_within"] is None
    assert of(stepped(25.0, 150))["stepped"][0]["largest_users_within"] is None


def test_an_automatic_stop_keeps_what_was_found_before_it() -> None:
    """The steps before it were whole; samples that cannot be trusted show nothing."""
    aborted = of(stepped(125.0, 125, "ABORTED", ("auto_stop_errors",)))["stepped"][0]
    assert aborted["breaking_point_users"]["users"] == 125
    starved = of(stepped(125.0, 150, "INCONCLUSIVE", ("generator_starved",)))["stepped"][0]
    assert starved["breaking_point_users"] == {"users": None, "looked_up_to": None}
    assert starved["largest_users_within"] is None


def test_the_analysis_of_a_stepped_load_comes_from_a_trusted_run_only() -> None:
    """A starved generator's steps say nothing about the target."""
    found = {"maximum": {"text": "predicted: 4,000 req/min"}, "plan": None}
    trusted = reviewed("capacity", stages=STEPS, diagnosis={"capacity": found})
    assert of(trusted)["stepped"][0]["analysis"] == found
    starved = reviewed(
        "capacity", "INCONCLUSIVE", stages=STEPS, codes=("generator_starved",), diagnosis={"capacity": found}
    )
    assert of(starved)["stepped"][0]["analysis"] is None
    assert of(reviewed("capacity", stages=STEPS))["stepped"][0]["analysis"] is None
