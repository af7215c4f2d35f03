"""The stages, and the peer that checks them."""

from pathlib import Path

import pytest

from experiments.bench.analysis_stages import Clock, every_stage, plain_duckdb
from experiments.big_bundle import Recorded, write_recording
from include.loadtest import run
from include.loadtest.bundle import Bundle
from include.loadtest.profile import find_profile, load_profile

pytestmark = pytest.mark.unit
PROFILE = load_profile(find_profile("smoke"))


def test_duckdb_finds_the_same_percentiles_and_says_where_it_does_not(tmp_path: Path) -> None:
    """So the two that are compared compute the same."""
    bundle = Bundle(tmp_path / "smoke-20260301-020000-aaaaaa")
    write_recording(bundle, PROFILE, Recorded(5_000))
    clock = Clock()
    every_stage(bundle, PROFILE, clock)
    assert list(clock.wall_s) == ["metrics", "errors", "limits", "verdict", "report", "charts", "page"]
    assert clock.document()["peak_mb"] > 50
    plain_duckdb(bundle, PROFILE, Clock())
    document = bundle.read(run.METRICS)
    row = next(one for one in document["metrics"] if one["metric"] == "latency_p95_ms" and one["phase"] == "hold")
    row["value"] += 0.001
    bundle.write(run.METRICS, document)
    with pytest.raises(ValueError, match="latency_p95_ms of all in hold"):
        plain_duckdb(bundle, PROFILE, Clock())
