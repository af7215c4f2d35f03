import asyncio
import threading
import time

import pytest

from include.demo_target.worker_threads import WorkerThreads

pytestmark = pytest.mark.unit


def test_jobs_beyond_the_threads_wait_and_are_counted() -> None:
    """One thread works on one job, the others are queued; what they give comes back in the end."""
    threads, go_on = WorkerThreads(1), threading.Event()

    def job(number: int) -> int:
        go_on.wait(10)
        return number

    async def counted() -> tuple[int, int, list[int]]:
        jobs = asyncio.gather(*(threads.run(job, number) for number in range(3)))
        while not threads.busy:
            await asyncio.sleep(0.01)
        seen = threads.busy, threads.queued
        go_on.set()
        return *seen, await jobs

    assert asyncio.run(counted()) == (1, 2, [0, 1, 2])
    assert (threads.busy, threads.queued) == (0, 0)
    threads.close()


def test_another_size_holds_for_new_jobs_and_none_is_the_usual_one() -> None:
    """With two threads two jobs meet that would never meet in one."""
    threads = WorkerThreads(2)
    threads.resize(1)
    assert threads.size == 1
    threads.resize(None)
    assert threads.size == 2
    meeting = threading.Barrier(2, timeout=10)

    async def both() -> list[int]:
        return list(await asyncio.gather(threads.run(meeting.wait), threads.run(meeting.wait)))

    assert sorted(asyncio.run(both())) == [0, 1]
    threads.close()


def test_reports_occupy_a_thread() -> None:
    """A job that comes after a report has to wait for most of its length when there is one thread only."""
    threads = WorkerThreads(1)

    async def waited_s() -> float:
        reports = asyncio.create_task(threads.render_reports(lambda: None))
        while not threads.busy:
            await asyncio.sleep(0.01)
        begin_s = time.perf_counter()
        await threads.run(time.time)
        reports.cancel()
        return time.perf_counter() - begin_s

    assert asyncio.run(waited_s()) > 1
    threads.close()
