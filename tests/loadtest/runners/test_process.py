"""The generator's process is watched whatever becomes of its log, and ends with whoever started it."""

import json
import logging
import subprocess
import sys
import time
from pathlib import Path

import pytest

from include.loadtest.bundle import Bundle
from include.loadtest.profile import Profile, find_profile, load_profile
from include.loadtest.profile.vocabulary import ENGINES
from include.loadtest.runners import process
from include.loadtest.runners.engines import run_load
from include.loadtest.runners.generator import LoadRequest, load_reasons

pytestmark = pytest.mark.integration

LINES, ORPHANED = 3000, 3
TALKATIVE = f"""
for number in range({LINES}):
    print("a line of some length that nobody needs", number)
print("progress: all is said")
"""
"""More than a pipe holds."""


@pytest.fixture
def request_of(tmp_path: Path) -> LoadRequest:
    """A load that nobody answers."""
    changes = {"ramp_up_s": 0, "duration_s": 60, "users": 1, "slos": ()}
    profile = load_profile(find_profile("smoke")).model_dump() | changes
    entry = {"user_id": 1, "user_token": "u", "session_token": "s", "studio_id": None, "obtained_at": time.time()}
    sessions = tmp_path / "sessions.json"
    sessions.write_text(json.dumps({"1": entry}))
    bundle = Bundle(tmp_path / "smoke-watched")
    bundle.path.mkdir()
    return LoadRequest(
        bundle=bundle,
        profile=Profile.model_validate(profile),
        base_url="http://127.0.0.1:9",
        api_prefix="/api/v1",
        forwarded_for=False,
        sessions_file=sessions,
        user_numbers=(1,),
        work_dir=tmp_path,
        caps=("20121",),
    )


def relayed(request: LoadRequest) -> list[str]:
    """The progress of a generator that writes much; it has ended in order."""
    talkative = subprocess.Popen([sys.executable, "-c", TALKATIVE], stdout=subprocess.PIPE, text=True)
    said: list[str] = []
    process._relay(talkative, request, said.append)
    assert talkative.wait(timeout=20) == 0
    return said


def test_a_log_that_the_disk_does_not_take_stops_nobody(
    request_of: LoadRequest, caplog: pytest.LogCaptureFixture
) -> None:
    """A full disk, then a log that cannot even be opened: the generator is read to its end, and progress is told."""
    log = request_of.bundle.path / process.LOG_FILE
    log.symlink_to("/dev/full")
    assert relayed(request_of) == ["all is said"]
    log.unlink()
    log.mkdir()
    with caplog.at_level(logging.ERROR):
        assert relayed(request_of) == ["all is said"]
    assert "generator.log cannot be written" in caplog.text


def test_the_log_has_every_line_up_to_its_limit(request_of: LoadRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """What goes beyond it is read and left out."""
    log = request_of.bundle.path / process.LOG_FILE
    relayed(request_of)
    assert len(log.read_text().splitlines()) == LINES + 1
    monkeypatch.setattr(process, "MAX_LOG_BYTES", 1000)
    relayed(request_of)
    assert 1000 <= log.stat().st_size < 1100


@pytest.mark.parametrize("engine", ENGINES)
def test_a_generator_whose_starter_died_while_it_started_ends_at_once(
    request_of: LoadRequest, monkeypatch: pytest.MonkeyPatch, engine: str
) -> None:
    """Its parent is another process than the one that wrote the plan: it must not take that one for its starter."""
    with subprocess.Popen(["true"]) as gone:
        gone.wait()
    write_plan = process._write_plan

    def of_the_dead(request: LoadRequest) -> Path:
        path = write_plan(request)
        path.write_text(json.dumps(json.loads(path.read_text()) | {"starter_pid": gone.pid}))
        return path

    monkeypatch.setattr(process, "_write_plan", of_the_dead)
    profile = Profile.model_validate(request_of.profile.model_dump() | {"engine": engine})
    request = LoadRequest(**{**vars(request_of), "profile": profile})
    began_s = time.monotonic()
    result = run_load(request, print)
    assert time.monotonic() - began_s < 20
    assert (result.completed, result.exit_code) == (False, ORPHANED)
    assert [reason.code for reason in load_reasons(profile, result.document())] == ["generator_died"]
