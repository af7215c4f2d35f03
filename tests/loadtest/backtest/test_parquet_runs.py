"""A recorded run through the product's own metrics engine."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from include.loadtest.backtest.parquet_runs import parquet_rows

pytestmark = pytest.mark.unit

MEASURED = Path(__file__).parents[3] / "experiments" / "data" / "measured"


def test_figures_are_those_of_the_rows_in_the_hold() -> None:
    """The median and P95 of an endpoint, exactly, by their definition."""
    path = MEASURED / "r6128.parquet"
    table = pq.read_table(path).to_pandas()
    own = np.sort(table[(table.phase == "hold") & (table.endpoint == "tax")].latency_us.to_numpy())
    rows = {row["metric"]: row for row in parquet_rows(path) if row["scope"] == "endpoint:tax"}
    assert rows["latency_p50_ms"]["value"] == own[-(-len(own) // 2) - 1] / 1000
    assert rows["latency_p95_ms"]["value"] == own[-(-95 * len(own) // 100) - 1] / 1000
    assert rows["latency_p50_ms"]["n"] == len(own)


def test_a_freeze_is_its_longest_stall() -> None:
    """The target was stopped for 5 s in one run, and in the other it was not."""
    stalls = {
        name: row["value"]
        for name in ("r6301", "r6128")
        for row in parquet_rows(MEASURED / f"{name}.parquet")
        if row["metric"] == "longest_stall_s"
    }
    assert 5.0 <= stalls["r6301"] < 5.3
    assert stalls["r6128"] < 0.5
