"""A load that ends before its last answers: they are counted as cut, and no percentile pretends to know more."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from experiments.aftermath import document
from experiments.claims import Claim, Say
from experiments.freeze import profile_yaml
from experiments.in_process import Bench, bench

NAME = "censored"
USERS, LOAD_S, ANSWER_S = 5, 70, 25
ENDPOINT = "legal_search"
THINK_TIME_S = {"min": 1.0, "max": 1.2}
"""So that the third request of each user outlasts the load and its drain of 5 s."""
CUT_AFTER_S = 20.0
PERCENTILES = ("latency_p50_ms", "latency_p95_ms", "latency_p99_ms", "latency_p95_corrected_ms")


def claims(say: Say) -> Iterator[Claim]:
    """One run."""
    with bench(say) as servers:
        bundle = _run(servers)
        yield _counts(bundle)
        yield _percentiles(bundle)


def _run(servers: Bench) -> Path:
    with servers.demo.client() as client:
        client.put("/admin/faults", json={"latency_added_ms": {ENDPOINT: 1000 * ANSWER_S}}).raise_for_status()
    profile = profile_yaml(
        users=USERS, duration_s=LOAD_S, mix_pct={"knowledge_search": 100}, think_time_s=THINK_TIME_S, stall_limit_s=60
    )
    servers.say(f"{USERS} users, answers of {ANSWER_S} s, {LOAD_S} s of load")
    context = servers.context("censored", profile)
    servers.run(context)
    return context.bundle.path


def _rows(bundle: Path) -> list[dict[str, Any]]:
    return [row for part in (bundle / "samples").glob("*.parquet") for row in pq.read_table(part).to_pylist()]


def _counts(bundle: Path) -> Claim:
    rows = _rows(bundle)
    outcomes = Counter(row["outcome"] for row in rows)
    cut_s = [row["latency_us"] / 1e6 for row in rows if row["outcome"] == "censored"]
    cut = f"{min(cut_s):.1f}-{max(cut_s):.1f} s" if cut_s else "none"
    expected = {"ok": 2 * USERS, "censored": USERS}
    return Claim(
        NAME,
        f"{USERS} users, answers of {ANSWER_S} s, {LOAD_S} s: what runs at the end is cut and counted",
        f"{3 * USERS} started, {2 * USERS} ok, {USERS} censored, each cut after more than {CUT_AFTER_S:g} s",
        f"{len(rows)} started, {outcomes['ok']} ok, {outcomes['censored']} censored, cut after {cut}",
        dict(outcomes) == expected and min(cut_s, default=0.0) > CUT_AFTER_S,
    )


def _percentiles(bundle: Path) -> Claim:
    rows = {
        row["metric"]: row
        for row in document(bundle, "metrics.json").get("metrics", ())
        if (row["scope"], row["phase"]) == ("all", "hold")
    }
    values = {name: rows.get(name, {}).get("value") for name in PERCENTILES}
    p95 = rows.get("latency_p95_ms", {})
    largest_ms = p95.get("max")
    shown = "no largest" if largest_ms is None else f"largest {largest_ms / 1000:.1f} s"
    return Claim(
        NAME,
        "no percentile of so few and cut requests pretends to know more",
        f"none has a value; n={3 * USERS}; the largest is only a lower bound",
        f"with a value: {[name for name, value in values.items() if value is not None] or 'none'}; "
        f"n={p95.get('n')}; {shown}, lower bound: {p95.get('lower_bound')}",
        bool(rows) and not any(values.values()) and p95.get("n") == 3 * USERS and p95.get("lower_bound") is True,
    )
