"""Puts faults into force, and out of it."""

import asyncio
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from include.demo_target.background import Background
from include.demo_target.disk_faults import DiskFaults
from include.demo_target.faults import Faults
from include.demo_target.parts import Parts
from include.demo_target.shared_faults import LLM_FIELDS, SharedFaults
from include.demo_target.siblings import Siblings

BURN_PERIOD_S = 0.05
INDEX_LAG = timedelta(seconds=1)
ONCE = {"freeze_s": 0.0, "row_lock_s": 0.0, "cache_flush": False}


class FaultSwitch:
    """Holds the faults in force; `rate_limits` starts as the command line says.

    Of several processes the leading one enforces what they share, and tells the others the rest.
    """

    def __init__(self, parts: Parts, siblings: Siblings, *, rate_limits: bool) -> None:
        self._parts, self._siblings = parts, siblings
        self._initial = Faults(rate_limits=rate_limits)
        self._disk = DiskFaults(parts.directory)
        self._shared = SharedFaults(parts, self._disk)
        self._background = Background()
        self._one_at_a_time = asyncio.Lock()
        self._index_stopped_at: datetime | None = None
        self.current = self._initial

    async def change(self, changes: dict[str, Any]) -> Faults:
        """Put a part of the faults into force; the others stay."""
        return await self._enforce(self.current.changed(changes))

    async def reset(self) -> Faults:
        """Put all faults out of force and give back what was taken."""
        return await self._enforce(self._initial)

    async def follow(self, wanted: Faults) -> None:
        """Put into force what the leading process says, as far as it is a matter of each process."""
        async with self._one_at_a_time:
            await self._enforce_here(wanted)

    def indexed_until(self, now: datetime) -> datetime:
        """What was stored before this moment can be found by a search; the indexing follows a second behind."""
        return (self._index_stopped_at or now) - INDEX_LAG

    async def slow_down(self, kind: str) -> None:
        """Wait as long as work of that kind is made to take."""
        await asyncio.sleep(self.current.kind_added_ms.get(kind, 0) / 1000)

    async def keep_file(self, document: uuid.UUID, content: bytes) -> None:
        """Bring a document to the disk, where that is busy; otherwise the database alone keeps it."""
        if self.current.disk_written_mb_per_s:
            await self._disk.store(str(document), content)

    async def close(self) -> None:
        """End what runs in the background."""
        await self._shared.close()
        await self._background.close()

    async def _enforce(self, wanted: Faults) -> Faults:
        async with self._one_at_a_time:
            await self._shared.enforce(self.current, wanted, ends_all=wanted == self._initial)
            await self._siblings.ask_others("PUT", "/admin/own/faults", json=wanted.model_dump())
            await self._enforce_here(wanted)
            return self.current

    async def _enforce_here(self, wanted: Faults) -> None:
        """The faults of this process."""
        before, parts = self.current, self._parts
        await parts.database.resize(wanted.pool_size)
        if wanted.leaked_connections > before.leaked_connections:
            # The connections that the pool has are among those that nobody gives back.
            await parts.database.reopen()
        parts.database.query_added_ms = wanted.query_added_ms
        parts.document_slots.narrow(wanted.document_slots)
        parts.threads.resize(wanted.thread_pool_size)
        await self._background.keep("reports", wanted.thread_pool_size, parts.threads.render_reports)
        parts.cache.miss_share = wanted.cache_miss_share
        if any(getattr(before, name) != getattr(wanted, name) for name in LLM_FIELDS):
            parts.llm.breaker.close()
        if wanted.index_stopped != before.index_stopped:
            self._index_stopped_at = datetime.now(UTC).replace(tzinfo=None) if wanted.index_stopped else None
        share = wanted.cpu_burn
        await self._background.keep("burn", share, lambda begun: _burn(share, begun))
        if wanted.freeze_s:
            # Later, so that the caller still gets the answer.
            asyncio.get_running_loop().call_later(0.1, time.sleep, wanted.freeze_s)
        self.current = wanted.model_copy(update=ONCE)


async def _burn(share: float, begun: Callable[[], None]) -> None:
    busy_s = BURN_PERIOD_S * share
    begun()
    while True:
        end = time.perf_counter() + busy_s
        while time.perf_counter() < end:
            pass
        await asyncio.sleep(BURN_PERIOD_S - busy_s)
