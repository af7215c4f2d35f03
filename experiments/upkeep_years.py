"""731 days with everything that happens on them; what must hold is looked at after each day."""

import logging
import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, time, timedelta
from functools import partial
from pathlib import Path

from experiments.calendar import FIRST, LAST
from experiments.claims import Claim, Say
from experiments.upkeep_airflow import Airflow, load_cadences
from experiments.upkeep_clock import Clock, Simulation
from experiments.upkeep_dag_run import TARGET
from experiments.upkeep_housekeeping import Housekeeping
from experiments.upkeep_invariants import Invariants
from experiments.upkeep_stubs import World, pooled, stubbed
from include.embedded.airflow import HISTORY_DATABASE
from include.embedded.postgres import ensure_database, start_postgres, stop_postgres
from include.loadtest.history.store import upgrade
from include.loadtest.orchestration.context import Context
from include.loadtest.profile.suites import Cadence

SEED = 20_270_101
BEGIN = datetime.combine(FIRST, time(8), UTC)
"""The DAGs are unpaused at that moment: slots of the year before have passed."""
DAY = timedelta(days=1)
BY_HAND = ("smoke", "peak_hours", "normal_day", "tax_deadline", "soak", "capacity")
KILLED_SHARE = 0.01
"""Of the moments at which a stage may be killed; a run has about ten."""
RUSH, RUSH_ORDERS, RUSH_HOURS = 0.04, 5, 1.5
"""How likely people order one after the other on a day, how much, within what time: most have to wait."""
AWAY = ((0.2, 0.03), (1.5, 0.02), (9, 0.02), (40, 0.008))
"""Hours for which Airflow is away, and how likely that is on a day."""
PAUSES: tuple[tuple[Cadence, int, int], ...] = (("weekly", 40, 30), ("monthly", 200, 45), ("weekly", 500, 12),
                                                ("quarterly", 450, 20))  # fmt: skip
"""Which DAG is paused, from which day on, for how many days."""
SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
"""Of a PostgreSQL that is thrown away."""


def year_claims(name: str, say: Say) -> Iterator[Claim]:
    """All days, then what was counted."""
    with years(say) as found:
        found.check_end()
        yield from found.claims(name)


@contextmanager
def years(say: Say, last_day: int = (LAST - FIRST).days, *, pace: float = 1) -> Iterator[Invariants]:
    """The days are over; the history and the results are still there. `pace`: so many times the usual events."""
    with tempfile.TemporaryDirectory(prefix="loadtest-years-", ignore_cleanup_errors=True) as folder:
        server = start_postgres(Path(folder) / "pg", settings=SETTINGS)
        try:
            ensure_database(server, HISTORY_DATABASE)
            with pooled(), _clock(server.url(HISTORY_DATABASE)) as clock:
                upgrade(server.url(HISTORY_DATABASE))
                world = _world(Simulation(clock), server.url(HISTORY_DATABASE), Path(folder))
                yield _lived(world, say, last_day, pace)
        finally:
            stop_postgres(server)


@contextmanager
def _clock(url: str) -> Iterator[Clock]:
    clock = Clock(url)
    try:
        clock.set(BEGIN)
        yield clock
    finally:
        clock.close()


def _world(simulation: Simulation, url: str, folder: Path) -> World:
    chance = random.Random(SEED)  # noqa: S311 - no secret: the same years each time
    world = World(simulation, url, folder / "results", folder / "work", chance, lambda _context: False)
    world.results.mkdir()
    return world


def _lived(world: World, say: Say, last_day: int, pace: float) -> Invariants:
    simulation, airflow = world.simulation, Airflow(world)
    world.kill, world.is_dead = _Killer(airflow, KILLED_SHARE * pace), lambda _context: airflow.is_dead()
    keeping = Housekeeping(world, airflow)
    world.told = keeping.deliver_soon
    invariants, events = Invariants(world, airflow, keeping), _Events(world, airflow, keeping, pace)
    with simulation.clock.in_python(), stubbed(world), airflow.as_seen_by_tasks(), _quiet():
        for cadence in load_cadences():
            simulation.start(BEGIN, partial(airflow.look, cadence))
        for number in range(last_day + 1):
            events.plan(number)
            simulation.run_until(datetime.combine(FIRST + DAY * (number + 1), time(), UTC))
            invariants.check(number)
            if number % 30 == 0:
                told = f"{len(world.concluded)} runs, {invariants.checks} checks, {len(invariants.broken)} broken"
                say(f"day {number}: {told}{''.join(f'; {line}' for line in invariants.broken[-1:])}")
    return invariants


@contextmanager
def _quiet() -> Iterator[None]:
    """A thousand runs have nothing to say that anybody would read."""
    logger = logging.getLogger("loadtest")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(before)


class _Killer:
    """Says at each step of a stage whether its process is killed: seldom."""

    def __init__(self, airflow: Airflow, share: float) -> None:
        self._airflow, self._share = airflow, share

    def __call__(self, context: Context) -> bool:
        airflow = self._airflow
        if airflow.world.chance.random() >= self._share:
            return False
        airflow.kill_task(context.owner)
        return True


class _Events:
    """What a day brings besides the schedules."""

    def __init__(self, world: World, airflow: Airflow, keeping: Housekeeping, pace: float) -> None:
        self._world, self._airflow, self._keeping, self._pace = world, airflow, keeping, pace

    def plan(self, number: int) -> None:
        """Put the events of a day into the future."""
        day = FIRST + DAY * number
        midnight, chance = datetime.combine(day, time(), UTC), self._world.chance
        orders = [("pull_request", "smoke")] * (chance.randint(0, 1) if day.weekday() < 5 else 0)
        orders += [("manual", chance.choice(BY_HAND))] * int(0.25 * self._pace + chance.random())
        for kind, profile in orders:
            self._at(midnight, chance.uniform(0, 24), self._order(kind, profile))
        if chance.random() < RUSH * self._pace:
            begin_h = chance.uniform(0, 24)
            for profile in chance.choices(BY_HAND, k=RUSH_ORDERS):
                self._at(midnight, begin_h + chance.uniform(0, RUSH_HOURS), self._order("manual", profile))
        for hours, likely in AWAY:
            if chance.random() < likely * self._pace:
                killed = chance.random() < 0.5
                away = chance.uniform(0.5, 1) * hours * 3600
                self._at(midnight, chance.uniform(0, 24), partial(self._airflow.go_away, away, killed=killed))
        self._keeping.plan(midnight)
        for cadence, first, days in PAUSES:
            if number == first:
                self._at(midnight, 1, partial(self._airflow.pause, cadence, days + 0.5))

    def _order(self, kind: str, profile: str) -> object:
        chance = self._world.chance
        target = "demo" if chance.random() < 0.25 else TARGET
        ignores = kind == "manual" and chance.random() < 0.1
        return lambda: self._airflow.order_run(kind, profile, target, ignores=ignores)

    def _at(self, midnight: datetime, hours: float, work: object) -> None:
        at = max(midnight + timedelta(hours=hours), self._world.now)
        self._world.simulation.start(at, work)  # type: ignore[arg-type]
