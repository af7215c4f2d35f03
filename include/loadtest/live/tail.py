"""Follows a bundle that is being written: each part once, when it has been closed; a look costs what is new."""

import logging
import math
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from include.loadtest.bundle import Bundle
from include.loadtest.live.parts import PartNames
from include.loadtest.live.readings import Latest, Readings
from include.loadtest.live.requests import RequestGroup, Requests, bounds_s, class_ms
from include.loadtest.profile.thresholds import Thresholds

LOG = logging.getLogger("loadtest.live")
_SAMPLE_COLUMNS = ["intended_start", "latency_us", "scenario", "outcome"]
_READING_COLUMNS = ["ts", "source", "instance", "metric", "value", "unit"]


class LiveRun:
    """What a running load has shown so far: `requests` and `readings`.

    Memory holds a window and totals, of the parts only their names.
    """

    def __init__(self, bundle: Bundle, thresholds: Thresholds) -> None:
        self.bundle = bundle
        self.requests = Requests(bounds_s(thresholds.thresholds), thresholds.window_s)
        self.readings = Readings(thresholds.window_s)
        self.unreadable = 0
        """Parts that could not be read."""
        self.began_s: float | None = None
        """The first intended start that was read, in seconds since the epoch."""
        self._samples, self._resources = PartNames(bundle.samples_dir), PartNames(bundle.resources_dir)

    def poll(self, now_s: float | None = None) -> None:
        """Take in the parts that have been closed since the last call; `now_s`: seconds since the epoch, None: now."""
        for part in self._read(self.bundle.samples_dir, self._samples, _SAMPLE_COLUMNS):
            self.requests.note(request_groups(part))
            self._note_start(part)
        for part in self._read(self.bundle.resources_dir, self._resources, _READING_COLUMNS):
            self.readings.note(reading_rows(part))
        moment_s = time.time() if now_s is None else now_s
        self.requests.forget_before(moment_s)
        self.readings.forget_before(moment_s)

    def figures(self, now_s: float) -> dict[str, float]:
        """The figures that thresholds are about, by metric; what is not known is absent."""
        return {**self.readings.figures(now_s), **self.requests.figures(now_s)}

    def _note_start(self, part: pa.Table) -> None:
        first_ns = pc.min(part["intended_start"].cast(pa.int64())).as_py()
        if first_ns is not None:
            self.began_s = first_ns / 1e9 if self.began_s is None else min(self.began_s, first_ns / 1e9)

    def _read(self, directory: Path, names: PartNames, columns: list[str]) -> Iterator[pa.Table]:
        for name in names.new():
            try:
                yield pq.read_table(directory / name, columns=columns)
            except (OSError, pa.ArrowException) as error:
                self.unreadable += 1
                LOG.warning("%s/%s cannot be read: %s", directory.name, name, str(error).splitlines()[0])


def request_groups(part: pa.Table) -> list[RequestGroup]:
    """The rows of a part of samples, those alike together."""
    starts_ns = part["intended_start"].cast(pa.int64())
    latency_us = part["latency_us"]
    seconds = pc.divide(pc.add(starts_ns, pc.multiply(latency_us, 1000)), 1_000_000_000)
    classes = pa.array([class_ms(value) for value in latency_us.to_pylist()], pa.int64())
    columns = [seconds, part["scenario"], part["outcome"], classes, latency_us]
    table = pa.table(columns, names=["second", "scenario", "outcome", "class_ms", "latency_us"])
    grouped = table.group_by(["second", "scenario", "outcome", "class_ms"])
    counted = grouped.aggregate([("latency_us", "count"), ("latency_us", "sum")])
    names = ("second", "scenario", "outcome", "class_ms", "latency_us_count", "latency_us_sum")
    return [RequestGroup(*row) for row in zip(*(counted[name].to_pylist() for name in names), strict=True)]


def reading_rows(part: pa.Table) -> list[Latest]:
    """The rows of a part of readings."""
    moments = [ns / 1e9 for ns in part["ts"].cast(pa.int64()).to_pylist()]
    others = (part[name].to_pylist() for name in ("source", "instance", "metric", "value", "unit"))
    rows = (Latest(*row) for row in zip(moments, *others, strict=True))
    return [row for row in rows if row.value is not None and math.isfinite(row.value)]
