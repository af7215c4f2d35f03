"""Following a run from outside: its tasks' states and what they write, as it happens."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from include.embedded.client import AirflowClient, ApiError, LogLine, TaskInstance

POLL_S = 2.0
_RUN_ENDED = frozenset({"success", "failed"})
_TASK_ENDED = frozenset({"success", "failed", "skipped", "upstream_failed", "removed"})
# States that say nothing to a person who waits.
_SILENT = frozenset({None, "scheduled", "queued"})
_NOT_STARTED = _SILENT | {"skipped", "upstream_failed", "removed"}
_LEVELS = frozenset({"info", "warning", "error", "critical"})
_MOST_PAGES = 1000

Say = Callable[[str], None]


@dataclass(frozen=True)
class Outcome:
    """How a run ended; `verdict` and `bundle` are None when it ended without them."""

    state: str
    verdict: str | None
    bundle: str | None
    failed_tasks: tuple[str, ...]


def follow(
    client: AirflowClient, dag_id: str, run_id: str, *, say: Say, group: str = "", poll_s: float = POLL_S
) -> Outcome:
    """Relay the run until it ends. Raises EmbeddedError when Airflow does not answer any more.

    `group`: what the names of its tasks begin with; empty: those of no group.
    """
    tasks = _Tasks(client, dag_id, run_id, say, group)
    while True:
        state = client.run_state(dag_id, run_id)
        tasks.look()
        if state in _RUN_ENDED:
            break
        time.sleep(poll_s)
    verdict, bundle = (client.xcom(dag_id, run_id, f"{group}gate", key) for key in ("verdict", "bundle"))
    return Outcome(state, verdict, bundle, tasks.failed())


@dataclass
class _Tasks:
    client: AirflowClient
    dag_id: str
    run_id: str
    say: Say
    group: str
    shown: dict[str, str | None] = field(default_factory=dict)
    logs: dict[tuple[str, int], "_Log"] = field(default_factory=dict)
    width: int = 0

    def look(self) -> None:
        """Say what has changed since the last look."""
        found = self.client.task_instances(self.dag_id, self.run_id)
        tasks = [task for task in found if self._is_wanted(task)]
        self.width = max((len(task.label) for task in tasks), default=0)
        for task in tasks:
            before = self.shown.get(task.label)
            started = task.state not in _NOT_STARTED
            if task.state == before and task.state in _TASK_ENDED:
                continue
            if started and before in (_NOT_STARTED | {"up_for_retry"}) and task.state != before:
                self._announce(task.label, "running", task.start)  # it may have ended since then
            if started:
                self._relay(task)
            if task.state not in (before, "running", *_SILENT):
                self._announce(task.label, str(task.state), task.end)
            self.shown[task.label] = task.state

    def _is_wanted(self, task: TaskInstance) -> bool:
        """Whether it is of the run's group, and not skipped before it began: a graph may hold more than was ordered."""
        own = task.task_id.startswith(self.group) if self.group else "." not in task.task_id
        never_ran = task.state == "skipped" and (task.start is None or task.start == task.end)
        return own and not never_ran

    def failed(self) -> tuple[str, ...]:
        """Names of the tasks that failed themselves."""
        return tuple(label for label, state in self.shown.items() if state == "failed")

    def _announce(self, label: str, state: str, at: datetime | None) -> None:
        self.say(f"{_clock(at)}  {label:<{self.width}} {state}")

    def _relay(self, task: TaskInstance) -> None:
        log = self.logs.setdefault((task.label, task.try_number), _Log())
        for line in log.read(self.client, self.dag_id, self.run_id, task):
            for text in (line.exception or line.text).splitlines():
                self.say(f"{_clock(line.time)}  {task.label:<{self.width}} | {text}")


@dataclass
class _Log:
    """Reading position in one try's log."""

    position: str | None = None
    ended: bool = False

    def read(self, client: AirflowClient, dag_id: str, run_id: str, task: TaskInstance) -> list[LogLine]:
        """New lines that the task itself wrote."""
        lines: list[LogLine] = []
        for _ in range(_MOST_PAGES):
            if self.ended:
                break
            try:
                page, self.position = client.log_lines(dag_id, run_id, task, self.position)
            except ApiError as error:
                if error.status != 404:
                    raise
                break  # the try has begun, its log has not
            lines += page
            self.ended = self.position is None
            if task.state == "running" or not page:
                break
        return [line for line in lines if _is_progress(line)]


def _is_progress(line: LogLine) -> bool:
    """Whether it comes from the load test, not from Airflow: its own lines, and what ended a task."""
    if line.exception is not None:
        return True
    own = line.logger in ("loadtest", "task.stdout") or line.logger.startswith("loadtest.")
    return own and line.level in _LEVELS


def _clock(moment: datetime | None) -> str:
    return (moment or datetime.now(UTC)).astimezone().strftime("%H:%M:%S")
