"""The command of an issue starts the same load."""

import pytest

from include.loadtest.publishing.ticket_command import command, file_needed

pytestmark = pytest.mark.unit


def test_the_command_is_what_a_shell_takes() -> None:
    """What the profile decides is left out; a name with a space is one word."""
    assert command({"profile": "smoke", "overrides": {}, "target": "demo"}) == "make run PROFILE=smoke TARGET=demo"
    overrides = {"users": 5, "duration_s": 15, "engine": "k6"}
    assert command({"profile": "a b;c", "overrides": overrides, "target": "demo"}) == (
        "make run PROFILE='a b;c' USERS=5 DURATION_S=15 ENGINE=k6 TARGET=demo"
    )


def test_only_a_committed_profile_is_found_by_its_name() -> None:
    """Any other takes its file."""
    assert file_needed({"profile": "smoke"}) == ""
    assert "give its file as `PROFILE`" in file_needed({"profile": "own"})
