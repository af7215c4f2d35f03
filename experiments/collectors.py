"""The monitors: counters equal the servers' own, a dead source disturbs no other, low cost, a restart is seen."""

import math
import socket
import tempfile
import time
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import psutil
import pyarrow.parquet as pq

from experiments.claims import Claim, Say
from experiments.servers_own import Own, counters, gauges, load, mistakes, prometheus_server
from include.embedded.monitor_role import create_monitor_role
from include.embedded.servers import free_port, wait_until
from include.loadtest.bundle import Bundle
from include.loadtest.collectors.gaps import read_gaps
from include.loadtest.collectors.process import LOG_FILE, CollectorProcess, start_collectors
from include.loadtest.run import READING_INTERVAL_S
from include.loadtest.target.settings import Target, load_target_file
from tests.helpers.demo import DemoTarget, await_ready, demo_target, launch, stop, stop_servers

NAME = "collectors"
USERS, LOAD_S, IDLE_S = 10, 60.0, 13.0
GREATEST_DRIFT_S = 0.2
GREATEST_CPU_PCT = 1.0
QUERIES = {
    "llm_calls": "sum(llm_requests_total)",
    "cores": "vector(42)",
    "memory_pct": "sum(",
    "load_1m": "no_such_metric",
}
SOURCES = ("host", "process", "container", "postgres", "redis", "app", "llm", "prometheus")
Series = dict[tuple[str, str], list[tuple[float, float]]]
"""Readings as (s since 1970, value), by source and metric."""


