"""What a DAG run of the manual DAG is: one run, or the suite that its form names. The other tasks are skipped."""

import logging
from collections.abc import Callable
from typing import Any

from airflow.sdk import get_current_context, task
from airflow.sdk.exceptions import AirflowFailException, DownstreamTasksSkipped

from include.loadtest.profile.suites import Suite

LOG = logging.getLogger("loadtest")

SuiteOf = Callable[[], Suite]
"""The suite that a task belongs to: known when the file is read, or named by the form."""
GROUP = "suite"
"""The task group of a suite in the manual DAG; its runs are `run_1`, `run_2`, …"""


def suite_of_form() -> Suite:
    """The suite that the form names. Raises ConfigError for one that is wrong."""
    from include.loadtest.profile.suites import load_suite

    return load_suite(str(get_current_context()["params"]["suite"]))


def run_group(number: int) -> str:
    """Name of the task group of a suite's run in the manual DAG, counted from 1."""
    return f"run_{number}"


def choose() -> Any:
    """The manual DAG's first task: skips the tasks of what was not asked for, at once and without a worker."""

    @task(task_id="choose", retries=0)
    def choose_tasks() -> None:
        from include.loadtest.errors import LoadTestError

        context = get_current_context()
        try:
            suite = suite_of_form() if context["params"].get("suite") else None
        except LoadTestError as error:
            raise AirflowFailException(str(error)) from error
        LOG.info("%s", f"suite {suite.name}: {len(suite.runs)} runs" if suite else "one run")
        skipped = unwanted(context["dag"].task_ids, len(suite.runs) if suite else None)
        raise DownstreamTasksSkipped(tasks=skipped)  # type: ignore[no-untyped-call]

    return choose_tasks()


def unwanted(task_ids: list[str], runs: int | None) -> list[str]:
    """The tasks to skip: of a suite of `runs` runs all but its own; without a suite (None) all of the suite's."""
    if runs is None:
        return [name for name in task_ids if name.startswith(f"{GROUP}.")]
    wanted = tuple(f"{GROUP}.{run_group(number)}." for number in range(1, runs + 1))
    others = f"{GROUP}.{run_group(0)[:-1]}"
    return [
        name
        for name in task_ids
        if name != "choose" and not name.startswith(wanted) and (name.startswith(others) or "." not in name)
    ]
