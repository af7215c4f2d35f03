"""A load generator in a process of its own: started, watched, ended, and what it left of its load. Any engine's."""

import json
import logging
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Self

from include.loadtest.bundle import Bundle
from include.loadtest.lease_file import LeaseGuard
from include.loadtest.machine import child_environment
from include.loadtest.profile import Profile
from include.loadtest.profile.model import GATHER_S
from include.loadtest.runners.generator import FIRST, LoadRequest, LoadResult

LOG = logging.getLogger("loadtest.runner")
ROOT = Path(__file__).parents[3]
DRAIN_S = 5
"""Running requests may finish that long after the last stage; then they are cut and recorded as censored."""
STARTUP_S = 60
STOP_POLL_S = 0.25
ORDERED = "operator"
"""Reason code of a load that was ordered to end; whoever ordered it may know a better one."""
LOG_FILE = "generator.log"
LISTENING = "listening: "
"""What the line of a master begins with that says its port."""
MAX_LOG_BYTES = 2 * 1024 * 1024
_PROGRESS = "progress: "


@dataclass(frozen=True)
class Generator:
    """How an engine is started: the command, and what its environment has beside the generator's plan."""

    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)


def watch(
    generator: Generator, request: LoadRequest, on_progress: Callable[[str], None], stop_requested: Callable[[], bool]
) -> LoadResult:
    """Send the load and wait for its end; `on_progress` gets a line every 10 s, `stop_requested` is asked every 0.25 s.

    However this call ends, the generator has ended too. A generator that dies is not an error here: what it measured
    stands in the bundle, and the result says that the load is not complete. One whose lease is lost or over is ended.
    """
    exit_code, stopped_by, stop_text = run_process(generator, request, on_progress, stop_requested)
    return read_result(request.bundle, request.profile, exit_code, stopped_by, stop_text)


def run_process(
    generator: Generator, request: LoadRequest, on_progress: Callable[[str], None], stop_requested: Callable[[], bool]
) -> tuple[int, str | None, str | None]:
    """As `watch`; returns the exit code, and code and text of a stop that was ordered."""
    process = _start(generator, request)
    reader = threading.Thread(target=_relay, args=(process, request, on_progress), daemon=True)
    reader.start()
    try:
        stopped_by, stop_text = _wait(process, request, stop_requested)
    finally:
        exit_code = _kill_group(process)
        reader.join(timeout=10)
    return exit_code, stopped_by, stop_text


