"""Reading a bundle: what is there, what is broken, and what there is none of."""

import json
from pathlib import Path
from typing import Any

import pytest

from include.loadtest.analysis.bottleneck import diagnose
from include.loadtest.analysis.bottleneck.evidence import read_case, read_requests
from include.loadtest.bundle import Bundle
from include.loadtest.observations import ObservationWriter
from include.loadtest.profile import find_profile, load_profile
from include.loadtest.recorder import RESOURCE_SCHEMA, SAMPLE_SCHEMA, write_part
from include.loadtest.reporting.diagnosis import diagnosis_section
from tests.helpers.made_cases import HOLD_S, PROFILE, START_S, made_readings, made_requests, moment

pytestmark = pytest.mark.unit
NS = 1_000_000_000


def _bundle(path: Path, *, load: bool = True, cores: float = 0.1) -> Bundle:
    bundle = Bundle(path / "smoke-1")
    phases = [
        {"name": "ramp_up", "stage": "ramp_up", "start": moment(-5), "end": moment(0)},
        {"name": "hold", "stage": "hold", "start": moment(0), "end": moment(HOLD_S)},
    ]
    gap = {"source": "redis", "start": moment(10), "end": moment(20), "reason": "no answer", "missed": 2}
    bundle.update_manifest(
        target={"name": "demo", "shares_host": True},
        load={"started": moment(-5), "ended": moment(HOLD_S)} if load else None,
        phases=phases if load else [],
        gaps=[gap] if load else [],
    )
    bundle.write("verdict.json", {"verdict": "PASS", "reasons": [{"code": "blackout", "text": "not today"}]})
    if load:
        _write_parts(bundle, cores)
    return bundle


def _write_parts(bundle: Bundle, cores: float) -> None:
    for folder in (bundle.samples_dir, bundle.resources_dir):
        folder.mkdir(parents=True)
    own = made_requests()
    rows: list[tuple[Any, ...]] = []
    for n in range(len(own)):
        start_ns, latency_us = int(own.start_s[n] * NS), int(own.latency_s[n] * 1e6)
        times = (start_ns, start_ns, latency_us, 5 if own.streamed[n] else None)
        names = (str(own.scenario[n]), str(own.endpoint[n]), 0, "hold", "hold", str(own.outcome[n]))
        rows.append((*times, *names, None, 200, 9, None, "w0", 1))
    write_part(rows, SAMPLE_SCHEMA, bundle.samples_dir / "w0-000000.parquet")
    series = made_readings({("process", "app_busiest_process_cpu_cores"): cores, ("redis", "ping_ms"): 1.0})
    readings = [
        (int(at_s * NS), one.source, one.instance, one.metric, float(value), "")
        for found in series.by_kind.values()
        for one in found
        for at_s, value in zip(one.at_s, one.values, strict=True)
    ]
    write_part(readings, RESOURCE_SCHEMA, bundle.resources_dir / "all-1-000000.parquet")
    ObservationWriter(bundle.resources_dir, "postgres", "here", 1).write(
        int(START_S * NS), [{"kind": "statement", "queryid": "7", "text": "SELECT 1"}]
    )


def test_a_bundle_becomes_a_case(tmp_path: Path) -> None:
    """The hold with its requests, readings, observations and silences; damaged parts are left out."""
    bundle = _bundle(tmp_path)
    (bundle.resources_dir / "broken-2-000000.parquet").write_bytes(b"no parquet")
    (bundle.samples_dir / "broken-000000.parquet").write_bytes(b"no parquet")
    case = read_case(bundle, PROFILE, {"latency_p95_ms": 900.0})
    assert case is not None
    assert (case.load.start_s, case.load.seconds, case.whole.seconds) == (START_S, HOLD_S, HOLD_S + 5)
    assert len(case.requests) == len(made_requests())
    assert case.readings.sources == {"process", "redis"}
    assert [one["text"] for one in case.observations] == ["SELECT 1"]
    assert [one.span.seconds for one in case.silences] == [10]
    assert case.reference == {"latency_p95_ms": 900.0}


