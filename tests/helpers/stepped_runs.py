"""Bundles of stepped loads that never were: a target whose every answer needs a known time of a resource."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from include.loadtest.bundle import Bundle
from include.loadtest.profile import Profile, load_profile_text
from include.loadtest.recorder import RESOURCE_SCHEMA, SAMPLE_SCHEMA, Reading, Sample, ns, write_part
from include.loadtest.run import utc_text

START = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
YAML = """
name: steps
title: Steps
purpose: Steps for a test.
users: {users}
ramp_up_s: {ramp_up_s}
duration_s: {each_s}
shape:
  kind: steps
  steps: {steps}
  probe_users: 1
  breaking_point: {{p95_limit_ms: 8000, error_rate_limit: 0.05, least_user_throughput_share: 0.8}}
  recovery: {{duration_s: 30, window_s: 10, windows: 3, p95_limit_ms: 3000}}
{plan}
think_time_s: {{min: 0.5, max: 1.5}}
mix_pct: {{simple_query: 100}}
questions: {{pool_size: 40, zipf_exponent: 1.1, new_share: 0.15}}
warm_up: {{settled_within: 0.02, max_s: 300}}
warning_margin: 0.10
seed: 1
scenario_limits: warning
resource_limits: warning
slos:
  - {{metric: ungraceful_error_rate, comparator: "<=", limit: 0.05}}
"""
Load = Callable[[float], Mapping[tuple[str, str], float]]
"""Readings by kind at a throughput a second."""


def stepped_profile(users: int = 40, steps: int = 4, each_s: int = 60, plan: str = "") -> Profile:
    """Steps of equal length; `plan` is the key with its values as YAML on one line."""
    text = YAML.format(users=users, steps=steps, each_s=each_s, ramp_up_s=each_s * (steps - 1), plan=plan)
    return load_profile_text(text, "steps.yaml")


def stepped_bundle(
    folder: Path,
    profile: Profile,
    throughputs: Sequence[float],
    readings: Load,
    *,
    rows: Mapping[str, float] | None = None,
    **figures: Sequence[Any],
) -> Bundle:
    """A bundle with `throughputs` ok answers a second in each step, evenly spread.

    `rows` are values of scope all in metrics.json; `figures` replace those of the stages, one for each step.
    """
    bundle = Bundle(folder / "steps-1")
    stages = [stage for stage in profile.stages() if stage.phase != "recovery"]
    phases, entries, samples, read = [], [], [], []
    for place, (stage, rate) in enumerate(zip(stages, throughputs, strict=False)):
        begin, end = (START + timedelta(seconds=offset) for offset in (stage.start_s, stage.end_s))
        seconds = stage.end_s - stage.start_s
        phases.append({"name": stage.phase, "stage": stage.name, "start": utc_text(begin), "end": utc_text(end)})
        figure = {name: values[place] for name, values in figures.items()}
        entries.append(stage_entry(stage.name, stage.phase, stage.users_to, seconds, rate, **figure))
        samples += [_sample(begin + timedelta(seconds=(n + 0.5) / rate)) for n in range(round(rate * seconds))]
        read += _readings(begin, seconds, readings(rate))
    bundle.write("manifest.json", {"started": utc_text(START), "phases": phases, "target": {"shares_host": False}})
    metrics = [
        {"metric": name, "scope": "all", "phase": "hold", "value": value} for name, value in (rows or {}).items()
    ]
    bundle.write("metrics.json", {"metrics": metrics, "stages": entries})
    for directory, own, schema in (
        (bundle.samples_dir, samples, SAMPLE_SCHEMA),
        (bundle.resources_dir, read, RESOURCE_SCHEMA),
    ):
        directory.mkdir(parents=True, exist_ok=True)
        if own:
            write_part(own, schema, directory / "made-000000.parquet")
    return bundle


def stage_entry(stage: str, phase: str, users: int, seconds: float, rate: float, **figures: Any) -> dict[str, Any]:
    """An entry of `stages` in metrics.json."""
    entry = {
        "stage": stage, "phase": phase, "users": users, "seconds": seconds, "n": round(rate * seconds),
        "latency_p95_ms": 500.0, "lower_bound": False, "latency_p95_at_most_ms": 500.0,
        "error_rate": 0.0, "ungraceful_error_rate": 0.0, "throughput_rpm": rate * 60,
    }  # fmt: skip
    return entry | figures


def _sample(moment: datetime) -> Sample:
    at = ns(moment) - 100_000_000
    return Sample(
        at, at, 100_000, None, "simple_query", "chat_stream", 0, "hold", "hold", "ok", None, 200, 1, None, "w", 1
    )


def _readings(begin: datetime, seconds: float, values: Mapping[tuple[str, str], float]) -> list[Reading]:
    moments = [begin + timedelta(seconds=1 + 5 * n) for n in range(int((seconds - 1) // 5) + 1)]
    return [
        Reading(ns(moment), source, "one", metric, value, "")
        for moment in moments
        for (source, metric), value in values.items()
    ]
