"""What a run of the simulated years does in place of real work: nothing is sent, and little is written.

Everything that decides stays as it is: the pipeline's stages, leases, calendar, history, outbox, clean-up.
"""

import json
import os
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from importlib.metadata import version
from pathlib import Path
from threading import Event
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from sqlalchemy import Engine, create_engine
from sqlalchemy.engine import URL

from experiments.upkeep_clock import Simulation
from include.loadtest import run
from include.loadtest.bundle import Bundle
from include.loadtest.history import outbox
from include.loadtest.history.store import connect, record_of, record_run
from include.loadtest.orchestration import lease, pipeline
from include.loadtest.orchestration.context import Context, RunContext
from include.loadtest.orchestration.target_use import make_private
from include.loadtest.runners.generator import LoadRequest, LoadResult
from include.loadtest.target.cleanup import CleanupResult
from include.loadtest.target.settings import Target, load_target_file
from include.loadtest.target.users import SeedResult

RENEW_S = 240
"""So often a stage renews its lease here: each minute, as the real one does, would only cost time."""
SECONDS = {"seed_users": 90, "warm_cache": 120, "collect_metrics": 20, "validate_sla": 15, "publish": 10,
           "cleanup_users": 60}  # fmt: skip
VERDICTS = ("PASS",) * 16 + ("WARN",) * 2 + ("SLA_BREACH",) * 2
METRICS = 300
"""Rows of a run in the history; a real `smoke` run writes 290 to 350."""
NAMES = ("latency_p95_ms", "latency_p50_ms", "latency_p99_ms", "error_rate", "throughput_rpm", "cache_hit_rate")
ENVIRONMENT = {"app_version": "1", "row_counts": {"user": 200, "query_history": 3000}, "hardware": "simulated"}


@dataclass(frozen=True)
class Load:
    """A load that was sent, by which run of which DAG run, and whether a person wanted it whatever the calendar."""

    run_id: str
    owner: str
    target: str
    started: datetime
    ended: datetime
    ignores: bool


