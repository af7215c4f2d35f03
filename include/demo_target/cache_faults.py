"""Faults of the cache's server: slow commands that block it, and a neighbour that leaves no room."""

import asyncio
import contextlib
import itertools
from collections.abc import Callable

from redis.asyncio import Redis
from redis.exceptions import RedisError

# Look-ups arrive at any time: while a command of this length runs, they wait for half of it on average.
SLOW_COMMAND_S = 0.8
SLOW_COMMAND = """local finish = os.clock() + tonumber(ARGV[1])
while os.clock() < finish do redis.call('KEYS', 'report:*') end"""
NEIGHBOUR = "neighbour:"
NEIGHBOUR_VALUE = "x" * 1000
FILL_PERIOD_S = 0.05
TURNOVER_S = 0.5
"""The neighbour writes as much as there is room for in this time: what is not used for longer is thrown away."""


class CacheFaults:
    """Works on the server over a connection of its own."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def block(self, share: float, in_force: Callable[[], None]) -> None:
        """Keep the server busy for that share of the time, by one slow command after the other."""
        async with Redis.from_url(self._url) as server:
            in_force()
            while True:
                with contextlib.suppress(RedisError):
                    await server.eval(SLOW_COMMAND, 0, str(SLOW_COMMAND_S))
                await asyncio.sleep(SLOW_COMMAND_S * (1 / share - 1))

    async def leave_room(self, room_kb: int, in_force: Callable[[], None]) -> None:
        """Limit the memory to what is used now and that much more, and fill it with somebody else's keys."""
        async with Redis.from_url(self._url, decode_responses=True) as server:
            usual = str((await server.config_get("maxmemory"))["maxmemory"])
            used = (await server.info("memory"))["used_memory"]
            await server.config_set("maxmemory", used + room_kb * 1024)
            try:
                in_force()
                await self._fill(server, room_kb)
            finally:
                await server.config_set("maxmemory", usual)
                if written := [key async for key in server.scan_iter(f"{NEIGHBOUR}*", count=1000)]:
                    await server.unlink(*written)

    async def _fill(self, server: Redis, room_kb: int) -> None:
        written = 0.0
        for number in itertools.count(1):
            wanted = number * room_kb * 1024 / len(NEIGHBOUR_VALUE) * FILL_PERIOD_S / TURNOVER_S
            pipeline = server.pipeline(transaction=False)
            while written < wanted:
                pipeline.set(f"{NEIGHBOUR}{int(written)}", NEIGHBOUR_VALUE)
                written += 1
            # A command is refused while nothing is left to be thrown away.
            await pipeline.execute(raise_on_error=False)
            await asyncio.sleep(FILL_PERIOD_S)
