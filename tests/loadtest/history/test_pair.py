"""Two runs with their figures of the hold; without a second one the comparable run before the first."""

import pytest
from sqlalchemy import event

from include.loadtest.errors import ConfigError, InfrastructureError
from include.loadtest.history.database import connect
from include.loadtest.history.pair import read_pair, recent_runs
from include.loadtest.history.store import last_comparable_run
from tests.helpers.trend_runs import add_run, fill, row

pytestmark = pytest.mark.integration


def test_two_runs_with_their_figures(url: str) -> None:
    """In one statement; figures of other phases are not there, unknown runs are not either."""
    engine = fill(url)
    add_run(engine, "smoke-x", 3, rows=[row("error_rate", 0.1), row("error_rate", 0.2) | {"phase": "ramp_up"}])
    statements: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *call: statements.append(call[2]))
    pair = read_pair(engine, "smoke-x", "smoke-five-0")
    assert len(statements) == 1
    assert [(one["metric"], one["value"], one["n"]) for one in pair["smoke-x"]["metrics"]] == [("error_rate", 0.1, 500)]
    assert pair["smoke-five-0"]["comparability"]["users"] == 5
    assert set(read_pair(engine, "smoke-x", "nowhere")) == {"smoke-x"}
    assert set(read_pair(engine, "smoke-x", "smoke-x")) == {"smoke-x"}


@pytest.mark.parametrize("run_id", ["smoke-8", "smoke-0", "smoke-8-repeat1", "smoke-five-0", "smoke-breach"])
def test_the_run_before_is_the_one_of_comparison_json(url: str, run_id: str) -> None:
    """Valid, of the same key, no repeat; none for the first of a key or before invalid ones only."""
    engine = fill(url)
    pair = read_pair(engine, run_id)
    own = pair.pop(run_id)
    previous = last_comparable_run(engine, own["comparability_key"], own["started"], run_id)
    assert list(pair) == ([] if previous is None else [previous["run_id"]])
    assert (run_id in ("smoke-8", "smoke-8-repeat1")) == bool(pair)


def test_the_latest_runs(url: str) -> None:
    """The newest first, at most so many; repeats can be chosen, too."""
    engine = fill(url)
    runs = recent_runs(engine, 2)
    assert [(one.run_id, one.profile, one.target, one.verdict) for one in runs] == [
        ("smoke-8-repeat1", "smoke", "demo", "PASS"),
        ("smoke-8", "smoke", "demo", "PASS"),
    ]


def test_a_database_that_does_not_answer_or_has_no_tables(empty_url: str) -> None:
    """Worth a retry, and not."""
    with pytest.raises(InfrastructureError):
        recent_runs(connect("postgresql://nobody@127.0.0.1:1/none"))
    with pytest.raises(ConfigError):
        read_pair(connect(empty_url), "a", "b")
