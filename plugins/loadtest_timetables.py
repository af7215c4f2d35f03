"""Makes the calendar's timetable known to Airflow."""

from airflow.plugins_manager import AirflowPlugin

from include.loadtest.orchestration.timetables import CadenceTimetable


class LoadTestTimetables(AirflowPlugin):
    """The timetable of the scheduled load tests."""

    name = "loadtest_timetables"
    timetables = [CadenceTimetable]  # noqa: RUF012 - Airflow's base class has a list
