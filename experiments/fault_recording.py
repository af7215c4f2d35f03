"""Runs of the fault matrix against one demo target: what is planted by the load's own clock, and the bundle of each.

Nothing is diagnosed here, and no bundle says what was planted: that stands in `truth.json` beside them.
"""

import shutil
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psutil
import yaml
from sqlalchemy import delete

from experiments.claims import Say
from experiments.fault_matrix import BARE, HEALTHY, HOLD_S, RAMP_UP_S, Case, Plant
from experiments.fault_truth import note_truth
from experiments.in_process import Bench
from experiments.profiles import load_began_s
from experiments.sabotage import hog_generator, own_processes
from include.loadtest.bundle import Bundle
from include.loadtest.history.database import connect, transaction
from include.loadtest.history.schema import RUN
from include.loadtest.orchestration import pipeline
from include.loadtest.orchestration.context import RunContext
from include.loadtest.orchestration.settings import work_root
from include.loadtest.profile import PROFILES_DIR

TARGET_OPTIONS = ("--llm-first-token-ms", "300", "--llm-per-token-ms", "5")
"""An answer that is not in the cache takes about 0.6 s: a call to an LLM, quickly answered."""
QUESTIONS = {"pool_size": 30, "zipf_exponent": 1.1, "new_share": 0.25}
WARM_UP_MAX_S = 12
OWNER = "prove/bottleneck"
AFTER_LOAD = ("collect_metrics", "validate_sla", "diff_history")
RESET_WITHIN_S = 60.0
QUIET_REQUESTS = 3
QUIET_MS = 200.0
STOP_PERIOD_S = 1.0
GENERATOR = "locustfiles/pratikoai.py"
GROWING = ("chat_messages", "checkpoints", "checkpoint_blobs", "checkpoint_writes", "tax_calculations", "documents")
"""Tables of the target that every run adds to: emptied, so that no run sees more of them than another."""