def claims(say: Say) -> Iterator[Claim]:
    """About 4 minutes."""
    with tempfile.TemporaryDirectory(prefix="loadtest-prove-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        say("starting a demo target")
        with ExitStack() as stack:
            demo = stack.enter_context(demo_target(folder / "demo"))
            prometheus = stack.enter_context(prometheus_server(folder / "prometheus", demo.base_url))
            target = monitored_target(demo, prometheus)
            yield from _figures(folder, demo, target, say)
            yield from _blackholes(folder, target, say)
        yield from _restart(folder, say)


def monitored_target(demo: DemoTarget, prometheus: str | None) -> Target:
    """The demo target with every source that there is."""
    file = load_target_file("demo").model_copy(update={"prometheus": QUERIES if prometheus else {}})
    return Target.checked(
        file,
        demo.base_url,
        demo.database_url,
        demo.redis_url,
        monitor_url=create_monitor_role(demo.database_url),
        llm_metrics_url=demo.llm_url,
        prometheus_url=prometheus,
    )


@contextmanager
def collecting(folder: Path, target: Target) -> Iterator[tuple[Bundle, CollectorProcess]]:
    """Collectors at their normal interval, once they read."""
    bundle = Bundle(folder)
    collectors = start_collectors(bundle, target)
    try:
        wait_until(lambda: "reading" in (bundle.path / LOG_FILE).read_text(), 60)
        yield bundle, collectors
    finally:
        collectors.stop()


def _readings(bundle: Bundle) -> Series:
    series: Series = {}
    for part in sorted(bundle.resources_dir.glob("*.parquet")):
        for row in pq.read_table(part).to_pylist():
            series.setdefault((row["source"], row["metric"]), []).append((row["ts"].timestamp(), row["value"]))
    return {key: sorted(values) for key, values in series.items()}


@dataclass(frozen=True)
class Watch:
    """What was read and what the servers said meanwhile."""

    before: Own
    after: Own
    levels: Sequence[tuple[float, dict[tuple[str, str], float]]]
    cpu_pct: float
    series: Series
    log: str


def _watch(folder: Path, demo: DemoTarget, target: Target) -> Watch:
    with collecting(folder, target) as (bundle, collectors):
        with load(demo, 2):
            time.sleep(4)  # the statements are known to the server from here on
        time.sleep(IDLE_S)
        before = counters(demo)
        with load(demo, USERS):
            cpu = psutil.Process(collectors.pid)
            began_s, began_cpu_s = time.monotonic(), sum(cpu.cpu_times()[:4])
            mistakes(demo)
            levels = _levels(demo, LOAD_S)
            cpu_pct = 100 * (sum(cpu.cpu_times()[:4]) - began_cpu_s) / (time.monotonic() - began_s)
        time.sleep(IDLE_S)
        after = counters(demo)
        time.sleep(1)
    return Watch(before, after, levels, cpu_pct, _readings(bundle), (bundle.path / LOG_FILE).read_text())


def _levels(demo: DemoTarget, seconds: float) -> list[tuple[float, dict[tuple[str, str], float]]]:
    found = []
    end_s = time.monotonic() + seconds
    while time.monotonic() < end_s:
        found.append((time.time(), gauges(demo)))
        time.sleep(0.4)
    return found


def _figures(folder: Path, demo: DemoTarget, target: Target, say: Say) -> Iterator[Claim]:
    say(f"{USERS} users for {LOAD_S:.0f} s, between two quiet times")
    watch = _watch(folder / "load", demo, target)
    for source in ("postgres", "redis", "app", "llm"):
        yield _equal(watch, source)
    yield from (_within(watch, *key) for key in watch.levels[0][1])
    yield _named(watch.series)
    yield Claim(
        NAME, f"CPU of all collectors together beside {USERS} users", f"< {GREATEST_CPU_PCT:g} % of one core",
        f"{watch.cpu_pct:.2f} %", watch.cpu_pct < GREATEST_CPU_PCT,
    )  # fmt: skip
    yield _queried(watch, target)


def _equal(watch: Watch, source: str) -> Claim:
    """Differences between the two quiet times, in which the collectors' last readings lie."""
    own = {
        metric: watch.after.values[where, metric] - value
        for (where, metric), value in watch.before.values.items()
        if where == source and (where, metric) in watch.series
    }
    read = {metric: _gain(watch, (source, metric)) for metric in own}
    wrong = [name for name in own if not math.isclose(own[name], read[name], abs_tol=1e-6)]
    moved = sum(value > 0 for value in own.values())
    shown = f"{len(own) - len(wrong)} of {len(own)} equal, {moved} of them moved"
    text = f"{shown}; not {wrong[0]}: {read[wrong[0]]:g}, its own {own[wrong[0]]:g}" if wrong else shown
    return Claim(
        NAME, f"counters of {source} gain what the server says itself", "all equal", text, bool(moved) and not wrong
    )


def _gain(watch: Watch, key: tuple[str, str]) -> float:
    """Of a counter, between the last readings of both quiet times; not read again means: not changed."""
    first, last = (
        watch.series[key][max(0, bisect_right(watch.series[key], (own.at_s, math.inf)) - 1)][1]
        for own in (watch.before, watch.after)
    )
    return last - first


def _within(watch: Watch, source: str, metric: str) -> Claim:
    """A reading lies between the least and the greatest of the server's own values within 1.5 s of it.

    Of connections it may have seen one more: that of the look itself, which does not count its own.
    """
    of_the_look = 1.0 if metric == "connections_total" else 0.0
    missed, count = [], 0
    for at_s, value in watch.series.get((source, metric), []):
        near = [levels[source, metric] for moment_s, levels in watch.levels if abs(moment_s - at_s) <= 1.5]
        if len(near) >= 3:
            count += 1
            slack = 0.02 * max(near)
            if not min(near) - slack <= value <= max(near) + slack + of_the_look:
                missed.append((value, min(near), max(near)))
    text = f"{count - len(missed)} of {count}" + (f"; {missed[0][0]:g} is not in {missed[0][1:]}" if missed else "")
    return Claim(
        NAME,
        f"{source} {metric} lies within the readings around it",
        "all, within 2 %",
        text,
        count >= 8 and not missed,
    )


def _named(series: Series) -> Claim:
    found = {source for source, _ in series}
    missing = [source for source in SOURCES if source not in found]
    return Claim(
        NAME, "every source gives readings", ", ".join(SOURCES), f"missing: {', '.join(missing) or 'none'}", not missing
    )


def _queried(watch: Watch, target: Target) -> Claim:
    claim = "readings by PromQL are those of the target; one without a number is named once"
    if target.prometheus_url is None:
        return Claim(NAME, claim, "equal", "no program `prometheus` on PATH: make system-deps installs it", False)
    key = ("prometheus", "llm_calls")
    own = watch.after.values["app", "llm_calls"]
    read = watch.series[key][-1][1] if key in watch.series else None
    named = [watch.log.count(f"prometheus: {name} is not read") for name in ("memory_pct", "load_1m")]
    absent = not any(("prometheus", name) in watch.series for name in ("memory_pct", "load_1m"))
    measured = f"{read} calls, {own:g} on the target's page; named {named} times; absent: {absent}"
    return Claim(NAME, claim, "equal; once each", measured, read == own and named == [1, 1] and absent)


def _blackholes(folder: Path, target: Target, say: Say) -> Iterator[Claim]:
    """All at once, each with collectors of its own: they share nothing but the machine."""
    say("each source in turn never answers")
    with socket.create_server(("127.0.0.1", 0), backlog=256) as sink, ExitStack() as stack:
        place = f"127.0.0.1:{sink.getsockname()[1]}"
        dead = {
            "postgres": replace(target, monitor_url=f"postgresql://u@{place}/d"),
            "redis": replace(target, redis_url=f"redis://{place}/0"),
            "app": replace(target, base_url=f"http://{place}"),
            "llm": replace(target, llm_metrics_url=f"http://{place}/metrics"),
        }
        if target.prometheus_url:
            dead["prometheus"] = replace(target, prometheus_url=f"http://{place}")
        bundles = {
            source: stack.enter_context(collecting(folder / f"dead-{source}", one))[0] for source, one in dead.items()
        }
        time.sleep(LOAD_S)
    for source, bundle in bundles.items():
        yield _kept(source, bundle)


def _kept(dead: str, bundle: Bundle) -> Claim:
    times: dict[str, set[float]] = {}
    for (source, _), values in _readings(bundle).items():
        times.setdefault(source, set()).update(moment_s for moment_s, _ in values)
    steps = {
        source: [later - earlier for earlier, later in pairwise(sorted(moments))] for source, moments in times.items()
    }
    worst, where = max(
        (abs(step - READING_INTERVAL_S), source) for source, own in steps.items() if source != dead for step in own
    )
    gaps = [gap for gap in read_gaps(bundle) if gap["source"] == dead]
    others = {gap["source"] for gap in read_gaps(bundle)} - {dead}
    is_whole = len(gaps) == 1 and not others and dead not in times
    text = f"at most {worst:.3f} s off ({where}); gaps of {dead}: {len(gaps)} (“{gaps[0]['reason'] if gaps else ''}”)"
    return Claim(
        NAME, f"{dead} never answers: the others stay on time, it is one named gap",
        f"{READING_INTERVAL_S:g} s ± {GREATEST_DRIFT_S:g}, one gap, no other", text + (f"; {others}" if others else ""),
        is_whole and worst <= GREATEST_DRIFT_S,
    )  # fmt: skip


def _restart(folder: Path, say: Say) -> Iterator[Claim]:
    say("a target is killed, and starts again")
    state, options = folder / "again", ("--port", str(free_port()))
    process = launch(state, *options)
    try:
        demo = await_ready(process, state)
        with collecting(folder / "restart", monitored_target(demo, None)) as (bundle, _):
            time.sleep(2.2 * READING_INTERVAL_S)
            process = _killed_and_started(process, state, options)
            time.sleep(2.2 * READING_INTERVAL_S)
        yield _seen(bundle)
    finally:
        stop(process)
        stop_servers(state)


def _killed_and_started(process: Any, state: Path, options: Sequence[str]) -> Any:
    process.kill()
    process.wait()
    stop_servers(state)
    (state / "ready.json").unlink()
    time.sleep(1.2 * READING_INTERVAL_S)
    again = launch(state, *options)
    await_ready(again, state)
    return again


def _seen(bundle: Bundle) -> Claim:
    series = _readings(bundle)
    starts: Callable[[str, str], list[float]] = lambda source, metric: sorted(  # noqa: E731
        {round(value, 1) for _, value in series.get((source, metric), [])}
    )
    kernel, own = starts("process", "app_start_time_s"), starts("app", "process_start_time_seconds")
    fell = [after[1] < 0 for after in series.get(("process", "app_cpu_cores"), [])]
    gaps = {gap["source"] for gap in read_gaps(bundle)}
    text = f"start times {len(kernel)} (kernel) and {len(own)} (its page); gaps of {', '.join(sorted(gaps))}"
    is_seen = len(kernel) == 2 and kernel == own and {"app", "process"} <= gaps and not any(fell)
    return Claim(NAME, "a restart of the target is seen", "2 start times from both, a gap of both", text, is_seen)
