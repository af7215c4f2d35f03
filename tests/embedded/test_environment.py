import fcntl
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from include.embedded.environment import down, is_running, running_state
from include.embedded.postgres import running_postgres, start_postgres, stop_postgres
from include.embedded.processes import MARKER, find_process, record_of, start_process
from include.embedded.state import EmbeddedError, EnvironmentState, Layout, save_state

pytestmark = pytest.mark.integration


@pytest.fixture
def layout(tmp_path: Path) -> Iterator[Layout]:
    layout = Layout(tmp_path)
    yield layout
    server = running_postgres(layout.postgres)
    if server is not None:
        stop_postgres(server)


def test_stopping_what_never_ran_does_nothing(layout: Layout) -> None:
    """`down` is no error without an environment, and leaves no folder."""
    notes: list[str] = []
    down(layout, say=notes.append)
    assert notes == ["nothing is running"]
    assert not layout.root.exists()


def test_a_start_under_way_keeps_others_out(layout: Layout) -> None:
    """Two commands never change one environment at the same time; the second one says so."""
    layout.root.mkdir()
    with layout.lock_file.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(EmbeddedError, match="being started or stopped"):
            down(layout, say=print)


def test_stops_the_parts_of_a_start_that_was_killed(layout: Layout) -> None:
    """State that was never completed is enough to stop the database and the processes; a second stop does nothing."""
    server = start_postgres(layout.postgres, settings={"fsync": "off"})
    state = EnvironmentState(environment_id="half-failed", port=1, default_target="demo")
    command = [sys.executable, "-c", "import time; time.sleep(300)"]
    environment = os.environ | {MARKER: state.environment_id}
    record = start_process("scheduler", command, environment=environment, log=layout.logs / "s.log", cwd=layout.root)
    state = state.with_process(record_of("postgres", server.pid)).with_process(record)
    save_state(layout, state)
    assert not is_running(layout, state)
    assert running_state(layout) is None
    notes: list[str] = []
    for _ in range(2):
        down(layout, say=notes.append)
    assert find_process(record) is None
    assert running_postgres(layout.postgres) is None
    assert notes[-1] == "nothing is running"
