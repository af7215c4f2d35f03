"""Bringing a target's data back to a known state, by a program of the target's own."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from threading import Thread
from typing import IO, Any

from include.loadtest.errors import ConfigError, InfrastructureError, printable
from include.loadtest.machine import child_environment
from include.loadtest.target.settings import TargetFile

OUTPUT_BYTES = 16 * 1024
OUTPUT_LINES = 20
LINE_CHARS = 200
TERMINATION_GRACE_S = 5.0
OUTPUT_WAIT_S = 1.0
"""How long to await the end of the output after the program's own end: what it leaves running may hold it open."""
_TERMINAL_CODES = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?)")
_URL_PASSWORD = re.compile(r"(://[^\s:/@]*:)\S+@")


@dataclass(frozen=True)
class ResetResult:
    """A reset that succeeded. `output`: its last lines, of standard output and error together."""

    program: str
    exit_code: int
    duration_s: float
    output: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """For the manifest; without the program's arguments."""
        return {
            "program": self.program,
            "exit_code": self.exit_code,
            "duration_s": self.duration_s,
            "output": list(self.output),
        }

    def lines(self) -> list[str]:
        """For the log."""
        head = f"reset: {self.program} ended with {self.exit_code} after {self.duration_s:.1f} s"
        return [head, *(f"reset: {line}" for line in self.output)]


def run_reset(file: TargetFile, *, timeout_s: float = 600) -> ResetResult | None:
    """Run the target file's `reset_command` and await its end; None where the file has none.

    It is started without a shell, in `/`, without input, as the leader of a process group of its own. What it leaves
    running after success goes on, and should write to a file of its own. After a failure, a time-out or an interruption
    the whole group is ended. Raises ConfigError (no such program, or it cannot be executed) or InfrastructureError
    (exit code other than 0, or not finished within `timeout_s`), one line each.
    """
    if file.reset_command is None:
        return None
    program, began, code = file.reset_command[0], time.monotonic(), None
    process = _start(file, file.reset_command)
    tail = _Tail(process.stdout)
    try:
        with suppress(subprocess.TimeoutExpired):
            code = process.wait(timeout_s)
    finally:
        if code != 0:
            _end_group(process)
    output = tail.lines()
    if code != 0:
        how = _how(code, timeout_s) + (f" ({output[-1]})" if output else "")
        raise InfrastructureError(
            f"target {file.name}: reset_command {program} {how}; repair the target, then run again"
        )
    return ResetResult(program, code, round(time.monotonic() - began, 3), output)


def _how(code: int | None, timeout_s: float) -> str:
    if code is None:
        return f"did not end within {timeout_s:g} s and was stopped"
    return f"ended with exit code {code}" if code > 0 else f"was ended by signal {-code}"


def _start(file: TargetFile, command: tuple[str, ...]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=child_environment(),
            cwd="/",
            start_new_session=True,
        )
    except OSError as error:
        raise ConfigError(
            f"{file.path}: reset_command: {command[0]} cannot be started ({error.strerror}); "
            "install it there, or correct the key"
        ) from error


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """Ask all of the group to end, then end them; none left is no error."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError, PermissionError):  # macOS refuses where only ended ones are left
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(TERMINATION_GRACE_S)


class _Tail:
    """Reads a program's output as it comes, so that it never has to wait, and keeps the last of it."""

    def __init__(self, stream: IO[bytes] | None) -> None:
        self._kept = b""
        self._is_cut = False
        self._thread = Thread(target=self._read, args=(stream,), name="reset output", daemon=True)
        self._thread.start()

    def _read(self, stream: IO[bytes] | None) -> None:
        if stream is None:
            return
        read: Callable[[int], bytes] = stream.read1  # type: ignore[attr-defined]
        with stream:
            while chunk := read(OUTPUT_BYTES):
                self._is_cut = self._is_cut or len(self._kept) + len(chunk) > OUTPUT_BYTES
                self._kept = (self._kept + chunk)[-OUTPUT_BYTES:]

    def lines(self) -> tuple[str, ...]:
        """The last lines, bounded and without control characters and passwords of URLs."""
        self._thread.join(OUTPUT_WAIT_S)
        text = _TERMINAL_CODES.sub("", self._kept.decode(errors="replace"))
        whole = text.splitlines()[1:] if self._is_cut else text.splitlines()  # half a URL would show its password
        lines = [shown for line in whole if (shown := _plain(line))]
        return tuple(lines[-OUTPUT_LINES:])


def _plain(line: str) -> str:
    return _URL_PASSWORD.sub(r"\1***@", printable(line, OUTPUT_BYTES).strip())[:LINE_CHARS]
