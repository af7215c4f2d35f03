"""Runs of the real graph, and of as many tasks that do nothing, through the real scheduler of one environment.

A DAG run lasts from its first task's start to its last one's end. The tasks that wait for the target or the load
(`seed_users`, `warm_cache`, `run_profile`, and `generators` where it ran) are left out: their own time is taken off,
and in the empty DAG that of the tasks with the same names. What remains is what the graph itself costs.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from pathlib import Path

from experiments.api import Api, until
from experiments.environment import Environment
from include.embedded.client import TaskInstance
from include.embedded.state import CHECKOUT, EmbeddedError
from include.loadtest import run

REAL, EMPTY = "load_test_manual", "bench_empty"
SMOKE = CHECKOUT / "include" / "profiles" / "smoke.yaml"
INPUTS = {"USERS": "2", "DURATION_S": "20"}
WITH_THE_TARGET = frozenset({"seed_users", "warm_cache", "run_profile", "generators"})
CHAIN = (
    "choose", "preflight", "seed_users", "warm_cache", "run_profile", "collect_metrics", "validate_sla",
    "diff_history", "diagnose", "confirm", "publish", "cleanup_users", "gate",
)  # fmt: skip
"""The tasks of a run that get a process, in order; those of `generators` and of suites are skipped without one."""
READ_LIMIT_S, EMPTY_LIMIT_S = 180.0, 600.0
_EMPTY_DAG = '''"""As many tasks as a run of the Airflow DAG for load tests has, in the same order, that do nothing."""
from datetime import UTC, datetime
from itertools import pairwise
from airflow.sdk import DAG, task
with DAG({dag_id!r}, schedule=None, start_date=datetime(2024, 12, 1, tzinfo=UTC)) as dag:
    def nothing() -> None:
        """Does nothing."""
    tasks = [task(task_id=name)(nothing)() for name in {names!r}]
    for earlier, later in pairwise(tasks):
        earlier >> later
'''
_numbers = count(1)


@dataclass(frozen=True)
class GraphRun:
    """A DAG run: its tasks that got a process, and the bundle that it made (None: an empty one's)."""

    tasks: Sequence[TaskInstance]
    bundle: Path | None

    @property
    def own_s(self) -> float:
        """From the first start to the last end, without the tasks that wait for the target or the load."""
        first, last = min(map(_start, self.tasks)), max(map(_end, self.tasks))
        waited_s = sum(_seconds(task) for task in self.tasks if task.task_id in WITH_THE_TARGET)
        return (last - first).total_seconds() - waited_s

    def after_load_s(self, task_id: str) -> float:
        """From the end of the load, as the manifest has its phases, to the end of a task."""
        if self.bundle is None:
            raise ValueError("an empty run has no load")
        phases = json.loads((self.bundle / run.MANIFEST).read_text(encoding="utf-8"))["phases"]
        ended = max(datetime.fromisoformat(phase["end"]) for phase in phases)
        return (_end(self.task(task_id)) - ended).total_seconds()

    def task(self, task_id: str) -> TaskInstance:
        """The task of that name."""
        return next(task for task in self.tasks if task.task_id == task_id)

    def longest(self) -> str:
        """The tasks of the graph itself that took longest, for people."""
        own = [task for task in self.tasks if task.task_id not in WITH_THE_TARGET]
        own.sort(key=_seconds, reverse=True)
        return ", ".join(f"{task.task_id} {_seconds(task):.1f} s" for task in own[:4])


class Graphs:
    """Both DAGs in a running environment."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._api = Api.of(environment.layout)
        file = environment.folder / "dags" / f"{EMPTY}.py"
        file.write_text(_EMPTY_DAG.format(dag_id=EMPTY, names=CHAIN), encoding="utf-8")
        until("the empty DAG has been read", lambda: self._api.has_dag(EMPTY), READ_LIMIT_S)
        self._api.unpause(EMPTY)

    def real(self) -> GraphRun:
        """A short load through the real graph. Raises EmbeddedError where the run did not do what is measured."""
        ran = self._environment.run(SMOKE, **INPUTS)
        latest = self._api.latest_run(REAL)
        if ran.bundle is None or latest is None or not (ran.bundle / run.METRICS).exists():
            raise EmbeddedError(f"the run made no metrics: {ran.output[-800:]}")
        return GraphRun(self._tasks(REAL, str(latest["dag_run_id"])), ran.bundle)

    def empty(self) -> GraphRun:
        """As many tasks that do nothing."""
        run_id = f"bench-{next(_numbers)}"
        self._api.trigger(EMPTY, run_id, {})
        until("the empty tasks have run", self._ended(run_id), EMPTY_LIMIT_S)
        return GraphRun(self._tasks(EMPTY, run_id), None)

    def _ended(self, run_id: str) -> Callable[[], bool]:
        return lambda: self._api.run_state(EMPTY, run_id) in ("success", "failed")

    def _tasks(self, dag_id: str, run_id: str) -> list[TaskInstance]:
        """Those that got a process. Raises EmbeddedError where they are others than the chain says."""
        tasks = [task for task in self._api.task_instances(dag_id, run_id) if task.start and task.end]
        tasks = [task for task in tasks if task.task_id in CHAIN or _seconds(task) > 0]
        names = sorted({task.task_id for task in tasks})
        if names != sorted(CHAIN):
            raise EmbeddedError(f"{dag_id} ran other tasks than are compared: {', '.join(names)}")
        return tasks


def _start(task: TaskInstance) -> datetime:
    assert task.start is not None  # noqa: S101 - only such tasks are kept
    return task.start


def _end(task: TaskInstance) -> datetime:
    assert task.end is not None  # noqa: S101 - only such tasks are kept
    return task.end


def _seconds(task: TaskInstance) -> float:
    return (_end(task) - _start(task)).total_seconds()
