"""Memory, disk and network of the target's machine."""

from dataclasses import replace
from datetime import datetime

import numpy as np

from include.loadtest.analysis.bottleneck import limits
from include.loadtest.analysis.bottleneck.case import Case
from include.loadtest.analysis.bottleneck.model import Candidate, Evidence, Span, Strength, counted
from include.loadtest.analysis.bottleneck.series import Run, Series, sustained
from include.loadtest.verdict import shown

_MIB = 2**20
_LEAST_READINGS, _LEAST_STEPS, _BLOCKS = 5, 3, 20
_NEAR = 0.1
"""Of all growth: a reading that lies no more than that above the first one is of the time before it."""
_WANT_WORDS = ("oom", "out of memory", "memoryerror")
"""Of the words that are looked for in the target's log."""
_LEAK_STEP = (
    "Compare two heap snapshots of the application under load (tracemalloc, memray); until it is mended, restart it "
    "before the memory is full."
)
_MEMORY_STEP = "Give it more memory, or find what fills it; look for OOM kills in the log."
_DISK_STEP = (
    "Find who reads or writes (iotop, pg_stat_io); move it elsewhere or to a quicker disk; fewer, larger commits."
)
_NETWORK_STEP = "Look at the link between generator, target and its servers: losses, duplex, bandwidth, a VPN."


def memory_leak(case: Case) -> list[Candidate]:
    """The application's memory grows from beginning to end, and would fill the memory within a working day."""
    series = case.readings.first(
        ("process", "app_rss_bytes"),
        ("app", "process_resident_memory_bytes"),
        ("app", "process_memory_bytes"),
        ("container", "container_memory_bytes"),
    )
    own = None if series is None else series.within(case.load)
    if series is None or own is None or len(own.values) < _LEAST_READINGS:
        return []
    first, last = float(own.values[0]), float(own.values[-1])
    is_long = case.load.seconds >= limits.LONG_S
    least_share = limits.LEAST_LEAK_SHARE if is_long else limits.LEAST_SHORT_LEAK_SHARE
    if last - first < max(limits.LEAST_LEAK_BYTES, least_share * first):
        return []
    growing, room = own if is_long else _since_it_grew(own), _room(case)
    per_s, low, high = _slope(growing)
    if low <= 0 or not _goes_on(growing, per_s):
        return []
    if room is not None and room / (low * 3600) > limits.EXHAUSTION_H:
        return []
    ends = f"95 %: {shown(low * 60 / _MIB)} to {shown(high * 60 / _MIB)}"
    text = f"the application's memory grew by {shown(per_s * 60 / _MIB)} MiB a minute ({ends})"
    facts = text if room is None else f"{text}; at that rate the memory is full in {room / (per_s * 3600):.1f} h"
    since = None if len(growing.at_s) == len(own.at_s) else float(growing.at_s[0])
    span = Span(case.load.start_s if since is None else since, case.load.end_s)
    evidence = (case.evidence(series, span, last, text, limit=first, against="beginning of the load"),)
    return [Candidate("memory_leak", "strong", facts, _LEAK_STEP, evidence, None, plain=True, since_s=since)]


def _since_it_grew(own: Series) -> Series:
    """From the last reading that lies near the first one: a leak may begin somewhere within the load."""
    near = own.values <= own.values[0] + _NEAR * (own.values[-1] - own.values[0])
    start = int(np.flatnonzero(near)[-1]) if own.values[-1] > own.values[0] else 0
    return own.replaced(own.at_s[start:], own.values[start:])


def _slope(own: Series) -> tuple[float, float, float]:
    """Growth a second and its 95 % interval: Student's, of the steps between the means of neighbouring blocks.

    Steps, not distances from a line: memory that wanders as the sum of independent steps lies far from any line for
    long. Neighbouring steps between block means share a quarter of their variance then (Working 1960, Econometrica 28,
    916-918), which makes the variance of their mean half as large again as that of independent ones.
    """
    from scipy.stats import t as student

    count = min(len(own.values), _BLOCKS)
    blocks = np.array_split(np.arange(len(own.values)), count)
    at_s, values = (np.array([column[block].mean() for block in blocks]) for column in (own.at_s, own.values))
    if count < _LEAST_STEPS + 1:
        return 0.0, 0.0, 0.0
    rates = np.diff(values) / np.diff(at_s)
    shared = 1.0 if count == len(own.values) else 1.5
    half = float(student.ppf(0.975, len(rates) - 1) * rates.std(ddof=1) * np.sqrt(shared / len(rates)))
    per_s = float((values[-1] - values[0]) / (at_s[-1] - at_s[0]))
    return per_s, per_s - half, per_s + half


