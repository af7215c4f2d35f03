"""What a DAG run cost, from the times of its tasks."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from experiments.bench.graph_runs import CHAIN, GraphRun
from include.embedded.client import TaskInstance
from include.loadtest.run import utc_text

pytestmark = pytest.mark.unit
BEGAN = datetime(2026, 3, 1, tzinfo=UTC)


def task(name: str, start_s: float, end_s: float) -> TaskInstance:
    start, end = (BEGAN + timedelta(seconds=at_s) for at_s in (start_s, end_s))
    return TaskInstance(name, -1, 1, "success", start, end)


def test_the_tasks_that_wait_for_the_target_are_left_out() -> None:
    """Their own time, not the pauses before and after them, which are the graph's."""
    tasks = [task("preflight", 0, 2), task("seed_users", 3, 13), task("run_profile", 14, 74), task("gate", 75, 77)]
    assert GraphRun(tasks, None).own_s == 7.0
    assert GraphRun(tasks, None).longest() == "preflight 2.0 s, gate 2.0 s"


def test_the_verdict_is_timed_from_the_end_of_the_last_phase(tmp_path: Path) -> None:
    """As the manifest says that it ran; an empty run has no load."""
    ends = [utc_text(BEGAN + timedelta(seconds=at_s)) for at_s in (10, 70)]
    (tmp_path / "manifest.json").write_text(json.dumps({"phases": [{"end": end} for end in ends]}))
    tasks = [task("run_profile", 1, 72), task("validate_sla", 80, 91.5)]
    assert GraphRun(tasks, tmp_path).after_load_s("validate_sla") == 21.5
    with pytest.raises(ValueError, match="no load"):
        GraphRun(tasks, None).after_load_s("validate_sla")


def test_the_empty_chain_has_the_graphs_tasks() -> None:
    """So both have as many: those of a run, and the manual DAG's choice before them."""
    from include.loadtest.orchestration.factory import manual_dag

    dag = manual_dag("load_test_manual", doc_md=None)
    own = {name for name in dag.task_ids if "." not in name and name != "generators"}
    assert own == set(CHAIN)
