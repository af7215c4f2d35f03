import stat
from pathlib import Path

import pytest

from include.embedded.state import (
    EmbeddedError,
    EnvironmentState,
    Layout,
    ProcessRecord,
    forget_state,
    load_state,
    save_state,
)

pytestmark = pytest.mark.unit
STATE = EnvironmentState(environment_id="e1", port=8080, default_target="demo")


def test_comes_back_as_it_was_written(tmp_path: Path) -> None:
    """State with a process survives a round trip; forgetting it twice is no error."""
    layout = Layout(tmp_path)
    state = STATE.with_process(ProcessRecord(name="scheduler", pid=7, started_at_s=1.5))
    save_state(layout, state)
    assert load_state(layout) == state
    forget_state(layout)
    forget_state(layout)
    assert load_state(layout) is None


def test_only_its_owner_can_read_it(tmp_path: Path) -> None:
    """The file is private also after it was replaced, and no other file stays beside it."""
    layout = Layout(tmp_path)
    for _ in range(2):
        save_state(layout, STATE)
    assert stat.S_IMODE(layout.state_file.stat().st_mode) == 0o600
    assert list(layout.root.iterdir()) == [layout.state_file]


def test_a_damaged_file_is_said_to_be_damaged(tmp_path: Path) -> None:
    """Damaged state is never taken for "nothing runs"."""
    layout = Layout(tmp_path)
    save_state(layout, STATE)
    layout.state_file.write_text('{"port":')
    with pytest.raises(EmbeddedError, match="damaged"):
        load_state(layout)
