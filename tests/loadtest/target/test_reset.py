"""Real programs, written by each test."""

import os
import signal
import stat
import sys
import threading
import time
import traceback
from pathlib import Path

import psutil
import pytest

from include.loadtest.errors import ConfigError, InfrastructureError
from include.loadtest.machine import child_environment
from include.loadtest.target import reset
from include.loadtest.target.reset import run_reset
from include.loadtest.target.settings import TargetFile, load_target_file, read_target_file

pytestmark = pytest.mark.unit


def _file(*command: str) -> TargetFile:
    return TargetFile(name="demo", reset_command=command)


def _script(tmp_path: Path, text: str) -> str:
    path = tmp_path / "reset"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def _await_text(path: Path) -> str:
    deadline = time.monotonic() + 20
    while not path.exists() or not path.read_text().endswith("\n"):
        assert time.monotonic() < deadline, f"{path} was not written"
        time.sleep(0.01)
    return path.read_text().strip()


def _await_end(pid: int) -> None:
    deadline = time.monotonic() + 20
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline, f"process {pid} still runs"
        time.sleep(0.01)


def _await_waiting() -> None:
    """Until the main thread waits for a program: an interruption that comes sooner meets no wait to interrupt."""
    deadline = time.monotonic() + 20
    main = threading.main_thread().ident or 0
    while not any(
        call.name == "wait" and call.filename.endswith("subprocess.py")
        for call in traceback.extract_stack(sys._current_frames()[main])
    ):
        assert time.monotonic() < deadline, "nobody waits"
        time.sleep(0.01)


def test_a_target_without_the_key_is_not_reset() -> None:
    """None, not an empty success."""
    assert run_reset(load_target_file("demo")) is None


def test_arguments_reach_the_program_as_they_are_written(tmp_path: Path) -> None:
    """No shell reads them; the result has program, exit code, seconds and output, standard error among it."""
    program = _script(tmp_path, 'for part in "$@"; do echo "[$part]"; done; echo done >&2; pwd')
    result = run_reset(_file(program, "$HOME; ls", "a b", "*"))
    assert result is not None
    assert result.output == ("[$HOME; ls]", "[a b]", "[*]", "done", "/")
    assert result.document() == {
        "program": program,
        "exit_code": 0,
        "duration_s": result.duration_s,
        "output": list(result.output),
    }
    assert 0 < result.duration_s < 20
    assert result.lines()[0].startswith(f"reset: {program} ended with 0 after ")


def test_the_program_gets_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four variables of this process's environment and nothing else; nothing to read either."""
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:s3cret@h/d")
    monkeypatch.setenv("AIRFLOW_CONN_LOADTEST_TARGET_DB", "s3cret")
    result = run_reset(_file("env"))
    assert result is not None
    assert {line.partition("=")[0] for line in result.output} <= child_environment().keys()
    assert f"PATH={os.environ['PATH']}"[: reset.LINE_CHARS] in result.output
    silent = run_reset(_file("cat"))
    assert silent is not None
    assert silent.output == ()


def test_output_is_bounded_and_harmless(tmp_path: Path) -> None:
    """The last lines only, without control characters, colours, passwords in addresses, and never half a line."""
    noise = "i=0; while [ $i -lt 3000 ]; do echo postgresql://u:s3cret$i@h/db; i=$((i+1)); done"
    ends = r"printf '\033[31mred\033[0m\a \033]0;title\007postgresql://u:s3@cret@h/db %0300d\n' 7; printf '1%%\r2%%\n'"
    result = run_reset(_file(_script(tmp_path, f"{noise}\n{ends}")))
    assert result is not None
    assert len(result.output) == reset.OUTPUT_LINES
    assert result.output[-3].startswith("red  postgresql://u:***@h/db 000")
    assert len(result.output[-3]) == reset.LINE_CHARS
    assert result.output[-2:] == ("1%", "2%")
    assert "s3cret" not in str(result)
    lone = run_reset(_file(_script(tmp_path, f"head -c {3 * reset.OUTPUT_BYTES} /dev/zero | tr '\\0' x")))
    assert lone is not None
    assert lone.output == ()


