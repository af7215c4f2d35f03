"""Where the embedded environment keeps its files, and what it remembers about the processes it started.

Everything lies below `.embedded/` in the checkout, so that two checkouts never meet.
"""

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

CHECKOUT = Path(__file__).resolve().parents[2]


class EmbeddedError(Exception):
    """The environment cannot be started, used or stopped; `str()` says what happened and where to look."""


@dataclass(frozen=True)
class Layout:
    """Paths of one checkout's environment."""

    checkout: Path = CHECKOUT

    @property
    def root(self) -> Path:
        """Folder of everything that the environment writes, git-ignored."""
        return self.checkout / ".embedded"

    @property
    def airflow_home(self) -> Path:
        """AIRFLOW_HOME."""
        return self.root / "airflow"

    @property
    def logs(self) -> Path:
        """One log file a process."""
        return self.root / "logs"

    @property
    def postgres(self) -> Path:
        """Cluster of Airflow's metadata and the load tests' history."""
        return self.root / "postgres"

    @property
    def demo_target(self) -> Path:
        """State folder of the demo target, with its `ready.json`."""
        return self.root / "demo_target"

    @property
    def state_file(self) -> Path:
        """The remembered `EnvironmentState`."""
        return self.root / "environment.json"

    @property
    def lock_file(self) -> Path:
        """Held while the environment is being started or stopped."""
        return self.root / "lock"

    @property
    def secrets_file(self) -> Path:
        """Airflow's keys."""
        return self.root / "secrets.json"

    @property
    def passwords_file(self) -> Path:
        """Passwords of Airflow's users, in the format of its SimpleAuthManager."""
        return self.root / "passwords.json"


class ProcessRecord(BaseModel):
    """A process that was started: its id alone may belong to another program later, with its start time it cannot."""

    model_config = ConfigDict(frozen=True)

    name: str
    pid: int
    started_at_s: float  # seconds since 1970


class EnvironmentState(BaseModel):
    """What `up` has done so far. Written before the first process starts and after each one."""

    model_config = ConfigDict(frozen=True)

    environment_id: str
    port: int
    default_target: str
    exporter: str = ""  # host:port of the page for Prometheus
    ready: bool = False
    processes: tuple[ProcessRecord, ...] = ()

    @property
    def url(self) -> str:
        """Airflow's pages."""
        return f"http://127.0.0.1:{self.port}"

    def with_process(self, record: ProcessRecord) -> "EnvironmentState":
        """The state with one more process."""
        return self.model_copy(update={"processes": (*self.processes, record)})


def load_state(layout: Layout) -> EnvironmentState | None:
    """The remembered state, None where there is none. Raises EmbeddedError when the file is damaged."""
    try:
        return EnvironmentState.model_validate_json(layout.state_file.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError as error:
        raise EmbeddedError(
            f"{layout.state_file} is damaged: end the processes that it names by hand, then remove it"
        ) from error


def save_state(layout: Layout, state: EnvironmentState) -> None:
    """Replace the remembered state in one step."""
    write_private(layout.state_file, state.model_dump_json(indent=2))


def forget_state(layout: Layout) -> None:
    """Remember that nothing runs."""
    layout.state_file.unlink(missing_ok=True)


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read; a reader sees the old or the new text, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.{os.getpid()}")
    unfinished.touch(mode=stat.S_IRUSR | stat.S_IWUSR)
    unfinished.write_text(text)
    unfinished.replace(path)
