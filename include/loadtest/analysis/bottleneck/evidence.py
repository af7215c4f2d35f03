"""Reads what the diagnosis needs from a bundle; the only part of it that reads anything."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from include.loadtest import run
from include.loadtest.analysis.bottleneck.case import Case, Silence
from include.loadtest.analysis.bottleneck.model import Span
from include.loadtest.analysis.bottleneck.requests import Requests
from include.loadtest.analysis.bottleneck.series import Readings, readings_of
from include.loadtest.analysis.bottleneck.sound import mapping, mappings, seconds, sound_observations, sound_reasons
from include.loadtest.analysis.parts import columns_of, count_rows
from include.loadtest.bundle import Bundle
from include.loadtest.observations import read_observations
from include.loadtest.profile import Profile
from include.loadtest.profile.shape import Steady

MAX_ROWS = 400_000
"""Requests that are looked at; of a longer run every k-th one."""
_NOT_LOAD = frozenset({"ramp_down", "recovery"})
_LEAST_LOAD_S = 5.0
_COLUMNS = ("intended_start", "latency_us", "ttfb_us", "scenario", "endpoint", "outcome", "status")


def read_case(bundle: Bundle, profile: Profile, reference: Mapping[str, float] | None) -> Case | None:
    """The run as the detectors see it; None where no load was sent, as far as anybody knows."""
    manifest = _document(bundle, run.MANIFEST)
    requests = read_requests(bundle.samples_dir)
    whole, load = _spans(manifest, profile, requests)
    if whole is None or load is None:
        return None
    return Case(
        profile=profile,
        readings=read_readings(bundle.resources_dir),
        requests=requests,
        load=load,
        whole=whole,
        manifest={**manifest, "target": _target(manifest), "load": mapping(manifest.get("load"))},
        verdict={"reasons": read_reasons(bundle)},
        reference=dict(reference or {}),
        observations=tuple(sound_observations(read_observations(bundle))),
        silences=tuple(_silences(manifest, whole)),
    )


def _target(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """What is known of the target; where nobody knows whose machine it is, nothing is concluded from the machine."""
    return {"shares_host": True, **mapping(manifest.get("target"))}


def read_reasons(bundle: Bundle) -> list[dict[str, Any]]:
    """Why the verdict is what it is, each reason with its code and its text; [] without a verdict."""
    return sound_reasons(_document(bundle, run.VERDICT))


def _document(bundle: Bundle, name: str) -> dict[str, Any]:
    try:
        return mapping(bundle.read(name))
    except (FileNotFoundError, ValueError):
        return {}


def _spans(manifest: Mapping[str, Any], profile: Profile, requests: Requests) -> tuple[Span | None, Span | None]:
    """All of the load, and the part that is looked at: the hold of a steady load, else all steps, without recovery.

    Where the process that sends the load was killed, the manifest says nothing of it: then the requests do.
    """
    load = mapping(manifest.get("load"))
    sent = requests.span
    started, ended = seconds(load.get("started")), seconds(load.get("ended"))
    last = ended if ended is not None or sent is None else sent.end_s
    known = _phases(manifest, last)
    if not known:
        first = started if started is not None or sent is None else sent.start_s
        whole = None if first is None or last is None or last <= first else Span(first, last)
        return whole, whole
    whole = Span(min(start for _, start, _ in known), max(end for _, _, end in known))
    is_steady = isinstance(profile.shape, Steady)
    wanted = [entry for entry in known if (entry[0] == "hold" if is_steady else entry[0] not in _NOT_LOAD)]
    if sum(end - start for _, start, end in wanted) < _LEAST_LOAD_S:
        return whole, whole
    return whole, Span(min(start for _, start, _ in wanted), max(end for _, _, end in wanted))


def _phases(manifest: Mapping[str, Any], last_s: float | None) -> list[tuple[str, float, float]]:
    """Name, begin and end of the phases; one that was not closed ends where the next begins, or with the load."""
    begun = [
        (str(entry.get("name")), start, seconds(entry.get("end")))
        for entry in mappings(manifest.get("phases"))
        if (start := seconds(entry.get("start"))) is not None
    ]
    next_s = [*(start for _, start, _ in begun), last_s][1:] if begun else []
    ended = [(*one[:2], later if one[2] is None else one[2]) for one, later in zip(begun, next_s, strict=True)]
    return [(name, start, end) for name, start, end in ended if end is not None and end > start]


def _silences(manifest: Mapping[str, Any], whole: Span) -> Iterator[Silence]:
    for gap in mappings(manifest.get("gaps")):
        start, end = seconds(gap.get("start")), seconds(gap.get("end"))
        if start is None or not gap.get("source"):
            continue
        span = Span(max(start, whole.start_s), min(end or whole.end_s, whole.end_s))
        if span.seconds > 0:
            yield Silence(str(gap["source"]), span, str(gap.get("reason") or ""))


def read_readings(folder: Path) -> Readings:
    """All readings of the parts that can be read."""
    rows: list[tuple[float, str, str, str, float, str]] = []
    for columns in columns_of(folder, ("ts", "source", "instance", "metric", "value", "unit")):
        rows += [
            (at_ns / 1e9, source, instance or "", metric, value, unit or "")
            for at_ns, source, instance, metric, value, unit in zip(*columns, strict=True)
            if at_ns is not None and source and metric and value is not None and abs(value) < float("inf")
        ]
    return readings_of(rows)


def read_requests(folder: Path) -> Requests:
    """All requests of the parts that can be read, every k-th row of a long run; not those without a begin or an end."""
    import numpy as np

    each = max(1, -(-count_rows(folder) // MAX_ROWS))
    rows: list[tuple[Any, ...]] = []
    for part in columns_of(folder, _COLUMNS):
        thinned = zip(*(column[::each] for column in part), strict=True)
        rows += [row for row in thinned if row[0] is not None and row[1] is not None]
    start, latency, ttfb, scenario, endpoint, outcome, status = zip(*rows, strict=True) if rows else ((),) * 7
    return Requests(
        np.array(start, dtype=np.float64) / 1e9,
        np.array(latency, dtype=np.float64) / 1e6,
        np.array([value or "" for value in scenario], dtype=np.str_),
        np.array([value or "" for value in endpoint], dtype=np.str_),
        np.array([value or "" for value in outcome], dtype=np.str_),
        np.array([value or 0 for value in status], dtype=np.int64),
        np.array([value is not None for value in ttfb], dtype=np.bool_),
        each,
    )