def test_a_failure_is_one_line_with_code_and_last_words(tmp_path: Path) -> None:
    """And what the program had left running in its group is ended."""
    pid_file = tmp_path / "pid"
    program = _script(tmp_path, f"sleep 300 & echo $! > {pid_file}; echo 'no backup\nfound'; exit 3")
    with pytest.raises(InfrastructureError) as caught:
        run_reset(_file(program))
    assert str(caught.value) == (
        f"target demo: reset_command {program} ended with exit code 3 (found); repair the target, then run again"
    )
    _await_end(int(pid_file.read_text()))
    with pytest.raises(InfrastructureError, match="was ended by signal 9; repair"):
        run_reset(_file(_script(tmp_path, "kill -9 $$")))


def test_what_does_not_end_in_time_is_stopped_with_its_children(tmp_path: Path, monkeypatch) -> None:
    """Also where the program ignores being asked."""
    monkeypatch.setattr(reset, "TERMINATION_GRACE_S", 0.2)
    pid_file = tmp_path / "pid"
    program = _script(tmp_path, f"trap '' TERM; sleep 300 & echo $! > {pid_file}; echo halfway; wait; sleep 300")
    began = time.monotonic()
    with pytest.raises(InfrastructureError, match=r"did not end within 1 s and was stopped \(halfway\); repair"):
        run_reset(_file(program), timeout_s=1)
    assert time.monotonic() - began < 20
    _await_end(int(pid_file.read_text()))


def test_an_interrupted_reset_leaves_nothing_running(tmp_path: Path) -> None:
    """As when an operator ends the task."""
    pid_file = tmp_path / "pid"
    program = _script(tmp_path, f"echo $$ > {pid_file}; exec sleep 300")

    def interrupt() -> None:
        _await_text(pid_file)
        _await_waiting()
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
    thread = threading.Thread(target=interrupt)
    thread.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            run_reset(_file(program), timeout_s=60)
    finally:
        signal.signal(signal.SIGINT, before)
    thread.join()
    _await_end(int(pid_file.read_text()))


def test_what_a_success_leaves_running_goes_on(tmp_path: Path) -> None:
    """A server that the reset started is not awaited, even where it holds the output open."""
    pid_file = tmp_path / "pid"
    began = time.monotonic()
    result = run_reset(_file(_script(tmp_path, f"sleep 300 & echo $! > {pid_file}; echo started")))
    pid = int(pid_file.read_text())
    try:
        assert result is not None
        assert result.output == ("started",)
        assert time.monotonic() - began < 20
        assert psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    finally:
        os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("command", ["/nowhere/reset", "no-such-program-anywhere"])
def test_a_missing_program_is_bad_input(command: str) -> None:
    """The line says which file to correct."""
    with pytest.raises(ConfigError) as caught:
        run_reset(_file(command))
    assert str(caught.value) == (
        f"include/profiles/targets/demo.yaml: reset_command: {command} cannot be started (No such file or directory); "
        "install it there, or correct the key"
    )


def test_a_file_that_is_no_program_is_bad_input(tmp_path: Path) -> None:
    """A plain text file cannot be executed."""
    plain = tmp_path / "notes"
    plain.write_text("x")
    with pytest.raises(ConfigError, match="Permission denied"):
        run_reset(_file(str(plain)))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("/usr/bin/reset --fast", "write a list of the program and its arguments"),
        ("[]", "write a list of the program and its arguments"),
        ("[reset, '']", "each part is a text that is not empty"),
        ("[reset, 3]", "each part is a text that is not empty"),
        ('[reset, "a\\nb"]', "without control characters"),
        ("[bin/reset]", "an absolute path or a plain program name"),
        ("[./reset]", "an absolute path or a plain program name"),
    ],
)
def test_a_wrong_command_is_told_by_line(tmp_path: Path, value: str, message: str) -> None:
    """When the file is read, not when the run is on."""
    path = tmp_path / "x.yaml"
    path.write_text(f"name: x\nreset_command: {value}\n")
    with pytest.raises(ConfigError, match=rf"x\.yaml:2: reset_command: .*{message}"):
        read_target_file(path)
    path.write_text("name: x\nreset_command: [/usr/local/bin/reset, --fast]\n")
    assert read_target_file(path).reset_command == ("/usr/local/bin/reset", "--fast")
