"""Puts faults into force: in the event loop, the database, the cache and the LLM."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

from include.demo_target import corpus
from include.demo_target.cache import AnswerCache
from include.demo_target.database import Database
from include.demo_target.document_slots import DocumentSlots
from include.demo_target.faults import Faults
from include.demo_target.llm_client import LlmClient

BURN_PERIOD_S = 0.05
LEAK_PERIOD_S = 1.0
INDEX_LAG = timedelta(seconds=1)
LLM_FIELDS = {"llm_down": "down", "llm_first_token_ms": "first_token_ms", "llm_per_token_ms": "per_token_ms"}
ONCE = {"freeze_s": 0.0, "row_lock_s": 0.0, "cache_flush": False}


class FaultSwitch:
    """Holds the faults in force; `rate_limits` starts as the command line says."""

    def __init__(
        self, database: Database, cache: AnswerCache, llm: LlmClient, slots: DocumentSlots, *, rate_limits: bool
    ) -> None:
        self._database, self._cache, self._llm, self._slots = database, cache, llm, slots
        self._initial = Faults(rate_limits=rate_limits)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._leaked: list[bytearray] = []
        self._llm_usual: dict[str, Any] = {}
        self._one_at_a_time = asyncio.Lock()
        self._index_stopped_at: datetime | None = None
        self.current = self._initial

    async def change(self, changes: dict[str, Any]) -> Faults:
        """Put a part of the faults into force; the others stay."""
        return await self._enforce(self.current.changed(changes))

    async def reset(self) -> Faults:
        """Put all faults out of force and give back what was leaked."""
        return await self._enforce(self._initial)

    def indexed_until(self, now: datetime) -> datetime:
        """What was stored before this moment can be found by a search; the indexing follows a second behind."""
        return (self._index_stopped_at or now) - INDEX_LAG

    async def slow_down(self, kind: str) -> None:
        """Wait as long as work of that kind is made to take."""
        await asyncio.sleep(self.current.kind_added_ms.get(kind, 0) / 1000)

    async def close(self) -> None:
        """End what runs in the background."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _enforce(self, wanted: Faults) -> Faults:
        async with self._one_at_a_time:
            before = self.current
            await self._enforce_on_llm(before, wanted)
            if wanted.missing_index != before.missing_index:
                await self._database.execute(corpus.DROP_INDEX if wanted.missing_index else corpus.CREATE_INDEX)
            if wanted.pool_size != before.pool_size:
                self._database.narrow(wanted.pool_size)
            self._slots.narrow(wanted.document_slots)
            if wanted.index_stopped != before.index_stopped:
                self._index_stopped_at = datetime.now(UTC).replace(tzinfo=None) if wanted.index_stopped else None
            self._database.query_added_ms = wanted.query_added_ms
            self._cache.miss_share = wanted.cache_miss_share
            await self._enforce_once(wanted)
            self._run("burn", wanted.cpu_burn != before.cpu_burn, bool(wanted.cpu_burn))
            self._run("leak", wanted.leak_mb_per_min != before.leak_mb_per_min, bool(wanted.leak_mb_per_min))
            if not wanted.leak_mb_per_min:
                self._leaked.clear()
            self.current = wanted.model_copy(update=ONCE)
            return self.current

    async def _enforce_once(self, wanted: Faults) -> None:
        if wanted.cache_flush:
            await self._cache.flush()
        if wanted == self._initial or wanted.row_lock_s:
            await self._cancel("lock")
        if wanted.row_lock_s:
            held = asyncio.Event()
            self._tasks["lock"] = asyncio.create_task(self._hold_row(wanted.row_lock_s, held))
            await held.wait()
        if wanted.freeze_s:
            # Later, so that the caller still gets the answer.
            asyncio.get_running_loop().call_later(0.1, time.sleep, wanted.freeze_s)

    async def _enforce_on_llm(self, before: Faults, wanted: Faults) -> None:
        if all(getattr(before, name) == getattr(wanted, name) for name in LLM_FIELDS):
            return
        if self._llm.own_stub and not self._llm_usual:
            self._llm_usual = await self._llm.behaviour()
        values = {field: getattr(wanted, name) for name, field in LLM_FIELDS.items()}
        await self._llm.behave(
            {**self._llm_usual, **{key: value for key, value in values.items() if value is not None}}
        )

    def _run(self, name: str, changed: bool, wanted: bool) -> None:
        if not changed:
            return
        if name in self._tasks:
            self._tasks.pop(name).cancel()
        if wanted:
            self._tasks[name] = asyncio.create_task(self._burn() if name == "burn" else self._leak())

    async def _cancel(self, name: str) -> None:
        task = self._tasks.pop(name, None)
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _burn(self) -> None:
        while True:
            busy_s = BURN_PERIOD_S * self.current.cpu_burn
            end = time.perf_counter() + busy_s
            while time.perf_counter() < end:
                pass
            await asyncio.sleep(BURN_PERIOD_S - busy_s)

    async def _leak(self) -> None:
        while True:
            # Written to, since untouched pages would not count as used memory.
            size = int(self.current.leak_mb_per_min * 1_000_000 * LEAK_PERIOD_S / 60)
            self._leaked.append(bytearray(b"\x01") * size)
            await asyncio.sleep(LEAK_PERIOD_S)

    async def _hold_row(self, seconds: float, held: asyncio.Event) -> None:
        # A connection of its own: the pool is for the requests that will wait for this row.
        try:
            connection = await asyncpg.connect(self._database.url)
        except (OSError, asyncpg.PostgresError):
            held.set()
            raise
        try:
            async with connection.transaction():
                await connection.execute("SELECT FROM tax_counter WHERE id = 1 FOR UPDATE")
                held.set()
                await asyncio.sleep(seconds)
        finally:
            held.set()
            connection.terminate()
