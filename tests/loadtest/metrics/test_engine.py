"""The document that every later stage reads."""

from datetime import timedelta
from typing import Any

import pytest

from include.loadtest import run
from include.loadtest.metrics.engine import compute_metrics
from include.loadtest.profile.vocabulary import (
    GROWTH_METRICS,
    LLM_METRICS,
    METRICS,
    PERCENTILES,
    REQUIREMENT_METRICS,
    SCENARIOS,
)

pytestmark = pytest.mark.unit

ROW_KEYS = {"metric", "scope", "phase", "value", "unit", "n", "ci_low", "ci_high", "direction"}
OF_SHAPES = {"recovery_time_s", "saturation_users", "breaking_point_users"}


def test_the_document_is_written_and_has_its_keys(maker: Any, profile: Any, spans: Any, sample: Any) -> None:
    """Every metric that a short steady load without a price has; only percentiles, stalls and calls have more keys."""
    maker.samples([sample(60, outcome=outcome) for outcome in ("ok", "ok", "timeout")])
    document = compute_metrics(maker.bundle, profile, spans)
    assert maker.bundle.read(run.METRICS) == document
    assert document["outcomes"] == {"ramp_up": {}, "hold": {"ok": 2, "timeout": 1}}
    others = OF_SHAPES | {*GROWTH_METRICS, *REQUIREMENT_METRICS, "llm_cost_eur"}
    assert {row["metric"] for row in document["metrics"]} == set(METRICS) - others
    assert set(document) == {"schema", "metrics", "stages", "outcomes", "unreadable_parts"}
    for row in document["metrics"]:
        further = {"lower_bound", "max", "low_95"} if row["metric"] in PERCENTILES else set()
        if row["metric"] == "longest_stall_s":
            further = {"from", "waiting"}
        if row["metric"] in LLM_METRICS:
            further = {"lower_bound", "why"}
        assert set(row) == ROW_KEYS | further
        assert (row["unit"], row["direction"]) == (METRICS[row["metric"]].unit, METRICS[row["metric"]].direction)


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ("steps", {("recovery_time_s", "recovery"), ("saturation_users", "hold"), ("breaking_point_users", "hold")}),
        ("spike", {("recovery_time_s", "recovery")}),
    ],
)
def test_a_shape_has_its_own_rows_also_without_samples(
    maker: Any, shape: str, expected: Any, request: Any, row_of: Any
) -> None:
    """They exist once, for scope all and their phase, null where the load never came, and every phase has its rows."""
    profile = request.getfixturevalue(shape)
    maker.bundle.update_manifest(phases=[])
    document = compute_metrics(maker.bundle, profile)
    own = [row for row in document["metrics"] if row["metric"] in OF_SHAPES]
    assert {(row["metric"], row["phase"]) for row in own} == expected
    assert len(own) == len(expected)
    further = {"recovery_time_s": "lower_bound", "saturation_users": "looked_up_to"}
    for row in own:
        assert set(row) == ROW_KEYS | {further.get(row["metric"], "looked_up_to")}
        assert (row["scope"], row["value"], row["n"]) == ("all", None, 0)
        assert not row.get("lower_bound")
        assert row.get("looked_up_to") is None
    for phase in {stage.phase for stage in profile.stages()}:
        assert row_of(document, "ungraceful_error_rate", "scenario:simple_query", phase)["value"] is None
    assert document["stages"] == []


def test_without_samples_every_row_is_there_and_null(maker: Any, profile: Any, spans: Any) -> None:
    """Nothing measured is never 0: each planned scenario has its rows, with n 0."""
    document = compute_metrics(maker.bundle, profile, spans)
    scopes = {row["scope"] for row in document["metrics"]}
    assert scopes == {"all", *(f"scenario:{name}" for name in SCENARIOS)}
    assert {(row["value"], row["n"], row["ci_low"], row["ci_high"]) for row in document["metrics"]} == {
        (None, 0, None, None)
    }


def test_phases_come_from_the_manifest(maker: Any, profile: Any, spans: Any, sample: Any, row_of: Any) -> None:
    """Without spans given, those that the generator left are read; without any, there is no rate, but percentiles."""
    maker.samples([sample(60)] * 20)
    maker.bundle.update_manifest(phases=[])
    document = compute_metrics(maker.bundle, profile)
    assert row_of(document, "throughput_rpm")["value"] is None
    assert row_of(document, "latency_p95_ms")["value"] == 1.0
    phases = [
        {"name": span.name, "stage": span.stage, "start": run.utc_text(span.start), "end": run.utc_text(span.end)}
        for span in spans
    ]
    maker.bundle.update_manifest(phases=phases)
    assert compute_metrics(maker.bundle, profile) == compute_metrics(maker.bundle, profile, spans)


