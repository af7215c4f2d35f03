"""Several generators of one load: exact shares and percentiles, one time line, and what becomes of a lost one."""

import math
import shutil
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from experiments.aftermath import document
from experiments.claims import Claim, Say
from experiments.freeze import profile_yaml
from experiments.in_process import Bench, bench
from include.loadtest.bundle import Bundle
from include.loadtest.metrics.engine import compute_metrics
from include.loadtest.orchestration.context import RunContext
from include.loadtest.orchestration.generators import send_share
from include.loadtest.profile.model import GATHER_S
from tests.helpers.generators import process_of, wait_until

NAME = "generators"
USERS, RAMP_S, HOLD_S = 12, 4, 20
SOME = (1, 2, 4)
MIX = {"tax_calculation": 50, "user_operations": 30, "knowledge_search": 20}
THINK_TIME_S = {"min": 0.1, "max": 0.2}
LATE_MS = 50.0
SEEN_WITHIN_S, STOPPED_WITHIN_S, GONE_WITHIN_S = 5.0, 5.0, 10.0
SHARES = {"latency_p50_ms": 0.5, "latency_p95_ms": 0.95, "latency_p99_ms": 0.99}
_LATENCY_OUTCOMES = ("ok", "timeout", "censored", "dropped")


def claims(say: Say) -> Iterator[Claim]:
    """Runs through all stages of this program; only the tasks' scheduler is missing."""
    with bench(say) as servers:
        for generators in SOME:
            yield from _shared(servers, generators)
        yield _killed(servers)
        yield _stopped(servers)
        yield _missing(servers)


@dataclass
class _Run:
    """A run whose load several generators share; those in `without` do not come."""

    servers: Bench
    context: RunContext
    without: Sequence[int] = ()
    threads: list[threading.Thread] = field(default_factory=list)

    def send(self) -> None:
        """All its stages, and each generator in a thread of its own once the master listens."""
        self.servers.run(replace(self.context, on_listening=self._start))
        for thread in self.threads:
            thread.join(30)

    def _start(self, address: str) -> None:
        for number in range(1, self.context.profile().generators + 1):
            if number not in self.without:
                work = (self.context, number, lambda: address, lambda: False)
                self.threads.append(threading.Thread(target=self._be, args=work, daemon=True))
                self.threads[-1].start()

    def _be(self, *work: Any) -> None:
        try:
            send_share(*work)
        except Exception as error:  # noqa: BLE001 - a task fails with whatever it raises
            self.servers.say(f"  generator {work[1]}: {type(error).__name__}: {error}")

    @property
    def bundle(self) -> Path:
        """Where it left what it measured."""
        return self.context.bundle.path

    @property
    def reasons(self) -> Mapping[str, str]:
        """Of its verdict, by code."""
        return {one["code"]: one["text"] for one in document(self.bundle, "verdict.json").get("reasons", ())}

    @property
    def verdict(self) -> str:
        """Its verdict."""
        return str(document(self.bundle, "verdict.json").get("verdict"))


def _run(servers: Bench, name: str, generators: int, without: Sequence[int] = (), **changes: Any) -> _Run:
    shape = {"users": USERS, "ramp_up_s": RAMP_S, "duration_s": HOLD_S, "think_time_s": THINK_TIME_S, "mix_pct": MIX}
    profile = profile_yaml(**shape | {"generators": generators} | changes)
    servers.say(f"{name}: {generators} generators")
    return _Run(servers, servers.context(f"generators-{name}", profile), without)


def _shared(servers: Bench, generators: int) -> Iterator[Claim]:
    run = _run(servers, f"{generators}-share", generators)
    run.send()
    rows = _rows(run.bundle)
    manifest = document(run.bundle, "manifest.json")
    with servers.demo.client() as client:
        counted = client.get("/admin/requests", params={"run_id": run.context.bundle.run_id}).json().get("load")
    yield _users_claim(generators, run, rows, counted)
    yield _phases_claim(generators, rows, manifest)
    yield _percentiles_claim(generators, run, rows)


