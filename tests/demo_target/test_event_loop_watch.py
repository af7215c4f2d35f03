import asyncio
import time

import pytest

from include.demo_target.event_loop_watch import EventLoopWatch

pytestmark = pytest.mark.unit


def test_longest_standstill_is_told_once() -> None:
    """A blocking call shows with its length, also to who asks right after it; the next reading starts anew."""

    async def readings() -> tuple[float, float]:
        watch = EventLoopWatch()
        watching = asyncio.create_task(watch.run())
        await asyncio.sleep(0.12)
        watch.longest_s()
        time.sleep(0.6)
        at_once = watch.longest_s()
        await asyncio.sleep(0.12)
        watch.longest_s()
        await asyncio.sleep(0.12)
        later = watch.longest_s()
        watching.cancel()
        return at_once, later

    at_once, later = asyncio.run(readings())
    assert at_once > 0.5
    assert later < at_once
