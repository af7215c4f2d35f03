import threading
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from include.loadtest import recorder
from include.loadtest.bundle import Bundle
from include.loadtest.collectors import schedule
from include.loadtest.collectors.reader import ReadingError
from include.loadtest.collectors.schedule import run_sources
from include.loadtest.observations import read_observations
from include.loadtest.run import utc_text
from tests.loadtest.collectors.conftest import gaps_of, rows_of

pytestmark = pytest.mark.integration
INTERVAL_S = 0.2


class Scripted:
    """A source whose readings are given: seconds to take, or an error's text."""

    def __init__(self, source: str, *script: float | str) -> None:
        self.source, self.instance = source, "here"
        self._script = list(script)

    def read(self) -> dict[str, float]:
        step = self._script.pop(0) if self._script else 0.0
        if isinstance(step, str):
            raise ReadingError(step)
        time.sleep(step)
        return {"cpu_pct": 1.0}

    def close(self) -> None:
        return


def _run(directory: Path, *sources: Scripted, seconds: float) -> None:
    end = time.monotonic() + seconds
    run_sources(sources, directory, pid=1, interval_s=INTERVAL_S, ended=lambda: time.monotonic() > end, poll_s=0.05)


def test_readings_keep_to_the_grid(tmp_path: Path) -> None:
    """Time that a reading takes is not added to the next: start + k · interval, without drift."""
    _run(tmp_path, Scripted("slow", *[0.1] * 50), seconds=3)
    times = [row["ts"].timestamp() for row in rows_of(tmp_path, "slow")]
    steps = [round((moment - times[0]) / INTERVAL_S) for moment in times]
    assert len(times) >= 10
    offsets = [moment - times[0] - step * INTERVAL_S for moment, step in zip(times, steps, strict=True)]
    assert abs(sorted(offsets)[len(offsets) // 2]) < 0.05


def test_a_disk_that_is_full_for_a_while_costs_no_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts and the list of gaps are written when there is room again; the schedule goes on meanwhile."""
    real_parts, real_gaps, until = recorder.write_part, schedule.write_gaps, time.monotonic() + 1.5

    def full(real):
        def write(*arguments):
            if time.monotonic() < until:
                raise OSError(28, "No space left on device")
            return real(*arguments)

        return write

    monkeypatch.setattr(recorder, "write_part", full(real_parts))
    monkeypatch.setattr(schedule, "write_gaps", full(real_gaps))
    monkeypatch.setattr(schedule, "PART_S", 0.3)
    _run(tmp_path, Scripted("redis", 0.0, "gone"), seconds=3)
    times = [row["ts"].timestamp() for row in rows_of(tmp_path, "redis")]
    assert len(times) >= 12
    assert max(later - earlier for earlier, later in pairwise(sorted(times))) < 3 * INTERVAL_S
    assert [gap["reason"] for gap in gaps_of(tmp_path)] == ["gone"]


def test_values_that_could_never_be_written_are_a_gap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk stays full for parts; what is missing is said."""

    def write(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(recorder, "write_part", write)
    _run(tmp_path, Scripted("redis"), seconds=1)
    (gap,) = gaps_of(tmp_path)
    assert "values could not be written" in gap["reason"]


def test_a_source_that_fails_is_named_once_with_its_gap(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Two log lines for three missed readings; the gap has begin, end, reason and number."""
    _run(tmp_path, Scripted("redis", 0.0, "gone", "gone", "gone"), seconds=2)
    (gap,) = gaps_of(tmp_path)
    assert (gap["source"], gap["reason"], gap["missed"]) == ("redis", "gone", 3)
    assert gap["start"] < gap["end"]
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 2
    assert lines[0].startswith("redis: no answer since")
    assert lines[1] == "redis: answers again, 3 readings were missed"


def test_a_late_reading_is_a_gap_and_is_not_caught_up(tmp_path: Path) -> None:
    """It took five intervals: the readings that were due meanwhile do not exist."""
    _run(tmp_path, Scripted("postgres", 0.0, 5 * INTERVAL_S), seconds=3)
    gap = gaps_of(tmp_path)[0]
    assert gap["reason"].startswith("a reading took 1.")
    assert gap["missed"] >= 4
    assert gap["end"] is not None


def test_a_part_of_a_reading_is_kept_and_the_rest_is_a_gap(tmp_path: Path) -> None:
    """What one page of a source gave is not lost with the other page."""

    class Half(Scripted):
        def read(self) -> dict[str, float]:
            raise ReadingError("/b: no answer", {"cpu_pct": 1.0})

    _run(tmp_path, Half("app"), seconds=1)
    assert len(rows_of(tmp_path, "app")) >= 3
    (gap,) = gaps_of(tmp_path)
    assert (gap["source"], gap["reason"]) == ("app", "/b: no answer")
    assert gap["missed"] >= 3


def test_a_slow_answer_moves_no_reading(tmp_path: Path) -> None:
    """A reading is dated when it was asked for."""
    _run(tmp_path, Scripted("slow", *[0.0, 0.15] * 20), seconds=3)
    times = [row["ts"].timestamp() for row in rows_of(tmp_path, "slow")]
    steps = sorted(later - earlier for earlier, later in pairwise(times))
    assert len(steps) >= 8
    assert abs(steps[len(steps) // 2] - INTERVAL_S) < 0.05
    assert steps[-2] - steps[1] < 0.1


def test_a_stuck_source_delays_nobody(tmp_path: Path) -> None:
    """Not the other source, and not the end."""
    stuck = Scripted("stuck", 60.0)
    started = time.monotonic()
    _run(tmp_path, stuck, Scripted("fine"), seconds=2)
    assert time.monotonic() - started < 15
    assert len(rows_of(tmp_path, "fine")) >= 7
    assert rows_of(tmp_path, "stuck") == []


def test_parts_are_closed_while_it_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a killed process loses the open one only."""
    monkeypatch.setattr(schedule, "PART_S", 0.5)
    ended = threading.Event()
    thread = threading.Thread(
        target=run_sources,
        args=([Scripted("fine")], tmp_path),
        kwargs={"pid": 1, "interval_s": 0.1, "ended": ended.is_set, "poll_s": 0.05},
    )
    thread.start()
    time.sleep(2)
    while_running = len(list(tmp_path.glob("fine-1-*.parquet")))
    ended.set()
    thread.join(10)
    assert while_running >= 2
    assert len(list(tmp_path.glob("fine-1-*.parquet"))) >= while_running


def test_what_a_source_sees_is_written_with_the_readings_time(tmp_path: Path) -> None:
    """Also what it saw in a reading that failed; a source that sees nothing has no file."""

    class Seeing(Scripted):
        def observations(self) -> list[dict[str, Any]]:
            return [{"kind": "slow_command", "command": "KEYS", "duration_ms": 12.0}]

    bundle = Bundle(tmp_path / "smoke-1")
    _run(bundle.resources_dir, Seeing("redis", 0.0, "gone"), Scripted("host"), seconds=1.5)
    seen = read_observations(bundle)
    times = [row["ts"] for row in rows_of(bundle.resources_dir, "redis")]
    assert len(seen) == len(times) + 1 >= 4
    assert {utc_text(moment.to_pydatetime(warn=False)) for moment in times} <= {one["ts"] for one in seen}
    assert (seen[0]["source"], seen[0]["instance"], seen[0]["command"]) == ("redis", "here", "KEYS")
    assert [path.name for path in bundle.resources_dir.glob("observations-*")] == ["observations-redis-1.jsonl"]


def test_a_foreign_text_is_one_clean_line(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Of an error that nobody thought of, in the gaps and in the log."""

    class Hostile(Scripted):
        def read(self) -> dict[str, float]:
            raise LookupError("\x1b[31m first\nsecond\r" + "x" * 5000)

        def observations(self) -> list[dict[str, Any]]:
            raise LookupError("\x1b[31m lost\nall\r" + "x" * 5000)

    _run(tmp_path, Hostile("redis"), seconds=0.5)
    (gap,) = gaps_of(tmp_path)
    lines = [record.getMessage() for record in caplog.records]
    assert gap["reason"].startswith("LookupError:  [31m first second x")
    assert any("what it saw is lost: LookupError:  [31m lost all x" in line for line in lines)
    assert all(text.isprintable() and len(text) < 400 for text in (gap["reason"], *lines))


def test_a_source_that_fails_to_say_what_it_saw_goes_on(tmp_path: Path) -> None:
    """Whatever goes wrong in one source, its schedule does not end."""

    class Confused(Scripted):
        def observations(self) -> list[dict[str, Any]]:
            raise LookupError("no idea")

    _run(tmp_path, Confused("redis"), seconds=1)
    assert len(rows_of(tmp_path, "redis")) >= 3
