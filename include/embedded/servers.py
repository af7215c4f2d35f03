"""What the embedded servers share: finding, awaiting and freeing processes, ports and directories."""

import os
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil


class ServerError(RuntimeError):
    """An embedded server did not start or stop; the message ends with the end of its log."""


def serves(pid: int, data_dir: Path) -> bool:
    """Whether process `pid` runs with `data_dir` as its working directory, as both servers do.

    A number alone proves nothing: after a crash the same one may belong to another program.
    """
    try:
        process = psutil.Process(pid)
        return process.status() != psutil.STATUS_ZOMBIE and Path(process.cwd()) == data_dir.resolve()
    except (psutil.Error, OSError):
        return False


def processes_in(data_dir: Path, name: str) -> Iterator[int]:
    """Ids of the processes called `name` whose working directory is `data_dir`."""
    for process in psutil.process_iter(["pid", "name"]):
        if process.info["name"] == name and serves(process.info["pid"], data_dir):
            yield process.info["pid"]


def wait_until(condition: Callable[[], bool], timeout_s: float, poll_s: float = 0.05) -> bool:
    """Poll `condition` until it holds; False when it does not within `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(poll_s)
    return True


def is_gone(pid: int) -> bool:
    """Whether process `pid` has ended; one that only awaits its parent's notice has."""
    try:
        process = psutil.Process(pid)
        process.wait(timeout=0)
    except psutil.NoSuchProcess:
        return True
    except psutil.TimeoutExpired:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    return True


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on at this moment."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def listens(address: str) -> bool:
    """Whether somebody takes connections at `host:port`."""
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=1):
            return True
    except OSError:
        return False


def log_tail(path: Path, lines: int = 20) -> str:
    """The last lines of a server's log, or a note that there is none."""
    if not path.exists():
        return f"no log at {path}"
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])


def as_root() -> bool:
    """Whether this process runs as root, which PostgreSQL itself refuses to."""
    return os.geteuid() == 0
