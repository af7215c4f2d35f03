import io
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import psutil
import pytest
from reportlab.pdfgen.canvas import Canvas

from include.demo_target.faults import Faults
from tests.helpers.demo import DemoTarget, demo_target

pytestmark = pytest.mark.integration
Switch = Callable[..., httpx.Response]
IVA = {"tax_type": "iva", "amount": 1000}


def _pdf() -> bytes:
    content = io.BytesIO()
    canvas = Canvas(content)
    canvas.drawString(50, 800, "Fattura")
    canvas.save()
    return content.getvalue()


def _upload(demo: DemoTarget, token: str) -> float:
    begin_s = time.perf_counter()
    with demo.client(authorization=f"Bearer {token}") as client:
        files = {"files": ("fattura.pdf", _pdf(), "application/pdf")}
        assert client.post("/api/v1/documents/upload", files=files).json()["success"]
    return time.perf_counter() - begin_s


def test_blocking_call_holds_up_every_other_request(demo: DemoTarget, tokens: tuple[str, str], switch: Switch) -> None:
    """A request of another endpoint, sent while the loop is blocked, is answered when it goes on."""
    switch(loop_blocking_ms={"tax_calculate": 1500})
    with ThreadPoolExecutor(1) as caller:
        blocking = caller.submit(demo.timed, tokens[1], "italian/tax/calculate", IVA)
        time.sleep(0.4)
        other_s, status = demo.timed(tokens[1], "italian/legal/search", {"keywords": ["IVA"]})
        assert blocking.result()[0] >= 1.5
    assert (status, other_s > 0.5) == (200, True)
    with demo.client() as client:
        page = client.get("/metrics").text.splitlines()
    lag_s = next(line for line in page if line.startswith("event_loop_lag_seconds "))
    assert float(lag_s.split(" ")[1]) > 1


def test_one_thread_makes_uploads_wait(demo: DemoTarget, tokens: tuple[str, str], switch: Switch) -> None:
    """The reports have it most of the time; the end gives the threads back."""
    usual_s = _upload(demo, tokens[1])
    switch(thread_pool_size=1)
    slowest_s = max(_upload(demo, tokens[1]) for _ in range(3))
    assert slowest_s > usual_s + 0.5


def test_busy_disk_is_written_to_and_left_clean(demo: DemoTarget, tokens: tuple[str, str], switch: Switch) -> None:
    """The target writes what was ordered, also documents get through, and no file of it stays."""
    before = psutil.Process(demo.pid).io_counters().write_bytes
    switch(disk_written_mb_per_s=20)
    time.sleep(1.5)
    _upload(demo, tokens[1])
    assert psutil.Process(demo.pid).io_counters().write_bytes - before > 10_000_000
    with demo.client() as client:
        client.delete("/admin/faults").raise_for_status()
    assert not list(demo.state.glob("disk_fault*"))


def test_everything_at_once_is_given_back(demo: DemoTarget, tokens: tuple[str, str], switch: Switch) -> None:
    """A target with every background fault in force is as before after one DELETE."""
    faults = {
        "pool_size": 4,
        "growing_rows_per_s": 100,
        "leaked_connections": 5,
        "cache_busy_share": 0.2,
        "cache_room_kb": 256,
        "loop_blocking_ms": {"all": 1},
        "llm_refused_share": 1,
        "thread_pool_size": 1,
        "disk_written_mb_per_s": 1,
        "leak_mb_per_min": 60,
        "cpu_burn": 0.05,
        "missing_index": True,
        "bare_metrics": True,
        "row_lock_s": 600,
    }
    in_force = switch(**faults)
    assert in_force.status_code == 200
    assert {name: in_force.json()[name] for name in faults} == {**faults, "row_lock_s": 0}
    with demo.client() as client:
        assert client.delete("/admin/faults").json() == Faults().model_dump()
        behaviour = client.get(f"{demo.llm_url}/admin/behaviour").json()
        page = set(client.get("/metrics").text.splitlines())
    assert behaviour["refused_share"] == 0
    assert {"db_pool_size 20.0", "thread_pool_size 2.0"} <= page
    assert demo.timed(tokens[1], "italian/tax/calculate", IVA)[1] == 200


def test_start_options_set_sizes_and_the_work_of_a_request(demo: DemoTarget) -> None:
    """A small pool, more threads, and CPU time that every request of a user takes, but none of a monitor's."""
    options = ("--pool-size", "3", "--thread-pool-size", "5", "--cpu-ms-per-request", "200")
    with demo_target(demo.state.parent / "sized", *options) as sized, sized.client() as client:
        page = set(client.get("/metrics").text.splitlines())
        assert {"db_pool_size 3.0", "thread_pool_size 5.0"} <= page

        def cpu_s(path: str) -> float:
            before = sum(psutil.Process(sized.pid).cpu_times()[:2])
            for _ in range(3):
                client.get(path)
            return sum(psutil.Process(sized.pid).cpu_times()[:2]) - before

        assert cpu_s("/api/v1/users/me") >= 0.5
        assert cpu_s("/health") < 0.5
        sized.switch(pool_size=1, thread_pool_size=1)
        client.delete("/admin/faults").raise_for_status()
        page = set(client.get("/metrics").text.splitlines())
        assert {"db_pool_size 3.0", "thread_pool_size 5.0"} <= page
