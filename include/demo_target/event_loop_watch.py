"""Watches the event loop from inside: how late it comes back to what is due."""

import asyncio
import time

PERIOD_S = 0.05


class EventLoopWatch:
    """Asks to be woken every 50 ms; what it is woken late is the time for which the loop stood still."""

    def __init__(self) -> None:
        self._longest_s = 0.0
        self._due_s: float | None = None

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            self._due_s = time.perf_counter() + PERIOD_S
            await asyncio.sleep(PERIOD_S)
            self._longest_s = max(self._longest_s, time.perf_counter() - self._due_s)

    def longest_s(self) -> float:
        """The longest time that the loop stood still since the last call, in seconds."""
        # A standstill that has just ended is not noticed yet: whoever asks may come before the watch itself.
        overdue_s = 0.0 if self._due_s is None else time.perf_counter() - self._due_s
        longest_s, self._longest_s = max(self._longest_s, overdue_s, 0.0), 0.0
        return longest_s