@dataclass
class Recorder:
    """Records cases into `folder`, one bundle each. Users are made once, and sessions kept from run to run."""

    servers: Bench
    folder: Path
    say: Say
    _seed: dict[str, Any] | None = field(default=None, init=False)

    def record(self, case: Case) -> None:
        """One run. Raises what a stage raised; the target is as before in any case."""
        shutil.rmtree(self.folder / case.name, ignore_errors=True)
        context = self._context(case)
        try:
            self._reset()
            if case.group == BARE:
                self._switch({"bare_metrics": True})
            self._send(context, case)
        finally:
            self._reset()
        for stage in AFTER_LOAD:
            pipeline.run_stage(context, stage)
        if case.group != HEALTHY:
            self._forget(case)
        note_truth(self.folder, case)

    def finish(self) -> None:
        """Remove the users, and give the target free."""
        if self._seed is not None:
            context = self._context(Case("cleanup", HEALTHY, 0))
            with suppress(Exception):  # the target ends with this experiment in any case
                pipeline.run_stage(context, "cleanup_users")
            for folder in (context.bundle.path, context.work_dir):
                shutil.rmtree(folder, ignore_errors=True)

    def _context(self, case: Case) -> RunContext:
        given = self.servers.context(case.name, profile_yaml(case.users))
        path = self.folder / case.name
        work_dir = work_root() / self.servers.folder.name
        own = replace(given, bundle=Bundle(path), bundle_uri=str(path), work_dir=work_dir, owner=OWNER)
        if case.group != BARE:
            return own
        return replace(own, load_target=lambda name: replace(given.load_target(name), llm_metrics_url=None))

    def _send(self, context: RunContext, case: Case) -> None:
        """The stages up to the load's end."""
        pipeline.run_stage(context, "preflight")
        if self._seed is None:
            pipeline.run_stage(context, "seed_users")
            self._seed = context.manifest()["seed"]
        context.bundle.update_manifest(seed=self._seed)
        pipeline.run_stage(context, "warm_cache")
        with ExitStack() as planted:
            for plant in case.plants:
                planted.enter_context(self._planted(plant, context.bundle.path))
            pipeline.run_stage(context, "run_profile")

    @contextmanager
    def _planted(self, plant: Plant, bundle: Path) -> Iterator[None]:
        """In force from its moment to the end of the block. Raises RuntimeError where it never was."""
        ended, done = threading.Event(), threading.Event()

        def follow() -> None:
            began_s = load_began_s(bundle, ended)
            if began_s is None:
                return
            at_s = began_s + (0.0 if plant.at_s is None else RAMP_UP_S + plant.at_s)
            if not ended.wait(max(0.0, at_s - time.time())):
                self._put(plant, ended, done, is_on=plant.at_s is None)

        if plant.at_s is None and plant.strength.switches:
            self._switch(dict(plant.strength.switches))
        follower = threading.Thread(target=follow, name=plant.fault, daemon=True)
        follower.start()
        try:
            yield
        finally:
            ended.set()
            follower.join(RESET_WITHIN_S)
        if not done.is_set():
            raise RuntimeError(f"{plant.fault} was not planted")

    def _put(self, plant: Plant, ended: threading.Event, done: threading.Event, *, is_on: bool) -> None:
        """Put it into force, again where it is repeated, and keep a generator back until the end."""
        strength = plant.strength
        if strength.switches and not is_on:
            self._switch(dict(strength.switches))
        done.set()
        began_s = time.monotonic()
        for after_s in strength.again_after_s:
            if ended.wait(max(0.0, began_s + after_s - time.monotonic())):
                return
            self._switch(dict(strength.switches))
        if strength.hogs:
            hog_generator(ended, hogs=strength.hogs)
        if strength.stopped_share:
            stop_generator(ended, strength.stopped_share)

    def _switch(self, faults: dict[str, Any]) -> None:
        with self.servers.demo.client() as client:
            client.put("/admin/faults", json=faults).raise_for_status()

    def _reset(self) -> None:
        """All faults out of force, the data of earlier runs gone, and the target at rest."""
        demo = self.servers.demo
        with demo.client() as client:
            client.delete("/admin/faults", timeout=RESET_WITHIN_S).raise_for_status()
            demo.sql(f"TRUNCATE {', '.join(GROWING)}")
            deadline, quiet = time.monotonic() + RESET_WITHIN_S, 0
            while quiet < QUIET_REQUESTS:
                if time.monotonic() > deadline:
                    raise RuntimeError(f"the target does not come to rest within {RESET_WITHIN_S:.0f} s")
                asked_s = time.perf_counter()
                client.get("/health").raise_for_status()
                quiet = quiet + 1 if (time.perf_counter() - asked_s) * 1000 < QUIET_MS else 0

    def _forget(self, case: Case) -> None:
        """A planted fault that broke no limit would be what the next run is compared with."""
        with transaction(connect(self.servers.history_url)) as connection:
            connection.execute(delete(RUN).where(RUN.c.run_id == case.name))


def profile_yaml(users: int) -> str:
    """The committed smoke profile, shorter, with more questions that were never asked, under a name of its own."""
    data = yaml.safe_load((PROFILES_DIR / "smoke.yaml").read_text(encoding="utf-8"))
    data |= {
        "name": "bottleneck",
        "title": "Bottleneck",
        "users": users,
        "ramp_up_s": RAMP_UP_S,
        "duration_s": HOLD_S,
        "questions": QUESTIONS,
        "warm_up": {"settled_within": 0.02, "max_s": WARM_UP_MAX_S},
    }
    return str(yaml.safe_dump(data, sort_keys=False, allow_unicode=True))


def stop_generator(ended: threading.Event, share: float) -> None:
    """The generator stands still for that share of each second, as in a container whose CPU quota is used up."""
    processes = own_processes(GENERATOR)
    try:
        while not ended.is_set():
            _signal(processes, signal.SIGSTOP)
            ended.wait(STOP_PERIOD_S * share)
            _signal(processes, signal.SIGCONT)
            ended.wait(STOP_PERIOD_S * (1 - share))
    finally:
        _signal(processes, signal.SIGCONT)


def _signal(processes: list[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with suppress(psutil.Error, ProcessLookupError):
            process.send_signal(number)
