"""PostgreSQL as the target uses it: a bounded pool without an ORM, whose bound a fault can narrow."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg

from include.demo_target import corpus

POOL_SIZE = 20
ACQUIRE_TIMEOUT_S = 30.0
SCHEMA = Path(__file__).with_name("schema.sql")


class Database:
    """Connections to the target's database; a request waits up to 30 s for one, then fails."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.query_added_ms = 0.0
        self._pool: Any = None
        self._gate = asyncio.Semaphore(POOL_SIZE)

    async def open(self) -> None:
        """Create the pool, the schema and the knowledge base where they are missing."""
        # A connection's session state is never changed here, so the reset on release would be a wasted round trip.
        self._pool = await asyncpg.create_pool(self.url, min_size=2, max_size=POOL_SIZE, reset=_keep)
        async with self.connection() as connection:
            await connection.execute(SCHEMA.read_text())
            await corpus.load(connection)

    async def close(self) -> None:
        """Close every connection."""
        if self._pool is not None:
            self._pool.terminate()

    def narrow(self, size: int | None) -> None:
        """Let at most `size` connections be used at once from now on; None is the default of 20."""
        self._gate = asyncio.Semaphore(size or POOL_SIZE)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Any]:
        """A connection of the pool. Raises `TimeoutError` when none gets free in time."""
        gate = self._gate
        await asyncio.wait_for(gate.acquire(), ACQUIRE_TIMEOUT_S)
        try:
            async with self._pool.acquire(timeout=ACQUIRE_TIMEOUT_S) as connection:
                if self.query_added_ms:
                    await connection.execute("SELECT pg_sleep($1)", self.query_added_ms / 1000)
                yield connection
        finally:
            gate.release()

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


async def _keep(connection: Any) -> None:
    del connection
