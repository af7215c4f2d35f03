"""The generator's process is watched whatever becomes of its log, and ends with whoever started it."""

import json
import logging
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from include.loadtest.bundle import Bundle
from include.loadtest.errors import ConfigError
from include.loadtest.profile import Overrides, Profile, find_profile, load_profile
from include.loadtest.profile.vocabulary import ENGINES
from include.loadtest.runners import process
from include.loadtest.runners.engines import run_load
from include.loadtest.runners.generator import LoadRequest, load_reasons
from include.loadtest.runners.locust import run_locust, run_member

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


def test_the_account_of_several_generators_is_their_masters(tmp_path: Path) -> None:
    """Lost samples add up; each generator stands in it, and one that was lost is the reason."""
    bundle = Bundle(tmp_path / "smoke-shared")
    profile = load_profile(find_profile("smoke"), Overrides(generators=2))
    accounts = [{"worker": "w1", "requests": 9, "lost_samples": 2}, {"worker": "w2", "requests": None}]
    state = {
        **{"started_ns": 10**18, "ended_ns": 10**18 + 5 * 10**9, "completed": False, "lost_samples": 0},
        **{"max_users": 10, "stopped_by": "generator_died", "stop_text": "generator w2 on box is lost"},
        "generators": accounts,
    }
    bundle.write("generator-w0.json", state)
    bundle.write("generator-w1.json", {"completed": True, "max_users": 5})
    result = process.read_result(bundle, profile, 0)
    assert (result.completed, result.lost_samples, result.reached_users) == (False, 2, 10)
    assert list(result.generators) == accounts
    reason = load_reasons(profile, result.document())[0]
    assert (reason.code, "generator w2 on box is lost" in reason.text) == ("generator_died", True)


def test_where_a_master_listens_is_told_at_once(request_of: LoadRequest) -> None:
    """By the address under which others reach this machine, and the port that the kernel chose."""
    told: list[str] = []
    request = replace(request_of, master_host="10.1.2.3", on_listening=told.append)
    says = subprocess.Popen([sys.executable, "-c", "print('listening: 4711')"], stdout=subprocess.PIPE, text=True)
    process._relay(says, request, print)
    assert says.wait(timeout=20) == 0
    assert told == ["10.1.2.3:4711"]


@pytest.mark.parametrize("address", [None, "", "10.1.2.3", "10.1.2.3:x", ":4711"])
def test_an_address_that_is_none_is_refused(request_of: LoadRequest, address: str | None) -> None:
    """Nothing is started."""
    with pytest.raises(ValueError, match="is no address of a master"):
        run_member(replace(request_of, worker="w1", master=address), print)


def test_a_masters_name_has_to_be_one_of_this_machine(request_of: LoadRequest) -> None:
    """The variable is named, and what to write there."""
    shared = request_of.profile.model_copy(update={"generators": 2})
    with pytest.raises(ConfigError, match=r"LOADTEST_MASTER_HOST: no\.such\.host\.invalid has no address here"):
        run_locust(replace(request_of, profile=shared, master_host="no.such.host.invalid"), print)
