"""Pages of several processes in Prometheus' text format as one page, as if there were one process."""

from collections.abc import Callable, Sequence

COMBINED: dict[str, Callable[[Sequence[float]], float]] = {
    "event_loop_lag_seconds": max,
    "circuit_breaker_state": max,
    "process_start_time_seconds": min,
    # Of the machine, or of all processes already.
    "process_max_fds": max,
    "cpu_usage_percent": max,
    "cache_hit_ratio": lambda values: values[0],
}
"""How a series is put together; all others are added up."""


def merged(pages: Sequence[str]) -> str:
    """One page in the order of the first one; series that only others have follow at the end of it."""
    values: dict[str, list[float]] = {}
    lines: list[str] = []
    for number, page in enumerate(pages):
        for line in page.splitlines():
            if line.startswith("#"):
                lines += [line] if number == 0 else []
                continue
            series, _, value = line.rpartition(" ")
            if series not in values:
                lines.append(series)
            values.setdefault(series, []).append(float(value))
    return "".join(f"{line} {_together(line, values[line])!r}\n" if line in values else f"{line}\n" for line in lines)


def _together(series: str, values: Sequence[float]) -> float:
    return float(COMBINED.get(series.partition("{")[0], sum)(values))
