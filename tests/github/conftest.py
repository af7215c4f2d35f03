"""A job of the workflow on this machine: its steps' own text, GitHub's files, stand-ins for GitHub and its programs."""

import importlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from tests.embedded.conftest import airflow_api  # noqa: F401 - a fixture of these tests too
from tests.helpers.github_service import REPOSITORY as GITHUB_REPOSITORY
from tests.helpers.github_service import WORKFLOW_TOKEN, GitHubService, github_service

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / ".github" / "scripts"
WORKFLOW_FILE = ROOT / ".github" / "workflows" / "load_test.yml"
WORKFLOW: dict[Any, Any] = yaml.safe_load(WORKFLOW_FILE.read_text(encoding="utf-8"))
REPOSITORY = "studio/load-tests"


def steps(job: str) -> list[dict[str, Any]]:
    """All steps of a job."""
    found: list[dict[str, Any]] = WORKFLOW["jobs"][job]["steps"]
    return found


def step(job: str, name: str) -> dict[str, Any]:
    """One step by its name."""
    return next(entry for entry in steps(job) if entry.get("name") == name)


@dataclass
class Runner:
    """Runs steps as GitHub does: their text, its shell, their environment and nothing of this process's."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def programs(self) -> Path:
        """Programs here hide those of the machine."""
        return self.folder / "programs"

    @property
    def temp(self) -> Path:
        """RUNNER_TEMP."""
        return self.folder / "temp"

    @property
    def checkout(self) -> Path:
        """Where steps run."""
        return self.folder / "checkout"

    def fake(self, name: str, text: str) -> None:
        """A program in bash; what it was called with is in `calls`."""
        file = self.programs / name
        file.write_text(f'#!/usr/bin/env bash\nprintf "%s\\n" "{name} $*" >>"{self.folder}/calls"\n{text}\n')
        file.chmod(0o755)

    @property
    def calls(self) -> list[str]:
        """What the faked programs were called with, in order."""
        file = self.folder / "calls"
        return file.read_text().splitlines() if file.exists() else []

    def run(self, job: str, name: str, /, **values: str) -> subprocess.CompletedProcess[str]:
        """Run a step's text; `values` has to give each variable that the step itself sets."""
        entry = step(job, name)
        given = self.environment | values
        assert set(entry.get("env", {})) <= set(given), "the step sets a variable that the test does not give"
        shell = WORKFLOW["defaults"]["run"]["shell"].split()
        script = self.folder / "step.sh"
        script.write_text(entry["run"])
        return subprocess.run(
            [part.replace("{0}", str(script)) for part in shell],
            cwd=self.checkout,
            env=given,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def outputs(self) -> dict[str, str]:
        """Outputs that steps have set."""
        lines = Path(self.environment["GITHUB_OUTPUT"]).read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)

    def summary(self) -> str:
        """The job's summary."""
        return Path(self.environment["GITHUB_STEP_SUMMARY"]).read_text()


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    runner = Runner(tmp_path)
    for folder in (runner.programs, runner.temp, runner.checkout):
        folder.mkdir()
    for name in (".github", ".venv"):
        (runner.checkout / name).symlink_to(ROOT / name)
    files = {name: tmp_path / name.lower() for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    for file in files.values():
        file.touch()
    runner.environment = {name: str(file) for name, file in files.items()} | {
        "PATH": os.pathsep.join([str(runner.programs), str(Path(sys.executable).parent), os.defpath]),
        "HOME": str(tmp_path),
        "RUNNER_TEMP": str(runner.temp),
        "PYTHONDONTWRITEBYTECODE": "1",
        "GITHUB_EVENT_NAME": "pull_request",
        "GITHUB_REPOSITORY": REPOSITORY,
        "GITHUB_SERVER_URL": "https://github.example",
        "GITHUB_RUN_ID": "77",
        "GITHUB_RUN_ATTEMPT": "1",
    }
    return runner


def script(name: str) -> ModuleType:
    """One of the workflow's Python programs, imported as it is when it runs."""
    sys.path.insert(0, str(SCRIPTS))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(SCRIPTS))


Call = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def call(runner: Runner, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Runs one of the programs in this process, which spares its start: `call(name, argument, **environment)`."""

    def in_process(name: str, argument: str, **values: str) -> subprocess.CompletedProcess[str]:
        for key, value in (runner.environment | values).items():
            monkeypatch.setenv(key, value)
        monkeypatch.setattr(sys, "argv", [name, argument])
        capsys.readouterr()
        code = script(name).main()
        captured = capsys.readouterr()
        return subprocess.CompletedProcess([name], code, captured.out, captured.err)

    return in_process


@pytest.fixture
def github(runner: Runner) -> Iterator[GitHubService]:
    """A GitHub that holds requests against its own description, and the job's token for it."""
    with github_service() as service:
        runner.environment |= {
            "GITHUB_API_URL": service.url,
            "GITHUB_TOKEN": WORKFLOW_TOKEN,
            "GITHUB_REPOSITORY": GITHUB_REPOSITORY,
        }
        yield service
    assert service.faults == []
