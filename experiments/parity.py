"""Locust and k6, the same profile, a target with a known latency distribution: both report what it is.

The interval of an engine's percentile is that of its order statistics (95 %, no assumption about the distribution): the
distribution's own quantile has to lie in it.
"""

import json
import math
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.claims import Claim, Say
from experiments.known_target import quantile_s, stream_bytes
from include.embedded.state import CHECKOUT
from include.loadtest.bundle import Bundle
from include.loadtest.metrics.statistics import percentile_interval_ranks, rank_of
from include.loadtest.profile import DECK_SIZE, PROFILES_DIR, Profile, load_profile_text
from include.loadtest.runners.engines import run_load
from include.loadtest.runners.generator import LoadRequest

NAME = "parity"
ENGINES = ("locust", "k6")
USERS, RAMP_UP_S, HOLD_S = 40, 4, 116
LEAST_REQUESTS = 5000
SHARES = {"P50": 0.50, "P95": 0.95, "P99": 0.99}
SEED = 20241205
STOP_WITHIN_S = 20


@dataclass(frozen=True)
class Measured:
    """What one engine measured: rows of (user, iteration, scenario, outcome, latency in s, bytes); the target's own."""

    engine: str
    rows: list[tuple[int, int, str, str, float, int]]
    served_s: list[float]
    completed: bool
    cpu_ms: float

    @property
    def decks(self) -> list[Counter[str]]:
        """The complete decks."""
        decks: dict[tuple[int, int], Counter[str]] = defaultdict(Counter)
        for user, iteration, scenario, *_ in self.rows:
            decks[user, iteration // DECK_SIZE][scenario] += 1
        return [deck for deck in decks.values() if deck.total() == DECK_SIZE]

    @property
    def drawn(self) -> dict[tuple[int, int], str]:
        """The scenario of each user's each iteration."""
        return {(user, iteration): scenario for user, iteration, scenario, *_ in self.rows}


def claims(say: Say) -> Iterator[Claim]:
    """One load with each engine, one after the other, each against a target that begins anew."""
    profile = parity_profile()
    measured = []
    with tempfile.TemporaryDirectory(prefix="loadtest-prove-", ignore_cleanup_errors=True) as folder:
        for engine in ENGINES:
            say(f"{engine}: {USERS} users for {RAMP_UP_S + HOLD_S} s")
            measured.append(measure(profile, engine, Path(folder) / engine))
    for found in measured:
        yield from _engine_claims(found, profile)
    yield _same_claim(measured)
    yield _cpu_claim(measured)


def parity_profile() -> Profile:
    """The committed smoke profile with more users who hardly think, and a patience that no answer exceeds."""
    import yaml

    data = yaml.safe_load((PROFILES_DIR / "smoke.yaml").read_text(encoding="utf-8"))
    data |= {
        "users": USERS,
        "ramp_up_s": RAMP_UP_S,
        "duration_s": HOLD_S,
        "timeout_s": 60.0,
        "think_time_s": {"min": 0.1, "max": 0.3},
        "slos": [{"metric": "error_rate", "comparator": "<", "limit": 0.01}],
    }
    return load_profile_text(str(yaml.safe_dump(data, sort_keys=False)), NAME)


def measure(profile: Profile, engine: str, folder: Path) -> Measured:
    """One load. Raises RuntimeError where the target did not start."""
    folder.mkdir()
    numbers = tuple(range(1, profile.users + 1))
    sessions = folder / "sessions.json"
    entry = {"user_token": "known", "session_token": "known", "studio_id": None, "obtained_at": time.time()}
    sessions.write_text(json.dumps({number: {"user_id": number, **entry} for number in numbers}), encoding="utf-8")
    record = folder / "record.json"
    with known_target(record) as base_url:
        request = LoadRequest(
            bundle=Bundle(folder / f"{NAME}-{engine}"),
            profile=profile.model_copy(update={"engine": engine}),
            base_url=base_url,
            api_prefix="/api/v1",
            forwarded_for=False,
            sessions_file=sessions,
            user_numbers=numbers,
            work_dir=folder,
            caps=("20121", "10121"),
        )
        before_s = _children_s()
        result = run_load(request, lambda _line: None)
        cpu_ms = (_children_s() - before_s) * 1000
    served_s = [took_s for _, took_s in json.loads(record.read_text(encoding="utf-8"))]
    return Measured(engine, _rows(request.bundle), served_s, result.completed, cpu_ms)


@contextmanager
def known_target(record: Path) -> Iterator[str]:
    """The target in a process of its own; its record is there afterwards."""
    command = [sys.executable, "-m", "experiments.known_target", str(SEED), str(record)]
    process = subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None  # noqa: S101 - PIPE was asked for above
        port = process.stdout.readline().strip()
        if not port:
            raise RuntimeError("the target with the known distribution did not start")
        yield f"http://127.0.0.1:{port}"
        process.terminate()
        process.wait(timeout=STOP_WITHIN_S)
    finally:
        process.kill()
        process.wait()


def _children_s() -> float:
    """CPU seconds of all processes that this one started and that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _rows(bundle: Bundle) -> list[tuple[Any, ...]]:
    import duckdb

    samples = duckdb.read_parquet(str(bundle.samples_dir / "*.parquet"))
    return samples.select('"user", iteration, scenario, outcome, latency_us / 1e6, bytes').fetchall()


def _engine_claims(found: Measured, profile: Profile) -> Iterator[Claim]:
    outcomes = Counter(row[3] for row in found.rows)
    yield Claim(
        NAME,
        f"{found.engine}: every request is a sample, and every answer is right",
        f"at least {LEAST_REQUESTS} samples, as many as the target counted, all ok",
        f"{len(found.rows)} samples, {len(found.served_s)} counted, {dict(outcomes)}",
        found.completed
        and len(found.rows) >= LEAST_REQUESTS
        and len(found.rows) == len(found.served_s)
        and set(outcomes) == {"ok"},
    )
    streamed = Counter(row[5] for row in found.rows if row[2] in ("simple_query", "complex_query"))
    yield Claim(
        NAME,
        f"{found.engine}: bytes of a streamed answer of hundreds of events, counted by the engine",
        f"{stream_bytes():,} in each",
        ", ".join(f"{size:,} in {count}" for size, count in streamed.most_common(3)),
        set(streamed) == {stream_bytes()},
    )
    wanted = Counter({name: count for name, count in profile.deck().items() if count})
    wrong = sum(deck != wanted for deck in found.decks)
    yield Claim(
        NAME,
        f"{found.engine}: shares of the scenarios over each complete deck of each user",
        "exactly the profile's",
        f"{len(found.decks)} decks, {wrong} with other shares",
        len(found.decks) > USERS and wrong == 0,
    )
    for name, share in SHARES.items():
        yield _percentile_claim(found, name, share)


def _percentile_claim(found: Measured, name: str, share: float) -> Claim:
    sorted_s = sorted(row[4] for row in found.rows)
    truth_s = quantile_s(share)
    low_s, high_s = interval_s(sorted_s, share)
    value_s, served_s = (rows[rank_of(share, len(rows)) - 1] for rows in (sorted_s, sorted(found.served_s)))
    return Claim(
        NAME,
        f"{found.engine}: {name} of {len(sorted_s)} latencies",
        f"{truth_s * 1000:.1f} ms, the distribution's own, lies in its 95 % interval",
        f"{value_s * 1000:.1f} ms ({low_s * 1000:.1f} to {high_s * 1000:.1f}); the target's own: {served_s * 1000:.1f}",
        low_s <= truth_s <= high_s,
    )


def interval_s(sorted_s: Sequence[float], share: float) -> tuple[float, float]:
    """The rows between which the true percentile lies; without a row on one side it is open there."""
    low, high = percentile_interval_ranks(share, len(sorted_s))
    return (sorted_s[low - 1] if low else -math.inf), (sorted_s[high - 1] if high else math.inf)


def _same_claim(measured: Sequence[Measured]) -> Claim:
    one, other = (found.drawn for found in measured)
    both = one.keys() & other.keys()
    different = sum(one[key] != other[key] for key in both)
    return Claim(
        NAME,
        "each user's each iteration is the same scenario in either engine",
        "no difference",
        f"{different} of {len(both)} iterations differ",
        len(both) >= 0.8 * LEAST_REQUESTS and different == 0,
    )


def _cpu_claim(measured: Sequence[Measured]) -> Claim:
    """With everything beside it: Python's start, k6's start, the process that reads its points."""
    each = [f"{found.engine} {found.cpu_ms / max(1, len(found.rows)):.2f} ms" for found in measured]
    return Claim(NAME, "CPU of the generator, all its processes, per request", "shown", ", ".join(each), True)
