"""Starting and stopping everything that a load test on this machine needs: `up`, `down`.

PostgreSQL, the demo target, the page for Prometheus, Airflow's scheduler, DAG processor and API server. What has been
started is remembered at once, so that `down` finds it also after an `up` that was killed.
"""

import fcntl
import os
import signal
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from include.embedded import airflow
from include.embedded.ports import reserved_port
from include.embedded.postgres import PostgresServer, running_postgres, stop_postgres
from include.embedded.processes import find_process, stop_processes
from include.embedded.servers import ServerError
from include.embedded.startup import Say, Startup, step
from include.embedded.state import EmbeddedError, EnvironmentState, Layout, forget_state, load_state
from include.embedded.valkey import ValkeyServer, running_valkey, stop_valkey

_NOT_NEEDED = frozenset({"demo-target", "exporter"})
"""Without them a run can be started; a dead target is for its verdict to name."""
STOP_PATIENCE_S = 10.0  # Airflow's worker processes ignore a request to end while they have a task


def up(layout: Layout, *, port: int | None, say: Say) -> EnvironmentState:
    """Start the environment unless it runs already; `port` None takes 8080 or, if that is taken, a free one.

    When a step fails, or is interrupted, everything is stopped again. Raises EmbeddedError (PortTakenError).
    """
    with _locked(layout):
        found = load_state(layout)
        if found is not None and is_running(layout, found):
            say(f"already running: {found.url}")
            return found
        if found is not None or _databases(layout):
            with step("clean up an earlier one", say):
                _stop_all(layout, found)
        with reserved_port(port, say) as own_port:
            return _start(layout, own_port, say)


def _start(layout: Layout, port: int, say: Say) -> EnvironmentState:
    state = EnvironmentState(environment_id=uuid.uuid4().hex, port=port, default_target=_default_target())
    try:
        return Startup(layout, state, say).run()
    except BaseException as error:
        say("stopping what was started")
        _stop_all(layout, load_state(layout))
        if isinstance(error, ServerError | OSError | subprocess.SubprocessError):
            raise EmbeddedError(str(error)) from error
        raise


def down(layout: Layout, *, say: Say) -> None:
    """Stop what `up` started, and nothing else. Raises EmbeddedError when something cannot be stopped."""
    if not layout.root.exists():
        say("nothing is running")
        return
    with _locked(layout):
        state = load_state(layout)
        if state is None and not _databases(layout):
            say("nothing is running")
            return
        with step("stop", say):
            _stop_all(layout, state)


def is_running(layout: Layout, state: EnvironmentState) -> bool:
    """Whether the environment was started completely and all its processes are alive."""
    alive = all(find_process(record) for record in state.processes)
    return state.ready and alive and running_postgres(layout.postgres) is not None


def running_state(layout: Layout) -> EnvironmentState | None:
    """State of the environment if Airflow runs, else None."""
    state = load_state(layout)
    if state is None or not state.ready or running_postgres(layout.postgres) is None:
        return None
    needed = [record for record in state.processes if record.name not in _NOT_NEEDED]
    return state if all(find_process(record) for record in needed) else None


def _default_target() -> str:
    return "pratikoai" if os.environ.get(airflow.TARGET_URL_VARIABLE) else "demo"


def _stop_all(layout: Layout, state: EnvironmentState | None) -> None:
    # A second Ctrl-C must not leave half of it running; every wait below is bounded.
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        _stop_parts(layout, state)
    finally:
        signal.signal(signal.SIGINT, before)


def _stop_parts(layout: Layout, state: EnvironmentState | None) -> None:
    if state is not None:
        servers = [record for record in state.processes if record.name != "postgres"]
        stop_processes(state.environment_id, servers, patience_s=STOP_PATIENCE_S)
    for server in _databases(layout):
        stop_postgres(server)
    for cache in _caches(layout):
        stop_valkey(cache)
    forget_state(layout)


def _databases(layout: Layout) -> list[PostgresServer]:
    """All PostgreSQL servers that run on a cluster of this environment, the demo target's too if that was killed."""
    clusters = [file.parent for file in layout.root.rglob("postmaster.pid")]
    return [server for cluster in clusters if (server := running_postgres(cluster))]


def _caches(layout: Layout) -> list[ValkeyServer]:
    """The demo target's Valkey, which outlives a target that was killed."""
    folders = [file.parent for file in layout.root.rglob("valkey.pid")]
    return [server for folder in folders if (server := running_valkey(folder))]


@contextmanager
def _locked(layout: Layout) -> Iterator[None]:
    layout.root.mkdir(parents=True, exist_ok=True)
    with layout.lock_file.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise EmbeddedError("the environment of this checkout is just being started or stopped") from None
        yield
