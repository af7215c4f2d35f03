"""What make itself adds: exit codes and the way of an input to the program."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from include.embedded.state import CHECKOUT

pytestmark = pytest.mark.integration
# Stands where the installed Python would: tells what it was given and ends as it is told.
RECORDER = f"""#!{sys.executable}
import json, os, pathlib, sys
names = ("PROFILE", "USERS", "MAKEFLAGS")
pathlib.Path("seen.json").write_text(json.dumps([sys.argv[1:], {{name: os.environ.get(name) for name in names}}]))
print("shown", flush=True)
sys.exit(int(os.environ["USERS"] or 0))
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for name in ("Makefile", "requirements.txt"):
        shutil.copy(CHECKOUT / name, tmp_path)
    program = tmp_path / ".venv" / "bin" / "python"
    program.parent.mkdir(parents=True)
    program.write_text(RECORDER)
    program.chmod(0o755)
    (tmp_path / ".venv" / ".installed").touch()
    return tmp_path


def make(checkout: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    command = ["make", *arguments]
    return subprocess.run(
        command, cwd=checkout, env=clean | environment, capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.parametrize("command", ["run", "demo"])
@pytest.mark.parametrize("code", [0, 1, 2])
def test_make_ends_with_the_exit_code_of_the_command(checkout: Path, command: str, code: int) -> None:
    """0, 1 and 2 arrive unchanged, though make's own code for a failure is 2; 1 adds no line of make's."""
    done = make(checkout, command, f"USERS={code}")
    assert (done.returncode, done.stdout) == (code, "shown\n"), done.stderr
    assert len(done.stderr.splitlines()) == (1 if code == 2 else 0)


@pytest.mark.parametrize(
    "value", ["$(shell touch pwned)", "`touch pwned`", "$(touch pwned)", "'\"; touch pwned; #", "a b\nc $x $$y"]
)
@pytest.mark.parametrize("from_environment", [True, False])
def test_an_input_arrives_as_it_was_typed(checkout: Path, value: str, from_environment: bool) -> None:
    """Neither make nor a shell expands or runs what stands in a value."""
    done = make(checkout, "run", PROFILE=value) if from_environment else make(checkout, "run", f"PROFILE={value}")
    assert done.returncode == 0, done.stderr
    _, seen = json.loads((checkout / "seen.json").read_text())
    assert seen["PROFILE"] == value
    assert not (checkout / "pwned").exists()


def test_down_without_an_installation_has_nothing_to_do(tmp_path: Path) -> None:
    """A bare clone can be told to stop; nothing is installed for it."""
    shutil.copy(CHECKOUT / "Makefile", tmp_path)
    done = make(tmp_path, "down")
    assert (done.returncode, done.stdout) == (0, "nothing is running\n")
    assert not (tmp_path / ".venv").exists()


def test_every_command_is_in_the_help(checkout: Path) -> None:
    """`make help` lists each documented command."""
    listed = {line.split()[1] for line in make(checkout, "help").stdout.splitlines()}
    assert {"demo", "up", "down", "run", "test", "check", "lock", "system-deps", "clean", "venv"} <= listed
