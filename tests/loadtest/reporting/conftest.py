import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from include.loadtest.bundle import Bundle
from include.loadtest.profile import Overrides, find_profile, load_profile
from include.loadtest.recorder import SAMPLE_SCHEMA, Sample, write_part

START_US = 1_795_723_200_000_000
"""Start of a made load, in microseconds since 1970 (UTC)."""

HOSTILE = "<script>alert(1)</script> | `rm` [x](http://evil) *bold* @everyone\x1b[31m"
ROW = {"scope": "all", "phase": "hold", "n": 100, "ci_low": 1.0, "ci_high": 2.0, "direction": "lower"}
SLO = {
    "metric": "latency_p95_ms", "scope": "all", "phase": "hold", "level": "critical", "required": True,
    "comparator": "<", "observed": 4100.0, "n": 100, "ci_low": 3900.0, "ci_high": None, "limit": 4000.0,
    "unit": "ms", "outcome": "missed", "close": True,
}  # fmt: skip


def reason_of(code: str, text: str) -> dict[str, Any]:
    """A reason of verdict.json without figures."""
    return {"code": code, "text": text, "metric": None, "scope": None, "observed": None, "limit": None, "unit": None}


def manifest_of(name: str, target: str = "pratikoai", **overrides: int) -> dict[str, Any]:
    """The manifest of a run of a committed profile, as preflight writes it."""
    profile = load_profile(find_profile(name), Overrides(**overrides))
    return {
        "profile": json.loads(profile.model_dump_json()),
        "parameters": {"profile": name, "overrides": overrides, "target": target, "reason": ""},
        "target": {"name": target, "shares_host": target == "demo"},
    }


def judged(manifest: dict[str, Any], verdict: str, **outcomes: str) -> dict[str, Any]:
    """verdict.json with every limit of the manifest's profile met, but for metrics named in `outcomes`."""
    slos = [
        {**SLO, **slo, "required": slo["level"] == "critical" and slo["required"], "unit": "ms", "observed": 1.0,
         "outcome": outcomes.get(slo["metric"], "met"), "close": False}
        for slo in manifest["profile"]["slos"]
    ]  # fmt: skip
    return {"verdict": verdict, "reasons": [], "slos": slos}


def made_sample(at_s: float, latency_us: int, **changes: Any) -> Sample:
    """A request that was intended, and sent, `at_s` seconds after START_US."""
    start = (START_US + round(at_s * 1e6)) * 1000
    sample = Sample(
        start, start, latency_us, None, "simple_query", "chat", 0, "hold", "hold", "ok", None, 200, 1, None, "w0", 1
    )
    return sample._replace(**changes)


def write_part_of(bundle: Bundle, samples: Sequence[Sample]) -> None:
    """A further part."""
    bundle.samples_dir.mkdir(parents=True, exist_ok=True)
    path = bundle.samples_dir / f"w0-{len(list(bundle.samples_dir.glob('w0-*'))):06d}.parquet"
    write_part(samples, SAMPLE_SCHEMA, path)


def damage_column(part: Path, column: str) -> None:
    """Overwrite one column's pages of a part: its footer and all other columns are whole."""
    footer = pq.ParquetFile(part).metadata
    content = bytearray(part.read_bytes())
    for group in range(footer.num_row_groups):
        chunks = (footer.row_group(group).column(place) for place in range(footer.num_columns))
        own = next(chunk for chunk in chunks if chunk.path_in_schema == column)
        start = own.dictionary_page_offset or own.data_page_offset
        content[start : start + own.total_compressed_size] = b"\xff" * own.total_compressed_size
    part.write_bytes(content)


def write_samples(bundle: Bundle, rows: Iterable[tuple[float, int, str]]) -> None:
    """A further part with rows (seconds from START_US to the intended start, latency in µs, outcome)."""
    write_part_of(bundle, [made_sample(at_s, us, outcome=outcome) for at_s, us, outcome in rows])


@pytest.fixture
def bundle(tmp_path) -> Bundle:
    """A judged run with one missed limit, an unmeasured figure and hostile text of the target."""
    bundle = Bundle(tmp_path / "smoke-1")
    profile = {"name": "smoke", "title": "Smoke", "users": 10, "duration_s": 60, "engine": "locust", "notes": []}
    bundle.update_manifest(profile=profile, target={"name": "demo"}, environment={"app": HOSTILE}, faults={})
    bundle.write(
        "verdict.json", {"verdict": "SLA_BREACH", "reasons": [reason_of("slo_missed", HOSTILE)], "slos": [SLO]}
    )
    metrics = [
        ROW | {"metric": "latency_p95_ms", "value": 4100.0, "unit": "ms", "lower_bound": True},
        ROW | {"metric": "error_rate", "value": 0.005, "unit": "ratio"},
        ROW | {"metric": "cache_hit_rate", "value": None, "unit": "ratio", "n": 0},
    ]
    bundle.write("metrics.json", {"schema": 1, "metrics": metrics})
    error = {"fingerprint": HOSTILE, "count": 3, "outcome": "http_error", "endpoint": "chat_simple"}
    bundle.write("errors.json", {"schema": 1, "errors": [error], "other": {"fingerprints": 0, "count": 0}})
    return bundle