def _users_claim(generators: int, run: _Run, rows: Sequence[Mapping[str, Any]], counted: int | None) -> Claim:
    players: dict[int, set[str]] = defaultdict(set)
    decks: dict[tuple[int, int], Counter[str]] = defaultdict(Counter)
    for row in rows:
        players[row["user"]].add(row["worker"])
        decks[row["user"], row["iteration"] // 20][row["scenario"]] += 1
    complete = [deck for deck in decks.values() if sum(deck.values()) == 20]
    wanted = Counter({name: share * 20 // 100 for name, share in MIX.items()})
    off = sum(deck != wanted for deck in complete)
    twice = sum(len(workers) > 1 for workers in players.values())
    workers = len({row["worker"] for row in rows})
    return Claim(
        NAME,
        f"{generators} generators share {USERS} users, each played once, all shares exact, nothing counted twice",
        f"{USERS} users by {generators}, 0 twice, 0 decks off, samples as many as the target counted, PASS",
        f"{len(players)} users by {workers}, {twice} twice, {off} of {len(complete)} decks off, {len(rows)} samples, "
        f"{counted} counted, {run.verdict} {' '.join(run.reasons)}",
        (len(players), workers, twice, off, len(rows)) == (USERS, generators, 0, 0, counted)
        and bool(complete)
        and run.verdict in ("PASS", "WARN"),
    )


def _phases_claim(generators: int, rows: Sequence[Mapping[str, Any]], manifest: Mapping[str, Any]) -> Claim:
    """A sample's phase against the manifest's, which are the master's: how far from a boundary one may be wrong."""
    starts = {one["name"]: _ms(one["start"]) for one in manifest.get("phases", ())}
    hold_ms = starts.get("hold", math.nan)
    wrong_ms = [
        abs(row["intended_start"] / 1e6 - hold_ms)
        for row in rows
        if (row["phase"] == "hold") != (row["intended_start"] / 1e6 >= hold_ms)
    ]
    worst = max(wrong_ms, default=0.0)
    offsets = [one.get("clock_offset_ms") for one in manifest.get("generators") or ()]
    return Claim(
        NAME,
        f"the samples of {generators} generators lie in the master's phases",
        f"no sample is in a wrong phase by more than {LATE_MS:g} ms",
        f"{len(wrong_ms)} of {len(rows)} at the boundary, by up to {worst:.1f} ms; clock offsets {offsets}",
        bool(rows) and worst <= LATE_MS,
    )


def _percentiles_claim(generators: int, run: _Run, rows: Sequence[Mapping[str, Any]]) -> Claim:
    hold = [row for row in rows if row["phase"] == "hold" and row["outcome"] in _LATENCY_OUTCOMES]
    latencies = np.sort(np.array([row["latency_us"] for row in hold]))
    exact = {name: latencies[math.ceil(share * len(latencies)) - 1] / 1000 for name, share in SHARES.items()}
    found = _metrics(document(run.bundle, "metrics.json"))
    as_one = _metrics(_of_one_part(run))
    apart = {name: (found.get(name), value) for name, value in exact.items() if found.get(name) != value}
    differ = sum(found[name] != as_one.get(name) for name in found)
    return Claim(
        NAME,
        f"the percentiles of {generators} generators are those of all samples together, to the last digit",
        f"{len(SHARES)} equal to the sorted samples; all metrics of samples equal to those of one file",
        f"{len(SHARES) - len(apart)} equal of {len(latencies)} samples, {differ} of {len(found)} metrics differ "
        f"({', '.join(f'{name} {value:.3f}' for name, value in exact.items())})",
        not apart and not differ and bool(found),
    )


def _of_one_part(run: _Run) -> Mapping[str, Any]:
    """The metrics of the same samples, written as one part by one generator."""
    copy = Bundle(run.bundle.parent / f"{run.bundle.name}-as-one")
    shutil.copytree(run.bundle, copy.path)
    parts = sorted(copy.samples_dir.glob("*.parquet"))
    table = pa.concat_tables(pq.read_table(part) for part in parts)
    for part in parts:
        part.unlink()
    pq.write_table(table, copy.samples_dir / "w0-1-000000.parquet")
    return compute_metrics(copy, run.context.profile())


def _metrics(content: Mapping[str, Any]) -> dict[str, Any]:
    """By name and scope, those of the hold; for all requests the name alone."""
    return {
        row["metric"] if row["scope"] == "all" else f"{row['metric']} {row['scope']}": row["value"]
        for row in content.get("metrics", ())
        if row["phase"] == "hold"
    }


def _killed(servers: Bench) -> Claim:
    run, killed_s = _run(servers, "killed", 2, duration_s=60), list[float]()

    def kill() -> None:
        _when_sending(run, 12)  # its first seconds take more patience
        process_of(run.context.work_dir, "w2").kill()
        killed_s.append(time.time())

    _beside(kill, run.send)
    load = document(run.bundle, "manifest.json").get("load") or {}
    text = run.reasons.get("generator_died", "")
    ended_s = _ms(load["ended"]) / 1000 - killed_s[0] if killed_s and load.get("ended") else math.inf
    silent_s = float(text.rpartition(", ")[2].split(" s before")[0]) if " s before" in text else math.inf
    mine = {row["user"] for row in _rows(run.bundle) if row["worker"] == "w1"}
    return Claim(
        NAME,
        "a generator that is killed with -9 is seen, named, judged, and nobody plays its users",
        f"INCONCLUSIVE, generator_died names w2, silent for up to {SEEN_WITHIN_S:g} s, w1 keeps {USERS // 2} users",
        f"{run.verdict}, {text or 'no reason'}; load ended {ended_s:.1f} s after the kill; w1 played {len(mine)} users",
        run.verdict == "INCONCLUSIVE"
        and "generator w2 on " in text
        and silent_s <= SEEN_WITHIN_S
        and len(mine) == USERS // 2,
    )


def _stopped(servers: Bench) -> Claim:
    run, ordered_s, over_s = _run(servers, "stopped", 2, duration_s=60), list[float](), list[float]()
    switch = threading.Event()
    run.context = replace(run.context, stop_requested=switch.is_set)

    def stop() -> None:
        _when_sending(run, 4)
        ordered_s.append(time.time())
        switch.set()
        over_s.append(wait_until(lambda: not _alive(run), 30))

    _beside(stop, run.send)
    passed_s = over_s[0] if over_s else math.inf
    last_s = max((row["intended_start"] / 1e9 for row in _rows(run.bundle)), default=math.inf) - ordered_s[0]
    return Claim(
        NAME,
        "the operator's switch ends all generators",
        f"ABORTED (operator), no request begins after {STOPPED_WITHIN_S:g} s, none lives after {GONE_WITHIN_S:g} s",
        f"{run.verdict} ({' '.join(run.reasons)}), last request after {last_s:.1f} s, all ended after {passed_s:.1f} s",
        run.verdict == "ABORTED"
        and "operator" in run.reasons
        and last_s <= STOPPED_WITHIN_S
        and passed_s <= GONE_WITHIN_S,
    )


def _missing(servers: Bench) -> Claim:
    run = _run(servers, "missing", 2, without=[2])
    run.send()
    text = run.reasons.get("generator_died", "")
    rows = _rows(run.bundle)
    return Claim(
        NAME,
        "without all of its generators no load is begun",
        f"INCONCLUSIVE after {GATHER_S} s, generator_died says how many came and what to do, 0 requests",
        f"{run.verdict}, {text or 'no reason'}, {len(rows)} requests",
        run.verdict == "INCONCLUSIVE" and f"1 of 2 generators came within {GATHER_S} s" in text and not rows,
    )


def _when_sending(run: _Run, after_s: float) -> None:
    """Wait until the load has begun, and so long after."""
    wait_until((run.bundle / "generator-w2.json").is_file, 120)
    time.sleep(after_s)


def _alive(run: _Run) -> bool:
    for worker in ("w0", "w1", "w2"):
        try:
            process_of(run.context.work_dir, worker)
        except StopIteration:
            continue
        return True
    return False


def _beside(work: Callable[[], None], main: Callable[[], None]) -> None:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    main()
    thread.join(30)


def _rows(bundle: Path) -> list[dict[str, Any]]:
    columns = ["user", "worker", "iteration", "scenario", "phase", "outcome", "latency_us", "intended_start"]
    rows = []
    for part in (bundle / "samples").glob("*.parquet"):
        table = pq.read_table(part, columns=columns)
        place = table.schema.get_field_index("intended_start")
        table = table.set_column(place, "intended_start", table["intended_start"].cast(pa.int64()))
        rows += table.to_pylist()
    return rows


def _ms(text: str) -> float:
    return datetime.fromisoformat(text).timestamp() * 1000
