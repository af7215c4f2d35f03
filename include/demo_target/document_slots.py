"""Documents that are processed at once: so many, and those beyond wait for a place in order of arrival."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

SLOTS = 20


class DocumentSlots:
    """Places for documents in process; a fault can leave fewer of them."""

    def __init__(self) -> None:
        self._wanted = SLOTS
        self._places = asyncio.Semaphore(SLOTS)
        self.waiting = 0

    def narrow(self, slots: int | None) -> None:
        """Let at most so many be in process from now on; None is the usual number."""
        wanted = slots or SLOTS
        if wanted != self._wanted:
            self._wanted, self._places = wanted, asyncio.Semaphore(wanted)

    @property
    def are_taken(self) -> bool:
        """Whether the next document would have to wait."""
        return self._places.locked()

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Wait for a place and hold it."""
        places = self._places
        self.waiting += 1
        try:
            await places.acquire()
        finally:
            self.waiting -= 1
        try:
            yield
        finally:
            places.release()
