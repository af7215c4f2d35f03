"""A small client of Airflow's REST API: what starting and following a run needs.

Each call repeats itself, for a bounded time, through lost connections and answers that say "try again"; an expired
login is renewed.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import httpx

from include.embedded.state import EmbeddedError

PAGE = 100
"""Entries that Airflow gives at a time; asked for more, it gives as many."""
_LONGEST_PAUSE_S = 4.0
_TRANSIENT = frozenset({429, 500, 502, 503, 504})


class ApiError(EmbeddedError):
    """Airflow refused a call; `status` is the HTTP status of its answer."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class ApiUnavailableError(EmbeddedError):
    """Airflow did not answer within the patience of the client."""


@dataclass(frozen=True)
class TaskInstance:
    """One try of one task of a run; `state` is None until the scheduler has looked at it."""

    task_id: str
    map_index: int
    try_number: int
    state: str | None
    start: datetime | None
    end: datetime | None

    @property
    def label(self) -> str:
        """Name to show."""
        return self.task_id if self.map_index < 0 else f"{self.task_id}[{self.map_index}]"


@dataclass(frozen=True)
class LogLine:
    """One event of a task's log; `exception` is the last one raised, as "Type: message"."""

    time: datetime | None
    logger: str
    level: str
    text: str
    exception: str | None = None


class AirflowClient:
    """Calls the API at `url` as `user`; a call gives up after `patience_s`, or when `is_alive` says that it is vain."""

    def __init__(
        self,
        url: str,
        user: str,
        password: str,
        *,
        patience_s: float = 120.0,
        is_alive: Callable[[], bool] = lambda: True,
    ) -> None:
        # A proxy from the environment has no business on the loopback address.
        self._http = httpx.Client(base_url=url, timeout=15.0, trust_env=False)
        self._credentials = {"username": user, "password": password}
        self._patience_s = patience_s
        self._is_alive = is_alive
        self._token: str | None = None

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def health(self) -> dict[str, dict[str, str | None]]:
        """State of each component, by name. One attempt only. Raises ApiUnavailableError."""
        try:
            answer = self._http.get("/api/v2/monitor/health")
            answer.raise_for_status()
        except httpx.HTTPError as error:
            raise ApiUnavailableError(f"Airflow does not answer: {error}") from error
        states: dict[str, dict[str, str | None]] = answer.json()
        return states

    def has_dag(self, dag_id: str) -> bool:
        """Whether Airflow has read the DAG."""
        try:
            self._call("GET", f"/dags/{quote(dag_id)}")
        except ApiError as error:
            if error.status == 404:
                return False
            raise
        return True

    def import_errors(self) -> dict[str, str]:
        """What went wrong in DAG files: the traceback by file name."""
        found = self._call("GET", "/importErrors")["import_errors"]
        return {entry["filename"]: entry["stack_trace"] for entry in found}

    def unpause(self, dag_id: str) -> None:
        """Let the scheduler start runs of the DAG."""
        self._call("PATCH", f"/dags/{quote(dag_id)}", json={"is_paused": False})

    def trigger(self, dag_id: str, run_id: str, conf: dict[str, Any]) -> None:
        """Start a run of the DAG. The caller names it, so that a repeated call cannot start a second one."""
        body = {"dag_run_id": run_id, "logical_date": None, "conf": conf}
        try:
            self._call("POST", f"/dags/{quote(dag_id)}/dagRuns", json=body)
        except ApiError as error:
            if error.status != 409:
                raise

    def run_state(self, dag_id: str, run_id: str) -> str:
        """State of the run: queued, running, success or failed."""
        return str(self._call("GET", _run_path(dag_id, run_id))["state"])

    def task_instances(self, dag_id: str, run_id: str) -> list[TaskInstance]:
        """The run's tasks, those that started first in front."""
        path = f"{_run_path(dag_id, run_id)}/taskInstances"
        tasks = [
            TaskInstance(
                task_id=ti["task_id"],
                map_index=ti["map_index"],
                try_number=ti["try_number"],
                state=ti["state"],
                start=_moment(ti["start_date"]),
                end=_moment(ti["end_date"]),
            )
            for ti in self._pages(path, "task_instances")
        ]
        return sorted(tasks, key=lambda task: (task.start or datetime.max.replace(tzinfo=UTC), task.task_id))

    def _pages(self, path: str, key: str) -> list[dict[str, Any]]:
        """All entries of a list that comes in pages."""
        found: list[dict[str, Any]] = []
        while True:
            page = self._call("GET", path, params={"limit": PAGE, "offset": len(found)})[key]
            found += page
            if len(page) < PAGE:
                return found

    def log_lines(
        self, dag_id: str, run_id: str, task: TaskInstance, after: str | None
    ) -> tuple[list[LogLine], str | None]:
        """Lines of a task's log after the position `after` (None: its start), and the new position (None: its end)."""
        path = f"{_run_path(dag_id, run_id)}/taskInstances/{quote(task.task_id, safe='')}/logs/{task.try_number}"
        params: dict[str, Any] = {"map_index": task.map_index}
        if after is not None:
            params["token"] = after
        answer = self._call("GET", path, params=params)
        return [_log_line(event) for event in answer["content"]], answer["continuation_token"]

    def xcom(self, dag_id: str, run_id: str, task_id: str, key: str) -> Any:
        """Value that a task of the run pushed under `key`, None where it pushed none."""
        path = f"{_run_path(dag_id, run_id)}/taskInstances/{quote(task_id, safe='')}/xcomEntries/{quote(key)}"
        try:
            return self._call("GET", path, params={"deserialize": True})["value"]
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    def _call(self, method: str, path: str, **arguments: Any) -> dict[str, Any]:
        problem = ""
        for _ in _attempts(self._patience_s, self._is_alive):
            try:
                answer = self._http.request(method, f"/api/v2{path}", headers=self._headers(), **arguments)
            except httpx.TransportError as error:
                problem = f"{type(error).__name__} {error}".strip()
                continue
            if answer.status_code == 401:
                self._token = None
            elif answer.status_code not in _TRANSIENT:
                return _content(answer, f"{method} {path}")
            problem = f"HTTP {answer.status_code}"
        raise ApiUnavailableError(f"Airflow did not answer {method} {path} any more: {problem}")

    def _headers(self) -> dict[str, str]:
        if self._token is None:
            answer = self._http.post("/auth/token", json=self._credentials)
            if answer.status_code in _TRANSIENT:
                raise httpx.ReadError(f"HTTP {answer.status_code} at login")
            self._token = str(_content(answer, "the login")["access_token"])
        return {"Authorization": f"Bearer {self._token}"}


