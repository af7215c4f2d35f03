"""PostgreSQL as the target uses it: a bounded pool without an ORM, whose size a fault can change."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg

from include.demo_target import corpus
from include.demo_target.inner_metrics import InnerMetrics

POOL_SIZE = 20
MIN_CONNECTIONS = 2
ACQUIRE_TIMEOUT_S = 30.0
RETIRED_AFTER_S = 0.05
SCHEMA = Path(__file__).with_name("schema.sql")


class Database:
    """Connections to the target's database; a request waits up to 30 s for one, then fails."""

    def __init__(self, url: str, metrics: InnerMetrics, size: int = POOL_SIZE) -> None:
        self.url = url
        self.query_added_ms = 0.0
        self._pool: Any = None
        self._size = self._usual_size = size
        self._metrics = metrics
        self._users: dict[Any, int] = {}
        self._retiring: set[asyncio.Task[None]] = set()
        self._waiting = self._checked_out = 0
        metrics.watch("db_pool_size", "Connections that the pool may open.", lambda: self._size)
        metrics.watch("db_pool_checked_out", "Connections that are held by requests.", lambda: self._checked_out)
        metrics.watch("db_pool_waiting", "Requests that wait for a connection.", lambda: self._waiting)

    async def open(self, *, create: bool) -> None:
        """Open the pool, and `create` the schema and the knowledge base where they are missing."""
        self._pool = await self._new_pool(MIN_CONNECTIONS)
        if not create:
            return
        async with self.connection() as connection:
            await connection.execute(SCHEMA.read_text())
            await corpus.load(connection)

    async def close(self) -> None:
        """Close every connection."""
        for task in self._retiring:
            task.cancel()
        for pool in {self._pool, *self._users} - {None}:
            pool.terminate()

    async def resize(self, size: int | None) -> None:
        """Have at most `size` connections from now on, None is the usual number; the others are closed."""
        wanted = size or self._usual_size
        if wanted != self._size:
            self._size = wanted
            await self.reopen()

    async def reopen(self) -> None:
        """Go on with a pool that has no connection yet; those of the present one are closed when they are free."""
        retired, self._pool = self._pool, await self._new_pool(0)
        task = asyncio.create_task(self._retire(retired))
        self._retiring.add(task)
        task.add_done_callback(self._retiring.discard)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Any]:
        """A connection of the pool. Raises `TimeoutError` when none gets free in time."""
        pool = self._pool
        self._users[pool] = self._users.get(pool, 0) + 1
        try:
            connection = await self._acquired(pool)
            taken_s = time.perf_counter()
            self._checked_out += 1
            try:
                if self.query_added_ms:
                    await connection.execute("SELECT pg_sleep($1)", self.query_added_ms / 1000)
                yield connection
            finally:
                self._checked_out -= 1
                self._metrics.pool_held.observe(time.perf_counter() - taken_s)
                await pool.release(connection)
        finally:
            self._users[pool] -= 1

    async def row(self, query: str, *values: Any) -> Any:
        """The first row of a query, or None."""
        async with self.connection() as connection:
            return await connection.fetchrow(query, *values)

    async def rows(self, query: str, *values: Any) -> list[Any]:
        """All rows of a query."""
        async with self.connection() as connection:
            return list(await connection.fetch(query, *values))

    async def value(self, query: str, *values: Any) -> Any:
        """The first column of the first row, or None."""
        async with self.connection() as connection:
            return await connection.fetchval(query, *values)

    async def execute(self, query: str, *values: Any) -> None:
        """Run a statement for its effect."""
        async with self.connection() as connection:
            await connection.execute(query, *values)

    async def is_up(self) -> bool:
        """Whether the server answers within 2 s."""
        try:
            async with asyncio.timeout(2):
                return bool(await self.value("SELECT true"))
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return False

    async def _acquired(self, pool: Any) -> Any:
        begin_s = time.perf_counter()
        self._waiting += 1
        try:
            return await pool.acquire(timeout=ACQUIRE_TIMEOUT_S)
        finally:
            self._waiting -= 1
            self._metrics.pool_wait.observe(time.perf_counter() - begin_s)

    async def _new_pool(self, opened: int) -> Any:
        # A connection's session state is never changed here, so the reset on release would be a wasted round trip.
        at_once = min(opened, self._size)
        return await asyncpg.create_pool(self.url, min_size=at_once, max_size=self._size, reset=_keep)

    async def _retire(self, pool: Any) -> None:
        """Close a pool that takes no more requests, as soon as those that have it are done."""
        while self._users.get(pool):
            await asyncio.sleep(RETIRED_AFTER_S)
        self._users.pop(pool, None)
        await pool.close()


async def _keep(connection: Any) -> None:
    del connection
