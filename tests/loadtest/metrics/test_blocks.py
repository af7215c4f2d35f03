"""Rows that are kept on disk come back as they were."""

import numpy as np
import pytest

from include.loadtest.metrics.blocks import NO_TTFB, Block, Store

pytestmark = pytest.mark.unit


def block(start_us: int, rows: int, ttfb_us: int) -> Block:
    starts = start_us + np.arange(rows)
    return Block(starts % 7, starts, starts % 1000, np.full(rows, ttfb_us), starts * 1000, starts % 3)


def test_blocks_come_back_as_often_as_wanted() -> None:
    """With times to a first token and without; an empty one is no block."""
    store = Store()
    added = [block(10_000, 500, NO_TTFB), block(0, 0, 1), block(90_000, 3, 42)]
    for one in added:
        store.add(one)
    for _ in range(2):
        found = list(store.blocks())
        for kept, one in zip(found, (added[0], added[2]), strict=True):
            for name in ("cell", "start_us", "latency_us", "ttfb_us"):
                assert getattr(kept, name).tolist() == getattr(one, name).tolist()
    store.close()


def test_only_blocks_with_requests_in_flight_then_are_read() -> None:
    """So a short time is looked into without reading everything."""
    store = Store()
    for start_us in (10_000, 50_000, 90_000):
        store.add(block(start_us, 100, NO_TTFB))
    assert [int(kept.start_us[0]) for kept in store.blocks(50_050, 50_060)] == [50_000]
    assert not list(store.blocks(20_000, 30_000))
    store.close()
