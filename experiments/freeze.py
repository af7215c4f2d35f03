"""A target that stands still for 10 s: what arrivals on a schedule felt, what a closed run names, what Locust says."""

import csv
import math
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from experiments.aftermath import document
from experiments.claims import Claim, Say
from experiments.in_process import Bench, bench
from experiments.profiles import load_began_s
from include.embedded.state import CHECKOUT
from include.loadtest.profile import PROFILES_DIR

NAME = "freeze"
HOLD_S, FREEZE_S, FREEZE_AFTER_S = 60, 10, 20.0
RATE_RPM, OPEN_USERS, CLOSED_USERS = 600, 150, 10
NORMAL_S = 0.05
TOLERANCE = 0.05
PLAIN_BELOW_S = 0.2
STALL_S = (9.0, 12.0)
CORRECTED_ABOVE_S = 5.0
PLAIN_EMAIL = "plain_user@loadtest.invalid"
PLAIN_FILE = CHECKOUT / "experiments" / "plain_user.py"
PLAIN_STARTS_WITHIN_S = 60.0


def claims(say: Say) -> Iterator[Claim]:
    """One demo target, three loads of 60 s, the same freeze in each."""
    with bench(say) as servers:
        yield _open_claim(servers)
        yield from _closed_claims(servers)
        yield _plain_claim(servers)


def profile_yaml(**changes: Any) -> str:
    """The committed smoke profile, with cheap requests, little to warm up, and what is given; None takes a key out."""
    data = yaml.safe_load((PROFILES_DIR / "smoke.yaml").read_text(encoding="utf-8"))
    data |= {
        "ramp_up_s": 0,
        "duration_s": HOLD_S,
        "timeout_s": 60.0,
        "mix_pct": {"user_operations": 100},
        "questions": {"pool_size": 3, "zipf_exponent": 1.1, "new_share": 0.0},
        "warm_up": {"settled_within": 0.02, "max_s": 5},
        "slos": [{"metric": "error_rate", "comparator": "<", "limit": 0.01}],
        **changes,
    }
    kept = {key: value for key, value in data.items() if value is not None}
    return str(yaml.safe_dump(kept, sort_keys=False, allow_unicode=True))


def row_of(bundle: Path, metric: str) -> dict[str, Any]:
    """The row of the hold and all requests; empty where there is none."""
    rows = document(bundle, "metrics.json").get("metrics", ())
    wanted = (metric, "all", "hold")
    return next((row for row in rows if (row["metric"], row["scope"], row["phase"]) == wanted), {})


def seconds(value_ms: float | None) -> str:
    """A figure in ms for a claim's line."""
    return "not measured" if value_ms is None else f"{value_ms / 1000:.2f} s"


def schedule_p95_s() -> float:
    """The 95th percentile that the schedule gives: who comes in the freeze waits for its end, everybody NORMAL_S."""
    count = HOLD_S * RATE_RPM // 60
    waits_s = sorted(NORMAL_S + max(0.0, FREEZE_S - number * 60 / RATE_RPM) for number in range(count))
    return waits_s[math.ceil(0.95 * count) - 1]


def _open_claim(servers: Bench) -> Claim:
    servers.say(f"{RATE_RPM / 60:g} arrivals a second, {OPEN_USERS} users")
    arrival = {"rate_rpm": RATE_RPM, "max_users": OPEN_USERS}
    bundle = _run(servers, "freeze-open", profile_yaml(users=None, arrival=arrival))
    expected_s, row = schedule_p95_s(), row_of(bundle, "latency_p95_ms")
    load = document(bundle, "manifest.json").get("load") or {}
    value = row.get("value")
    sent = f"{load.get('sent_arrivals')} of {load.get('planned_arrivals')} arrivals"
    return Claim(
        NAME,
        f"{RATE_RPM / 60:g} arrivals a second, target frozen {FREEZE_S} s of {HOLD_S}: P95 from intended starts",
        f"{expected_s:.2f} s by the schedule, within {100 * TOLERANCE:g} %",
        f"{seconds(value)}, n={row.get('n')}, {sent}",
        value is not None and abs(value / 1000 / expected_s - 1) <= TOLERANCE,
    )


