"""How the experiment reads containers, secrets and runs."""

from pathlib import Path

import pytest

from experiments.compose.stack import Container, Run, new_values, write_env

pytestmark = pytest.mark.unit


def container(service: str, state: str, *, exit_code: int = 0, health: str = "none") -> Container:
    return Container("id", service, state, exit_code, health, 1, 0, {})


@pytest.mark.parametrize(
    ("one", "is_well"),
    [
        (container("redis", "running", health="healthy"), True),
        (container("redis", "running", health="starting"), False),
        (container("redis", "exited", health="healthy"), False),
        (container("migrate", "exited"), True),
        (container("migrate", "exited", exit_code=1), False),
        (container("migrate", "running"), False),
    ],
    ids=["healthy", "starting", "ended", "done", "failed", "at work"],
)
def test_a_container_is_well(one: Container, is_well: bool) -> None:
    """One that serves has to be healthy, one that ends by itself has to have ended with 0."""
    assert one.is_well is is_well


def test_the_env_file_is_for_its_owner_only(tmp_path: Path) -> None:
    """It holds every secret of the proof."""
    values = new_values()
    file = write_env(tmp_path / "env", values)
    assert file.stat().st_mode & 0o077 == 0
    assert dict(line.split("=", 1) for line in file.read_text().splitlines()) == values


def test_a_run_is_told_with_its_generators() -> None:
    """Verdict, reasons, rows of each generator."""
    run = Run("r", "success", "WARN", ("near_limit",), {"w2": 40, "w1": 50}, 61.4)
    assert run.text == "WARN (near_limit); samples by generator: w1 50, w2 40; 61 s"
    assert Run("r", "failed", None, (), {}, 5).text == "None; samples by generator: none; 5 s"