def test_a_diagnosis_goes_into_json(tmp_path: Path) -> None:
    """With a cause, and all keys that readers expect."""
    document = diagnose(_bundle(tmp_path, cores=0.95), PROFILE)
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert (document["state"], document["causes"][0]["cause"]) == ("bottleneck", "cpu")
    assert {"next_step", "time_budget", "not_measured", "recommendations", "capacity"} <= set(document)


def test_without_a_load_nothing_is_known(tmp_path: Path) -> None:
    """The verdict's reason says why there was none; an empty folder is no error either."""
    document = diagnose(_bundle(tmp_path, load=False), PROFILE)
    assert document["state"] == "not_known"
    assert "not today" in document["sentence"]
    assert diagnose(Bundle(tmp_path / "nothing"), PROFILE)["causes"] == []


def test_a_limiter_that_preflight_met_is_the_answer_without_a_load(tmp_path: Path) -> None:
    """In the words of the verdict's reason, with what to do; there is no figure, so none is shown."""
    bundle = _bundle(tmp_path, load=False)
    bundle.write(
        "verdict.json", {"verdict": "INCONCLUSIVE", "reasons": [{"code": "rate_limiter", "text": "20 a minute"}]}
    )
    document = diagnose(bundle, PROFILE)
    assert (document["state"], document["sentence"]) == ("bottleneck", "Rate limiter: 20 a minute.")
    assert [(cause["cause"], cause["evidence"]) for cause in document["causes"]] == [("rate_limiter", [])]
    assert "Evidence" not in diagnosis_section(document)


def test_a_stepped_load_is_looked_at_with_all_its_steps(tmp_path: Path) -> None:
    """But not its recovery; a load that was ended in its ramp is looked at as far as it came."""
    bundle = _bundle(tmp_path)
    stepped = load_profile(find_profile("stress_test"))
    case = read_case(bundle, stepped, None)
    assert case is not None
    assert case.load == case.whole
    bundle.update_manifest(phases=[{"name": "ramp_up", "stage": "ramp_up", "start": moment(-5), "end": None}])
    case = read_case(bundle, PROFILE, None)
    assert case is not None
    assert case.load.seconds == HOLD_S + 5


