import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from tests.helpers.demo import DemoTarget, await_ready, demo_target, launch, stop, stop_servers

pytestmark = pytest.mark.integration
RUN = "workers-1"


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoTarget]:
    """A target of two processes."""
    with demo_target(tmp_path_factory.mktemp("pair"), "--workers", "2", "--pool-size", "3") as target:
        yield target


def _workers(target: DemoTarget) -> list[psutil.Process]:
    children = psutil.Process(target.pid).children()
    return [child for child in children if "include.demo_target.worker" in child.cmdline()]


def _own_urls(target: DemoTarget) -> list[str]:
    """Where each process can be asked alone: of its two sockets the one that is not the target's."""
    shared = int(target.base_url.rpartition(":")[2])
    found = []
    for worker in _workers(target):
        ports = {each.laddr.port for each in worker.net_connections("inet") if each.status == psutil.CONN_LISTEN}
        assert shared in ports
        found += [f"http://127.0.0.1:{port}" for port in ports - {shared}]
    return found


def test_requests_of_all_processes_count_together(pair: DemoTarget) -> None:
    """Whichever process is asked, it knows the requests that arrived at both, and its page holds them."""
    urls = _own_urls(pair)
    assert len(urls) == 2
    marks = {"X-Load-Test-Run-Id": RUN, "X-Load-Test-Phase": "load"}
    series = 'starlette_requests_total{method="GET",path_template="/api/v1/users/me"}'
    for times, url in enumerate(urls, start=2):
        for _ in range(times):
            assert httpx.get(f"{url}/api/v1/users/me", headers=marks).status_code == 403
    for url in [*urls, pair.base_url]:
        answer = httpx.get(f"{url}/admin/requests", params={"run_id": RUN}).json()
        assert answer == {"login": 0, "warm_up": 0, "load": 5}
        lines = httpx.get(f"{url}/metrics").text.splitlines()
        assert f"{series} 5.0" in lines
        assert "db_pool_size 6.0" in lines
        assert "cache_hit_ratio" in httpx.get(f"{url}/api/v1/monitoring/metrics").text


def test_a_switch_at_one_process_reaches_the_other_and_is_put_back_by_either(pair: DemoTarget) -> None:
    """Switched and ended at whichever process; a wrong value is refused by both in the same words."""
    first, second = _own_urls(pair)
    for switch, look in ((first, second), (second, first)):
        change = {"error_share": {"users_me": 1}, "row_lock_s": 600, "growing_rows_per_s": 100}
        assert httpx.put(f"{switch}/admin/faults", json=change, timeout=60).status_code == 200
        assert httpx.get(f"{look}/admin/faults").json()["error_share"] == {"users_me": 1}
        assert httpx.get(f"{look}/api/v1/users/me").status_code == 500
        assert pair.sql("SELECT count(*) FROM pg_locks WHERE relation = 'tax_counter'::regclass") != [(0,)]
        httpx.delete(f"{look}/admin/faults", timeout=60).raise_for_status()
        assert httpx.get(f"{switch}/api/v1/users/me").status_code == 403
        assert pair.sql("SELECT count(*) FROM tax_notices") == [(20,)]
        assert pair.sql("SELECT count(*) FROM pg_locks WHERE relation = 'tax_counter'::regclass") == [(0,)]
    answers = [httpx.put(f"{url}/admin/faults", json={"pool_sise": 1}) for url in (first, second)]
    assert [answer.status_code for answer in answers] == [422, 422]
    assert answers[0].json() == answers[1].json()


def test_logins_work_at_either_process(pair: DemoTarget) -> None:
    """A token of one process is good at the other."""
    pair.add_user("pair@pratikoai.it")
    token = pair.login("pair@pratikoai.it")
    for url in _own_urls(pair):
        answer = httpx.get(f"{url}/api/v1/users/me", headers={"authorization": f"Bearer {token}"})
        assert answer.json()["email"] == "pair@pratikoai.it"


def test_a_process_that_ends_by_itself_ends_the_target(tmp_path: Path) -> None:
    """Nobody takes a half target for a whole one: it stops, says so, and leaves no process behind."""
    process = launch(tmp_path, "--workers", "2")
    try:
        target = await_ready(process, tmp_path)
        assert json.loads((tmp_path / "ready.json").read_text())["pid"] == process.pid
        workers = _workers(target)
        workers[1].kill()
        assert process.wait(60) == 1
        assert "a process of the target has ended" in (tmp_path / "output.log").read_text()
        assert not any(worker.is_running() for worker in workers)
        assert not (tmp_path / "ready.json").exists()
    finally:
        stop(process)


def test_workers_end_with_the_process_that_started_them(tmp_path: Path) -> None:
    """Also when it is killed and can order nothing any more."""
    process = launch(tmp_path, "--workers", "2")
    try:
        workers = _workers(await_ready(process, tmp_path))
        process.send_signal(signal.SIGKILL)
        process.wait(20)
        deadline = time.monotonic() + 30
        while any(worker.is_running() for worker in workers) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert not any(worker.is_running() for worker in workers)
    finally:
        stop(process)
        stop_servers(tmp_path)