def _attempts(patience_s: float, is_alive: Callable[[], bool]) -> Iterator[None]:
    """One round an attempt, with growing pauses between them, as long as patience and hope last."""
    deadline = time.monotonic() + patience_s
    pause_s = 0.25
    while True:
        yield
        if time.monotonic() + pause_s >= deadline or not is_alive():
            return
        time.sleep(pause_s)
        pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)


def _content(answer: httpx.Response, call: str) -> dict[str, Any]:
    if answer.is_error:
        raise ApiError(answer.status_code, f"Airflow refused {call}: HTTP {answer.status_code} {answer.text[:500]}")
    content: dict[str, Any] = answer.json()
    return content


def _run_path(dag_id: str, run_id: str) -> str:
    return f"/dags/{quote(dag_id)}/dagRuns/{quote(run_id, safe='')}"


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _log_line(event: str | dict[str, Any]) -> LogLine:
    if isinstance(event, str):
        return LogLine(None, "", "info", event)
    raised = next(iter(event.get("error_detail") or ()), None)
    return LogLine(
        time=_moment(event.get("timestamp")),
        logger=str(event.get("logger", "")),
        level=str(event.get("level", "info")).lower(),
        text=str(event.get("event", "")),
        exception=f"{raised['exc_type']}: {raised['exc_value']}" if raised else None,
    )
