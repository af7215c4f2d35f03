"""The timetable through Airflow's own classes: its dates, what the scheduler makes of it, and the plugin."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from airflow.exceptions import AirflowTimetableInvalid
from airflow.sdk import DAG
from airflow.timetables.base import DataInterval, TimeRestriction

from include.loadtest.errors import ConfigError
from include.loadtest.orchestration import timetables
from include.loadtest.orchestration.timetables import CADENCES, CadenceTimetable
from tests.loadtest.calendar.test_nights import MONTHLY, QUARTERLY, SUNDAYS

pytestmark = pytest.mark.unit
ROOT = Path(__file__).parents[3]
NIGHTS = {
    "weekly": [
        f"{month}-{day}"
        for month, days in (line.split(": ") for line in SUNDAYS.split("\n") if line)
        for day in days.split()
    ],
    "monthly": MONTHLY.split(),
    "quarterly": QUARTERLY.split(),
}


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def following(cadence, last: str | None, earliest: str, *, catchup: bool, latest: str | None = None) -> str | None:
    interval = DataInterval.exact(moment(last)) if last else None
    restriction = TimeRestriction(moment(earliest), moment(latest) if latest else None, catchup)
    info = CadenceTimetable(cadence).next_dagrun_info(last_automated_data_interval=interval, restriction=restriction)
    return f"{info.run_after:%Y-%m-%dT%H:%M}" if info else None


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch):
    """Sets the timetable's clock."""
    return lambda text: monkeypatch.setattr(timetables, "utcnow", lambda: moment(text))


@pytest.mark.parametrize("cadence", CADENCES)
@pytest.mark.parametrize("catchup", [True, False])
def test_successive_runs_of_two_years(cadence, catchup: bool, now) -> None:
    """As the scheduler asks, run after run, with its clock at each start without catch-up: each date, 02:00 UTC."""
    starts, last = [], None
    clock = moment("2027-01-01")
    while clock < moment("2029-01-01"):
        now(clock.replace(tzinfo=None).isoformat())
        restriction = TimeRestriction(moment("2027-01-01"), moment("2028-12-31T23:59"), catchup)
        info = CadenceTimetable(cadence).next_dagrun_info(last_automated_data_interval=last, restriction=restriction)
        if info is None:
            break
        assert info.data_interval == (info.run_after, info.run_after)
        starts.append(info.run_after)
        last, clock = info.data_interval, info.run_after + timedelta(minutes=1)
    assert [f"{start:%Y-%m-%d}" for start in starts] == NIGHTS[cadence]
    assert {f"{start:%H:%M:%S%z}" for start in starts} == {"02:00:00+0000"}


def test_without_catchup_an_unpaused_dag_gets_the_last_slot_that_passed(now) -> None:
    """As Airflow's own timetables do; the run's grace decides whether it still starts. Older slots are not made up."""
    now("2027-07-03T12:00")
    assert following("quarterly", None, "2024-12-01", catchup=False) == "2027-07-01T02:00"
    assert following("quarterly", "2026-10-01T02:00", "2024-12-01", catchup=False) == "2027-07-01T02:00"
    assert following("quarterly", "2027-07-01T02:00", "2024-12-01", catchup=False) == "2027-10-01T02:00"
    assert following("quarterly", "2026-12-31T02:00", "2024-12-01", catchup=True) == "2027-03-31T02:00"


def test_a_slot_is_due_at_two_and_not_before(now) -> None:
    """On the night itself, a minute apart."""
    now("2027-07-01T01:59")
    assert following("quarterly", None, "2024-12-01", catchup=False) == "2027-03-31T02:00"
    now("2027-07-01T02:00")
    assert following("quarterly", None, "2024-12-01", catchup=False) == "2027-07-01T02:00"


def test_the_dags_start_and_end_hold(now) -> None:
    """No slot before the start date, one on it, none after the end date."""
    now("2026-11-26")
    assert following("monthly", None, "2027-03-02T02:00", catchup=False) == "2027-03-02T02:00"
    assert following("monthly", None, "2027-03-02T02:01", catchup=False) == "2027-04-05T02:00"
    assert following("monthly", None, "2027-03-03", catchup=True) == "2027-04-05T02:00"
    assert following("monthly", None, "2027-03-03", catchup=True, latest="2027-04-05T01:59") is None


def test_a_manual_run_has_its_own_moment() -> None:
    """No interval is made up."""
    started = moment("2027-05-05T10:11")
    assert CadenceTimetable("weekly").infer_manual_data_interval(run_after=started) == (started, started)


def test_a_cadence_survives_serialization_and_an_unknown_one_is_named() -> None:
    """What Airflow stores is JSON; the UI shows both texts."""
    for cadence in CADENCES:
        stored = json.loads(json.dumps(CadenceTimetable(cadence).serialize()))
        again = CadenceTimetable.deserialize(stored)
        assert (again.cadence, again.summary) == (cadence, f"{cadence}, 02:00 UTC")
        assert "02:00 UTC" in again.description
    with pytest.raises(ConfigError, match=r"did you mean monthly\?"):
        CadenceTimetable.deserialize({"cadence": "montly"})


def test_a_wrong_calendar_is_an_import_error_of_the_dag(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen in Airflow's pages, not only in the scheduler's log."""
    file = tmp_path / "own.yaml"
    file.write_text("nights_before: many\nrules: []\n")
    monkeypatch.setenv("LOADTEST_CALENDAR", str(file))
    with DAG("x", schedule=CadenceTimetable("weekly")) as dag:
        pass
    with pytest.raises(AirflowTimetableInvalid, match=r"own\.yaml:1: nights_before"):
        dag.validate()


PROBE = """
import json, sys
from airflow.sdk import DAG
from include.loadtest.orchestration.timetables import CadenceTimetable
heavy = {"holidays", "pandas", "duckdb"} & set(sys.modules)
from airflow.serialization.serialized_objects import DagSerialization
dag = DAG("x", schedule=CadenceTimetable("quarterly"), catchup=False)
stored = json.loads(json.dumps(DagSerialization.to_dict(dag)))
again = DagSerialization.from_dict(stored)
print(json.dumps([stored["dag"]["timetable"], again.timetable.cadence, again.timetable.type_name, sorted(heavy)]))
"""


def test_the_plugin_lets_airflow_store_and_read_a_dag(tmp_path: Path) -> None:
    """In a process of its own, with the real plugins folder; parsing alone does not import `holidays`."""
    environment = os.environ | {
        "AIRFLOW_HOME": str(tmp_path),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-c", PROBE]
    probe = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert probe.returncode == 0, probe.stderr
    stored, cadence, name, heavy = json.loads(probe.stdout.splitlines()[-1])
    path = "include.loadtest.orchestration.timetables.CadenceTimetable"
    assert stored == {"__type": path, "__var": {"cadence": "quarterly"}}
    assert (cadence, name, heavy) == ("quarterly", path, [])
