"""What must hold after each simulated day, counted: by tables and rules of this file where the package has its own."""

import math
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, func, select, text

from experiments.calendar import FIRST, busy_days, plain_nights
from experiments.claims import Claim
from experiments.upkeep_airflow import Airflow
from experiments.upkeep_dag_run import TARGET
from experiments.upkeep_housekeeping import Housekeeping
from experiments.upkeep_stubs import Load, World
from include.loadtest.history import outbox
from include.loadtest.history.baselines import list_baselines, pinned_runs
from include.loadtest.history.database import transaction
from include.loadtest.history.latest import latest_runs, verdict_times
from include.loadtest.history.overview import read_overview
from include.loadtest.history.schema import BASELINE, BASELINE_RUN, RUN, TARGET_LOCK, TARGET_WAITER
from include.loadtest.history.trends import read_trends

ROME = ZoneInfo("Europe/Rome")
DAY = timedelta(days=1)
GRACE = timedelta(hours=2)
SLACK = timedelta(minutes=1)
LONGEST_TO_LOAD = timedelta(hours=4, minutes=30)
"""From an order, or the end of the run before, to a load: the grace, the wait for the target, users and cache."""
SILENT_DAYS, CYCLE = 8, 7 * DAY
READ_S = 0.5
"""A page's question may take so long, on a machine that does other things as well."""
SHOWN = 5


