"""Faults of what all processes of the target share: database, cache, LLM and disk."""

import asyncio
from typing import Any

from include.demo_target import corpus
from include.demo_target.background import Background
from include.demo_target.cache_faults import CacheFaults
from include.demo_target.database_faults import DatabaseFaults
from include.demo_target.disk_faults import DiskFaults
from include.demo_target.faults import Faults
from include.demo_target.parts import Parts

LEAK_PERIOD_S = 1.0
LLM_FIELDS = {
    "llm_down": "down",
    "llm_refused_share": "refused_share",
    "llm_first_token_ms": "first_token_ms",
    "llm_per_token_ms": "per_token_ms",
}


class SharedFaults:
    """Enforced by one process for all of them."""

    def __init__(self, parts: Parts, disk: DiskFaults) -> None:
        self._parts = parts
        self._database = DatabaseFaults(parts.database.url)
        self._cache = CacheFaults(parts.cache.url)
        self._disk = disk
        self._background = Background()
        self._llm_usual: dict[str, Any] = {}

    async def enforce(self, before: Faults, wanted: Faults, *, ends_all: bool) -> None:
        """Put `wanted` into force in the place of `before`; `ends_all` frees also what was to happen once."""
        await self._enforce_on_database(before, wanted, ends_all=ends_all)
        await self._enforce_on_llm(before, wanted)
        keep = self._background.keep
        share, room_kb = wanted.cache_busy_share, wanted.cache_room_kb
        await keep("busy", share, lambda begun: self._cache.block(share, begun))
        await keep("room", room_kb, lambda begun: self._cache.leave_room(room_kb or 0, begun))
        if wanted.cache_flush:
            await self._parts.cache.flush()
        written, leak = wanted.disk_written_mb_per_s, wanted.leak_mb_per_min
        await keep("disk", written, lambda begun: self._disk.write(written, begun))
        await keep("leak", leak, lambda begun: _leak(leak, begun))

    async def close(self) -> None:
        """End what runs in the background."""
        await self._background.close()

    async def _enforce_on_database(self, before: Faults, wanted: Faults, *, ends_all: bool) -> None:
        keep, leaked, rows_per_s = self._background.keep, wanted.leaked_connections, wanted.growing_rows_per_s
        # First of all: what follows may need a connection.
        await keep("connections", leaked, lambda begun: self._database.leak_connections(leaked, begun))
        await keep("growth", rows_per_s, lambda begun: self._database.grow(rows_per_s, begun))
        if wanted.missing_index != before.missing_index:
            await self._parts.database.execute(corpus.DROP_INDEX if wanted.missing_index else corpus.CREATE_INDEX)
        if ends_all:
            await self._background.end("row lock")
        if wanted.row_lock_s:
            await self._background.begin("row lock", lambda begun: self._database.hold_row(wanted.row_lock_s, begun))

    async def _enforce_on_llm(self, before: Faults, wanted: Faults) -> None:
        if all(getattr(before, name) == getattr(wanted, name) for name in LLM_FIELDS):
            return
        llm = self._parts.llm
        if llm.own_stub and not self._llm_usual:
            self._llm_usual = await llm.behaviour()
        values = {field: getattr(wanted, name) for name, field in LLM_FIELDS.items()}
        await llm.behave({**self._llm_usual, **{key: value for key, value in values.items() if value is not None}})


async def _leak(mb_per_min: float, begun: Any) -> None:
    leaked: list[bytearray] = []
    begun()
    while True:
        # Written to, since untouched pages would not count as used memory.
        leaked.append(bytearray(b"\x01") * int(mb_per_min * 1_000_000 * LEAK_PERIOD_S / 60))
        await asyncio.sleep(LEAK_PERIOD_S)
