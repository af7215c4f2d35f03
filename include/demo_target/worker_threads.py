"""The threads for what would block the event loop: hashing passwords and reading PDF files."""

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

THREADS, MOST_THREADS = 2, 64
REPORT_S, REPORT_PERIOD_S = 1.8, 2.0
Result = TypeVar("Result")


class WorkerThreads:
    """So many threads; a job waits in order of arrival until one is free."""

    def __init__(self, size: int = THREADS) -> None:
        self._usual = size
        self._lock = threading.Lock()
        self._unfinished = 0
        self._threads = _threads(size)
        self.size = size
        self.busy = 0

    @property
    def queued(self) -> int:
        """Jobs that wait for a thread."""
        return max(self._unfinished - self.busy, 0)

    def resize(self, size: int | None) -> None:
        """Have so many threads from now on, None is the usual number; older jobs end in the older threads."""
        wanted = size or self._usual
        if wanted != self.size:
            self._threads.shutdown(wait=False)
            self.size, self._threads = wanted, _threads(wanted)

    async def run(self, work: Callable[..., Result], *values: Any) -> Result:
        """The result of `work(*values)`, done in a thread."""
        with self._lock:
            self._unfinished += 1
        future = self._threads.submit(self._job, work, *values)
        future.add_done_callback(self._finished)
        return await asyncio.wrap_future(future)

    async def render_reports(self, in_force: Callable[[], None]) -> None:
        """Occupy the threads with somebody's reports, of 1.8 s each: one every 2 s, until cancelled."""
        in_force()
        while True:
            begin_s = time.monotonic()
            await self.run(time.sleep, REPORT_S)
            await asyncio.sleep(max(begin_s + REPORT_PERIOD_S - time.monotonic(), 0))

    def close(self) -> None:
        """Take no more jobs and forget those that wait."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _job(self, work: Callable[..., Result], *values: Any) -> Result:
        with self._lock:
            self.busy += 1
        try:
            return work(*values)
        finally:
            with self._lock:
                self.busy -= 1

    def _finished(self, future: Future[Any]) -> None:
        del future
        with self._lock:
            self._unfinished -= 1


def _threads(size: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=size, thread_name_prefix="worker")
