import asyncio
from collections.abc import Callable

import pytest

from include.demo_target.background import Background

pytestmark = pytest.mark.unit


def test_a_fault_runs_once_a_value_and_undoes_itself() -> None:
    """The same value changes nothing, another one starts it anew, none or zero ends it."""
    events: list[str] = []

    async def story() -> None:
        background = Background()

        async def keep(value: int | None) -> None:
            async def work(in_force: Callable[[], None]) -> None:
                events.append(f"begin {value}")
                in_force()
                try:
                    await asyncio.Event().wait()
                finally:
                    events.append(f"end {value}")

            await background.keep("fault", value, work)

        for value in (None, 1, 1, 2, 0, 3):
            await keep(value)
        await background.close()

    asyncio.run(story())
    assert events == ["begin 1", "end 1", "begin 2", "end 2", "begin 3", "end 3"]


def test_a_fault_that_cannot_begin_says_so_and_may_be_tried_again() -> None:
    """What goes wrong before it is in force is raised, and the fault does not count as running."""

    async def story() -> int:
        background, tries = Background(), 0

        async def work(in_force: Callable[[], None]) -> None:
            nonlocal tries
            tries += 1
            del in_force
            raise OSError("no server")

        for _ in range(2):
            with pytest.raises(OSError, match="no server"):
                await background.keep("fault", 1, work)
        return tries

    assert asyncio.run(story()) == 2
