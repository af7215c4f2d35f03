"""The command: its exit codes, and that standard output holds nothing but lines of claims."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.integration
ONE_CLAIM = """
import logging, experiments.__main__ as command
from experiments.claims import Claim
def claims(say):
    logging.getLogger("loadtest").warning("a line of a log")
    yield Claim("faults", "a", "b", "c", {ok})
command.EXPERIMENTS["faults"] = claims
raise SystemExit(command.main("faults"))
"""


def run(*arguments: str, only: str = "") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "ONLY": only}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False)


def test_an_unknown_experiment_is_one_line_and_exit_code_2() -> None:
    """Nothing runs."""
    ended = run("-m", "experiments", only="profile")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == "ONLY: unknown experiment 'profile'; did you mean profiles?\n"


@pytest.mark.parametrize(("ok", "code"), [(True, 0), (False, 1)])
def test_claims_are_alone_on_standard_output_and_decide_the_exit_code(ok: bool, code: int) -> None:
    """Logs and progress go to standard error, Airflow's too."""
    ended = run("-c", ONE_CLAIM.format(ok=ok))
    assert ended.returncode == code
    assert ended.stdout.splitlines() == [
        "name | claim | expected | measured | ok",
        f"faults | a | b | c | {'ok' if ok else 'FAIL'}",
    ]
    assert "a line of a log" in ended.stderr
