import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from include.loadtest import observations
from include.loadtest.bundle import Bundle
from include.loadtest.observations import (
    MAX_LINES,
    MAX_LINES_OF_A_KIND,
    MAX_LOG_LINES,
    ObservationWriter,
    log_lines,
    read_observations,
)
from include.loadtest.recorder import ns

pytestmark = pytest.mark.unit
AT = datetime(2024, 12, 5, 2, 0, 0, 500_000, tzinfo=UTC)


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    """A bundle with an empty folder of resources."""
    made = Bundle(tmp_path / "smoke-1")
    made.resources_dir.mkdir(parents=True)
    return made


def writer_of(bundle: Bundle, source: str = "postgres") -> ObservationWriter:
    return ObservationWriter(bundle.resources_dir, source, "db:5432", 7)


def test_what_was_seen_is_read_back_by_time(bundle: Bundle) -> None:
    """Of all sources; each carries its time, source and instance."""
    writer_of(bundle).write(ns(AT) + 10**9, [{"kind": "statement", "queryid": "-5", "text": "SELECT 1"}])
    writer_of(bundle, "redis").write(ns(AT), [{"kind": "slow_command", "command": "KEYS", "duration_ms": 12.5}])
    assert read_observations(bundle) == [
        {"ts": "2024-12-05T02:00:00.500000Z", "source": "redis", "instance": "db:5432",
         "kind": "slow_command", "command": "KEYS", "duration_ms": 12.5},
        {"ts": "2024-12-05T02:00:01.500000Z", "source": "postgres", "instance": "db:5432",
         "kind": "statement", "queryid": "-5", "text": "SELECT 1"},
    ]  # fmt: skip


def test_lines_of_the_targets_log_are_few_and_by_time(bundle: Bundle) -> None:
    """The first ones, for the manifest; other kinds are none of them."""
    log, redis = writer_of(bundle, "target_log"), writer_of(bundle, "redis")
    redis.write(ns(AT), [{"kind": "slow_command", "command": "KEYS", "duration_ms": 12.5}])
    log.write(ns(AT) + 10**9, [{"kind": "target_log", "words": "restart", "process": None}] * 100)
    log.write(ns(AT), [{"kind": "target_log", "words": "oom-kill", "process": "python"}])
    found = log_lines(bundle)
    assert len(found) == MAX_LOG_LINES
    assert found[0] == {"ts": "2024-12-05T02:00:00.500000Z", "words": "oom-kill", "process": "python"}


def test_a_hostile_text_is_one_short_line(bundle: Bundle) -> None:
    """Control characters, line ends and length are another program's choice."""
    writer_of(bundle).write(ns(AT), [{"kind": "statement", "queryid": "1", "text": "\x1b[31m\n" + "a" * 9000}])
    (line,) = [
        line for line in (bundle.resources_dir / "observations-postgres-7.jsonl").read_text().splitlines() if line
    ]
    assert len(line) < 1000
    (seen,) = read_observations(bundle)
    assert seen["text"].isprintable()
    assert len(seen["text"]) == observations.MAX_TEXT_CHARS


def test_one_kind_leaves_room_for_the_others_and_a_file_is_bounded(bundle: Bundle) -> None:
    """A lock that somebody waits for all night fills no disk and hides no statement."""
    writer = writer_of(bundle)
    for _ in range(4):
        writer.write(ns(AT), [{"kind": "lock_wait", "waited_s": 1.0}] * 1000)
    writer.write(ns(AT), [{"kind": "statement", "queryid": str(number), "text": "x"} for number in range(1000)])
    kinds = [seen["kind"] for seen in read_observations(bundle)]
    assert kinds.count("lock_wait") == MAX_LINES_OF_A_KIND
    assert kinds.count("statement") == MAX_LINES - MAX_LINES_OF_A_KIND


def test_a_full_disk_delays_what_was_seen(bundle: Bundle) -> None:
    """It is written with the next; half a line that was left behind costs itself only."""
    writer = writer_of(bundle)
    path = bundle.resources_dir / "observations-postgres-7.jsonl"
    path.mkdir()
    writer.write(ns(AT), [{"kind": "statement", "queryid": "1", "text": "first"}])
    path.rmdir()
    path.write_text('{"ts": "2024-12-05T02:')
    writer.write(ns(AT), [{"kind": "statement", "queryid": "2", "text": "second"}])
    assert [seen["text"] for seen in read_observations(bundle)] == ["first", "second"]


@pytest.mark.parametrize(
    "line",
    ["{", "[]", "7", '{"ts": 1, "source": "a", "kind": "b"}', '{"ts": "a", "source": "a"}', "x" * 100_000, '"\\ud800"'],
)
def test_a_line_that_makes_no_sense_is_left_out(bundle: Bundle, line: str) -> None:
    """The others are read."""
    good = json.dumps({"ts": "2024-12-05T02:00:00.000000Z", "source": "redis", "kind": "slow_command"})
    (bundle.resources_dir / "observations-redis-1.jsonl").write_text(f"{line}\n{good}\n")
    assert [seen["kind"] for seen in read_observations(bundle)] == ["slow_command"]


def test_without_a_file_nothing_was_seen(tmp_path: Path) -> None:
    """Not an error: no source saw anything."""
    assert read_observations(Bundle(tmp_path / "smoke-1")) == []
