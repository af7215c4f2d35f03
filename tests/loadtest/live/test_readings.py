"""Figures of the target's servers from the window of readings; a reading that is missing is no zero."""

import pytest

from include.loadtest.live.readings import MAX_SERIES, Latest, Readings

pytestmark = pytest.mark.unit
NOW = 1000.0


def reading(metric: str, value: float, ago_s: float = 1.0, source: str = "host", instance: str = "a") -> Latest:
    return Latest(NOW - ago_s, source, instance, metric, value, "%")


def figures(*readings: Latest) -> dict[str, float]:
    made = Readings(60)
    made.note(readings)
    made.forget_before(NOW)
    return made.figures(NOW)


def test_a_level_is_the_mean_of_the_window() -> None:
    """What was read earlier does not count."""
    found = figures(reading("cpu_pct", 10, 70), reading("cpu_pct", 70, 50), reading("cpu_pct", 100, 5))
    assert found == {"host_cpu_pct": 85}


def test_of_several_instances_the_highest_counts() -> None:
    """One full server is an alert, whatever the others do."""
    found = figures(
        reading("used_memory_bytes", 1e9, source="redis"), reading("used_memory_bytes", 5e9, 1, "redis", "b")
    )
    assert found == {"redis_memory_bytes": 5e9}


def test_the_generators_machine_is_never_the_targets() -> None:
    """Its CPU is kept as a reading, and is no figure."""
    made = Readings(60)
    made.note([reading("cpu_pct", 99, source="generator"), reading("users", 12, source="generator")])
    assert made.figures(NOW) == {}
    assert made.users(NOW) == 12
    assert len(made.latest(NOW)) == 2


def test_the_machine_itself_is_asked_before_its_application() -> None:
    """Also where its own reading is missing in the window: two kinds are not mixed."""
    app = reading("cpu_usage_percent", 95, source="app")
    assert figures(app) == {"host_cpu_pct": 95}
    assert figures(reading("cpu_pct", 20), app) == {"host_cpu_pct": 20}
    assert figures(reading("cpu_pct", 20, 100), app) == {}


def test_a_hit_rate_is_of_the_lookups_within_the_window() -> None:
    """Counters since the server's start; a restart starts them anew; too few lookups are no rate."""
    names = ("keyspace_hits", "keyspace_misses")

    def counted(ago_s: float, *values: float) -> list[Latest]:
        return [reading(name, value, ago_s, "redis") for name, value in zip(names, values, strict=True)]

    assert figures(*counted(50, 900, 100), *counted(5, 969, 131)) == {"cache_hit_rate": 0.69}
    assert figures(*counted(50, 900, 100), *counted(30, 0, 0), *counted(5, 80, 20)) == {"cache_hit_rate": 0.8}
    assert figures(*counted(50, 900, 100), *counted(5, 910, 109)) == {}


def test_slow_queries_are_those_of_the_last_minute() -> None:
    """A single reading says nothing; a short time is not stretched to a minute."""
    assert figures(reading("slow_queries", 100, 5, "postgres")) == {}
    found = figures(reading("slow_queries", 100, 25, "postgres"), reading("slow_queries", 111, 5, "postgres"))
    assert found == {"slow_queries_per_min": 11}


def test_an_old_reading_is_not_told_as_of_now() -> None:
    """A source that has died has no latest reading."""
    made = Readings(60)
    made.note([reading("cpu_pct", 50, 31), reading("memory_pct", 50, 20)])
    assert [own.metric for own in made.latest(NOW)] == ["memory_pct"]


def labelled(count: int) -> list[Latest]:
    return [reading(f'statement_calls{{queryid="{number}"}}', 1, source="postgres") for number in range(count)]


def test_a_target_with_ever_new_statements_fills_no_memory() -> None:
    """What is known goes on, what is new beyond the bound is left out until older ones are gone."""
    made = Readings(60)
    made.note(labelled(MAX_SERIES + 10))
    known = reading('statement_calls{queryid="0"}', 2, 0, "postgres")
    made.note([known])
    assert len(made.latest(NOW)) == MAX_SERIES
    assert known in made.latest(NOW)
    made.forget_before(NOW + 29.5)
    made.note(labelled(MAX_SERIES + 10)[-10:])
    assert len(made.latest(NOW)) == 11


def test_many_statements_hide_no_reading_of_a_threshold() -> None:
    """Nor the users: what has no label is kept, however many labelled readings came before it."""
    made = Readings(60)
    made.note(labelled(3 * MAX_SERIES))
    made.note(
        [
            reading("used_memory_bytes", 5e9, source="redis"),
            reading("cpu_usage_percent", 95, source="prometheus"),
            reading("cpu_pct", 90),
            reading("users", 12, source="generator"),
        ]
    )
    assert made.figures(NOW) == {"redis_memory_bytes": 5e9, "host_cpu_pct": 90}
    assert made.users(NOW) == 12
    assert len([own for own in made.latest(NOW) if "{" not in own.metric]) == 4
