"""No request is sent without the target's lease: not the first one, and none after a lease was lost or ran out."""

import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from sqlalchemy import text

from include.loadtest import run
from include.loadtest.bundle import Bundle
from include.loadtest.errors import InvalidTestError
from include.loadtest.history.database import connect, transaction, upgrade
from include.loadtest.history.locks import TargetHeldError, acquire_lock, release_lock
from include.loadtest.lease_file import Lease, LeaseGuard, now_s, write_lease
from include.loadtest.orchestration import lease
from include.loadtest.orchestration.context import RunContext
from include.loadtest.orchestration.pipeline import run_stage, verdict_of
from include.loadtest.runners import process
from include.loadtest.runners.engines import run_load
from include.loadtest.runners.generator import LoadRequest, LoadResult, load_reasons
from tests.helpers.demo import DemoTarget, demo_target
from tests.loadtest.orchestration.conftest import context_of

pytestmark = pytest.mark.integration
USERS, LOAD_S = 3, 60
LEASE_S = 3.0
TAKE_AWAY = "UPDATE loadtest.target_lock SET owner = 'other', token = token + 1"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoTarget]:
    with demo_target(tmp_path_factory.mktemp("demo")) as target:
        yield target


@pytest.fixture(scope="module")
def prepared(demo: DemoTarget, history_url: str, tmp_path_factory: pytest.TempPathFactory) -> RunContext:
    """A run up to its load, which would take a minute."""
    folder = tmp_path_factory.mktemp("runs")
    context = context_of(demo, history_url, folder, "smoke-lease", users=USERS, duration_s=LOAD_S)
    for name in ("preflight", "seed_users", "warm_cache"):
        run_stage(context, name)
    return context


@pytest.fixture
def load_request(prepared: RunContext, demo: DemoTarget, tmp_path: Path) -> LoadRequest:
    """A load of the prepared run's users under a run id, and with a lease file, of its own."""
    return LoadRequest(
        bundle=Bundle(tmp_path / "smoke-late"),
        profile=prepared.profile(),
        base_url=demo.base_url,
        api_prefix="/api/v1",
        forwarded_for=False,
        sessions_file=prepared.sessions_file,
        user_numbers=tuple(prepared.manifest()["seed"]["usable"][:USERS]),
        work_dir=tmp_path,
        caps=("20121",),
        lease_file=tmp_path / "lease.json",
    )