@dataclass
class World:
    """What happened so far.

    `kill`: whether the stage that works now is killed at this moment; `is_dead`: whether it was killed while it waited;
    `told`: called when something is to be delivered.
    """

    simulation: Simulation
    history_url: str
    results: Path
    work_root: Path
    chance: random.Random
    kill: Callable[[Context], bool]
    is_dead: Callable[[Context], bool] = lambda _context: False
    told: Callable[[], None] = lambda: None
    loads: list[Load] = field(default_factory=list)
    concluded: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Verdict of each run in the history, and profile, target and suite with which it is there."""

    @property
    def now(self) -> datetime:
        """The simulated moment."""
        return self.simulation.now

    def work(self, context: Context, name: str, seconds: float) -> None:
        """Let time pass with the lease renewed; the stage may be killed meanwhile, or lose its lease."""
        left = seconds
        while left > 0:
            step = min(left, RENEW_S)
            if self.kill(context):
                self.simulation.die()
            self.simulation.sleep(step)
            if self.is_dead(context):
                self.simulation.die()
            left -= step
            token = lease._token(context)
            if token is not None and name not in lease.GIVES_IT_FREE:
                lease._extend(context, token)

    def load_target(self, name: str) -> Target:
        """A target at an address where nobody is."""
        return Target.checked(load_target_file(name), "http://127.0.0.1:1", "postgresql://nobody@127.0.0.1:1/x", None)

    def seed(self, *_: Any, **__: Any) -> SeedResult:
        """All users are there at once: who asks lets the time pass."""
        return SeedResult(tuple(range(1, 201)), 200, (), CleanupResult(0, {}), ())

    def touch(self, path: Path) -> None:
        """Written now, by the simulated clock."""
        os.utime(path, (self.now.timestamp(),) * 2)


@contextmanager
def pooled() -> Iterator[None]:
    """Connections are kept: a new one for each statement is right for tasks, and here most of the time."""
    engines: dict[str, Engine] = {}

    def kept(url: URL, **options: Any) -> Engine:
        if str(url) not in engines:
            engines[str(url)] = create_engine(url, connect_args=options["connect_args"], pool_size=20)
        return engines[str(url)]

    with patch("include.loadtest.history.database.create_engine", kept):
        try:
            yield
        finally:
            for engine in engines.values():
                engine.dispose()


@contextmanager
def stubbed(world: World) -> Iterator[None]:
    """Stages that would need a target or a generator, or minutes of computation, do as little as they can."""
    own = _Stages(world)
    facts = SimpleNamespace(document=lambda: ENVIRONMENT, sizes=dict, lines=list)
    growth = SimpleNamespace(document=dict, lines=list)
    at = "include.loadtest.orchestration"
    quiet: Mapping[str, Any] = {
        f"{at}.pipeline.check_engine": lambda *_: {},
        f"{at}.pipeline.check_target": lambda *_: facts,
        f"{at}.pipeline.check_disk": lambda *_: growth,
        f"{at}.pipeline.announce_start": own.tell_start,
        f"{at}.pipeline.shown_live": lambda *_: nullcontext(),
        f"{at}.pipeline.told": lambda *_: nullcontext(),
        f"{at}.pipeline.seed_users": world.seed,
        f"{at}.suite.check_target": lambda *_: facts,
        f"{at}.suite.check_disk": lambda *_: growth,
        f"{at}.load._sessions": lambda _context, profile: dict.fromkeys(range(1, profile.users + 1)),
        f"{at}.load.load_stop": lambda *_: nullcontext(SimpleNamespace(requested=bool, by_outside=Event())),
        f"{at}.load.counted_load": lambda *_: nullcontext(),
        f"{at}.load.live_watch": lambda *_: nullcontext(),
        f"{at}.load.start_collectors": lambda *_: SimpleNamespace(stop=lambda: None),
        f"{at}.target_use.cleanup_users": lambda *_, **__: CleanupResult(200, {"user": 200}),
        f"{at}.housekeeping_orphans.cleanup_users": lambda *_, **__: CleanupResult(0, {}),
        f"{at}.target_use.run_reset": lambda *_: None,
        f"{at}.lease._Renewal.run": lambda _self: None,
        "include.loadtest.history.store.upgrade": lambda _url: None,
    }
    nothing = ("pipeline.check_open_files", "pipeline.note_cap", "pipeline.check_counted", "pipeline._log_order",
               "suite.check_open_files", "suite.announce_suite_start", "suite.announce_digest", "suite.write_review",
               "load._note_before", "load._note_target_after", "load._probe_cpu", "target_use.note_sizes")  # fmt: skip
    with ExitStack() as stack:
        for name, value in {**quiet, **{f"{at}.{one}": lambda *_, **__: None for one in nothing}}.items():
            stack.enter_context(patch(name, value))
        stack.enter_context(patch(f"{at}.load.run_load", own.run_load))
        stack.enter_context(patch.dict(pipeline.STAGES, own.stages()))
        stack.enter_context(patch(f"{at}.pipeline.version", cache(version)))
        stack.enter_context(patch.object(Bundle, "write", _write_quickly))
        yield


def _write_quickly(bundle: Bundle, name: str, content: Mapping[str, Any]) -> Path:
    """As the real one, without indents: those are most of its time."""
    return bundle.write_text(name, json.dumps(content, ensure_ascii=False, allow_nan=False, default=str))


class _Stages:
    def __init__(self, world: World) -> None:
        self._world = world
        self._engine = connect(world.history_url)
        self._sending: list[RunContext] = []

    def stages(self) -> dict[str, Callable[[RunContext], None]]:
        """In place of those that need a target or compute."""
        return {
            "seed_users": self._with_time("seed_users", pipeline.seed),
            "warm_cache": self._with_time("warm_cache", self._warm),
            "run_profile": self._send,
            "collect_metrics": self._with_time("collect_metrics", self._measure),
            "validate_sla": self._with_time("validate_sla", self._judge),
            "diff_history": self._store,
            "diagnose": lambda _context: None,
            "confirm": self._confirm,
            "publish": self._with_time("publish", self._tell_verdict),
            "cleanup_users": self._with_time("cleanup_users", pipeline.STAGES["cleanup_users"]),
        }

    def _with_time(self, name: str, stage: Callable[[RunContext], None]) -> Callable[[RunContext], None]:
        def slow(context: RunContext) -> None:
            self._world.work(context, name, SECONDS[name])
            stage(context)

        return slow

    def _warm(self, context: RunContext) -> None:
        make_private(context.work_dir)
        context.sessions_file.parent.mkdir(parents=True, exist_ok=True)
        context.sessions_file.write_text("{}")
        for path in (context.sessions_file, context.work_dir, context.sessions_file.parent):
            self._world.touch(path)
        context.bundle.update_manifest(cities={})

    def _send(self, context: RunContext) -> None:
        from include.loadtest.orchestration.load import send_load

        self._sending.append(context)
        send_load(context)

    def run_load(self, request: LoadRequest, *_: Any) -> LoadResult:
        """Nothing is sent; that it would have been is noted for each piece of its time, also of one that is killed."""
        world, context, began = self._world, self._sending.pop(), self._world.now
        for folder in (run.SAMPLES, run.RESOURCES):
            (request.bundle.path / folder).mkdir(parents=True, exist_ok=True)
            (request.bundle.path / folder / "part-0.parquet").write_bytes(b"as if")
        over = began + timedelta(seconds=request.profile.load_s)
        while world.now < over:
            step = min((over - world.now).total_seconds(), RENEW_S)
            world.loads.append(
                Load(context.bundle.run_id, context.owner, context.target_name, world.now,
                     world.now + timedelta(seconds=step), context.ignore_blackout)
            )  # fmt: skip
            for path in (request.work_dir, *request.work_dir.iterdir()):
                world.touch(path)
            world.work(context, "run_profile", step)
        return LoadResult(request.profile.engine, began, over, True, 0, request.profile.users, request.profile.users)

    def _measure(self, context: RunContext) -> None:
        chance = self._world.chance
        rows = [
            {"metric": NAMES[number % 6], "scope": "all" if number < 6 else f"endpoint:e{number // 6}",
             "phase": "hold", "value": 100 * (1 + chance.random()), "unit": "ms", "n": 500, "ci_low": 90.0,
             "ci_high": 250.0, "direction": "lower"}
            for number in range(METRICS)
        ]  # fmt: skip
        context.bundle.write(run.METRICS, {"schema": 1, "metrics": rows})

    def _judge(self, context: RunContext) -> None:
        faults = context.manifest().get("faults") or {}
        sent = bool((context.manifest().get("load") or {}).get("completed"))
        verdict = self._world.chance.choice(VERDICTS) if sent and not faults else "INCONCLUSIVE"
        document = {"schema": 1, "run_id": context.bundle.run_id, "verdict": verdict, "reasons": [], "slos": []}
        context.bundle.write(run.VERDICT, document)
        for path in (context.bundle.path / run.VERDICT, context.bundle.path / run.MANIFEST):
            self._world.touch(path)

    def _store(self, context: RunContext) -> None:
        bundle = context.bundle
        verdict = pipeline.verdict_of(context)["verdict"]
        record = record_of(bundle, context.profile(), str(bundle.path))
        record_run(self._engine, record, bundle.read(run.METRICS)["metrics"] if bundle.has(run.METRICS) else [])
        self._world.concluded[bundle.run_id] = (verdict, f"{record.profile}/{record.target}/{record.suite or ''}")

    def _confirm(self, context: RunContext) -> None:
        """As the real one: each repeat within the target's lease, each in the history."""
        for number in (1, 2):
            path = context.bundle.path.with_name(f"{context.bundle.run_id}-repeat{number}")
            again = replace(context, bundle=Bundle(path), holds_parents_target=True, repeats=False)
            pipeline.run_stage(again, "preflight")
            again.bundle.update_manifest(seed=context.manifest()["seed"])
            for name in ("warm_cache", "run_profile", "collect_metrics", "validate_sla", "diff_history"):
                pipeline.run_stage(again, name)

    def tell_start(self, context: RunContext) -> None:
        """A message that its verdict changes later."""
        outbox.put(self._engine, message_of(context.bundle.run_id, "started"))
        self._world.told()

    def _tell_verdict(self, context: RunContext) -> None:
        outbox.put(self._engine, message_of(context.bundle.run_id, pipeline.verdict_of(context)["verdict"]))
        self._world.told()


def message_of(run_id: str, text: str) -> outbox.Delivery:
    """The one message about a run."""
    lane = f"slack/run/{run_id}"
    return outbox.Delivery(lane, "slack", "slack_message", lane, run_id, {"text": text})
