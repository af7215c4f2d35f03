"""Stress and spike find what was planted, shortened; and every committed limit is the requirements' own number."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from experiments.aftermath import GREEN, document
from experiments.claims import Claim, Say
from experiments.in_process import Bench, bench
from include.embedded.state import CHECKOUT
from include.loadtest.profile import PROFILES_DIR, Profile, Stage, load_profile_text
from tests.helpers.demo import DemoTarget

NAME = "profiles"
WINDOW_S = 5
RECOVERY = {"duration_s": 30, "window_s": WINDOW_S, "windows": 3, "p95_limit_ms": 4000}
SHORT: dict[str, dict[str, Any]] = {
    "stress_test": {
        "users": 24,
        "ramp_up_s": 36,
        "duration_s": 15,
        "shape": {
            "kind": "steps",
            "steps": 4,
            "probe_users": 3,
            "breaking_point": {"p95_limit_ms": 4000, "error_rate_limit": 0.05, "least_user_throughput_share": 0.2},
            "recovery": RECOVERY,
        },
    },
    "spike_test": {
        "users": 20,
        "ramp_up_s": 5,
        "duration_s": 75,
        "shape": {"kind": "spike", "base_users": 5, "base_s": 10, "ramp_down_s": 5, "recovery": RECOVERY},
    },
}
"""What differs from the committed profiles: seconds and users, so that a run takes little more than a minute."""
THINK_TIME_S = {"min": 0.2, "max": 0.4}
WARM_UP_MAX_S = 30
SLOW = {"latency_added_ms": {"all": 6000}}
FAILING = {"error_share": {"all": 0.5}}
"""Above the limits that the shortened profiles have: 4 s, 5 %."""
LOAD_BEGINS_WITHIN_S = 240
TESTS = ("tests/test_limits.py", "tests/test_structure.py")


@dataclass(frozen=True)
class Plant:
    """A fault of the target from the start of a stage to so many seconds after the end of another; None: for good."""

    fault: dict[str, Any]
    from_stage: str
    to_stage: str
    after_s: float | None


@dataclass(frozen=True)
class Trial:
    """A run, and between what its figures have to lie; None for "not reached"."""

    profile: str
    claim: str
    plant: Plant | None
    breaking_point: int | None
    recovery_s: tuple[float, float]
    verdicts: tuple[str, ...]
    is_lower_bound: bool = False


TRIALS = (
    Trial("stress_test", "no knee planted", None, None, (0, WINDOW_S), GREEN),
    Trial(
        "stress_test",
        "every answer 6 s slower from 18 users to the end of the hold",
        Plant(SLOW, "step_18", "hold", 0),
        18,
        (0, 2 * WINDOW_S),
        ("WARN",),
    ),
    Trial(
        "stress_test",
        "half of the answers a 500 from 12 users to 12 s after the hold",
        Plant(FAILING, "step_12", "hold", 12),
        12,
        (10, 10 + 2 * WINDOW_S),
        ("SLA_BREACH",),
    ),
    Trial("spike_test", "no slow recovery planted", None, None, (0, WINDOW_S), GREEN),
    Trial(
        "spike_test",
        "half of the answers a 500 from the spike to 18 s after it",
        Plant(FAILING, "spike", "spike", 18),
        None,
        (15, 15 + 2 * WINDOW_S),
        ("SLA_BREACH",),
    ),
    Trial(
        "spike_test",
        "half of the answers a 500 from the spike on, for good",
        Plant(FAILING, "spike", "recovery", None),
        None,
        (35, 35),
        ("SLA_BREACH",),
        is_lower_bound=True,
    ),
)
"""A window with one failed answer is bad, so recovery is found at the next window's start, at most two after it.