@pytest.fixture
def blind_watcher(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever watches the generator does not look at the lease, as if it were stopped itself."""

    class Blind(LeaseGuard):
        def __init__(self, _path: Path | None) -> None:
            super().__init__(None)

    monkeypatch.setattr(process, "LeaseGuard", Blind)


def requests_of(demo: DemoTarget, run_id: str) -> int:
    with demo.client() as client:
        return sum(client.get("/admin/requests", params={"run_id": run_id}).json().values())


def await_that(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "did not happen within 60 s"
        time.sleep(0.02)


def generator_of(request: LoadRequest) -> psutil.Process | None:
    found = [child for child in psutil.Process().children() if child.is_running() and _is_of(child, request)]
    return found[0] if found else None


def _is_of(child: psutil.Process, request: LoadRequest) -> bool:
    try:
        return any(str(request.bundle.path) in part for part in child.cmdline())
    except psutil.Error:
        return False


def stopped_for_the_lease(request: LoadRequest, demo: DemoTarget, when: Callable[[], object]) -> tuple[LoadResult, int]:
    """The load's result, and the requests after its generator was stopped `when` that is, until its lease had ended."""
    write_lease(request.lease_file, Lease(5, now_s() + LEASE_S))
    results: list[LoadResult] = []
    thread = threading.Thread(target=lambda: results.append(run_load(request, print)))
    thread.start()
    await_that(when)
    group = os.getpgid(generator_of(request).pid)
    os.killpg(group, signal.SIGSTOP)
    try:
        ended_s = now_s() + LEASE_S
        write_lease(request.lease_file, Lease(5, ended_s))
        await_that(lambda: now_s() > ended_s + 0.1)
        before = requests_of(demo, request.bundle.run_id)
    finally:
        os.killpg(group, signal.SIGCONT)
    thread.join(60)
    return results[0], requests_of(demo, request.bundle.run_id) - before


@pytest.mark.usefixtures("blind_watcher")
def test_a_generator_that_was_stopped_before_its_load_sends_no_first_request(
    load_request: LoadRequest, demo: DemoTarget
) -> None:
    """The lease was valid when it was started, and is another's when it goes on."""
    result, sent = stopped_for_the_lease(load_request, demo, lambda: generator_of(load_request))
    assert (sent, requests_of(demo, "smoke-late")) == (0, 0)
    assert (result.started, result.completed, result.stopped_by) == (None, False, "target_locked")
    assert "(token 5) ended" in str(result.stop_text)


@pytest.mark.usefixtures("blind_watcher")
def test_a_generator_that_was_stopped_in_its_load_sends_no_further_request(
    load_request: LoadRequest, demo: DemoTarget
) -> None:
    """What it has measured is kept; the reason is the verdict's."""

    def renewed_until_requests() -> bool:
        write_lease(load_request.lease_file, Lease(5, now_s() + LEASE_S))
        return requests_of(demo, "smoke-late") > 3

    result, sent = stopped_for_the_lease(load_request, demo, renewed_until_requests)
    assert sent == 0
    assert (result.completed, result.stopped_by) == (False, "target_locked")
    assert any(load_request.bundle.samples_dir.glob("*.parquet"))
    (reason,) = load_reasons(load_request.profile, result.document())
    assert (reason.code, "(token 5) ended" in reason.text) == ("target_locked", True)


def test_without_a_lease_file_no_generator_sends_anything(load_request: LoadRequest, demo: DemoTarget) -> None:
    """Whoever watches it ends it, if it does not end by itself."""
    result = run_load(replace(load_request, bundle=Bundle(load_request.work_dir / "smoke-none")), print)
    assert requests_of(demo, "smoke-none") == 0
    assert (result.started, result.stopped_by) == (None, "target_locked")


def test_a_load_whose_lock_is_taken_away_ends_and_is_no_valid_test(
    prepared: RunContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within seconds of the loss; its samples are kept, the verdict says who has the target."""
    monkeypatch.setattr(lease, "LOAD_RENEWS_EVERY_S", 0.5)
    lost_at: list[float] = []

    def take_away() -> None:
        await_that(lambda: any(prepared.bundle.samples_dir.glob("*.parquet")))
        with transaction(connect(prepared.history_url)) as connection:
            connection.execute(text(TAKE_AWAY))
        lost_at.append(time.monotonic())

    thread = threading.Thread(target=take_away)
    thread.start()
    with pytest.raises(InvalidTestError, match="lost while it was used: target demo is held by other"):
        run_stage(prepared, "run_profile")
    took_s = time.monotonic() - lost_at[0]
    thread.join()
    assert took_s < LOAD_S / 2
    assert prepared.manifest()["load"]["stopped_by"] == "target_locked"
    assert prepared.manifest()[run.TRACE_IDS] == run.TRACE_IDS_OF_ITERATIONS
    verdict = verdict_of(prepared)
    assert verdict["verdict"] == "INCONCLUSIVE"
    assert "held by other" in next(one["text"] for one in verdict["reasons"] if one["code"] == "target_locked")


def test_a_run_that_did_not_get_its_target_is_no_valid_test_and_says_who_has_it(
    demo: DemoTarget, history_url: str, tmp_path: Path
) -> None:
    """What ends the wait of a run that waited in vain; when a later attempt gets the target, nothing is left of it."""
    upgrade(history_url)
    engine = connect(history_url)
    with transaction(engine) as connection:
        connection.execute(text("DELETE FROM loadtest.target_lock"))
    acquire_lock(engine, "demo", "other", "smoke-0", 300)
    context = context_of(demo, history_url, tmp_path, "smoke-refused", users=USERS, duration_s=LOAD_S)
    with pytest.raises(TargetHeldError):
        run_stage(context, "preflight")
    verdict = verdict_of(replace(context, bundle=_copy(context.bundle)))
    (reason,) = verdict["reasons"]
    assert verdict["verdict"] == "INCONCLUSIVE"
    assert (reason["code"], "is held by other for run smoke-0" in reason["text"]) == ("target_locked", True)
    release_lock(engine, "demo", "other")
    run_stage(context, "preflight")
    assert context.manifest()["faults"] == {}
    assert release_lock(engine, "demo", context.owner)


def _copy(bundle: Bundle) -> Bundle:
    """As the stages find it that judge a run whose wait is over."""
    return Bundle(Path(shutil.copytree(bundle.path, bundle.path.with_name("smoke-copy"))))