def _closed_claims(servers: Bench) -> Iterator[Claim]:
    servers.say(f"{CLOSED_USERS} users who think")
    bundle = _run(servers, "freeze-closed", profile_yaml(users=CLOSED_USERS))
    reasons = document(bundle, "verdict.json").get("reasons", ())
    stall = next((reason for reason in reasons if reason["code"] == "stall"), None)
    low_s, high_s = STALL_S
    yield Claim(
        NAME,
        "a closed run names the same freeze a stall",
        f"reason stall, {low_s:g}-{high_s:g} s",
        "no such reason" if stall is None else f"stall: {stall['text']}",
        stall is not None and low_s <= stall["observed"] <= high_s,
    )
    plain, corrected = (row_of(bundle, name).get("value") for name in ("latency_p95_ms", "latency_p95_corrected_ms"))
    yield Claim(
        NAME,
        "and shows the corrected P95 beside the plain one, which hides it",
        f"plain below {PLAIN_BELOW_S:g} s, corrected above {CORRECTED_ABOVE_S:g} s",
        f"plain {seconds(plain)}, corrected {seconds(corrected)}",
        (plain is not None and plain < PLAIN_BELOW_S * 1000)
        and (corrected is not None and corrected > CORRECTED_ABOVE_S * 1000),
    )


def _run(servers: Bench, run_id: str, profile: str) -> Path:
    context = servers.context(run_id, profile)
    with _frozen_in_the_load(servers, context.bundle.path):
        servers.run(context)
    return context.bundle.path


@contextmanager
def _frozen_in_the_load(servers: Bench, bundle: Path) -> Iterator[None]:
    """The freeze comes by the load's own clock. Raises RuntimeError where no load began."""
    ended, done = threading.Event(), threading.Event()

    def follow() -> None:
        began_s = load_began_s(bundle, ended)
        if began_s is not None and not ended.wait(began_s + FREEZE_AFTER_S - time.time()):
            freeze(servers)
            done.set()

    follower = threading.Thread(target=follow, daemon=True)
    follower.start()
    try:
        yield
    finally:
        ended.set()
        follower.join(timeout=30)
    if not done.is_set():
        raise RuntimeError("the load did not begin, so the target was not frozen")


def freeze(servers: Bench) -> None:
    """The target answers nobody for FREEZE_S."""
    with servers.demo.client() as client:
        client.put("/admin/faults", json={"freeze_s": FREEZE_S}).raise_for_status()
    servers.say("  the target is frozen")


def _plain_claim(servers: Bench) -> Claim:
    servers.say(f"plain Locust, {CLOSED_USERS} users")
    p95_s, slowest_s = _plain_seconds(servers)
    return Claim(
        NAME,
        f"plain Locust, {CLOSED_USERS} users who think for a second, the same freeze: its own P95",
        f"below {PLAIN_BELOW_S:g} s, though its slowest request waited for the freeze",
        f"{p95_s:.3f} s, slowest {slowest_s:.1f} s",
        p95_s < PLAIN_BELOW_S and slowest_s > STALL_S[0],
    )


def _plain_seconds(servers: Bench) -> tuple[float, float]:
    """Locust's own P95, and its slowest request. Raises RuntimeError where it sent none."""
    servers.demo.add_user(PLAIN_EMAIL)
    token = servers.demo.login(PLAIN_EMAIL)
    prefix = servers.folder / "plain"
    command = [
        *(sys.executable, "-m", "locust", "-f", str(PLAIN_FILE), "--headless", "--host", servers.demo.base_url),
        *("-u", str(CLOSED_USERS), "-r", str(CLOSED_USERS), "-t", f"{HOLD_S}s", "--csv", str(prefix)),
    ]
    environment = {**os.environ, "PLAIN_USER_TOKEN": token}
    with (servers.folder / "plain.log").open("w") as log:
        process = subprocess.Popen(command, cwd=servers.folder, env=environment, stdout=log, stderr=log)
        try:
            _await_requests(prefix.with_name("plain_stats.csv"))
            time.sleep(FREEZE_AFTER_S)
            freeze(servers)
            process.wait(timeout=2 * HOLD_S)
        finally:
            process.kill()
            process.wait()
    found = _aggregated(prefix.with_name("plain_stats.csv"))
    return float(found["95%"]) / 1000, float(found["Max Response Time"]) / 1000


def _await_requests(stats: Path) -> None:
    deadline = time.monotonic() + PLAIN_STARTS_WITHIN_S
    while int(_aggregated(stats).get("Request Count") or 0) == 0:
        if time.monotonic() > deadline:
            raise RuntimeError("plain Locust sent no request; see plain.log")
        time.sleep(0.2)


def _aggregated(stats: Path) -> dict[str, str]:
    """Locust's line over all requests."""
    try:
        with stats.open(encoding="utf-8", newline="") as lines:
            return next((row for row in csv.DictReader(lines) if row["Name"] == "Aggregated"), {})
    except FileNotFoundError:
        return {}
