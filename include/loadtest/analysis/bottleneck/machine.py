"""Memory, disk and network of the target's machine."""

from include.loadtest.analysis.bottleneck import limits
from include.loadtest.analysis.bottleneck.case import Case
from include.loadtest.analysis.bottleneck.model import Candidate, Evidence, Span, Strength, counted
from include.loadtest.analysis.bottleneck.series import Series, slope, sustained
from include.loadtest.verdict import shown

_MIB = 2**20
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
    found = None if own is None else slope(own)
    if series is None or own is None or found is None or found[1] <= 0:
        return []
    first, last = float(own.values[0]), float(own.values[-1])
    grown = last - first
    if grown < max(limits.LEAST_LEAK_BYTES, limits.LEAST_LEAK_SHARE * first) or not _goes_on(own, found[0]):
        return []
    room = _room(case)
    hours = None if room is None else room / (found[1] * 3600)
    if hours is not None and hours > limits.EXHAUSTION_H:
        return []
    per_min = found[0] * 60 / _MIB
    ends = f"95 %: {shown(found[1] * 60 / _MIB)} to {shown(found[2] * 60 / _MIB)}"
    text = f"the application's memory grew by {shown(per_min)} MiB a minute ({ends})"
    facts = text if room is None else f"{text}; at that rate the memory is full in {room / (found[0] * 3600):.1f} h"
    evidence = (case.evidence(series, case.load, last, text, limit=first, against="beginning of the load"),)
    return [Candidate("memory_leak", "strong", facts, _LEAK_STEP, evidence, min(1.0, grown / first), plain=True)]


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
    """Memory is short: used to more than its limit, waited for, or somebody was killed for want of it."""
    for source in ("container", "host"):
        kills = case.growth_of(source, f"{'container_' if source == 'container' else ''}oom_kills", case.whole)
        if kills:
            series = case.readings.get(source, f"{'container_' if source == 'container' else ''}oom_kills")
            text = f"the kernel killed {counted(kills)} processes for want of memory"
            evidence = (
                ()
                if series is None
                else (case.evidence(series, case.whole, kills, text, limit=0.0, against="expected"),)
            )
            return [Candidate("memory", "strong", text, _MEMORY_STEP, evidence, 1.0, plain=True)]
    series = case.readings.first(("prometheus", "memory_pct"), ("host", "memory_pct"), ("app", "memory_usage_percent"))
    run = sustained(series, case.load, limits.MEMORY_PCT)
    if series is not None and run is not None:
        text = f"the target's machine used {shown(run.mean)} % of its memory"
        evidence = (case.evidence(series, run, run.mean, text, limit=limits.MEMORY_PCT),)
        return [Candidate("memory", "strong", text, _MEMORY_STEP, evidence, 0.5, plain=True, since_s=run.since_s)]
    pressure = case.readings.get("host", "memory_pressure_pct")
    run = sustained(pressure, case.load, limits.PRESSURE_PCT)
    if pressure is None or run is None:
        return []
    text = f"work waited for memory for {shown(run.mean)} % of the time"
    evidence = (case.evidence(pressure, run, run.mean, text, limit=limits.PRESSURE_PCT),)
    return [Candidate("memory", "moderate", text, _MEMORY_STEP, evidence, run.mean / 100, since_s=run.since_s)]


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
            return [Candidate("network", "moderate", text, _NETWORK_STEP, evidence, 0.1, since_s=run.since_s)]
    return []