def test_only_failures_are_a_throughput_of_zero(maker: Any, profile: Any, spans: Any, sample: Any, row_of: Any) -> None:
    """Requests that were made and all failed are a measured zero, with an interval."""
    maker.samples([sample(60, outcome="http_error")] * 5)
    document = compute_metrics(maker.bundle, profile, spans)
    row = row_of(document, "throughput_rpm")
    assert (row["value"], row["n"], row["ci_low"]) == (0.0, 0, 0.0)
    assert row["ci_high"] == pytest.approx(3.688879 / (130 / 60), rel=1e-6)
    assert row_of(document, "throughput_worst_minute_rpm")["value"] == 0.0
    assert row_of(document, "error_rate")["value"] == 1.0
    assert row_of(document, "throughput_rpm", "scenario:complex_query")["value"] is None
    assert row_of(document, "latency_p95_ms")["n"] == 0


def test_answers_count_where_they_end(maker: Any, profile: Any, spans: Any, sample: Any, row_of: Any) -> None:
    """A request that starts in the ramp and ends in the hold is the ramp's latency and the hold's throughput."""
    maker.samples([sample(4, 2_000_000, phase="ramp_up"), sample(134, 2_000_000)])
    document = compute_metrics(maker.bundle, profile, spans)
    assert row_of(document, "throughput_rpm")["n"] == 1
    assert row_of(document, "throughput_rpm", phase="ramp_up")["n"] == 0
    assert row_of(document, "latency_p95_ms", phase="ramp_up")["max"] == 2000.0


def test_a_phase_below_a_minute_has_no_worst_minute(
    maker: Any, profile: Any, spans: Any, sample: Any, row_of: Any
) -> None:
    """The worst full minute of 59 seconds is unknown."""
    maker.samples([sample(10)] * 3)
    short = [spans[0], type(spans[1])("hold", "hold", spans[1].start, spans[1].start + timedelta(seconds=59))]
    row = row_of(compute_metrics(maker.bundle, profile, short), "throughput_worst_minute_rpm")
    assert (row["value"], row["n"]) == (None, 0)


def test_names_with_quotes_are_only_names(maker: Any, profile: Any, spans: Any, sample: Any, row_of: Any) -> None:
    """An endpoint's name is data, never part of a query."""
    maker.samples([sample(60, endpoint="it's; DROP TABLE samples --")] * 2)
    document = compute_metrics(maker.bundle, profile, spans)
    assert row_of(document, "latency_p95_ms", "endpoint:it's; DROP TABLE samples --")["n"] == 2


@pytest.mark.parametrize("parts", [3, 60])
@pytest.mark.parametrize("harm", ["latency_us", "phase", "intended_start", "empty", "cut"])
def test_a_damaged_part_is_named_and_the_others_count(
    *, maker: Any, profile: Any, spans: Any, sample: Any, damaged: Any, parts: int, harm: str
) -> None:
    """Wherever it lies among the parts, also where names are looked up in some of them only."""
    for number in range(parts):
        maker.samples([sample(20 + one / 10, 1000 + one, user=one % 7) for one in range(300)], f"w0-1-{number:06d}")
    part = maker.bundle.samples_dir / f"w0-1-{parts - 2:06d}.parquet"
    if harm == "empty":
        part.write_bytes(b"")
    elif harm == "cut":
        part.write_bytes(part.read_bytes()[:-20])
    else:
        damaged(harm, part)
    document = compute_metrics(maker.bundle, profile, spans)
    assert document["unreadable_parts"] == [f"samples/{part.name}"]
    assert document["outcomes"]["hold"] == {"ok": 300 * (parts - 1)}


def test_a_full_disk_is_no_damaged_part(
    maker: Any, profile: Any, spans: Any, sample: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The samples are whole: what is wrong is the machine that reads them."""
    maker.samples([sample(20 + one) for one in range(30)])

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("include.loadtest.metrics.blocks.Store.add", full)
    with pytest.raises(OSError, match="No space left") as caught:
        compute_metrics(maker.bundle, profile, spans)
    assert caught.value.errno == 28