def test_long_runs_are_thinned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every k-th request stands for k."""
    bundle = _bundle(tmp_path)
    monkeypatch.setattr("include.loadtest.analysis.bottleneck.evidence.MAX_ROWS", 100)
    own = read_requests(bundle.samples_dir)
    assert len(own) <= 100
    assert own.each * len(own) == pytest.approx(len(made_requests()), rel=0.05)


def test_a_load_whose_account_is_missing_is_known_by_its_requests(tmp_path: Path) -> None:
    """The process that sends it was killed: no phases, or open ones, and no end."""
    bundle = _bundle(tmp_path, cores=0.95)
    last_s = START_S + HOLD_S
    bundle.update_manifest(load=None, phases=[])
    case = read_case(bundle, PROFILE, None)
    assert case is not None
    assert (case.load.start_s, case.load.end_s) == pytest.approx((START_S, last_s), abs=1)
    assert diagnose(bundle, PROFILE)["causes"][0]["cause"] == "cpu"
    assert any("when the load began and ended" in text for text in diagnose(bundle, PROFILE)["not_measured"])
    open_phases = [{"name": "ramp_up", "start": moment(-5)}, {"name": "hold", "start": moment(0), "end": None}]
    bundle.update_manifest(load={"started": moment(-5), "ended": None}, phases=open_phases)
    case = read_case(bundle, PROFILE, None)
    assert case is not None
    assert (case.load.start_s, case.whole.start_s) == (START_S, START_S - 5)
    assert case.load.end_s == pytest.approx(last_s, abs=1)


def test_without_a_request_the_reason_is_one_that_says_why(tmp_path: Path) -> None:
    """A note beside it does not, and a breach is no reason for silence."""
    bundle = _bundle(tmp_path, load=False)
    reasons = [{"code": "too_few_runs", "text": "one run"}, {"code": "stage_failed", "text": "run_profile ended"}]
    bundle.write("verdict.json", {"reasons": reasons})
    assert diagnose(bundle, PROFILE)["sentence"] == "Not known: not one request was recorded: run_profile ended."
    bundle.write("verdict.json", {"reasons": reasons[:1]})
    assert "no reason says why" in diagnose(bundle, PROFILE)["sentence"]


@pytest.mark.parametrize(
    "odd",
    [
        {"phases": [{"name": "hold", "start": "garbage", "end": moment(5)}, "text", None]},
        {"phases": None, "gaps": [{"start": moment(1)}, "text", {"source": "redis", "start": "never"}]},
        {"load": "text", "phases": "text", "target": None},
        {"load": {"started": "garbage", "ended": 5}},
    ],
)
def test_an_odd_manifest_ends_no_diagnosis(tmp_path: Path, odd: dict[str, Any]) -> None:
    """What has not its form is left out; nothing is concluded from a machine of which nobody knows whose it is."""
    bundle = _bundle(tmp_path, cores=0.95)
    bundle.update_manifest(**odd)
    document = diagnose(bundle, PROFILE)
    assert document["causes"][0]["cause"] == "cpu"
    case = read_case(bundle, PROFILE, None)
    assert case is not None
    assert case.shares_host


@pytest.mark.parametrize(
    "verdict", ["{}", "[]", "no json", '{"reasons": null}', '{"reasons": [{"code": "slo_missed"}, 3]}']
)
def test_an_odd_verdict_ends_no_diagnosis(tmp_path: Path, verdict: str) -> None:
    """The detectors need none."""
    bundle = _bundle(tmp_path, cores=0.95)
    (bundle.path / "verdict.json").write_text(verdict, encoding="utf-8")
    assert diagnose(bundle, PROFILE)["causes"][0]["cause"] == "cpu"


def test_odd_observations_and_samples_lose_nothing_else(tmp_path: Path) -> None:
    """Lines that another program wrote, and a request without a latency."""
    bundle = _bundle(tmp_path, cores=0.95)
    lines = [
        {"ts": moment(5), "source": "redis", "kind": "slow_command", "duration_ms": "abc", "command": 7},
        {"ts": "yesterday", "source": "redis", "kind": "slow_command", "duration_ms": 9},
        {"ts": moment(5), "source": "postgres", "kind": "lock_wait", "blocking_pid": ["x"], "waited_s": {}},
    ]
    text = "".join(f"{json.dumps(line)}\n" for line in lines)
    (bundle.resources_dir / "observations-redis-2.jsonl").write_text(text, encoding="utf-8")
    row = (
        int(START_S * NS),
        int(START_S * NS),
        None,
        None,
        "s",
        "e",
        0,
        "hold",
        "hold",
        "ok",
        None,
        200,
        9,
        None,
        "w",
        1,
    )
    write_part([row], SAMPLE_SCHEMA, bundle.samples_dir / "w1-000000.parquet")
    document = diagnose(bundle, PROFILE)
    assert document["causes"][0]["cause"] == "cpu"
    assert not any("failed" in text for text in document["not_measured"])
    assert len(read_requests(bundle.samples_dir)) == len(made_requests())


def test_a_bundle_that_cannot_be_read_at_all_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not known, with what failed."""
    monkeypatch.setattr("include.loadtest.analysis.bottleneck.evidence.read_readings", lambda _: 1 / 0)
    document = diagnose(_bundle(tmp_path), PROFILE)
    assert document["state"] == "not_known"
    assert "ZeroDivisionError" in document["sentence"]
    assert document["not_measured"]
