"""A figure run by run: every run but repeats is there, apart by comparability key, with what people noted."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine, event

from include.loadtest.errors import ConfigError, InfrastructureError
from include.loadtest.history import baselines
from include.loadtest.history.database import connect
from include.loadtest.history.series import (
    Question,
    read_baselines,
    read_changes,
    read_figures,
    read_series,
    read_subjects,
)
from tests.helpers.trend_runs import NOW, add_run, fill, row

pytestmark = pytest.mark.integration
P95 = Question("smoke", "demo", "latency_p95_ms", "all", "hold")


def test_a_series_a_key_the_newest_first(url: str) -> None:
    """Each from its oldest run to its newest, whatever their verdicts; a run without the figure has no value."""
    ten, five = read_series(fill(url), P95)
    assert [point.run_id for point in ten.points[:4]] == [
        *("smoke-breach", "smoke-regression", "smoke-aborted", "smoke-0")
    ]
    assert (ten.points[2].verdict, ten.points[2].value, ten.points[2].n) == ("ABORTED", None, None)
    assert (ten.points[0].value, ten.points[0].ci_low, ten.points[0].ci_high) == (300.0, 285.0, 315.0)
    assert len(ten.points) == 12
    assert (ten.load["users"], five.load["users"]) == (10, 5)
    assert [point.started for point in five.points] == [NOW - timedelta(days=60), NOW - timedelta(days=59)]


def test_other_figures_are_other_series(url: str) -> None:
    """Scope and phase tell figures apart; a figure that no run has leaves runs without a value."""
    engine = fill(url)
    endpoint = read_series(engine, Question("smoke", "demo", "latency_p95_ms", "endpoint:chat", "hold"))
    assert {point.value for point in endpoint[0].points} == {7.0, None}
    spike = read_series(engine, Question("smoke", "demo", "latency_p95_ms", "all", "spike"))
    assert {point.value for series in spike for point in series.points} == {None}
    assert read_series(engine, Question("smoke", "elsewhere", "latency_p95_ms", "all", "hold")) == []


def test_subjects_and_figures(url: str) -> None:
    """What can be chosen; a repeat makes no profile newer, a run without figures hides none."""
    engine = fill(url)
    (subject,) = read_subjects(engine)
    assert (subject.profile, subject.target, subject.latest) == ("smoke", "demo", NOW - timedelta(days=1))
    add_run(engine, "smoke-last", 0.1, None, "ABORTED")
    figures = [(one.metric, one.scope, one.phase, one.unit) for one in read_figures(engine, "smoke", "demo")]
    assert figures == [("latency_p95_ms", scope, "hold", "ms") for scope in ("all", "endpoint:chat")]


def test_many_aborted_runs_hide_no_figure(url: str) -> None:
    """Runs without any figure do not count among the latest ones that are searched."""
    engine = fill(url)
    for index in range(51):
        add_run(engine, f"smoke-empty-{index}", 0.2, rows=[])
    assert read_figures(engine, "smoke", "demo")


def test_baselines_with_their_steps_and_runs(url: str) -> None:
    """Who, when and why, step by step; the runs from the oldest on."""
    engine = fill(url)
    key = read_series(engine, P95)[0].key
    names = [f"smoke-{index}" for index in (3, 1, 2)]
    first = baselines.pin_baseline(engine, key, names, "anna", "the level of May", least=3)
    second = baselines.propose_baseline(engine, key, ["smoke-7", "smoke-6"], "bob", "a newer level", least=2)
    newest, oldest = read_baselines(engine, "smoke", "demo")
    assert (newest.number, newest.status, newest.run_ids) == (second, "proposed", ("smoke-6", "smoke-7"))
    assert (oldest.number, oldest.key, oldest.run_ids) == (first, key, ("smoke-1", "smoke-2", "smoke-3"))
    ((what, at, by, why),) = oldest.steps
    assert (what, by, why) == ("pinned", "anna", "the level of May")
    assert (oldest.step("pinned"), oldest.step("retired")) == (at, None)
    assert read_baselines(engine, "smoke", "other") == []


def test_changes_of_the_profile_and_of_all(url: str) -> None:
    """The earliest first; those of another profile are not there."""
    engine = fill(url)
    add_run(engine, "soak-1", 3, profile="soak", rows=[row("error_rate", 0.0)])
    for profile, days in (("smoke", 2), (None, 5), ("soak", 4)):
        baselines.mark_intended_change(
            engine, "demo", profile, NOW - timedelta(days=days), by="anna", reason=f"change of {profile}"
        )
    assert [(one.profile, one.reason) for one in read_changes(engine, "smoke", "demo")] == [
        (None, "change of None"),
        ("smoke", "change of smoke"),
    ]


def test_each_question_is_one_statement_by_index(url: str) -> None:
    """And no statement reads the table of metrics from end to end, however many rows it has."""
    engine = fill(url)
    seen: list[tuple[str, object]] = []
    event.listen(engine, "before_cursor_execute", lambda *call: seen.append((call[2], call[3])))
    read_series(engine, P95)
    read_figures(engine, "smoke", "demo")
    read_baselines(engine, "smoke", "demo")
    read_changes(engine, "smoke", "demo")
    read_subjects(engine)
    assert len(seen) == 5
    assert not scans(engine, seen[:2])


def scans(engine: Engine, statements: list[tuple[str, object]]) -> list[str]:
    """Lines of their plans that read all metrics, where the planner is told that an index costs nothing."""
    lines: list[str] = []
    with engine.begin() as connection:
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        for statement, parameters in statements:
            lines += connection.exec_driver_sql(f"EXPLAIN {statement}", parameters).scalars().all()  # type: ignore[arg-type]
    return [line for line in lines if "Seq Scan on metric" in line]


def test_a_database_that_does_not_answer_or_has_no_tables(empty_url: str) -> None:
    """Worth a retry, and not."""
    with pytest.raises(InfrastructureError):
        read_series(connect("postgresql://nobody@127.0.0.1:1/none"), P95)
    with pytest.raises(ConfigError):
        read_subjects(connect(empty_url))
