import os
import subprocess
import sys
from pathlib import Path

import pytest

from include.embedded.inputs import read_inputs, read_port
from include.embedded.state import CHECKOUT
from include.loadtest.errors import ConfigError

pytestmark = pytest.mark.unit
SMOKE = CHECKOUT / "include" / "profiles" / "smoke.yaml"


def test_a_name_leaves_everything_to_the_profile_and_the_environment() -> None:
    """Inputs that are empty count as not given."""
    inputs = read_inputs({"PROFILE": "smoke", "USERS": "", "TARGET": ""})
    assert inputs.conf("demo", "why") == {
        "profile": "smoke",
        "profile_yaml": None,
        "users": None,
        "duration_s": None,
        "engine": None,
        "generators": None,
        "target": "demo",
        "reason": "why",
        "ignore_blackout": False,
        "confirm_production": None,
    }


def test_a_path_hands_the_text_over() -> None:
    """A profile outside the committed ones goes with the order, under the name that stands in it."""
    conf = read_inputs({"PROFILE": str(SMOKE), "USERS": "20", "TARGET": "pratikoai"}).conf("demo", "")
    assert (conf["profile"], conf["users"], conf["target"]) == (None, 20, "pratikoai")
    assert conf["profile_yaml"] == SMOKE.read_text()


def test_what_is_sent_is_told_before_it_is_sent() -> None:
    """The sentence of the run with its overrides on its target, or of the suite."""
    told = read_inputs({"PROFILE": "smoke", "USERS": "20"}).load_text("demo")
    assert told.startswith("smoke: 20 users; ramp-up 5 s, hold 1 min")
    assert "up to 2 calls a question" in told
    shared = read_inputs({"PROFILE": "smoke", "GENERATORS": "2"})
    assert shared.load_text("demo").startswith("smoke: 10 users from 2 generators; ")
    assert shared.conf("demo", "")["generators"] == 2
    assert read_inputs({"SUITE": "quick"}).load_text("demo").startswith("quick: 2 runs, 35 s of load")


def test_a_suite_fixes_its_numbers_and_its_tasks_are_a_group() -> None:
    """Only the target is left to the caller."""
    inputs = read_inputs({"SUITE": "weekly", "TARGET": "demo"})
    assert inputs.conf("pratikoai", "why") == {
        **{"suite": "weekly", "target": "demo", "reason": "why", "ignore_blackout": False},
        "confirm_production": None,
    }
    assert (inputs.group, read_inputs({"PROFILE": "smoke"}).group) == ("suite.", "")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "smoke"),
        ({"PROFILE": "smok"}, "did you mean smoke"),
        ({"PROFILE": "smoke", "USERS": "many"}, "USERS: 'many'"),
        ({"PROFILE": "smoke", "USERS": "²"}, "USERS"),
        ({"PROFILE": "smoke", "USERS": "0"}, "users"),
        ({"PROFILE": "smoke", "DURATION_S": "1m"}, "DURATION_S"),
        ({"PROFILE": "smoke", "ENGINE": "locus"}, "did you mean locust"),
        ({"PROFILE": "smoke", "TARGET": "dem"}, "did you mean demo"),
        ({"PROFILE": "smoke", "IGNORE_BLACKOUT": "1"}, "IGNORE_BLACKOUT: '1' is neither yes nor no"),
        ({"PROFILE": "smoke", "SUITE": "weekly"}, "give one of them"),
        ({"SUITE": "weekl"}, "did you mean weekly"),
        ({"SUITE": "weekly", "USERS": "5"}, "USERS: a suite fixes it"),
        ({"PROFILE": "smoke", "GENERATORS": "two"}, "GENERATORS: 'two'"),
        ({"PROFILE": "smoke", "GENERATORS": "20"}, "generators: 20 is outside 1 to 16"),
        ({"SUITE": "weekly", "GENERATORS": "2"}, "GENERATORS: a suite fixes it"),
        ({"SUITE": "weekly", "ENGINE": "locust"}, "ENGINE: a suite fixes it"),
    ],
)
def test_bad_input_names_what_is_wrong_and_what_is_valid(values: dict[str, str], said: str) -> None:
    """Each bad input is refused with a hint."""
    with pytest.raises(ConfigError, match=said):
        read_inputs(values)


@pytest.mark.parametrize("text", ["80", "70000", "x"])
def test_a_port_must_be_an_ordinary_one(text: str) -> None:
    """Ports below 1024 need root and are refused like those that do not exist."""
    with pytest.raises(ConfigError, match="AIRFLOW_PORT"):
        read_port({"AIRFLOW_PORT": text})


@pytest.mark.parametrize("profile", ["smok", "", "no/such\nfile.yaml", "$(touch pwned)"])
def test_the_command_ends_with_2_and_one_line(tmp_path: Path, profile: str) -> None:
    """Bad input: exit code 2, exactly one line on standard error, nothing on standard output."""
    done = subprocess.run(
        [sys.executable, "-m", "include.embedded", "run"],
        env=os.environ | {"PROFILE": profile, "PYTHONPATH": str(CHECKOUT)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert list(tmp_path.iterdir()) == []
