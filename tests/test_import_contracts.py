"""Each import contract is broken by a planted import, so none of them is decoration."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.unit

PLANTED = [
    ("include/loadtest/profile/planted.py", "include.loadtest.verdict", "One direction"),
    ("include/loadtest/metrics/planted.py", "airflow", "Only orchestration knows Airflow"),
    ("include/locustfiles/planted.py", "include.loadtest.history", "Locust stays in the locustfiles"),
    ("include/loadtest/runners/planted.py", "locust", "Nothing but the locustfiles imports Locust"),
    ("include/k6/planted.py", "include.locustfiles.sending", "The process beside k6 imports no Locust"),
    ("include/demo_target/planted.py", "include.loadtest.run", "The demo target is a stand-in"),
]


def lint(tree: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    return subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)


def copied(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "include", tmp_path / "include", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_the_tree_keeps_its_contracts(tmp_path) -> None:
    """Without a planted import all contracts hold."""
    finished = lint(copied(tmp_path))
    assert finished.returncode == 0, finished.stdout


@pytest.mark.parametrize(("file", "imported", "contract"), PLANTED, ids=[contract for *_, contract in PLANTED])
def test_a_planted_import_breaks_its_contract(tmp_path, file: str, imported: str, contract: str) -> None:
    """The broken contract is named."""
    tree = copied(tmp_path)
    (tree / file).write_text(f'"""Planted."""\n\nimport {imported}\n')
    finished = lint(tree)
    assert finished.returncode == 1
    broken = finished.stdout.partition("Broken contracts")[2]
    assert contract in " ".join(broken.split()), finished.stdout