def _goes_on(own: Series, per_s: float) -> bool:
    """Growth in the last half at half the overall rate or more: a warm-up slows down, a leak does not."""
    half = len(own.values) // 2
    seconds = float(own.at_s[-1] - own.at_s[half])
    return seconds > 0 and float(own.values[-1] - own.values[half]) / seconds >= per_s / 2


def _room(case: Case) -> float | None:
    """Bytes until the container or the machine is as full as it may be; None where nobody knows."""
    limit = case.mean(case.readings.get("container", "container_memory_limit_bytes"), case.load)
    used = case.mean(case.readings.get("container", "container_memory_bytes"), case.load)
    total = case.mean(case.readings.get("host", "memory_total_bytes"), case.load)
    taken = case.mean(case.readings.get("host", "memory_used_bytes"), case.load)
    share = case.mean(case.readings.get("host", "memory_pct"), case.load)
    if total is None and taken and share:
        total = 100 * taken / share
    rooms = [
        limits.MEMORY_PCT / 100 * whole - part
        for whole, part in ((limit, used), (total, taken))
        if whole is not None and part is not None
    ]
    return max(1.0, min(rooms)) if rooms else None


def memory(case: Case) -> list[Candidate]:
    """Memory is short: used to more than its limit, waited for, or somebody was killed for want of it.

    The target's log may say so by itself, too: who wrote the line is not known, so it is moderate.
    """
    logged = _logged_want(case)
    found = _want_of_memory(case)
    if found or logged is None:
        also = () if logged is None else (logged,)
        return [replace(one, evidence=(*one.evidence, *also)) for one in found]
    since_s = logged.span.start_s
    return [Candidate("memory", "moderate", logged.text, _MEMORY_STEP, (logged,), None, since_s=since_s)]


def _logged_want(case: Case) -> Evidence | None:
    """Lines of the target's log within the load that speak of want of memory."""
    lines = [
        (datetime.fromisoformat(str(one["ts"])).timestamp(), one)
        for one in case.observations
        if one.get("kind") == "target_log" and any(word in str(one.get("words")) for word in _WANT_WORDS)
    ]
    inside = [(at_s, one) for at_s, one in lines if case.whole.has(at_s)]
    if not inside:
        return None
    first_s, first = inside[0]
    killed = f", killed: {first['process']}" if first.get("process") else ""
    number = "a line" if len(inside) == 1 else f"{len(inside)} lines"
    text = f"{number} of the target's log speak{'s' * (len(inside) == 1)} of it (first: {first['words']}{killed})"
    span = Span(first_s, case.whole.end_s)
    instance = str(first.get("instance") or "")
    return Evidence("target_log", instance, "lines", float(len(inside)), "lines", span, text, 0.0, "expected")


def _want_of_memory(case: Case) -> list[Candidate]:
    for source in ("container", "host"):
        kills = case.growth_of(source, f"{'container_' if source == 'container' else ''}oom_kills", case.whole)
        if kills:
            series = case.readings.get(source, f"{'container_' if source == 'container' else ''}oom_kills")
            text = f"the kernel killed {counted(kills)} {'process' if kills == 1 else 'processes'} for want of memory"
            evidence = (
                ()
                if series is None
                else (case.evidence(series, case.whole, kills, text, limit=0.0, against="expected"),)
            )
            return [Candidate("memory", "strong", text, _MEMORY_STEP, evidence, None, plain=True)]
    series = case.readings.first(("prometheus", "memory_pct"), ("host", "memory_pct"), ("app", "memory_usage_percent"))
    run = sustained(series, case.load, limits.MEMORY_PCT)
    if series is not None and run is not None and (not case.shares_host or _is_the_targets(case, run)):
        text = f"the target's machine used {shown(run.mean)} % of its memory"
        evidence = (case.evidence(series, run, run.mean, text, limit=limits.MEMORY_PCT),)
        is_alone = not case.shares_host
        strength: Strength = "strong" if is_alone else "moderate"
        return [Candidate("memory", strength, text, _MEMORY_STEP, evidence, None, plain=is_alone, since_s=run.since_s)]
    pressure = case.readings.get("host", "memory_pressure_pct")
    run = sustained(pressure, case.load, limits.PRESSURE_PCT)
    if pressure is None or run is None:
        return []
    text = f"work waited for memory for {shown(run.mean)} % of the time"
    evidence = (case.evidence(pressure, run, run.mean, text, limit=limits.PRESSURE_PCT),)
    return [Candidate("memory", "moderate", text, _MEMORY_STEP, evidence, None, since_s=run.since_s)]


