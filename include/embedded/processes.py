"""Starting processes that outlive this one, and ending them and all that they started, and nothing else.

Every process inherits a marker in its environment. A process group is not enough to find them again: Airflow puts
each task in a group of its own, and a task's children lose their parent when it is killed.
"""

import signal
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from include.embedded.servers import wait_until
from include.embedded.state import EmbeddedError, ProcessRecord

MARKER = "LOADTEST_ENVIRONMENT_ID"
_CLOCK_TOLERANCE_S = 2.0  # a start time is derived from the boot time, which moves when the clock is corrected


def start_process(
    name: str, command: Sequence[str], *, environment: Mapping[str, str], log: Path, cwd: Path
) -> ProcessRecord:
    """Start `command` in a session of its own, its output appended to `log`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            cwd=cwd,
            start_new_session=True,
        )
    return record_of(name, process.pid)


def record_of(name: str, pid: int) -> ProcessRecord:
    """The record of a running process; one that has ended already gets a record that matches none."""
    try:
        return ProcessRecord(name=name, pid=pid, started_at_s=psutil.Process(pid).create_time())
    except psutil.NoSuchProcess:
        return ProcessRecord(name=name, pid=pid, started_at_s=time.time())


def find_process(record: ProcessRecord) -> psutil.Process | None:
    """The recorded process, None when it has ended, also when its id is another program's by now."""
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(record.pid)
        same = abs(process.create_time() - record.started_at_s) < _CLOCK_TOLERANCE_S
        if same and not _ended(process):
            return process
    return None


def related_processes(environment_id: str, records: Iterable[ProcessRecord]) -> set[psutil.Process]:
    """The recorded processes that still run, their descendants, and all others that carry the marker."""
    found = {process for record in records if (process := find_process(record))}
    for process in tuple(found):
        with suppress(psutil.NoSuchProcess):
            found.update(process.children(recursive=True))
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.environ().get(MARKER) == environment_id:
                found.add(process)
    return {process for process in found if not _ended(process)}


def stop_processes(environment_id: str, records: Sequence[ProcessRecord], *, patience_s: float) -> None:
    """Ask all related processes to end, wait, then end them. Raises EmbeddedError when one remains."""
    remaining = related_processes(environment_id, records)
    for number, wait_s in ((signal.SIGTERM, patience_s), (signal.SIGKILL, 5.0)):
        # Those that a dying process had just started are found by looking again.
        remaining |= related_processes(environment_id, records)
        _signal_all(remaining, number)
        remaining = _await_end(remaining, wait_s)
    remaining |= related_processes(environment_id, records)
    if remaining:
        raise EmbeddedError(f"these processes do not end: {', '.join(str(process.pid) for process in remaining)}")


def _await_end(processes: set[psutil.Process], timeout_s: float) -> set[psutil.Process]:
    """Wait until all have ended; returns those that have not."""
    wait_until(lambda: all(map(_ended, processes)), timeout_s, poll_s=0.1)
    return {process for process in processes if not _ended(process)}


def _signal_all(processes: Iterable[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)


def _ended(process: psutil.Process) -> bool:
    """Whether a process has ended; one that only awaits its parent's notice has."""
    try:
        process.wait(timeout=0)  # takes the exit status where it is this process's child
        return True
    except psutil.TimeoutExpired:
        pass
    except psutil.NoSuchProcess:
        return True
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True
