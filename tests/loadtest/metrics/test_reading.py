"""A run of many parts, read once, against numpy over all of its rows."""

from pathlib import Path

import numpy as np
import pytest

from include.loadtest.metrics.reading import reading
from include.loadtest.metrics.samples import sample_figures
from include.loadtest.parts import SAMPLE_COLUMNS, with_parts
from include.loadtest.recorder import SAMPLE_SCHEMA, Sample, write_part

pytestmark = pytest.mark.unit
PARTS, ROWS = 60, 60
RARE = "tax_rare"


def write(folder: Path) -> list[Sample]:
    """More parts than names are looked up in; the second one alone has an endpoint of its own."""
    draw = np.random.default_rng(5)
    folder.mkdir()
    rows = []
    for part in range(PARTS):
        own = [
            Sample(
                int(draw.integers(0, 10**9)), 0, int(draw.lognormal(11, 1)), int(draw.integers(1, 900)), "simple_query",
                RARE if part == 1 else str(draw.choice(["chat", "it's"])), 0, "hold", "hold",
                str(draw.choice(["ok", "timeout", "http_error"])), None, 200, 1, None, "w0", int(draw.integers(1, 9)),
            )
            for _ in range(ROWS)
        ]  # fmt: skip
        write_part(own, SAMPLE_SCHEMA, folder / f"w0-{part:06d}.parquet")
        rows += own
    return rows


def test_percentiles_and_counts_are_those_of_numpy(tmp_path: Path) -> None:
    """Of each scope, an endpoint's that the parts with the names do not have among them."""
    rows = write(tmp_path / "samples")

    def figures(opened):  # type: ignore[no-untyped-def]
        with reading(opened, [], [], is_closed=False) as read:
            return sample_figures(read, ["complex_query"])

    found, unreadable = with_parts(tmp_path / "samples", "samples", SAMPLE_COLUMNS, figures)
    assert not unreadable
    assert found.scopes == [
        "all", "scenario:complex_query", "scenario:simple_query", "endpoint:chat", "endpoint:it's", f"endpoint:{RARE}"
    ]  # fmt: skip
    for endpoint in ("chat", "it's", RARE):
        own = [row for row in rows if row.endpoint == endpoint]
        latencies = np.array([row.latency_us for row in own if row.outcome != "http_error"])
        cell = ("hold", f"endpoint:{endpoint}")
        distribution = found.distributions["latency", cell]
        wanted = np.quantile(latencies, 0.95, method="inverted_cdf")
        assert distribution.rows == len(latencies)
        assert distribution.max_us == latencies.max()
        assert distribution.percentiles["latency_p95_ms"].value_us == wanted
        assert distribution.least_bound_us == min(row.latency_us for row in own if row.outcome == "timeout")
        assert found.outcomes[cell] == {
            name: sum(row.outcome == name for row in own) for name in ("http_error", "ok", "timeout")
        }