def _start(generator: Generator, request: LoadRequest) -> subprocess.Popen[str]:
    request.bundle.path.mkdir(parents=True, exist_ok=True)
    return subprocess.Popen(
        generator.command,
        cwd=request.work_dir,
        env={**_environment(_write_plan(request)), **generator.environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,  # one group: nothing of it survives
    )


def _environment(plan: Path) -> dict[str, str]:
    """Only what the generator needs: no connection and no secret of the process that starts it."""
    return {**child_environment(), "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", "LOADTEST_PLAN": str(plan)}


def _write_plan(request: LoadRequest) -> Path:
    plan = {
        "run_id": request.bundle.run_id,
        "base_url": request.base_url,
        "addresses": request.addresses,
        "api_prefix": request.api_prefix,
        "profile": request.profile.model_dump(mode="json"),
        "bundle": str(request.bundle.path.resolve()),
        "sessions_file": str(request.sessions_file),
        "user_numbers": request.user_numbers[: request.profile.users],
        "forwarded_for": request.forwarded_for,
        "caps": request.caps,
        "check_paths": dict(request.check_paths),
        "worker": request.worker,
        "lease_file": str(request.lease_file) if request.lease_file else None,
        "starter_pid": os.getpid(),
    }
    path = request.work_dir / plan_file(request.worker)
    path.write_text(json.dumps(plan), encoding="utf-8")
    return path


def _relay(process: subprocess.Popen[str], request: LoadRequest, on_progress: Callable[[str], None]) -> None:
    """Read to the end whatever happens to the log: a generator whose output nobody reads stops."""
    output: IO[str] | None = process.stdout
    assert output is not None  # noqa: S101 - PIPE was asked for above
    with _Log(request.bundle.path / log_file(request.worker)) as log:
        for line in output:
            if line.startswith(_PROGRESS):
                on_progress(line.removeprefix(_PROGRESS).strip())
            elif line.startswith(LISTENING):
                request.on_listening(f"{request.master_host}:{line.removeprefix(LISTENING).strip()}")
            log.write(line)


def log_file(worker: str) -> str:
    """Name of a generator's log in the bundle."""
    return LOG_FILE if worker == FIRST else f"generator-{worker}.log"


def plan_file(worker: str) -> str:
    """Name of a generator's plan in the private folder."""
    return "generator-plan.json" if worker == FIRST else f"generator-plan-{worker}.json"


def state_file(worker: str) -> str:
    """Name of a generator's own account in the bundle."""
    return f"generator-{worker}.json"


class _Log:
    """The generator's log, up to a size; a line that the disk does not take is left out."""

    def __init__(self, path: Path) -> None:
        self._file: IO[bytes] | None = None
        self._left_bytes = MAX_LOG_BYTES
        try:
            self._file = path.open("wb", buffering=0)  # nothing is left to be written when it is closed
        except OSError as error:
            LOG.error("%s cannot be written: %s", path.name, error)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def write(self, line: str) -> None:
        """One line."""
        if self._file is not None and self._left_bytes > 0:
            with suppress(OSError):
                self._left_bytes -= self._file.write(line.encode("utf-8", "replace"))


def _wait(
    process: subprocess.Popen[str], request: LoadRequest, stop_requested: Callable[[], bool]
) -> tuple[str | None, str | None]:
    """Wait for the end, a stop or the limit, whichever comes first; returns code and text of a stop."""
    gather_s = GATHER_S if request.profile.generators > 1 else 0
    limit_s = request.profile.load_s + DRAIN_S + STARTUP_S + gather_s
    deadline, lease = time.monotonic() + limit_s, LeaseGuard(request.lease_file)
    while process.poll() is None:
        if stop_requested():
            LOG.warning("the load was ordered to end: the generator is stopped")
            return ORDERED, None
        if (lost := lease.check()) is not None:
            LOG.error("%s: the generator is stopped", lost)
            return LeaseGuard.CODE, lost
        if time.monotonic() > deadline:
            LOG.error("the generator did not end %d s after its start: it is stopped now", limit_s)
            return None, None
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=STOP_POLL_S)
    return None, None


def _kill_group(process: subprocess.Popen[str]) -> int:
    """Nothing of the generator's process group survives; returns its exit code."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            return process.wait(timeout=DRAIN_S + 5)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
    return process.wait()


def load_has_ended(bundle: Bundle) -> bool:
    """Whether the generator has said that its load is over; one that was killed says nothing."""
    return bool(_state(bundle.path / state_file(FIRST)).get("ended_ns"))


def read_result(
    bundle: Bundle, profile: Profile, exit_code: int, stopped_by: str | None = None, stop_text: str | None = None
) -> LoadResult:
    """What the generator left of its load in the bundle, also when nobody was there to see it end.

    `stopped_by` and `stop_text` say who ordered its end; one that stopped by its own rules says so itself.
    """
    state = _state(bundle.path / state_file(FIRST))
    by_itself = state.get("stopped_by")
    code, text = (by_itself, state.get("stop_text")) if by_itself else (stopped_by, stop_text)
    generators = tuple(state.get("generators") or ())
    started_ns = state.get("started_ns")
    ended_s = state["ended_ns"] / 1e9 if state.get("ended_ns") else _last_part_s(bundle)
    return LoadResult(
        engine=profile.engine,
        started=datetime.fromtimestamp(started_ns / 1e9, UTC) if started_ns else None,
        ended=datetime.fromtimestamp(ended_s, UTC),
        completed=bool(state.get("completed")),
        exit_code=exit_code,
        planned_users=profile.users,
        reached_users=int(state.get("max_users") or 0),
        lost_samples=sum(int(one.get("lost_samples") or 0) for one in (state, *generators)),
        stopped_by=None if state.get("completed") else code,
        stop_text=None if state.get("completed") else text,
        planned_arrivals=state.get("planned_arrivals"),
        sent_arrivals=state.get("sent_arrivals"),
        generators=generators,
    )


def _last_part_s(bundle: Bundle) -> float:
    """When the newest part of the samples was closed: what came after it is lost."""
    return max((part.stat().st_mtime for part in bundle.samples_dir.glob("*.parquet")), default=time.time())


def _state(path: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}  # it died before its first request: LoadResult.started is None then
    return content
