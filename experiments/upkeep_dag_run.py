"""One DAG run of the simulated years: what ordered it, its tasks, and where it is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

TARGET = "pratikoai"
Task = Callable[[], None]
"""A step of a DAG run; raises what a task would raise."""


@dataclass
class Entry:
    """What became of one start that a schedule, a pull request or a person had ordered."""

    kind: str
    ordered: datetime
    began: datetime | None = None
    outcome: str = ""


@dataclass(eq=False)
class DagRun:
    """A DAG run, and where it is. `context` is what its tasks find; a killed task's process takes nobody else along."""

    dag_id: str
    run_id: str
    run_type: str
    run_after: datetime
    entry: Entry
    ended: Callable[[], None] = lambda: None
    steps: Sequence[tuple[str, Task]] = ()
    place: int = 0
    failed: bool = False
    alive: bool = True
    works: bool = False
    """One of its tasks runs now; without that there is no process to be killed."""
    waits: bool = False

    @property
    def owner(self) -> str:
        """As it stands in a target's lock."""
        return f"{self.dag_id}/{self.run_id} at simulated"
