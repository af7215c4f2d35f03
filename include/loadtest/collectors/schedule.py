"""One source on its own schedule: a reading at start + k · interval, whatever the others do."""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from include.loadtest.collectors.gaps import Gap, moment_text, write_gaps
from include.loadtest.collectors.reader import Observer, Reader, ReadingError, unit_of
from include.loadtest.errors import printable
from include.loadtest.observations import ObservationWriter
from include.loadtest.recorder import RESOURCE_SCHEMA, PartWriter, Reading

LOG = logging.getLogger("loadtest.collectors")
PART_S = 10.0
"""A part is closed when it is this old: a killed process loses at most that."""
MAX_CAUSE_CHARS = 200


def _cause(error: Exception) -> str:
    return printable(f"{type(error).__name__}: {error}", MAX_CAUSE_CHARS)


class GapLog:
    """All gaps of this process, in a file that is rewritten whole at each change."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._gaps: list[Gap] = []
        self._lock = threading.Lock()

    def begin(self, source: str, start_s: float, reason: str) -> Gap:
        """A gap that begins at a source's last reading."""
        gap = Gap(source, start_s, reason)
        with self._lock:
            self._gaps.append(gap)
        self.write()
        return gap

    def write(self) -> None:
        """Replace the file; without gaps there is none. Where it cannot be written, the next change tries again."""
        with self._lock:
            if not self._gaps:
                return
            try:
                write_gaps(self._path, self._gaps)
            except OSError as error:
                LOG.warning("%s could not be written: %s", self._path.name, error.strerror or error)


class SourceThread(threading.Thread):
    """Reads one source until it is stopped, writes its parts, and says once when readings stop and when they return."""

    def __init__(self, reader: Reader, directory: Path, pid: int, interval_s: float, gaps: GapLog) -> None:
        super().__init__(name=reader.source, daemon=True)
        self._reader, self._interval_s, self._gaps = reader, interval_s, gaps
        self._observer = reader if isinstance(reader, Observer) else None
        self._writer = PartWriter(directory, f"{reader.source}-{pid}", RESOURCE_SCHEMA)
        self._seen = ObservationWriter(directory, reader.source, reader.instance, pid)
        self._writing = threading.Lock()
        self._stopped = threading.Event()
        self._gap: Gap | None = None
        self._last_s = time.time()

    def run(self) -> None:
        """Read on schedule; ticks that have passed meanwhile are counted as missed, not caught up."""
        start, tick = time.monotonic(), 1
        part_since = start
        while not self._stopped.wait(max(0.0, start + tick * self._interval_s - time.monotonic())):
            self._take_reading()
            now = time.monotonic()
            if now - part_since >= PART_S:
                self.flush()
                part_since = now
            due = int((now - start) / self._interval_s) + 1
            if due > tick + 1:
                self._note_late(due - tick - 1, now - start - tick * self._interval_s)
            tick = max(due, tick + 1)
        self._reader.close()

    def _take_reading(self) -> None:
        """One reading, dated when it was asked for, so that a server that is slow to answer moves no reading."""
        asked_ns = time.time_ns()
        try:
            self._write(asked_ns, self._reader.read())
        except ReadingError as error:
            self._write(asked_ns, error.values)
            self._note_missing(str(error), 1)
        except Exception as error:  # noqa: BLE001 - whatever goes wrong in one source must not end its schedule
            self._note_missing(_cause(error), 1)
        else:
            self._note_reading(asked_ns / 1e9)
        self._observe(asked_ns)

    def _observe(self, asked_ns: int) -> None:
        if self._observer is None:
            return
        try:
            self._seen.write(asked_ns, self._observer.observations())
        except Exception as error:  # noqa: BLE001 - as above
            LOG.warning("%s: what it saw is lost: %s", self._reader.source, _cause(error))

    def _write(self, asked_ns: int, values: Mapping[str, float]) -> None:
        with self._writing:
            for metric, value in values.items():
                self._writer.add(
                    Reading(asked_ns, self._reader.source, self._reader.instance, metric, value, unit_of(metric))
                )

    def _note_late(self, missed: int, late_s: float) -> None:
        """A reading that took longer than the interval: the readings that were due meanwhile do not exist."""
        if self._gap is not None:
            self._gap.missed += missed
            self._gaps.write()
            return
        gap = self._gaps.begin(self._reader.source, self._last_s, f"a reading took {late_s:.1f} s")
        gap.missed, gap.end_s = missed, self._last_s + late_s
        LOG.warning("%s: a reading took %.1f s, %d were missed", self._reader.source, late_s, missed)
        self._gaps.write()

    def _note_missing(self, reason: str, missed: int) -> None:
        if self._gap is None:
            self._gap = self._gaps.begin(self._reader.source, self._last_s, reason)
            LOG.warning("%s: no answer since %s: %s", self._reader.source, moment_text(self._last_s), reason)
        self._gap.missed += missed
        self._gaps.write()

    def _note_reading(self, asked_s: float) -> None:
        self._last_s = asked_s
        if self._gap is None:
            return
        self._gap.end_s = asked_s
        LOG.warning("%s: answers again, %d readings were missed", self._reader.source, self._gap.missed)
        self._gap = None
        self._gaps.write()

    def flush(self) -> None:
        """Close the open part."""
        with self._writing:
            self._writer.flush()
            self._seen.flush()

    def order_stop(self) -> None:
        """End after the present reading."""
        self._stopped.set()

    def finish(self, patience_s: float) -> None:
        """Wait for the end and write the last part; a source that is stuck is left behind with its gap."""
        self.join(patience_s)
        for _ in range(2):  # what could not be written before is tried once more
            self.flush()
        if self._writer.unwritten_rows:
            self._note_missing(f"{self._writer.unwritten_rows} values could not be written", 0)
        if self._gap is not None:
            self._gap.end_s = time.time()


def run_sources(
    readers: Sequence[Reader],
    directory: Path,
    *,
    pid: int,
    interval_s: float,
    ended: Callable[[], bool],
    poll_s: float = 0.5,
) -> None:
    """Read all sources, each in its own thread, until `ended` says so; then write what is open."""
    directory.mkdir(parents=True, exist_ok=True)
    gaps = GapLog(directory / f"gaps-{pid}.json")
    threads = [SourceThread(reader, directory, pid, interval_s, gaps) for reader in readers]
    for thread in threads:
        thread.start()
    while not ended():
        time.sleep(poll_s)
    for thread in threads:
        thread.order_stop()
    for thread in threads:
        thread.finish(patience_s=min(5.0, interval_s + 1))
    gaps.write()
