"""What validity is judged by comes from the bundle as it is, damaged parts and all."""

from pathlib import Path

import pytest

from include.loadtest.bundle import Bundle
from include.loadtest.recorder import RESOURCE_SCHEMA, SAMPLE_SCHEMA, Reading, Sample, write_part
from include.loadtest.validation.evidence import read_evidence

pytestmark = pytest.mark.unit
PHASES = [
    {"name": name, "stage": name, "start": f"2026-11-24T20:{start}.000000Z", "end": end}
    for name, start, end in (
        ("ramp_up", "00:00", "2026-11-24T20:00:05.000000Z"),
        ("hold", "00:05", "2026-11-24T20:01:05.000000Z"),
        ("recovery", "01:05", None),
    )
]


def sample(start_s: float, latency_s: float, outcome: str = "ok", wait_s: float = 0.0) -> Sample:
    start = int(start_s * 1e9)
    return Sample(
        start - int(wait_s * 1e9), start, int((latency_s + wait_s) * 1e6), None, "simple_query", "chat", 0, "hold",
        "hold", outcome, None, 200, 10, None, "w0", 1,
    )  # fmt: skip


def write(folder: Path, name: str, rows: list, schema) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write_part(rows, schema, folder / name)


def test_stages_readings_and_requests_are_read(tmp_path) -> None:
    """Readings in order of time, those that no gate asks for left out; a stage without an end is none."""
    bundle = Bundle(tmp_path)
    rows = [
        Reading(2_000_000_000, "generator", "w0", "users", 5.0, "users"),
        Reading(1_000_000_000, "postgres", "db", "connections_total", 7.0, "connections"),
        Reading(1_500_000_000, "postgres", "db", "deadlocks", 0.0, "deadlocks"),
    ]
    write(bundle.resources_dir, "a-000000.parquet", rows, RESOURCE_SCHEMA)
    found = read_evidence(bundle, {"phases": PHASES})
    assert [(span.stage, span.seconds) for span in found.spans] == [("ramp_up", 5.0), ("hold", 60.0)]
    assert [(reading.at_s, reading.metric, reading.value) for reading in found.readings] == [
        (1.0, "connections_total", 7.0),
        (2.0, "users", 5.0),
    ]


def test_a_damaged_part_loses_no_other(tmp_path) -> None:
    """Cut by a full disk, or without the columns."""
    bundle = Bundle(tmp_path)
    row = Reading(2_000_000_000, "generator", "w0", "users", 5.0, "users")
    write(bundle.resources_dir, "a-000000.parquet", [row], RESOURCE_SCHEMA)
    whole = (bundle.resources_dir / "a-000000.parquet").read_bytes()
    (bundle.resources_dir / "b-000000.parquet").write_bytes(whole[: len(whole) // 2])
    write(bundle.resources_dir, "c-000000.parquet", [sample(1, 1)], SAMPLE_SCHEMA)
    assert [reading.value for reading in read_evidence(bundle, {}).readings] == [5.0]


def test_nothing_gives_nothing(tmp_path) -> None:
    """A bundle without parts and phases."""
    found = read_evidence(Bundle(tmp_path / "none"), {})
    assert (found.spans, found.readings, found.requests_in_work(0, 1e12)) == ((), (), 0)


def test_a_request_is_in_work_from_its_start_to_its_end(tmp_path) -> None:
    """From when it was sent, however long it had waited; what was dropped was never sent."""
    bundle = Bundle(tmp_path)
    rows = [sample(10, 2), sample(11, 0.5, wait_s=5), sample(12, 30, "timeout"), sample(13, 9, "dropped")]
    write(bundle.samples_dir, "w0-000000.parquet", rows, SAMPLE_SCHEMA)
    in_work = read_evidence(bundle, {}).requests_in_work
    counted = [in_work(*times) for times in ((9, 50), (11.8, 11.9), (0, 9), (12.5, 41), (43, 50))]
    assert counted == [3, 1, 0, 1, 0]


def test_samples_are_counted_by_the_generator_that_wrote_them(tmp_path) -> None:
    """Without reading a row; a part that is cut has none, and an account that is none says nothing."""
    bundle = Bundle(tmp_path)
    for name, rows in (("w1-5-000000", 3), ("w1-5-000001", 4), ("w11-5-000000", 5), ("w2-6-000000", 6)):
        write(bundle.samples_dir, f"{name}.parquet", [sample(1, 1)] * rows, SAMPLE_SCHEMA)
    (bundle.samples_dir / "w2-6-000001.parquet").write_bytes(b"PAR1")
    (bundle.path / "generator-w0.json").write_text('{"samp')
    found = read_evidence(bundle, {})
    assert (dict(found.rows), dict(found.account)) == ({"w1": 7, "w11": 5, "w2": 6}, {})
    bundle.write("generator-w0.json", {"samples": 8})
    assert read_evidence(bundle, {}).account == {"samples": 8}
