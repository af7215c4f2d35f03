"""One of several generators as a task: its files, its sessions, and how long it waits for its master."""

import json
import os
import signal
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace

import pytest

from include.loadtest.bundle import Bundle
from include.loadtest.errors import ConfigError, InfrastructureError
from include.loadtest.orchestration import generators
from include.loadtest.orchestration.context import RunContext
from include.loadtest.orchestration.generators import (
    await_master,
    ended_from_outside,
    is_own_file,
    send_share,
)
from include.loadtest.orchestration.order import RunOrder
from include.loadtest.profile import Overrides, find_profile, load_profile
from include.loadtest.runners.generator import LoadRequest
from include.loadtest.target.sessions import Session

pytestmark = pytest.mark.unit
USABLE = list(range(1, 201))


@pytest.mark.parametrize(
    ("name", "is_own"),
    [
        ("samples/w1-17-000000.parquet", True),
        ("resources/generator-w1-17-000000.parquet", True),
        ("generator-w1.json", True),
        ("generator-w1.log", True),
        ("samples/w12-17-000000.parquet", False),
        ("samples/w0-17-000000.parquet", False),
        ("resources/host-17-000000.parquet", False),
        ("manifest.json", False),
        ("generator-w0.json", False),
        ("generator.log", False),
    ],
)
def test_a_generator_writes_its_own_files_only(name: str, is_own: bool) -> None:
    """Its samples, its readings, its account and its log; never the manifest."""
    assert is_own_file(name, "w1") is is_own


def test_a_generator_waits_for_its_master() -> None:
    """Until it is named, this task has to end, or the time is over: then it says what to look at."""
    answers = iter([None, None, "127.0.0.1:5557"])
    assert await_master(lambda: next(answers), lambda: False, within_s=1, poll_s=0.01) == "127.0.0.1:5557"
    assert await_master(lambda: None, lambda: True) is None
    with pytest.raises(InfrastructureError, match="is there a free slot for it"):
        await_master(lambda: None, lambda: False, within_s=0.05, poll_s=0.01)


def test_the_end_of_its_task_is_noticed() -> None:
    """A SIGTERM ends the generator in order, and not this process at once."""
    with ended_from_outside() as is_ended:
        assert not is_ended()
        os.kill(os.getpid(), signal.SIGTERM)
        deadline_s = time.monotonic() + 2
        while not is_ended() and time.monotonic() < deadline_s:
            time.sleep(0.01)
        assert is_ended()


@pytest.fixture
def context(tmp_path: Path) -> RunContext:
    """A run of two generators, warmed, on a machine where its sessions were opened."""
    profile = load_profile(find_profile("smoke"), Overrides(generators=2))
    bundle = Bundle(tmp_path / "smoke-1")
    bundle.update_manifest(profile=profile.model_dump(mode="json"), seed={"usable": USABLE}, cities={"Milano": "20121"},
                           lease={"owner": "me", "token": 7})  # fmt: skip
    paths = SimpleNamespace(model_dump=dict)
    file = SimpleNamespace(api_prefix="/api/v1", forwarded_for=False, check_paths=paths)
    target = SimpleNamespace(base_url="http://127.0.0.1:9", addresses=(), file=file)
    made = RunContext(
        bundle=bundle,
        bundle_uri=str(bundle.path),
        order=RunOrder("smoke", None, Overrides(generators=2), "demo", "test"),
        target_name="demo",
        load_target=lambda _: target,
        history_url="postgresql://nowhere",
        work_dir=tmp_path / "work",
        owner="me",
    )
    made.work_dir.mkdir(mode=0o700)
    sessions = {number: asdict(Session(number, "u", f"s{number}", None, time.time())) for number in range(1, 11)}
    made.sessions_file.write_text(json.dumps(sessions))
    return made


@pytest.fixture
def member(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list]:
    """Stands for Locust: keeps what it is given, and what the files then hold; leaves `account`, if that is one."""

    def install(account: dict | None) -> list:
        given: list = []

        def run_member(request: LoadRequest, _say: object, _stop: object) -> int:
            sessions = json.loads(request.sessions_file.read_text())
            given.append((request, sessions, json.loads(request.lease_file.read_text())))
            if account is not None:
                request.bundle.write(f"generator-{request.worker}.json", account)
            return 1

        monkeypatch.setattr(generators, "run_member", run_member)
        monkeypatch.setattr("include.loadtest.orchestration.lease._extend", lambda *_: None)
        return given

    return install


def test_a_generator_gets_its_own_users_with_the_runs_sessions_and_a_lease(context, member) -> None:
    """Nobody logs in twice on one machine; of its files none is left, and the manifest is as it was."""
    given, before = member({"ended_ns": 1, "samples": 3}), context.manifest()
    send_share(context, 2, lambda: "10.0.0.1:5557", lambda: False)
    request, sessions, lease = given[0]
    assert (request.worker, request.master, request.user_numbers) == ("w2", "10.0.0.1:5557", (2, 4, 6, 8, 10))
    assert sorted(map(int, sessions)) == [2, 4, 6, 8, 10]
    assert sessions["4"]["session_token"] == "s4"
    assert lease["token"] == 7
    assert [path.name for path in context.work_dir.iterdir()] == ["sessions.json"]
    assert context.manifest() == before


def test_a_generator_that_leaves_no_account_has_died(context, member) -> None:
    """The task is red and says where to look; the verdict is the master's matter."""
    member(None)
    with pytest.raises(InfrastructureError, match=r"generator w1 ended with exit code 1 .* generator-w1\.log"):
        send_share(context, 1, lambda: "10.0.0.1:5557", lambda: False)
    assert [path.name for path in context.work_dir.iterdir()] == ["sessions.json"]


@pytest.mark.parametrize(
    "left",
    [
        lambda bundle: bundle.update_manifest(load={"samples": 3}),
        lambda bundle: bundle.write("generator-w0.json", {"started_ns": 17}),
    ],
    ids=["the load is over", "the load has begun"],
)
def test_a_generator_that_is_cleared_joins_no_load(context, member, left: Callable[[Bundle], None]) -> None:
    """Its master is gone, or plays without it: no session is opened, and nothing of the first load is overwritten."""
    given = member({"ended_ns": 1})
    left(context.bundle)
    before = {path: path.read_bytes() for path in context.bundle.path.rglob("*") if path.is_file()}
    with pytest.raises(ConfigError, match="run smoke-1 has ended or sent its load already"):
        send_share(context, 2, lambda: "10.0.0.1:5557", lambda: False)
    assert given == []
    assert {path: path.read_bytes() for path in context.bundle.path.rglob("*") if path.is_file()} == before


def test_a_folder_that_only_the_generator_used_goes_with_it(context, member, monkeypatch) -> None:
    """On another machine than the run's it opens its sessions itself, and nothing with a token stays there."""
    given, content, opened = member({"ended_ns": 1}), context.sessions_file.read_text(), list[int]()
    context.sessions_file.unlink()

    def ensure(_target: object, numbers: tuple[int, ...], path: Path, _run_id: str, **_: object) -> None:
        opened.extend(numbers)
        path.write_text(content)

    monkeypatch.setattr(generators, "ensure_sessions", ensure)
    send_share(context, 1, lambda: "10.0.0.1:5557", lambda: False)
    assert (opened, len(given)) == ([1, 3, 5, 7, 9], 1)
    assert not context.work_dir.exists()
