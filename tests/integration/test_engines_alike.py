"""What both engines make of a scenario whose own code raises an error, and of a target that compresses its answers."""

import gzip
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from include.loadtest.profile.vocabulary import ENGINES
from include.loadtest.reasons import REASON_CODES

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
ANSWER = {"id": 1, "email": "a", "status": "x", "plan_slug": "b", "window_5h": {}, "invoices": [], "total": 0}
HOLD_S = 60
RUN = """
import json, sys
from pathlib import Path
import duckdb
from include.loadtest.bundle import Bundle
from include.loadtest.profile import Profile, find_profile, load_profile
from include.loadtest.runners.engines import run_load
from include.loadtest.runners.generator import LoadRequest, load_reasons

engine, base_url, work, changes = sys.argv[1:]
work = Path(work)
data = load_profile(find_profile("smoke")).model_dump() | json.loads(changes) | {"engine": engine, "ramp_up_s": 0}
data |= {"users": 3, "slos": (), "think_time_s": {"min": 0.05, "max": 0.1}}
profile = Profile.model_validate(data)
bundle = Bundle(work / "smoke-alike")
request = LoadRequest(bundle, profile, base_url, "/api/v1", False, work / "sessions.json", (1, 2, 3), work, ("20121",))
result = run_load(request, lambda line: None)
query = f"SELECT scenario, outcome, error, bytes FROM '{bundle.samples_dir}/*.parquet'"
reasons = [(reason.code, reason.text) for reason in load_reasons(profile, result.document())]
duration_s = (result.ended - result.started).total_seconds()
found = {"rows": duckdb.sql(query).fetchall(), "reasons": reasons, "completed": result.completed, "took_s": duration_s}
print(json.dumps(found))
"""
FAILING = {
    "broken_call": (
        'def next_call(user):\n    raise KeyError("\\x1b[31m" + 500 * "é")\n',
        "export function broken_call(user) { throw new RangeError('\\x1b[31m' + 'é'.repeat(500)); }\n",
        {"locust": "KeyError", "k6": "RangeError"},
    ),
    "broken_check": (
        "from include.locustfiles.call import Call\n\n\ndef next_call(user):\n"
        '    return Call("broken", "GET", "/users/me", lambda reply: reply.json()["nothing"]["there"])\n',
        "export function broken_check(user) {\n"
        "  return makeCall('broken', 'GET', '/users/me', (reply) => reply.json().nothing.there);\n}\n",
        {"locust": "KeyError", "k6": "TypeError"},
    ),
    "no_call": (
        "def next_call(user):\n    return None\n",
        "export function no_call(user) {}\n",
        {"locust": "TypeError", "k6": "TypeError"},
    ),
}
"""A scenario for Locust, the same for k6, and the error that each of them raises."""


class Target(BaseHTTPRequestHandler):
    """Answers what users read; compressed, where that is asked for."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    asked: ClassVar[Counter[str]] = Counter()

    def do_GET(self) -> None:
        body = json.dumps(ANSWER).encode()
        encoding = self.headers.get("Accept-Encoding", "")
        self.asked[encoding] += 1
        self.send_response(200)
        if "gzip" in encoding:
            body = gzip.compress(body)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def base_url() -> Iterator[str]:
    Target.asked.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Target) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of include/ with the scenarios that fail."""
    root = tmp_path_factory.mktemp("tree")
    shutil.copytree(ROOT / "include", root / "include", ignore=shutil.ignore_patterns("__pycache__"))
    with (root / "include/k6/scenarios.js").open("a", encoding="utf-8") as scenarios:
        for name, (python, script, _) in FAILING.items():
            (root / f"include/locustfiles/{name}.py").write_text(f'"""Fails."""\n\n{python}', encoding="utf-8")
            scenarios.write(f"\n{script}")
    return root


def run(tree: Path, engine: str, base_url: str, work: Path, **changes: object) -> dict[str, Any]:
    entry = {"user_token": "u", "session_token": "s", "studio_id": None, "obtained_at": time.time()}
    (work / "sessions.json").write_text(json.dumps({number: {"user_id": number, **entry} for number in (1, 2, 3)}))
    command = [sys.executable, "-c", RUN, engine, base_url, str(work), json.dumps(changes)]
    environment = {**os.environ, "PYTHONPATH": str(tree)}
    ended = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, timeout=50, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    found: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", FAILING)
def test_a_scenario_that_raises_an_error_ends_the_load_and_is_named(
    tree: Path, base_url: str, tmp_path: Path, engine: str, name: str
) -> None:
    """At once, untrusted, with scenario, error and text; what was measured is kept, and nothing blames the target."""
    found = run(tree, engine, base_url, tmp_path, mix_pct={"user_operations": 95, name: 5}, duration_s=HOLD_S)
    assert (found["completed"], REASON_CODES["scenario_failed"].kind) == (False, "untrusted")
    ((code, text),) = found["reasons"]
    assert code == "scenario_failed"
    assert f"the scenario {name} raised {FAILING[name][2][engine]}: " in text
    assert text.isprintable()
    assert len(text) < 500
    assert found["took_s"] < HOLD_S / 4
    rows = [tuple(row[:3]) for row in found["rows"]]
    assert ("user_operations", "ok", None) in rows
    assert {row[1] for row in rows} <= {"ok", "censored"}
    judged = {row[2] for row in rows if row[0] == name}
    expected = {"answered, but its scenario failed before it judged the answer"} if name == "broken_check" else set()
    assert judged == expected


@pytest.mark.parametrize("engine", ENGINES)
def test_no_engine_asks_for_compressed_answers(tree: Path, base_url: str, tmp_path: Path, engine: str) -> None:
    """A target that compresses when it is asked to is read and counted as it is."""
    found = run(tree, engine, base_url, tmp_path, mix_pct={"user_operations": 100}, duration_s=2)
    assert found["completed"]
    assert {tuple(row[1:]) for row in found["rows"]} == {("ok", None, len(json.dumps(ANSWER)))}
    assert Target.asked.keys() == {"identity"}
