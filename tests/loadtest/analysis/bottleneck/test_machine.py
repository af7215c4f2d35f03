"""Memory, disk and network of the target's machine."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from include.loadtest.analysis.bottleneck import machine
from include.loadtest.analysis.bottleneck.case import Case
from include.loadtest.analysis.bottleneck.model import Span
from include.loadtest.analysis.bottleneck.series import readings_of
from tests.helpers.made_cases import START_S, Value, after, counted, made_case, moment

pytestmark = pytest.mark.unit
RSS = ("process", "app_rss_bytes")


def test_memory_that_grows_to_the_end_is_a_leak() -> None:
    """With its slope, the interval, and when the memory is full."""
    (found,) = machine.memory_leak(made_case({RSS: lambda at_s: 110e6 + 3e6 * (at_s + 5)}))
    assert (found.cause, found.plain) == ("memory_leak", True)
    assert "grew by 171.7 MiB a minute" in found.facts
    assert "the memory is full in 0.4 h" in found.facts


@pytest.mark.parametrize(
    "rss",
    [
        lambda at_s: 110e6 + min(60e6, 6e6 * (at_s + 5)),  # a warm-up
        lambda at_s: 210e6 + 0.8e6 * (at_s + 5),  # a slow warm-up, to the end of a short load
        lambda at_s: 110e6 + 40e6 * (int(at_s) % 10 < 5),  # garbage that is collected
        lambda at_s: 110e6 + 0.1e6 * at_s,  # six MB a minute: seen, and too little to matter
        110e6,
    ],
)
def test_memory_that_settles_or_hardly_grows_is_no_leak(rss: Value) -> None:
    """A leak goes on, and it matters."""
    assert machine.memory_leak(made_case({RSS: rss})) == []


@pytest.mark.parametrize("minutes", [10, 60])
def test_memory_that_wanders_is_no_leak(minutes: int) -> None:
    """The sum of independent steps lies far above its beginning for long; one of 40 is called a leak at most."""
    draw, called = np.random.default_rng(7), 0
    for _ in range(40):
        case = _long(np.abs(400 + np.cumsum(draw.normal(0, 3, minutes * 12))))
        called += bool(machine.memory_leak(case))
    assert called <= 1
    assert machine.memory_leak(_long(200 + 1.0 * np.arange(minutes * 12) + draw.normal(0, 5, minutes * 12)))


def _long(rss_mib: NDArray[np.float64]) -> Case:
    """A load of this many readings of five seconds each, in a container of 2 GiB."""
    rows = []
    for number, mib in enumerate(rss_mib):
        at_s = START_S + 5 * number
        for metric, value in (("container_memory_bytes", mib), ("container_memory_limit_bytes", 2048)):
            rows.append((at_s, "container", "here", metric, value * 2**20, "bytes"))
        rows.append((at_s, RSS[0], "here", RSS[1], mib * 2**20, "bytes"))
    return replace(made_case(), readings=readings_of(rows), load=Span(START_S, START_S + 5 * len(rss_mib)))


def test_a_leak_that_begins_within_the_load_has_its_time() -> None:
    """Its slope is that of the growth alone."""
    (found,) = machine.memory_leak(made_case({RSS: lambda at_s: 110e6 + max(0.0, 4e6 * (at_s - 20))}))
    assert found.since_s == pytest.approx(START_S + 22, abs=5)
    assert "grew by 226 MiB a minute" in found.facts


def test_a_leak_in_a_large_machine_fills_it_too_late() -> None:
    """At 100 MB a minute 1 TB lasts for a week: it is for the soak test to say so."""
    figures: dict[tuple[str, str], Value] = {
        RSS: lambda at_s: 110e6 + 1.7e6 * at_s,
        ("host", "memory_total_bytes"): 1e12,
    }
    assert machine.memory_leak(made_case(figures)) == []


def test_full_memory_and_killed_processes_are_told() -> None:
    """By the specification's limit, by the kernel's kills, and by what waits for memory."""
    full = machine.memory(made_case({("host", "memory_pct"): 92.0}, shares_host=False))
    assert "92 % of its memory" in full[0].facts
    assert full[0].plain
    killed = machine.memory(made_case({("container", "container_oom_kills"): after(30, 1.0)}))
    assert "killed 1 process for" in killed[0].facts
    assert machine.memory(made_case({("host", "memory_pressure_pct"): 40.0}))[0].strength == "moderate"
    assert machine.memory(made_case()) == []


def test_the_targets_log_is_cited_for_want_of_memory() -> None:
    """Beside the kernel's count; by itself it is moderate; lines before the load and other ones say nothing."""

    def line(at_s: float, words: str, process: str | None = None) -> dict[str, str | None]:
        named = {"kind": "target_log", "source": "target_log", "instance": "here"}
        return {**named, "ts": moment(at_s), "words": words, "process": process}

    seen = [line(-60, "oom-kill"), line(20, "out of memory, killed", "python3"), line(40, "memoryerror")]
    (found,) = machine.memory(made_case(observations=seen))
    assert (found.cause, found.strength, found.plain) == ("memory", "moderate", False)
    assert found.facts == "2 lines of the target's log speak of it (first: out of memory, killed, killed: python3)"
    assert found.since_s == START_S + 20
    (killed,) = machine.memory(made_case({("host", "oom_kills"): after(30, 1.0)}, observations=seen))
    assert (killed.strength, killed.plain) == ("strong", True)
    assert [one.source for one in killed.evidence] == ["host", "target_log"]
    assert machine.memory(made_case(observations=[line(20, "restart"), line(-60, "oom")])) == []


def test_a_full_machine_that_the_target_shares_is_the_target_s_only_by_its_own_processes() -> None:
    """The generator, or anybody, may fill it: without the target's own part nobody is blamed."""
    full: dict[tuple[str, str], Value] = {("host", "memory_pct"): 92.0, ("host", "memory_used_bytes"): 9.2e9}
    assert machine.memory(made_case(full)) == []
    (found,) = machine.memory(made_case({**full, RSS: 4e9, ("process", "postgres_rss_bytes"): 1e9}))
    assert (found.strength, found.plain) == ("moderate", False)


def test_a_busy_disk_is_sure_only_where_statements_wait_for_it() -> None:
    """Somebody else's writes on the same machine may hurt nobody."""
    busy: dict[tuple[str, str], Value] = {("host", "io_pressure_pct"): 60.0, ("host", "disk_written_bytes_per_s"): 9e7}
    (alone,) = machine.disk(made_case(busy))
    assert (alone.strength, alone.plain) == ("moderate", False)
    (felt,) = machine.disk(made_case({**busy, ("postgres", 'waiting_backends{type="IO"}'): 2.0}))
    assert felt.strength == "strong"
    assert machine.disk(made_case()) == []


def test_packets_that_are_sent_again_point_at_the_network() -> None:
    """Moderately: the number of all packets is not known. Within one machine nothing is lost."""
    lost: dict[tuple[str, str], Value] = {("host", "tcp_retransmits"): counted(50.0)}
    (found,) = machine.network(made_case(lost, shares_host=False))
    assert found.strength == "moderate"
    assert machine.network(made_case(lost)) == []
    assert machine.network(made_case()) == []
