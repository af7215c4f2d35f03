"""Memory, disk and network of the target's machine."""

import pytest

from include.loadtest.analysis.bottleneck import machine
from tests.helpers.made_cases import Value, after, counted, made_case

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
        lambda at_s: 110e6 + 40e6 * (int(at_s) % 10 < 5),  # garbage that is collected
        lambda at_s: 110e6 + 0.1e6 * at_s,  # six MB a minute: seen, and too little to matter
        110e6,
    ],
)
def test_memory_that_settles_or_hardly_grows_is_no_leak(rss: Value) -> None:
    """A leak goes on, and it matters."""
    assert machine.memory_leak(made_case({RSS: rss})) == []


def test_a_leak_in_a_large_machine_fills_it_too_late() -> None:
    """At 100 MB a minute 1 TB lasts for a week: it is for the soak test to say so."""
    figures: dict[tuple[str, str], Value] = {
        RSS: lambda at_s: 110e6 + 1.7e6 * at_s,
        ("host", "memory_total_bytes"): 1e12,
    }
    assert machine.memory_leak(made_case(figures)) == []


def test_full_memory_and_killed_processes_are_told() -> None:
    """By the specification's limit, by the kernel's kills, and by what waits for memory."""
    assert "92 % of its memory" in machine.memory(made_case({("host", "memory_pct"): 92.0}))[0].facts
    killed = machine.memory(made_case({("container", "container_oom_kills"): after(30, 1.0)}))
    assert "killed 1 processes" in killed[0].facts
    assert machine.memory(made_case({("host", "memory_pressure_pct"): 40.0}))[0].strength == "moderate"
    assert machine.memory(made_case()) == []


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
