"""Actors in simulated time: each runs until it sleeps, ends or is killed, in the order of their moments."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from experiments.upkeep_clock import Simulation

pytestmark = pytest.mark.unit
BEGIN = datetime(2027, 1, 1, tzinfo=UTC)


class Hands(SimpleNamespace):
    """A clock without a database."""

    def set(self, moment: datetime) -> None:
        assert moment >= self.now
        self.now = moment


@pytest.fixture
def simulation() -> Simulation:
    return Simulation(Hands(now=BEGIN))


def after(seconds: float) -> datetime:
    return BEGIN + timedelta(seconds=seconds)


def test_actors_take_turns_by_their_moments(simulation: Simulation) -> None:
    """Two that sleep in each other's time; what comes after the end stays to be done."""
    seen: list[tuple[str, float]] = []

    def walk(name: str, step_s: float) -> None:
        for _ in range(3):
            seen.append((name, (simulation.now - BEGIN).total_seconds()))
            simulation.sleep(step_s)

    simulation.start(after(0), lambda: walk("slow", 10))
    simulation.start(after(1), lambda: walk("fast", 4))
    simulation.run_until(after(11))
    assert seen == [("slow", 0), ("fast", 1), ("fast", 5), ("fast", 9), ("slow", 10)]
    assert simulation.now == after(11)
    simulation.run_until(after(20))
    assert seen[-1] == ("slow", 20)


def test_a_killed_actor_does_nothing_on_its_way_out(simulation: Simulation) -> None:
    """As a process after kill -9: neither its next line nor its `finally`."""
    done: list[str] = []

    def work() -> None:
        try:
            simulation.sleep(5)
            simulation.die()
            done.append("went on")
        finally:
            done.append("cleaned up")

    simulation.start(after(0), work)
    simulation.start(after(9), lambda: done.append("another"))
    simulation.run_until(after(60))
    assert done == ["another"]


def test_what_an_actor_raises_ends_the_simulation(simulation: Simulation) -> None:
    """Nothing that breaks is taken for a day without events."""

    def fail() -> None:
        raise ValueError("broken")

    simulation.start(after(3), fail)
    with pytest.raises(ValueError, match="broken"):
        simulation.run_until(after(10))


def test_time_does_not_go_back(simulation: Simulation) -> None:
    """What was to begin earlier begins now."""
    seen: list[datetime] = []
    simulation.run_until(after(10))
    simulation.start(after(5), lambda: seen.append(simulation.now))
    simulation.run_until(after(11))
    assert seen == [after(10)]
