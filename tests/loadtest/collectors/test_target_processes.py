import os
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import replace

import psutil
import pytest

from include.embedded.postgres import PostgresServer
from include.loadtest.collectors import target_processes
from include.loadtest.collectors.plan import Listener
from include.loadtest.collectors.target_processes import (
    ProcessState,
    ServerProcesses,
    children_of,
    cpu_between_s,
    memory_bytes,
    state_of,
)
from tests.helpers.forking_server import ForkingServer

pytestmark = pytest.mark.integration


def _pids(processes: ServerProcesses) -> set[int]:
    return {state.pid for state in processes.read()}


def test_a_process_is_what_the_kernel_says_of_it() -> None:
    """CPU time, start, threads and memory as psutil reads them; none of one that is not there."""
    own = psutil.Process()
    state = state_of(own.pid)
    assert state is not None
    assert state.parent == os.getppid()
    assert state.cpu_s == pytest.approx(sum(own.cpu_times()[:2]), abs=0.1)
    assert psutil.boot_time() + state.started_ticks / target_processes.TICKS_PER_S == pytest.approx(own.create_time())
    assert state.resident_bytes == pytest.approx(own.memory_info().rss, rel=0.2)
    assert state.threads >= 1
    assert state_of(2**22 + 1) is None


def test_workers_belong_to_their_server(forking_server: Callable[..., ForkingServer]) -> None:
    """All that hold the listening socket; a child that listens on a port of its own is another server."""
    server = forking_server(0, 2, "--with-database")
    children = psutil.Process(server.process.pid).children()
    assert len(children) == 3
    found = _pids(ServerProcesses(server.listener))
    assert server.process.pid in found
    assert len(found) == 3
    assert len(found & {child.pid for child in children}) == 2


def test_the_oldest_is_the_one_that_began_first(forking_server: Callable[..., ForkingServer]) -> None:
    """Of all of them, without looking at those that hold no socket; none where nobody serves."""
    server = forking_server(0, 3)
    processes = ServerProcesses(server.listener)
    oldest = processes.oldest()
    assert oldest is not None
    assert oldest.key == min(processes.read(), key=lambda state: state.started_ticks).key
    server.stop()
    assert processes.oldest() is None


def test_children_of_all_threads_are_found() -> None:
    """Also of a thread that is not the first; where a process has only that one, the others are not looked for."""
    begun: list[subprocess.Popen[bytes]] = []
    ended = threading.Event()

    def begin() -> None:
        begun.append(subprocess.Popen(["sleep", "60"]))
        ended.wait(10)

    thread = threading.Thread(target=begin)
    thread.start()
    try:
        while not begun:
            time.sleep(0.01)
        own = state_of(os.getpid())
        assert own is not None
        assert begun[0].pid in children_of(own.pid, own.threads)
        assert begun[0].pid in children_of(own.pid)
        assert begun[0].pid not in children_of(own.pid, 1)
    finally:
        begun[0].kill()
        begun[0].wait()
        ended.set()
        thread.join()


def test_a_restart_is_followed(forking_server: Callable[..., ForkingServer]) -> None:
    """Nobody while it is down; then the new one, at the next reading."""
    first = forking_server()
    processes = ServerProcesses(first.listener)
    assert _pids(processes) == {first.process.pid}
    first.stop()
    assert _pids(processes) == set()
    second = forking_server(first.port)
    assert _pids(processes) == {second.process.pid}


def test_who_joins_with_a_socket_of_its_own_is_found_later(
    forking_server: Callable[..., ForkingServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sockets are looked at again after a while, and not before."""
    server = forking_server(0, 0, "--reuse-port")
    processes = ServerProcesses(server.listener)
    assert _pids(processes) == {server.process.pid}
    other = forking_server(server.port, 0, "--reuse-port")
    assert _pids(processes) == {server.process.pid}
    monkeypatch.setattr(target_processes, "LOOK_AGAIN_S", 0.0)
    assert _pids(processes) == {server.process.pid, other.process.pid}


def test_what_cannot_be_seen_is_not_searched_at_every_reading(
    forking_server: Callable[..., ForkingServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A search costs; whoever begins to listen is found at once all the same."""
    searched: list[int] = []

    class Holders:
        def now(self) -> dict[str, set[int]]:
            searched.append(1)
            return {}

    server = forking_server()
    monkeypatch.setattr(target_processes, "HOLDERS", Holders())
    unseen = ServerProcesses(server.listener)
    assert [unseen.read() for _ in range(5)] == [[]] * 5
    assert len(searched) == 1
    server.stop()
    assert unseen.read() == []
    forking_server(server.port)
    unseen.read()
    assert len(searched) == 3


def test_a_forwarder_is_not_taken_for_the_application(
    forking_server: Callable[..., ForkingServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever listens hands connections on: its CPU says nothing of the target."""
    server = forking_server()
    monkeypatch.setattr(target_processes, "name_of", lambda _pid: "docker-proxy")
    processes = ServerProcesses(server.listener)
    assert processes.read() == []
    assert processes.forwarder == "docker-proxy"


def test_postgresql_is_found_by_its_socket(postgres: PostgresServer) -> None:
    """Its main process and its workers; a folder without one has nobody."""
    found = _pids(ServerProcesses(Listener(port=5432, socket_dir=str(postgres.socket_dir))))
    assert postgres.pid in found
    assert len(found) > 3
    assert _pids(ServerProcesses(Listener(port=5433, socket_dir=str(postgres.socket_dir)))) == set()


STATE = ProcessState(1, 0, 100, cpu_s=5.0, reaped_s=1.0, threads=1, resident_bytes=1000, shared_bytes=400)


def test_time_of_children_counts_once() -> None:
    """A child that has ended hands its whole time to its parent: what was told of already is taken off."""
    child = replace(STATE, pid=2, parent=1, cpu_s=3.0, reaped_s=0.0)
    after = replace(STATE, cpu_s=5.5, reaped_s=4.25)
    assert cpu_between_s([STATE, child], [after], 0) == {1: pytest.approx(0.75)}


def test_what_has_come_since_counts_whole_and_what_was_unseen_from_now_on() -> None:
    """A worker that was found late has no part of its past in this interval."""
    young, old = replace(STATE, pid=2, started_ticks=900), replace(STATE, pid=3, started_ticks=50)
    assert cpu_between_s([STATE], [STATE, young, old], 500) == {1: 0.0, 2: 6.0}


def test_an_id_that_is_used_again_is_another_process() -> None:
    """Its counters begin anew, and are no fall."""
    assert cpu_between_s([STATE], [replace(STATE, started_ticks=700, cpu_s=0.5, reaped_s=0.0)], 500) == {1: 0.5}


def test_shared_memory_counts_once() -> None:
    """PostgreSQL's buffers lie in all of its processes."""
    assert (
        memory_bytes([STATE, replace(STATE, pid=2, shared_bytes=900), replace(STATE, pid=3)]) == 600 + 100 + 600 + 900
    )
    assert memory_bytes([]) == 0


def test_a_reading_costs_little(forking_server: Callable[..., ForkingServer]) -> None:
    """Without a search: 20 readings of three processes take less CPU than 5 s of one core's hundredth."""
    server = forking_server(0, 2)
    processes = ServerProcesses(server.listener)
    processes.read()
    before_s = time.process_time()
    for _ in range(20):
        processes.read()
    assert time.process_time() - before_s < 20 * 0.05
