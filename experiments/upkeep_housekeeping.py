"""What looks after the simulated years each day, as the DAGs of housekeeping and deliveries do."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from functools import partial
from typing import Any

from experiments.upkeep_airflow import Airflow
from experiments.upkeep_dag_run import TARGET
from experiments.upkeep_stubs import World
from include.loadtest.bundle import Bundle
from include.loadtest.calendar import load_calendar
from include.loadtest.errors import ConfigError
from include.loadtest.history import outbox
from include.loadtest.history.baselines import mark_intended_change
from include.loadtest.history.store import connect
from include.loadtest.history.upkeep import (
    held_run_ids,
    installed_at,
    last_suite_verdict,
    pinned_run_ids,
    remove_dead_locks,
)
from include.loadtest.orchestration.baseline_actions import decide_proposals, propose_suite
from include.loadtest.orchestration.context import Context
from include.loadtest.orchestration.housekeeping_orphans import remove_orphaned_users, remove_work_folders
from include.loadtest.orchestration.housekeeping_rules import load_rules
from include.loadtest.orchestration.housekeeping_samples import Protected, remove_old_samples
from include.loadtest.orchestration.housekeeping_switch import LARGER, Finding, Nights, judge_lost, judge_silence
from include.loadtest.profile.thresholds import load_thresholds
from include.loadtest.publishing.courier import Courier
from include.loadtest.publishing.delivery import Budget, DeliveryError

SOON_S, AGAIN_S = 60, 1200
OUTAGES = ((0.05, 8), (0.006, 60))
"""How likely the service is away from a day on, and for how many hours at most."""
LOST_ANSWERS = 0.03


@dataclass
class Service:
    """Where messages go: it counts what a reader sees, is away at times, and loses answers."""

    world: World
    posts: Counter[str] = field(default_factory=Counter)
    texts: dict[str, str] = field(default_factory=dict)
    away_until: datetime | None = None
    was_away: list[tuple[datetime, datetime]] = field(default_factory=list)

    def go_away(self, hours: float) -> None:
        """Take no connections for so long."""
        until = self.world.now + timedelta(hours=hours)
        self.away_until = max(until, self.away_until or until)
        self.was_away.append((self.world.now, until))

    def take(self, row: outbox.Row, budget: Budget) -> Mapping[str, Any]:
        """A message, or another text of one; whoever is not sure whether it arrived looks first."""
        budget.timeout_s()
        if self.away_until is not None and self.world.now < self.away_until:
            raise DeliveryError("it takes no connections")
        is_known = (row.receipt or row.may_have_arrived) and row.key in self.posts
        self.posts[row.key] += 0 if is_known else 1
        self.texts[row.key] = str(row.payload["text"])
        if self.world.chance.random() < LOST_ANSWERS:
            raise DeliveryError("its answer was lost", may_have_arrived=True)
        return {"ts": row.key}


class Housekeeping:
    """The daily DAG, the deliveries, and who keeps the baselines."""

    def __init__(self, world: World, airflow: Airflow) -> None:
        self._world, self._airflow = world, airflow
        self.engine = connect(world.history_url)
        self.rules = load_rules()
        self.service = Service(world)
        self.findings: list[tuple[datetime, Finding]] = []
        self.lost: dict[str, Finding] = {}
        self.last_done = world.now
        self._is_busy = self._is_coming = False

    def plan(self, midnight: datetime) -> None:
        """What is due on a day."""
        hour, minute = map(int, self.rules.daily_utc.split(":"))
        start = self._world.simulation.start
        start(datetime.combine(midnight.date(), time(hour, minute), midnight.tzinfo), self._daily)
        for likely, hours in OUTAGES:
            if self._world.chance.random() < likely:
                away = self._world.chance.uniform(0, hours)
                start(midnight + timedelta(hours=9), partial(self.service.go_away, away))
        if midnight.day == 5:
            start(midnight + timedelta(hours=10), self._propose)
        if midnight.day == 20 and midnight.month % 6 == 4:
            start(midnight + timedelta(hours=11), self._mark)

    def deliver_soon(self) -> None:
        """As the DAG that tries what waits."""
        if not self._is_coming:
            self._is_coming = True
            self._world.simulation.start(self._world.now + timedelta(seconds=SOON_S), self._deliver)

    def _deliver(self) -> None:
        self._airflow.await_return()
        Courier(self.engine, {"slack_message": self.service.take}).deliver(within_s=60, call_s=10)
        self._is_coming = bool(outbox.waiting(self.engine))
        if self._is_coming:
            self._world.simulation.start(self._world.now + timedelta(seconds=AGAIN_S), self._deliver)

    def _daily(self) -> None:
        if self._is_busy:  # one at a time, and no catching up
            return
        self._is_busy = True
        self._airflow.await_return()
        self._remove()
        self._judge()
        self.last_done, self._is_busy = self._world.now, False

    def _remove(self) -> None:
        world, older_than_s = self._world, self.rules.orphans.older_than_h * 3600
        protected = Protected(pinned_run_ids(self.engine), held_run_ids(self.engine))
        freed = remove_old_samples(str(world.results), self.rules.retention.samples_days, protected, world.now)
        if freed.failed:
            raise RuntimeError(freed.fault())
        remove_orphaned_users(self._hunt())
        remove_dead_locks(self.engine, older_than_s)
        remove_work_folders(world.work_root, held_run_ids(self.engine), older_than_s, world.now.timestamp())
        kept = timedelta(days=self.rules.deliveries.kept_days)
        outbox.forget_delivered(self.engine, before=world.now - kept)

    def _hunt(self) -> Context:
        world = self._world
        folder = world.work_root / f"housekeeping-{world.now:%Y%m%d}"
        return Context(bundle=Bundle(folder), bundle_uri="", target_name=TARGET, load_target=world.load_target,
                       history_url=world.history_url, work_dir=folder, owner="load_test_housekeeping")  # fmt: skip

    def _judge(self) -> None:
        last, since = last_suite_verdict(self.engine, "weekly", TARGET), installed_at(self.engine)
        nights = Nights(load_calendar(), True)
        days, now = load_thresholds().silence_days, self._world.now
        self.findings.append((now, judge_silence(last, since, days, now, nights)))
        for cadence in LARGER:
            last = last_suite_verdict(self.engine, cadence, TARGET)
            self.lost[cadence] = judge_lost(last, since, days, now, nights, cadence=cadence)

    def _propose(self) -> None:
        numbers, _ = propose_suite(self.engine, "weekly", TARGET, "review")
        chance = self._world.chance

        def decide() -> None:
            decide_proposals(self.engine, numbers, accepted=chance.random() < 0.7, by="keeper", reason="review")

        if numbers and chance.random() < 0.8:
            self._world.simulation.start(self._world.now + timedelta(days=chance.uniform(0, 20)), decide)

    def _mark(self) -> None:
        try:
            mark_intended_change(self.engine, TARGET, None, self._world.now, by="keeper", reason="a new model")
        except ConfigError as error:
            raise RuntimeError(f"an intended change could not be marked: {error}") from error
