"""A target of several processes that take requests from one socket, as an application server starts them."""

import json
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from include.demo_target.services import Settings
from include.demo_target.serving import base_url, bind
from include.embedded.servers import ServerError, log_tail, wait_until

START_TIMEOUT_S = 60
STOP_TIMEOUT_S = 15
FOREVER_S = float("inf")


class Workers:
    """The processes; `stack` ends each that has been started."""

    def __init__(
        self,
        settings: Settings,
        count: int,
        listener: socket.socket,
        stack: ExitStack,
        stop_ordered: Callable[[], bool],
    ) -> None:
        self._own = [stack.enter_context(bind("127.0.0.1", 0)) for _ in range(count)]
        self._settings = replace(settings, worker_urls=tuple(base_url(own) for own in self._own))
        self._listener, self._stack, self._stop_ordered = listener, stack, stop_ordered
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """Start all; the first one makes the schema before there is another. Raises `ServerError`."""
        for numbers in (range(1), range(1, len(self._own))):
            for number in numbers:
                self._launch(number)
            self._await_ready()

    def run(self) -> None:
        """Return when a stop is ordered. Raises `ServerError` when a process ends by itself."""
        wait_until(lambda: self._stop_ordered() or self._one_is_gone(), FOREVER_S)
        if not self._stop_ordered():
            raise ServerError(f"a process of the target has ended:\n{self._logs()}")

    def _launch(self, number: int) -> None:
        ready_file = self._ready_file(number)
        ready_file.unlink(missing_ok=True)
        listeners = [self._listener.fileno(), self._own[number].fileno()]
        order = {
            "settings": replace(self._settings, worker=number).as_json(),
            "listeners": listeners,
            "ready_file": str(ready_file),
        }
        command = [sys.executable, "-m", "include.demo_target.worker"]
        with self._log(number).open("wb") as output:
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                pass_fds=listeners,
                start_new_session=True,
            )
        self._processes.append(process)
        self._stack.callback(_stop, process)
        if process.stdin:
            process.stdin.write(json.dumps(order).encode() + b"\n")
            process.stdin.flush()

    def _await_ready(self) -> None:
        files = [self._ready_file(number) for number in range(len(self._processes))]
        wait_until(
            lambda: self._stop_ordered() or self._one_is_gone() or all(file.exists() for file in files),
            START_TIMEOUT_S,
        )
        if not self._stop_ordered() and not all(file.exists() for file in files):
            raise ServerError(f"a process of the target does not start:\n{self._logs()}")

    def _one_is_gone(self) -> bool:
        return any(process.poll() is not None for process in self._processes)

    def _logs(self) -> str:
        return "\n".join(log_tail(self._log(number)) for number in range(len(self._processes)))

    def _ready_file(self, number: int) -> Path:
        return self._settings.directory / f"worker-{number}.json"

    def _log(self, number: int) -> Path:
        return self._settings.directory / f"worker-{number}.log"


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdin:
        process.stdin.close()
