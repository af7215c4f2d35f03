"""Airflow's REST API as an experiment uses it: states of tasks, and answers to what a person is asked."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from include.embedded.airflow import USER, admin_password
from include.embedded.client import AirflowClient
from include.embedded.environment import running_state
from include.embedded.state import EmbeddedError, Layout

POLL_S = 0.5


class Api(AirflowClient):
    """The API of an environment that runs."""

    @classmethod
    def of(cls, layout: Layout) -> "Api":
        """The API of the environment in a checkout. Raises EmbeddedError where none runs."""
        state = running_state(layout)
        if state is None:
            raise EmbeddedError("the environment does not run")
        return cls(state.url, USER, admin_password(layout))

    @contextmanager
    def unpaused(self, dag_id: str) -> Iterator[None]:
        """Unpause a DAG for the length of a block."""
        self.unpause(dag_id)
        try:
            yield
        finally:
            self._call("PATCH", f"/dags/{dag_id}", json={"is_paused": True})

    def set_variable(self, name: str, value: str) -> None:
        """Set an Airflow variable, new or not."""
        entry = {"key": name, "value": value}
        known = self._call("GET", "/variables", params={"limit": 100})["variables"]
        if any(one["key"] == name for one in known):
            self._call("PATCH", f"/variables/{name}", json=entry)
        else:
            self._call("POST", "/variables", json=entry)

    def states(self, dag_id: str, run_id: str) -> dict[str, str | None]:
        """The state of each task of a DAG run."""
        return {task.task_id: task.state for task in self.task_instances(dag_id, run_id)}

    def answer(self, dag_id: str, run_id: str, task_id: str, option: str) -> None:
        """Answer what a task asks a person."""
        path = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/-1/hitlDetails"
        self._call("PATCH", path, json={"chosen_options": [option], "params_input": {}})

    def latest_run(self, dag_id: str) -> dict[str, Any] | None:
        """The DAG's latest run as the API has it; None where there is none."""
        found = self._call("GET", f"/dags/{dag_id}/dagRuns", params={"order_by": "-run_after", "limit": 1})
        return next(iter(found["dag_runs"]), None)


def until(what: str, happened: Callable[[], bool], limit_s: float) -> None:
    """Wait until it has happened. Raises EmbeddedError where it has not within the limit."""
    deadline_s = time.monotonic() + limit_s
    while not happened():
        if time.monotonic() > deadline_s:
            raise EmbeddedError(f"did not happen within {limit_s:.0f} s: {what}")
        time.sleep(POLL_S)