def _is_the_targets(case: Case, run: Run) -> bool:
    """Most of what is used on a shared machine is the application's and its servers'; else nobody knows whose it is."""
    used = case.mean(case.readings.get("host", "memory_used_bytes"), run.span)
    parts = (case.readings.get("process", f"{name}_rss_bytes") for name in ("app", "postgres", "redis"))
    own = sum(case.mean(part, run.span) or 0.0 for part in parts)
    return used is not None and own > used / 2


def disk(case: Case) -> list[Candidate]:
    """Work waits for the disk, and statements of the database are among it."""
    waits = case.readings.get("postgres", 'waiting_backends{type="IO"}')
    for metric, threshold, what in (
        ("io_pressure_pct", limits.PRESSURE_PCT, "work waited for the disk for"),
        ("cpu_iowait_pct", limits.PRESSURE_PCT, "cores stood idle waiting for the disk for"),
        ("disk_busy_pct", 100 * limits.BUSY_SHARE, "the busiest disk was busy for"),
    ):
        series = case.readings.first(("host", metric), ("prometheus", metric))
        run = sustained(series, case.load, threshold)
        if series is None or run is None:
            continue
        text = f"{what} {shown(run.mean)} % of the time"
        evidence = [case.evidence(series, run, run.mean, text, limit=threshold), *_traffic(case, run.span)]
        waiting = case.mean(waits, run.span) or 0.0
        weight = max(case.share_of_waiting(waiting, run.span), run.mean / 1000)
        is_seen = weight >= limits.RELEVANT_SHARE / 2 or _commits_late(case)
        if is_seen and waits is not None:
            evidence.append(
                case.evidence(waits, run, waiting, f"{counted(waiting)} statements waited for a read or write")
            )
        strength: Strength = "strong" if is_seen else "moderate"
        return [Candidate("disk", strength, text, _DISK_STEP, tuple(evidence), weight, since_s=run.since_s)]
    return []


def _commits_late(case: Case) -> bool:
    waits = case.mean(case.readings.get("postgres", 'waiting_backends{type="LWLock"}'), case.window)
    return waits is not None and case.share_of_waiting(waits) >= limits.RELEVANT_SHARE


def _traffic(case: Case, span: Span) -> list[Evidence]:
    found = []
    for metric, what in (("disk_read_bytes_per_s", "read"), ("disk_written_bytes_per_s", "written")):
        series = case.readings.get("host", metric)
        value = case.mean(series, span)
        if series is not None and value is not None and value >= _MIB:
            found.append(case.evidence(series, span, value, f"{shown(value / _MIB)} MiB {what} a second"))
    return found


def network(case: Case) -> list[Candidate]:
    """Packets are sent again and again, more than one for ten requests; within one machine there are none."""
    least_per_s = max(limits.RETRANSMITS_PER_S, case.per_s / 10)
    if case.shares_host:
        return []
    for source in ("host", "prometheus", "generator"):
        series = case.readings.get(source, "tcp_retransmits")
        rate = None if series is None else series.rate()
        run = sustained(rate, case.load, least_per_s)
        if rate is not None and run is not None:
            text = f"{shown(run.mean)} packets a second had to be sent again"
            evidence = (case.evidence(rate, run, run.mean, text, limit=least_per_s),)
            return [Candidate("network", "moderate", text, _NETWORK_STEP, evidence, None, since_s=run.since_s)]
    return []
