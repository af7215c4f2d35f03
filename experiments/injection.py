"""Plants a fault in the stages of a run from outside: production code has no hook for it, this wraps what it calls.

In Airflow's processes an `airflow_local_settings.py` calls `install`; a test process calls `arm` itself. The fault that
is wanted stands in a file, which is read each time a stage begins, so that it can change while Airflow runs.
"""

import json
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any, Literal

PIPELINE = "include.loadtest.orchestration.pipeline"
FAULT_FILE, FIRED_FILE = "fault.json", "fired"
RUNNING_FILE = "running"
"""Number of the process that began the latest stage, and that stage."""
MID_LOAD = "run_profile"
WITHIN = {"preflight": ("check_target", "before"), "seed_users": ("seed_users", "after")}
"""Stages that are hit where it hurts: with the lock taken, with the users made but not noted."""

Kind = Literal["exception", "kill", "hang", "hang_in_c"]
Point = Literal["start", "within"]


@dataclass(frozen=True)
class Fault:
    """What happens in which stage, on every try of it. `within`: in the midst of it, where that is worse."""

    stage: str
    kind: Kind
    point: Point = "start"

    @classmethod
    def worst(cls, stage: str, kind: Kind) -> "Fault":
        """The fault at the worst point of its stage."""
        return cls(stage, kind, "within" if stage in WITHIN or stage == MID_LOAD else "start")


def plant(folder: Path, fault: Fault | None) -> None:
    """Put a fault into force for the processes that look into `folder`; None: no fault."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FIRED_FILE).unlink(missing_ok=True)
    unfinished = folder / f"{FAULT_FILE}.new"
    unfinished.write_text(json.dumps(None if fault is None else asdict(fault)))
    unfinished.replace(folder / FAULT_FILE)


def fired(folder: Path) -> int:
    """How often the planted fault has happened."""
    path = folder / FIRED_FILE
    return len(path.read_text().splitlines()) if path.exists() else 0


def install(folder: Path) -> None:
    """Arm the pipeline as soon as this process, or one forked from it, imports it."""
    sys.meta_path.insert(0, _Finder(folder))


class _Finder(MetaPathFinder):
    """Finds the pipeline where it is, with a loader that arms it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The module's own place; None for all other modules."""
        found = PathFinder.find_spec(fullname, path, target) if fullname == PIPELINE else None
        if found is None or found.origin is None:
            return None
        loader = _ArmingLoader(fullname, found.origin)
        loader.folder = self._folder
        return spec_from_file_location(fullname, found.origin, loader=loader)


class _ArmingLoader(SourceFileLoader):
    folder: Path

    def exec_module(self, module: ModuleType) -> None:
        super().exec_module(module)
        arm(module, self.folder)


def arm(pipeline: Any, folder: Path) -> None:
    """Let every stage of the pipeline, and its end, look for a fault in `folder`."""
    trigger = _Trigger(folder)
    for name, stage in list(pipeline.STAGES.items()):
        pipeline.STAGES[name] = trigger.around_stage(name, stage)
    for name, (function, order) in WITHIN.items():
        setattr(pipeline, function, trigger.inside(name, getattr(pipeline, function), before=order == "before"))
    pipeline.close = trigger.around_stage("gate", pipeline.close)


@dataclass(frozen=True)
class _Trigger:
    folder: Path

    def around_stage(self, name: str, stage: Callable[..., Any]) -> Callable[..., Any]:
        """The stage, or what happens instead of it; the load is hit in its middle."""

        def armed(context: Any) -> Any:
            with suppress(OSError):  # a full disk is another fault's affair
                (self.folder / RUNNING_FILE).write_text(f"{os.getpid()} {name}")
            fault = self._fault(name, "start")
            if fault is not None:
                self._fire(fault)
            fault = self._fault(name, "within") if name == MID_LOAD else None
            if fault is None:
                return stage(context)
            return self._in_mid_load(fault, context, stage)

        return armed

    def inside(self, name: str, function: Callable[..., Any], *, before: bool) -> Callable[..., Any]:
        """A function that a stage calls, with the fault before or after it."""

        def armed(*arguments: Any, **named: Any) -> Any:
            fault = self._fault(name, "within")
            if fault is not None and before:
                self._fire(fault)
            result = function(*arguments, **named)
            if fault is not None:
                self._fire(fault)
            return result

        return armed

    def _fault(self, stage: str, point: Point) -> Fault | None:
        path = self.folder / FAULT_FILE
        document = json.loads(path.read_text()) if path.exists() else None
        fault = None if document is None else Fault(**document)
        return fault if fault is not None and (fault.stage, fault.point) == (stage, point) else None

    def _in_mid_load(self, fault: Fault, context: Any, stage: Callable[..., Any]) -> Any:
        """Send the load; once its first samples are written, the signal's handler fires in the main thread."""
        ended = threading.Event()

        def interrupt(_number: int, _frame: FrameType | None) -> None:
            self._fire(fault)

        def watch() -> None:
            while not ended.wait(0.2):
                if any(context.bundle.samples_dir.glob("*.parquet")):
                    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR2)
                    return

        earlier = signal.signal(signal.SIGUSR2, interrupt)
        threading.Thread(target=watch, daemon=True).start()
        try:
            return stage(context)
        finally:
            ended.set()
            signal.signal(signal.SIGUSR2, earlier)

    def _fire(self, fault: Fault) -> None:
        with (self.folder / FIRED_FILE).open("a") as file:
            file.write(f"{fault.stage} {fault.kind}\n")
        if fault.kind == "exception":
            raise RuntimeError(f"planted exception in {fault.stage}")
        if fault.kind == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if fault.kind == "hang_in_c":
            _hang_in_c()
        while True:
            time.sleep(3600)


def _hang_in_c() -> None:
    """Connect to a database that accepts and never answers: the library's wait is deaf to Python's signals."""
    import psycopg2

    with socket.create_server(("127.0.0.1", 0)) as listener:
        psycopg2.connect(host="127.0.0.1", port=listener.getsockname()[1], dbname="silent", user="nobody")