A stress test has no limit of latency: slow answers are a warning of the scenarios, failed ones break it.
"""


def claims(say: Say) -> Iterator[Claim]:
    """The numbers, then the runs."""
    yield _numbers(say)
    with bench(say) as servers:
        for number, trial in enumerate(TRIALS, 1):
            say(f"{number} of {len(TRIALS)}: {trial.profile}, {trial.claim}")
            claim = _try(servers, trial, f"{trial.profile.replace('_', '-')}-{number}")
            say(f"  {claim.measured}")
            yield claim


def _numbers(say: Say) -> Claim:
    say("the committed profiles, number by number")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *TESTS]
    ended = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=300, check=False)
    last = (ended.stdout.strip().splitlines() or ["no output"])[-1]
    return Claim(
        NAME,
        "every limit of every profile is the requirements' number, and no code holds one",
        f"all tests of {' and '.join(TESTS)} pass",
        last,
        ended.returncode == 0,
    )


def short_profile(name: str) -> str:
    """The committed profile as a text, shortened."""
    data = yaml.safe_load((PROFILES_DIR / f"{name}.yaml").read_text(encoding="utf-8"))
    data |= SHORT[name] | {"think_time_s": THINK_TIME_S}
    data["warm_up"]["max_s"] = WARM_UP_MAX_S
    return str(yaml.safe_dump(data, sort_keys=False, allow_unicode=True))


def _try(servers: Bench, trial: Trial, run_id: str) -> Claim:
    text = short_profile(trial.profile)
    context = servers.context(run_id, text)
    with _planted(servers, trial.plant, load_profile_text(text, run_id), context.bundle.path):
        servers.run(context)
    rows = document(context.bundle.path, "metrics.json").get("metrics", ())
    breaking, recovery = (_row(rows, name) for name in ("breaking_point_users", "recovery_time_s"))
    verdict = document(context.bundle.path, "verdict.json").get("verdict", "none")
    return Claim(
        NAME,
        f"{trial.profile}: {trial.claim}",
        _expected(trial),
        f"{_measured(trial, breaking, recovery)}, verdict={verdict}",
        _is_met(trial, breaking, recovery, verdict),
    )


def _row(rows: Any, metric: str) -> dict[str, Any]:
    return next((row for row in rows if row["metric"] == metric), {})


def _expected(trial: Trial) -> str:
    low_s, high_s = trial.recovery_s
    recovery = (
        f"recovery_time_s at least {low_s:g}" if trial.is_lower_bound else f"recovery_time_s {low_s:g}-{high_s:g}"
    )
    return f"{_breaking(trial, trial.breaking_point)}{recovery}, verdict={' or '.join(trial.verdicts)}"


def _measured(trial: Trial, breaking: dict[str, Any], recovery: dict[str, Any]) -> str:
    bound = "at least " if recovery.get("lower_bound") else ""
    return f"{_breaking(trial, breaking.get('value'))}recovery_time_s {bound}{recovery.get('value')}"


def _breaking(trial: Trial, users: float | None) -> str:
    if trial.profile != "stress_test":
        return ""
    return f"breaking_point_users {'not reached' if users is None else f'{users:g}'}, "


def _is_met(trial: Trial, breaking: dict[str, Any], recovery: dict[str, Any], verdict: str) -> bool:
    low_s, high_s = trial.recovery_s
    value = recovery.get("value")
    return (
        value is not None
        and low_s <= value <= high_s
        and recovery["lower_bound"] is trial.is_lower_bound
        and (trial.profile != "stress_test" or (bool(breaking) and breaking["value"] == trial.breaking_point))
        and verdict in trial.verdicts
    )


@contextmanager
def _planted(servers: Bench, plant: Plant | None, profile: Profile, bundle: Path) -> Iterator[None]:
    """The fault in force meanwhile, by the load's own clock. Raises RuntimeError where it was not."""
    if plant is None:
        yield
        return
    stages = {stage.name: stage for stage in profile.stages()}
    ended, done = threading.Event(), threading.Event()

    def follow() -> None:
        began_s = load_began_s(bundle, ended)
        if began_s is None:
            return
        with servers.demo.client() as client:
            ended.wait(began_s + stages[plant.from_stage].start_s - time.time())
            client.put("/admin/faults", json=plant.fault).raise_for_status()
            done.set()
            ended.wait(_until_s(began_s, stages[plant.to_stage], plant, profile) - time.time())
            client.delete("/admin/faults").raise_for_status()

    follower = threading.Thread(target=follow, daemon=True)
    follower.start()
    try:
        yield
    finally:
        ended.set()
        follower.join(timeout=30)
    if not done.is_set():
        raise RuntimeError("the load did not begin, so the fault was not planted")


def _until_s(began_s: float, to_stage: Stage, plant: Plant, profile: Profile) -> float:
    return began_s + (profile.load_s if plant.after_s is None else to_stage.end_s + plant.after_s)


def load_began_s(bundle: Path, ended: threading.Event) -> float | None:
    """When the first request was due, seconds since 1970; None where the run ended before."""
    deadline = time.monotonic() + LOAD_BEGINS_WITHIN_S
    while time.monotonic() < deadline and not ended.wait(0.05):
        try:
            started_ns = json.loads((bundle / "generator-w0.json").read_text(encoding="utf-8")).get("started_ns")
        except (OSError, ValueError):
            continue
        if started_ns:
            return float(started_ns) / 1e9
    return None


@contextmanager
def faults_in_the_load(demo: DemoTarget, bundle: Path, **changes: Any) -> Iterator[None]:
    """The demo target's faults are in force from the load's beginning to the end of the block."""
    ended = threading.Event()

    def follow() -> None:
        if load_began_s(bundle, ended) is not None:
            demo.switch(**changes).raise_for_status()

    follower = threading.Thread(target=follow, daemon=True)
    follower.start()
    try:
        yield
    finally:
        ended.set()
        follower.join(10)
        with demo.client() as client:
            client.delete("/admin/faults").raise_for_status()
