"""Runs without Airflow: the same stages in this process, against a real demo target and a real history database."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from experiments.claims import Say
from experiments.environment import uninterrupted
from include.embedded.airflow import HISTORY_DATABASE
from include.embedded.monitor_role import create_monitor_role
from include.embedded.postgres import ensure_database, start_postgres, stop_postgres
from include.loadtest.bundle import Bundle
from include.loadtest.history.store import upgrade
from include.loadtest.orchestration import pipeline
from include.loadtest.orchestration.context import RunContext
from include.loadtest.orchestration.order import RunOrder
from include.loadtest.orchestration.settings import work_root
from include.loadtest.profile import Overrides, load_profile_text
from include.loadtest.target.settings import Target, load_target_file
from tests.helpers.demo import DemoTarget, demo_target

ALWAYS = frozenset({"collect_metrics", "validate_sla", "diff_history", "diagnose", "publish", "cleanup_users"})
"""Stages that follow whatever happened before, as in the task graph."""
_monitor_url = cache(create_monitor_role)


@dataclass(frozen=True)
class Bench:
    """A demo target and a history, for runs one after the other."""

    folder: Path
    demo: DemoTarget
    history_url: str
    say: Say

    def context(
        self, run_id: str, profile_yaml: str, users: int | None = None, seconds: int | None = None
    ) -> RunContext:
        """The context of one run; the profile as its text."""
        name = load_profile_text(profile_yaml, run_id).name
        return RunContext(
            bundle=Bundle(self.folder / "results" / run_id),
            bundle_uri=str(self.folder / "results" / run_id),
            order=RunOrder(name, profile_yaml, Overrides(users, seconds), "demo", "make prove"),
            target_name="demo",
            load_target=lambda target: Target.checked(
                load_target_file(target),
                self.demo.base_url,
                self.demo.database_url,
                self.demo.redis_url,
                monitor_url=_monitor_url(self.demo.database_url),
                llm_metrics_url=self.demo.llm_url,
            ),
            history_url=self.history_url,
            work_dir=work_root() / run_id,
            owner=f"prove/{run_id}",
        )

    def run(self, context: RunContext) -> None:
        """All stages as the task graph has them, and the gate; what a stage raises ends that stage only."""
        failed = False
        for name in pipeline.STAGES:
            if self._follows(context, name, failed):
                failed = not self._stage(context, name) or failed
        try:
            if pipeline.began(context):
                pipeline.close(context)
        except Exception as error:  # noqa: BLE001 - a task fails with whatever it raises
            self.say(f"  gate: {type(error).__name__}: {error}")

    def _follows(self, context: RunContext, name: str, failed: bool) -> bool:
        if name != "preflight" and not pipeline.began(context):
            return False
        if name == "cleanup_users":
            return pipeline.may_have_users(context)
        if name == "collect_metrics" and not pipeline.load_began(context):
            return False
        return not failed or name in ALWAYS

    def _stage(self, context: RunContext, name: str) -> bool:
        try:
            pipeline.run_stage(context, name)
        except Exception as error:  # noqa: BLE001 - a task fails with whatever its stage raises
            self.say(f"  {name}: {type(error).__name__}: {error}")
            return False
        return True


@contextmanager
def bench(say: Say, *options: str) -> Iterator[Bench]:
    """Servers in a temporary folder, all stopped and removed afterwards; `options` are the demo target's."""
    with tempfile.TemporaryDirectory(prefix="loadtest-prove-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        history = start_postgres(folder / "history", settings={"fsync": "off"})
        try:
            ensure_database(history, HISTORY_DATABASE)
            upgrade(history.url(HISTORY_DATABASE))
            say("starting a demo target")
            with demo_target(folder / "demo", *options) as demo:
                yield Bench(folder, demo, history.url(HISTORY_DATABASE), say)
        finally:
            with uninterrupted():
                stop_postgres(history)
