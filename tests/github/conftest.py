"""A job of the workflow on this machine: its steps' own text, GitHub's files, stand-ins for GitHub and its programs."""

import importlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from tests.embedded.conftest import airflow_api  # noqa: F401 - a fixture of these tests too

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


@dataclass
class GitHub:
    """The part of GitHub's API that the workflow uses; it refuses a request that the real one would refuse."""

    url: str = ""
    comments: list[dict[str, Any]] = field(default_factory=list)
    pages: dict[str, Any] | None = None
    problems: list[int] = field(default_factory=list)  # statuses to give before any answer
    requests: list[str] = field(default_factory=list)

    def answer(self, method: str, path: str, query: dict[str, list[str]], body: Any) -> tuple[int, Any]:
        self.requests.append(f"{method} {path}")
        if self.problems:
            return self.problems.pop(0), {"message": "no"}
        place = path.removeprefix(f"/repos/{REPOSITORY}")
        if (method, place) == ("GET", "/pages") and self.pages is not None:
            return 200, self.pages
        if (method, place) == ("GET", "/issues/5/comments"):
            size, page = int(query["per_page"][0]), int(query["page"][0])
            return 200, self.comments[(page - 1) * size : page * size]
        if method in ("POST", "PATCH"):
            return self.write(method, place, body)
        return 404, {"message": "Not Found"}

    def write(self, method: str, place: str, body: Any) -> tuple[int, Any]:
        if set(body) != {"body"} or not 0 < len(body["body"]) <= 65536:
            return 422, {"message": "Validation Failed"}
        if (method, place) == ("POST", "/issues/5/comments"):
            self.add("github-actions[bot]", body["body"])
            return 201, self.comments[-1]
        for comment in self.comments:
            if (method, place) == ("PATCH", f"/issues/comments/{comment['id']}"):
                comment["body"] = body["body"]
                return 200, comment
        return 404, {"message": "Not Found"}

    def add(self, author: str, body: str) -> None:
        self.comments.append({"id": 1000 + len(self.comments), "user": {"login": author}, "body": body})


@pytest.fixture
def github(runner: Runner) -> Iterator[GitHub]:
    api = GitHub()

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            parts = urlsplit(self.path)
            size = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(size)) if size else None
            allowed = self.headers.get("Authorization") == "Bearer job-token"
            found = api.answer(self.command, parts.path, parse_qs(parts.query), body) if allowed else (401, {})
            content = json.dumps(found[1]).encode()
            self.send_response(found[0])
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = _serve  # noqa: N815 - the base class's names

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    api.url = f"http://127.0.0.1:{server.server_address[1]}"
    runner.environment |= {"GITHUB_API_URL": api.url, "GITHUB_TOKEN": "job-token"}
    yield api
    server.shutdown()
    server.server_close()
    thread.join(5)
