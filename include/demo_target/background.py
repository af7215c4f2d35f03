"""Faults that work in the background until they are put out of force."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

Work = Callable[[Callable[[], None]], Awaitable[None]]
"""What a fault does; it calls what it is given as soon as it is in force, and undoes itself when it is cancelled."""


class Background:
    """One task a fault, by name."""

    def __init__(self) -> None:
        self._values: dict[str, Any] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def keep(self, name: str, value: Any, work: Work) -> None:
        """Have `work` going for this value of the fault, anew where the value was another; none or zero ends it.

        Returns once it is in force. Raises what `work` raises on its way there.
        """
        if self._values.get(name) == (value or None):
            return
        await self.end(name)
        if value:
            await self.begin(name, work)
            self._values[name] = value

    async def begin(self, name: str, work: Work) -> None:
        """Start `work`, in the place of what goes on under this name; return and raise as `keep` does."""
        await self.end(name)
        in_force = asyncio.Event()
        task = self._tasks[name] = asyncio.create_task(_run(work, in_force))
        await in_force.wait()
        if task.done():
            task.result()

    async def end(self, name: str) -> None:
        """Cancel what goes on under this name and wait until it has undone itself."""
        self._values.pop(name, None)
        task = self._tasks.pop(name, None)
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def close(self) -> None:
        """End all of it."""
        for name in list(self._tasks):
            await self.end(name)


async def _run(work: Work, in_force: asyncio.Event) -> None:
    try:
        await work(in_force.set)
    finally:
        in_force.set()
