import os
from pathlib import Path

import pytest

from include.loadtest.collectors.reader import Observer, ReadingError
from include.loadtest.collectors.target_log import MAX_BYTES_A_READING, MAX_LINES_A_READING, LogReader

pytestmark = pytest.mark.unit


def _seen(reader: LogReader) -> list[str]:
    assert reader.read() == {}
    return [str(observation["words"]) for observation in reader.observations()]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A log that has lines already."""
    file = tmp_path / "app.log"
    file.write_text("old: Out of memory\n")
    return file


def _add(log: Path, text: str) -> None:
    with log.open("a") as file:
        file.write(text)


def test_only_new_lines_that_speak_of_an_end_are_seen(log: Path) -> None:
    """Requests and skills are none; half a line waits for its end."""
    reader = LogReader(log, "here")
    assert isinstance(reader, Observer)
    assert _seen(reader) == []
    _add(log, "GET /skills 200\nkernel: oom-kill: task python\nWorker (pid:7) was sent SIGKILL!\nCRASH")
    assert _seen(reader) == ["oom-kill", "sigkill"]
    assert _seen(reader) == []
    _add(log, "ED\nservice restarted\n")
    assert _seen(reader) == ["crash", "restart"]


@pytest.mark.parametrize(
    ("line", "words", "process"),
    [
        ("Out of memory: Killed process 4242 (python3) total-vm:9kB, UID:1000", "out of memory, killed", "python3"),
        ("Memory cgroup out of memory: Killed process 7 (uvicorn), UID 0", "out of memory, killed", "uvicorn"),
        ("killed postgresql://loadtest:s3cret-ABC@10.1.2.3/db: MemoryError", "killed, memoryerror", None),
        ("crash: user mario.rossi@example.it asked 'la mia IVA è 12345678901'", "crash", None),
        ("restart after RSSMRA80A01H501U, iban IT60X0542811101000000123456", "restart", None),
        ('{"event": "crashed", "password": "Segreta!1", "name": "Mario Rossi"}', "crash", None),
        ("Killed process 9 (12345678901)", "killed", None),
        ("Killed process 9 (RSSMRA80A01H501U)", "killed", None),
        ("Killed process 9 (m.rossi80123)", "killed", None),
    ],
)
def test_nothing_else_of_a_line_is_kept(log: Path, line: str, words: str, process: str | None) -> None:
    """Passwords, addresses, questions, codes and names of people stay where they are."""
    reader = LogReader(log, "here")
    _seen(reader)
    _add(log, f"{line}\n")
    reader.read()
    assert list(reader.observations()) == [{"kind": "target_log", "words": words, "process": process}]


def test_a_log_that_was_replaced_or_cut_is_read_from_its_start(log: Path, tmp_path: Path) -> None:
    """As logrotate does it, with `create` and with `copytruncate`."""
    reader = LogReader(log, "here")
    _seen(reader)
    log.rename(tmp_path / "app.log.1")
    log.write_text("a new file: crash, longer than the old one was\n")
    assert _seen(reader) == ["crash"]
    os.truncate(log, 0)
    _add(log, "panic\n")
    assert _seen(reader) == ["panic"]


def test_what_is_read_is_bounded(log: Path) -> None:
    """Of a log that explodes the last part is read, and so many lines; a line without an end costs no memory."""
    reader = LogReader(log, "here")
    _seen(reader)
    _add(log, "x" * (3 * MAX_BYTES_A_READING) + "\n" + "crash\n" * 1000)
    assert len(_seen(reader)) == MAX_LINES_A_READING
    _add(log, "x" * (2 * MAX_BYTES_A_READING))
    assert _seen(reader) == []
    _add(log, "\npanic\n")
    assert _seen(reader) == ["panic"]


def test_a_log_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """Missing, or a pipe, which would never end."""
    with pytest.raises(ReadingError, match="the log cannot be read: No such file"):
        LogReader(tmp_path / "none.log", "here").read()
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ReadingError, match="it is no file"):
        LogReader(tmp_path / "pipe", "here").read()
