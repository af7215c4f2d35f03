"""The tasks of the simulated DAG runs in their order: the real stages, the real rules of who waits or is refused."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from airflow.sdk.exceptions import AirflowFailException
from sqlalchemy import Engine

from experiments.upkeep_dag_run import TARGET, DagRun, Task
from include.loadtest import run
from include.loadtest.bundle import Bundle
from include.loadtest.errors import InvalidTestError, LoadTestError
from include.loadtest.history.locks import TargetHeldError, leave_line, stand_in_line
from include.loadtest.history.store import connect
from include.loadtest.orchestration import pipeline, suite, suite_tasks, tasks
from include.loadtest.orchestration.context import RunContext, SuiteContext
from include.loadtest.orchestration.order import RunOrder
from include.loadtest.orchestration.waiting import MAX_WAIT_S
from include.loadtest.profile import Overrides
from include.loadtest.profile.suites import Cadence, load_suite
from include.loadtest.reporting.suite import SuiteEntry

if TYPE_CHECKING:
    from experiments.upkeep_airflow import Airflow

POLL_S = 45
"""So often a waiter gives its sign of life here; the real one does each 3 s, and within 60 it has to."""
ALWAYS = frozenset({"collect_metrics", "validate_sla", "diff_history", "diagnose", "publish", "cleanup_users", "gate"})
"""Tasks that follow whatever happened before."""


@dataclass
class _Steps:
    airflow: "Airflow"
    dag_run: DagRun

    def _take_turn(self, work: Callable[[], None], target: str) -> None:
        """As the operator of preflight and its trigger do: wait in line, bounded, and give signs of life."""
        world, owner = self.airflow.world, self.dag_run.owner
        engine, give_up = connect(world.history_url), world.now + timedelta(seconds=MAX_WAIT_S)
        while True:
            try:
                work()
            except TargetHeldError as held:
                if world.now >= give_up:
                    leave_line(engine, target, owner)
                    raise InvalidTestError("target_locked", f"waited in vain: {held}") from held
                self._stand(engine, target, held.run_id, give_up)
            else:
                return

    def _stand(self, engine: Engine, target: str, run_id: str, give_up: datetime) -> None:
        """Deferred: a machine that dies takes no process of it along, and the triggerer goes on when it is back."""
        dag_run = self.airflow.context.dag_run
        dag_run.waits = True
        while not stand_in_line(engine, target, dag_run.owner, run_id).may_take and self.airflow.world.now < give_up:
            self.airflow.world.simulation.sleep(POLL_S)
            self.airflow.await_return()
        dag_run.waits = False

    def _context(self, target: str, run_id: str) -> dict[str, Any]:
        world = self.airflow.world
        return {
            "bundle": Bundle(world.results / run_id),
            "bundle_uri": str(world.results / run_id),
            "target_name": target,
            "load_target": world.load_target,
            "history_url": world.history_url,
            "work_dir": world.work_root / run_id,
            "owner": self.dag_run.owner,
        }


@dataclass
class RunSteps(_Steps):
    """The tasks of a single run."""

    profile: str
    target: str
    ignores: bool = field(kw_only=True)

    def steps(self) -> list[tuple[str, Task]]:
        """In the order of the graph."""
        run_id = run.run_id_for(self.profile, self.dag_run.run_after, self.dag_run.owner)
        order = RunOrder(self.profile, None, Overrides(), self.target, "simulated")
        context = RunContext(**self._context(self.target, run_id), order=order, ignore_blackout=self.ignores)

        def preflight() -> None:
            tasks.refuse_if_ordered_long_ago(self.dag_run, self.airflow.world.now)
            self._take_turn(lambda: pipeline.run_stage(context, "preflight"), self.target)
            self.dag_run.entry.began = self.dag_run.entry.began or self.airflow.world.now

        return [("preflight", preflight), *_stages_of(self, context, single=True)]


def _stages_of(steps: _Steps, context: RunContext, *, single: bool) -> list[tuple[str, Task]]:
    """From the users of a run to its gate."""
    world = steps.airflow.world

    def stage(name: str) -> Task:
        def do() -> None:
            if pipeline.began(context) and (name != "collect_metrics" or pipeline.load_began(context)):
                pipeline.run_stage(context, name)

        return do

    def gate() -> None:
        if pipeline.began(context):
            steps.dag_run.entry.outcome = str(pipeline.close(context)["verdict"])

    def confirm() -> None:
        green = context.bundle.has(run.VERDICT) and context.bundle.read(run.VERDICT)["verdict"] in ("PASS", "WARN")
        if green and world.chance.random() < 0.05:
            pipeline.run_stage(context, "confirm")

    names = (["seed_users"] if single else []) + ["warm_cache", "run_profile", "collect_metrics", "validate_sla"]
    names += ["diff_history", "diagnose"]
    found: list[tuple[str, Task]] = [(name, stage(name)) for name in names]
    found += [("confirm", confirm)] if single else []
    found += [("publish", stage("publish"))]
    return [*found, ("cleanup_users", stage("cleanup_users")), ("gate", gate)] if single else found


@dataclass
class SuiteSteps(_Steps):
    """The tasks of a suite: its own, and those of its runs in their groups."""

    cadence: Cadence

    def steps(self) -> list[tuple[str, Task]]:
        """In the order of the graph."""
        found, slot = load_suite(self.cadence), self.dag_run.run_after
        suite_run_id = run.run_id_for(found.name, slot, self.dag_run.owner)
        context = SuiteContext(**self._context(TARGET, suite_run_id), suite=found)
        members = [self._member(context, index) for index in range(len(found.runs))]

        def entries() -> list[SuiteEntry]:
            return [_entry(one) for one in members]

        def stage(name: str) -> None:
            suite.run_suite_stage(context, name, entries, lambda *_: None)

        def preflight() -> None:
            suite_tasks.skip_if_not_due(found, context.has_blackouts)
            self._take_turn(lambda: stage("preflight"), TARGET)
            self.dag_run.entry.began = self.airflow.world.now

        def seed() -> None:
            self.airflow.world.work(context, "seed_users", 90)
            stage("seed_users")

        def gate() -> None:
            if suite.began(context):
                self.dag_run.entry.outcome = str(suite.close(context, entries)["verdict"])

        def if_begun(name: str) -> Task:
            return lambda: stage(name) if suite.began(context) else None

        inner = [(f"{member.order.profile}.{name}", step) for member in members for name, step in self._inner(member)]
        return [("preflight", preflight), ("seed_users", seed), *inner, ("publish", if_begun("publish_suite")),
                ("cleanup_users", if_begun("cleanup_users")), ("gate", gate)]  # fmt: skip

    def _member(self, within: SuiteContext, index: int) -> RunContext:
        entry = within.suite.runs[index]
        run_id = run.run_id_for(entry.profile, self.dag_run.run_after, self.dag_run.owner)
        order = RunOrder(entry.profile, None, entry.overrides, TARGET, "simulated")
        values = self._context(TARGET, run_id) | {"work_dir": within.work_dir / run_id}
        return RunContext(**values, order=order, suite=within, repeats=False)

    def _inner(self, member: RunContext) -> list[tuple[str, Task]]:
        """A run of the suite, whatever became of the one before; a stage that fails ends its load only."""
        state = SimpleNamespace(failed=False)
        within = cast("SuiteContext", member.suite)

        def preflight() -> None:
            if suite.began(within):
                tasks.refuse_if_long_over(within.suite, self.dag_run, self.airflow.world.now)
                pipeline.run_stage(member, "preflight")

        def guarded(name: str, step: Task) -> Task:
            def do() -> None:
                if state.failed and name not in ALWAYS:
                    return
                before, state.failed = state.failed, True  # a killed one says nothing
                with suppress(LoadTestError, AirflowFailException):
                    step()
                    state.failed = before

            return do

        stages = [("preflight", preflight), *_stages_of(self, member, single=False)]
        return [(name, guarded(name, step)) for name, step in stages]


def _entry(member: RunContext) -> SuiteEntry:
    found = [member.bundle.read(name) if member.bundle.has(name) else None for name in (run.MANIFEST, run.VERDICT)]
    return SuiteEntry(member.bundle.run_id, member.order.profile, member.bundle_uri, *found)
