"""Faults of the database: a locked row, a table that grows, connections that nobody gives back."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

GROW_PERIOD_S = 0.1
LEAK_PERIOD_S = 0.02
GROW = """INSERT INTO tax_notices (body)
SELECT 'Avviso n. ' || number || ': ' || repeat('termini ordinari di versamento, proroga non prevista. ', 6)
FROM generate_series(1, $1) AS number"""


class DatabaseFaults:
    """Works on the server over connections of its own: the pool is for the requests that are to suffer."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def hold_row(self, seconds: float, in_force: Callable[[], None]) -> None:
        """Lock the row that every calculation updates."""
        async with self._connected() as connection, connection.transaction():
            await connection.execute("SELECT FROM tax_counter WHERE id = 1 FOR UPDATE")
            in_force()
            await asyncio.sleep(seconds)

    async def grow(self, rows_per_s: float, in_force: Callable[[], None]) -> None:
        """Insert rows into the table that every calculation reads whole; they are removed at the end."""
        async with self._connected() as connection:
            last = await connection.fetchval("SELECT max(id) FROM tax_notices")
            in_force()
            try:
                await self._insert(connection, rows_per_s)
            finally:
                async with self._connected() as cleaner:
                    await cleaner.execute("DELETE FROM tax_notices WHERE id > $1", last)
                    await cleaner.execute("VACUUM tax_notices")

    async def leak_connections(self, count: int, in_force: Callable[[], None]) -> None:
        """Take connections and keep each idle in a transaction; where the server has no more, try again and again."""
        taken: list[Any] = []
        try:
            while True:
                with contextlib.suppress(asyncpg.TooManyConnectionsError):
                    while len(taken) < count:
                        taken.append(await asyncpg.connect(self._url))
                        await taken[-1].execute("BEGIN; SELECT id FROM studios LIMIT 1")
                in_force()
                await asyncio.sleep(LEAK_PERIOD_S)
        finally:
            for connection in taken:
                connection.terminate()

    async def _insert(self, connection: Any, rows_per_s: float) -> None:
        begin_s, inserted = time.monotonic(), 0
        while True:
            due = int((time.monotonic() - begin_s) * rows_per_s) - inserted
            if due:
                await connection.execute(GROW, due)
                inserted += due
            await asyncio.sleep(GROW_PERIOD_S)

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[Any]:
        connection = await asyncpg.connect(self._url)
        try:
            yield connection
        finally:
            connection.terminate()
