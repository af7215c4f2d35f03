"""When Airflow starts the scheduled runs: on the nights of the calendar. The plugin in plugins/ registers the class."""

from datetime import UTC, datetime, timedelta
from typing import Any, Self, cast, get_args

from airflow.exceptions import AirflowTimetableInvalid
from airflow.sdk.timezone import coerce_datetime, utcnow
from airflow.timetables.base import DagRunInfo, DataInterval, TimeRestriction, Timetable
from pendulum import DateTime

from include.loadtest.calendar import load_calendar
from include.loadtest.errors import ConfigError, nearest
from include.loadtest.profile.suites import Cadence

CADENCES: tuple[Cadence, ...] = get_args(Cadence)
DESCRIPTIONS: dict[Cadence, str] = {
    "weekly": "Sundays, 02:00 UTC; skipped on nights before tax deadlines and of a larger run",
    "monthly": "First Monday of the month, 02:00 UTC; moved to the next night that is free",
    "quarterly": "Last day of the quarter, 02:00 UTC; moved to the next night that is free",
}


class CadenceTimetable(Timetable):
    """The slots of one cadence; which nights they are is read from the calendar's file each time.

    As with Airflow's own timetables, without catch-up the last slot that has passed is still due (after the DAG was
    unpaused): a run refuses by itself to start so late.
    """

    def __init__(self, cadence: Cadence) -> None:
        self.cadence = cadence
        self.description = DESCRIPTIONS[cadence]

    @property
    def summary(self) -> str:
        """For the list of DAGs."""
        return f"{self.cadence}, 02:00 UTC"

    def serialize(self) -> dict[str, Any]:
        """The cadence: the scheduler reads the nights itself."""
        return {"cadence": self.cadence}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> Self:
        """Raises ConfigError: no such cadence."""
        if data.get("cadence") not in CADENCES:
            raise ConfigError(f"cadence: {nearest(data.get('cadence'), CADENCES)}")
        return cls(cast("Cadence", data["cadence"]))

    def validate(self) -> None:
        """A wrong file is an import error of the DAG, for all to see. Raises AirflowTimetableInvalid."""
        try:
            load_calendar()
        except ConfigError as error:
            raise AirflowTimetableInvalid(str(error)) from error

    def infer_manual_data_interval(self, *, run_after: DateTime) -> DataInterval:
        """The moment itself."""
        return DataInterval.exact(run_after)

    def next_dagrun_info(
        self, *, last_automated_data_interval: DataInterval | None, restriction: TimeRestriction
    ) -> DagRunInfo | None:
        """The next slot within the restriction; None after its end. Raises ConfigError: the file is wrong."""
        candidates = []
        if last_automated_data_interval is not None:
            candidates.append(self._after(last_automated_data_interval.end))
        if restriction.earliest is not None and (last_automated_data_interval is None or not restriction.catchup):
            candidates.append(self._at_or_after(restriction.earliest))
        if not restriction.catchup:
            candidates.append(self._at_or_before(utcnow()))
        start = max(candidates, default=None) or self._after(utcnow())
        if restriction.latest is not None and start > restriction.latest:
            return None
        return DagRunInfo.exact(coerce_datetime(start))

    def _after(self, moment: datetime) -> datetime:
        slot = self._at_or_after(moment)
        return slot if slot > moment else load_calendar().next_slot(self.cadence, slot.date()).start

    def _at_or_after(self, moment: datetime) -> datetime:
        day_before = _utc(moment).date() - timedelta(days=1)
        slot = load_calendar().next_slot(self.cadence, day_before)
        if slot.start < moment:
            slot = load_calendar().next_slot(self.cadence, slot.night)
        return slot.start

    def _at_or_before(self, moment: datetime) -> datetime:
        slot = load_calendar().last_slot(self.cadence, _utc(moment).date())
        if slot.start > moment:
            slot = load_calendar().last_slot(self.cadence, slot.night - timedelta(days=1))
        return slot.start


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)