@dataclass
class Invariants:
    """Counts checks, and keeps a line for each that did not hold."""

    world: World
    airflow: Airflow
    keeping: Housekeeping
    checks: int = 0
    broken: list[str] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)
    sizes: list[tuple[int, int]] = field(default_factory=list)
    slowest_s: float = 0.0
    _seen: int = 0
    _slots: dict[str, Sequence[date]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        nights = plain_nights()
        self._slots = {"weekly": nights.weekly, "monthly": nights.monthly, "quarterly": nights.quarterly}
        self._skipped, self._busy = set(nights.skipped), busy_days()

    def check(self, number: int) -> None:
        """After a day, at midnight UTC."""
        day = FIRST + DAY * number
        self._loads(self.world.loads[self._seen :])
        self._seen = len(self.world.loads)
        self._slots_told(day)
        self._leases()
        self._samples()
        self._folders()
        self._outbox()
        self._switch()
        if number % 7 == 0:
            self._history()
            self._baselines()
        if number % 30 == 0:
            self._size()

    def _hold(self, kind: str, held: bool, told: str) -> None:
        self.checks += 1
        self.kinds[kind] += 1
        if not held:
            self.broken.append(f"{self.world.now:%Y-%m-%d} {kind}: {told}")

    def _loads(self, new: Sequence[Load]) -> None:
        """Of the pieces of loads that were sent since yesterday."""
        for load in new:
            days = {moment.astimezone(ROME).date() for moment in (load.started, load.ended - timedelta(seconds=1))}
            may = load.ignores or load.target != TARGET or not days & self._busy
            self._hold("no load in a blackout", may, f"{load.run_id} at {load.started}")
        for target in {load.target for load in new}:
            own = sorted((one for one in new if one.target == target), key=lambda one: one.started)
            for earlier, later in pairwise(own):
                apart = later.started >= earlier.ended or (later.owner == earlier.owner)
                self._hold("one load at a time", apart, f"{earlier.run_id} and {later.run_id}")
        self._begun_in_time(new)

    def _begun_in_time(self, new: Sequence[Load]) -> None:
        """A load follows its order, or the load before it in its DAG run, and no gap of an absence."""
        for entry in self.airflow.book:
            if entry.began is not None and entry.began > self.world.now - DAY:
                self._hold("begun within its grace", entry.began - entry.ordered <= 2 * GRACE + SLACK, f"{entry}")
        last = {load.owner: load.ended for load in self.world.loads[: self._seen]}
        for load in new:
            before = last.get(load.owner, self._ordered(load))
            self._hold("load follows its order", load.started - before <= LONGEST_TO_LOAD, f"{load.run_id}: {before}")
            last[load.owner] = load.ended

    def _ordered(self, load: Load) -> datetime:
        stamp = "-".join(load.run_id.split("-")[1:3])
        return datetime.strptime(stamp, "%Y%m%d-%H%M%S").replace(tzinfo=UTC)

    def _slots_told(self, day: date) -> None:
        """Each night of a schedule is a start, or it is known why there was none."""
        for kind, nights in self._slots.items():
            due = [night for night in nights if night == day - DAY]
            for night in due:
                own = [one for one in self.airflow.book if one.kind == kind and one.ordered.date() == night]
                lost = self._was_away(kind, night)
                told = len(own) == 1 and (bool(own[0].outcome) or self._still_runs(kind))
                self._hold("each slot told", told or (not own and lost), f"{kind} of {night}: {own}")
                if kind == "weekly" and night in self._skipped:
                    skipped = not own or own[0].outcome.startswith(("skipped", "refused"))
                    self._hold("skipped nights skipped", skipped, f"{night}: {own}")

    def _still_runs(self, kind: str) -> bool:
        return kind in self.airflow.active

    def _was_away(self, kind: str, night: date) -> bool:
        """Whether the DAG was paused, or Airflow away, from that slot on until another was due or now."""
        slot = datetime(night.year, night.month, night.day, 2, tzinfo=UTC)
        absent = [*self.airflow.absences, *self.airflow.pauses.get(kind, ())]
        return any(begin <= slot <= end for begin, end in absent)

    def _leases(self) -> None:
        with transaction(self.keeping.engine) as connection:
            locks = connection.execute(select(TARGET_LOCK)).all()
            waiters = connection.execute(select(TARGET_WAITER)).all()
        old = self.keeping.last_done - 2 * DAY
        for lock in locks:
            self._hold("no dead lock stays", lock.expires > old, f"{lock.owner} until {lock.expires}")
        for waiter in waiters:
            self._hold("no dead waiter stays", waiter.last_seen > old, f"{waiter.owner} since {waiter.last_seen}")
        self._hold("one lease a target", len({lock.target for lock in locks}) == len(locks), str(locks))

    def _samples(self) -> None:
        done = self.keeping.last_done
        pins = self._pins(BASELINE.c.status == "pinned")
        # What was retired since the last housekeeping is for the next one.
        pinned = {run_id for run_id, _ in [*pins, *self._pins(BASELINE.c.retired_at >= done)]}
        limit = done - (self.keeping.rules.retention.samples_days + 1) * DAY
        for part in self.world.results.glob("*/samples/*.parquet"):
            run_id = part.parent.parent.name
            old = self._moment(run_id) < limit
            self._hold("old samples gone", not old or run_id in pinned, run_id)
        days = timedelta(days=self.keeping.rules.retention.samples_days)
        for run_id, at in pins:
            has = any((self.world.results / run_id / "samples").glob("*.parquet"))
            had = at - self._moment(run_id) < days  # a proposal may have waited for longer than samples are kept
            self._hold("pinned samples kept", has or not had, run_id)

    def _pins(self, which: ColumnElement[bool]) -> list[tuple[str, datetime]]:
        """Each run of those sets, and when its set was pinned."""
        found = select(BASELINE_RUN.c.run_id, BASELINE.c.pinned_at).join(
            BASELINE, BASELINE.c.id == BASELINE_RUN.c.baseline_id
        )
        with transaction(self.keeping.engine) as connection:
            rows = connection.execute(found.where(which))
            return [(row.run_id, row.pinned_at) for row in rows]

    def _sets(self, status: str) -> list[dict[str, Any]]:
        return [entry for entry in list_baselines(self.keeping.engine) if entry["status"] == status]

    def _moment(self, run_id: str) -> datetime:
        parts = run_id.split("-")
        return datetime.strptime(f"{parts[1]}-{parts[2]}", "%Y%m%d-%H%M%S").replace(tzinfo=UTC)

    def _folders(self) -> None:
        for folder in self._work_folders():
            written = datetime.fromtimestamp(folder.stat().st_mtime, UTC)
            self._hold("no work folder left", written > self.keeping.last_done - 2 * DAY, folder.name)

    def _work_folders(self) -> Iterator[Path]:
        if self.world.work_root.exists():
            yield from self.world.work_root.iterdir()

    def _outbox(self) -> None:
        service = self.keeping.service
        twice = [key for key, count in service.posts.items() if count > 1]
        self._hold("told once", not twice, str(twice[:SHOWN]))
        late = self.world.now - timedelta(hours=self.keeping.rules.deliveries.late_h)
        away = any(begin <= self.world.now and end >= late for begin, end in
                   [*service.was_away, *self.airflow.absences])  # fmt: skip
        old = [row.key for row in outbox.waiting(self.keeping.engine) if row.updated <= late]
        self._hold("the outbox drains", away or not old, str(old[:SHOWN]))

    def _switch(self) -> None:
        """The dead man's switch against a rule of its own: silent for more than 8 days, with a start that was due."""
        if not self.keeping.findings or self.keeping.findings[-1][0] < self.world.now - DAY:
            return
        at, finding = self.keeping.findings[-1]
        for cadence in ("monthly", "quarterly"):
            self._lost(cadence, at)
        since = max(self._verdicts("weekly", at), default=self._slots_begin())
        owed = [night for night in self._slots["weekly"] if night not in self._skipped
                and since < datetime(night.year, night.month, night.day, 2, tzinfo=UTC) <= at - DAY]  # fmt: skip
        wanted = at - since > timedelta(days=SILENT_DAYS) and bool(owed)
        self._hold("the switch alarms when it has to", finding.alarm == wanted, f"{finding} since {since}")

    def _slots_begin(self) -> datetime:
        return datetime(FIRST.year, FIRST.month, FIRST.day, 8, tzinfo=UTC)

    def _verdicts(self, suite: str, until: datetime) -> Sequence[datetime]:
        """When runs of a suite that were known at that moment had ended."""
        statement = select(func.coalesce(RUN.c.ended, RUN.c.started)).where(
            RUN.c.suite == suite, RUN.c.target == TARGET, RUN.c.inserted_at <= until
        )
        with transaction(self.keeping.engine) as connection:
            return connection.scalars(statement).all()

    def _lost(self, cadence: str, at: datetime) -> None:
        """A larger night without a verdict is told from a day after it on, for as many days as the switch bears."""
        slots = [datetime(night.year, night.month, night.day, 2, tzinfo=UTC) for night in self._slots[cadence]]
        latest = max((slot for slot in slots if slot <= at - DAY), default=None)
        if latest is not None:
            silent = not any(moment > latest for moment in self._verdicts(cadence, at))
            wanted = silent and at - latest <= timedelta(days=SILENT_DAYS)
            finding = self.keeping.lost[cadence]
            self._hold("lost nights are told", finding.alarm == wanted, f"{finding} of {latest}")

    def _history(self) -> None:
        with transaction(self.keeping.engine) as connection:
            kept = {row.run_id: row.verdict for row in connection.execute(select(RUN.c.run_id, RUN.c.verdict))}
        told = {run_id: verdict for run_id, (verdict, _) in self.world.concluded.items()}
        self._hold("each run in the history with its verdict", kept == told, str(set(kept.items()) ^ set(told.items())))
        known = {f"{one.profile}/{one.target}/{one.suite}" for one in verdict_times(self.keeping.engine)}
        wanted = {key for run_id, (_, key) in self.world.concluded.items() if "-repeat" not in run_id}
        self._hold("last verdict of each known", known == wanted, str(known ^ wanted))
        pairs = {(one.profile, one.target) for one in latest_runs(self.keeping.engine)}
        self._hold("last run of each known", pairs == {tuple(key.split("/")[:2]) for key in wanted}, str(pairs))

    def _baselines(self) -> None:
        for entry in self._sets("pinned"):
            runs = pinned_runs(self.keeping.engine, entry["comparability_key"])
            found = {row["run_id"] for row in runs}
            marked = not found  # all of them are older than an intended change
            self._hold("baselines are valid", marked or found <= set(entry["run_ids"]), str(entry))
            verdicts = {self.world.concluded[run_id][0] for run_id in entry["run_ids"]}
            self._hold("baselines are green", verdicts <= {"PASS", "WARN"}, f"{entry['id']}: {verdicts}")

    def _size(self) -> None:
        engine = self.keeping.engine
        with transaction(engine) as connection:
            size = connection.scalar(
                text("SELECT sum(pg_total_relation_size(c.oid))::bigint FROM pg_class c JOIN pg_namespace n "
                     "ON n.oid = c.relnamespace WHERE n.nspname = 'loadtest' AND c.relkind = 'r'")
            )  # fmt: skip
        self.sizes.append((len(self.world.concluded), int(size or 0)))
        for read in (lambda: read_overview(engine), lambda: read_trends(engine, TARGET, self.world.now, 92)):
            took_s = min(_seconds(read) for _ in range(2))
            self.slowest_s = max(self.slowest_s, took_s)
            self._hold("pages read fast", took_s < READ_S, f"{took_s:.2f} s")

    def check_end(self) -> None:
        """Once, after the last day: the history has grown by each run alike."""
        self._size()
        self._hold("the history grows with its runs only", 0.8 < self._growth() < 1.25, f"{self._growth():.2f}")

    def _growth(self) -> float:
        """Bytes a run of the second half of the time ÷ those of the first."""
        chosen = (self.sizes[number] for number in (1, len(self.sizes) // 2, -1))
        (runs0, bytes0), (runs1, bytes1), (runs2, bytes2) = chosen
        if not runs0 < runs1 < runs2:
            return math.nan
        return ((bytes2 - bytes1) / (runs2 - runs1)) / ((bytes1 - bytes0) / (runs1 - runs0))

    def claims(self, name: str) -> Iterator[Claim]:
        """What the years came to."""
        starts = Counter(entry.kind for entry in self.airflow.book)
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(starts.items()))
        days = (self.world.now.date() - FIRST).days
        yield Claim(
            name,
            f"{days} days of schedules, people, kills, absences and outages in simulated time",
            "0 invariants broken",
            f"{len(self.world.concluded)} runs of {len(self.airflow.book)} starts ({kinds}), "
            f"{self.airflow.killed} tasks killed, {self.airflow.deleted} of their DAG runs deleted, "
            f"Airflow away {len(self.airflow.absences)} times; "
            f"{self.checks} checks of {len(self.kinds)} invariants, {len(self.broken)} broken"
            + "".join(f"; {one}" for one in self.broken[:SHOWN]),
            not self.broken,
        )
        runs, size = self.sizes[-1]
        yield Claim(
            name,
            "size of the history, and how long pages wait for it",
            f"a run of the second year as big as one of the first, a question below {READ_S} s",
            f"{size / 1e6:.0f} MB for {runs} runs, {size / max(runs, 1) / 1000:.0f} kB a run, second half / first half "
            f"{self._growth():.2f}, slowest question {self.slowest_s * 1000:.0f} ms",
            math.isfinite(self._growth()) and 0.8 < self._growth() < 1.25 and self.slowest_s < READ_S,
        )


def _seconds(read: Any) -> float:
    began_s = time.perf_counter()
    read()
    return time.perf_counter() - began_s
