"""The example of docs/custom-scenarios.md, run as it stands there, beside the custom scenario that is shipped."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from include.loadtest.target.sessions import ensure_sessions
from include.loadtest.target.settings import Target, load_target_file
from include.loadtest.target.users import seed_users
from tests.helpers.demo import DemoTarget, demo_target

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "custom-scenarios.md").read_text(encoding="utf-8")
USERS = 4
TURNS = {
    "plan_usage": ("plan_usage", "plan_subscription"),
    "studio_settings": ("studio_settings_read", "studio_settings_write"),
}
"""What each scenario asks first, and then in turn."""
RUN = """
import sys
from pathlib import Path
from include.loadtest.bundle import Bundle
from include.loadtest.profile import Overrides, load_profile
from include.loadtest.runners.engines import run_load
from include.loadtest.runners.generator import LoadRequest

engine, base_url, sessions, work, users = sys.argv[1:]
numbers = tuple(map(int, users.split(",")))
overrides = Overrides(users=len(numbers), duration_s=4, engine=engine)
profile = load_profile(Path("include/profiles/with_plan_usage.yaml"), overrides)
think_time_s = profile.think_time_s.model_copy(update={"min": 0.05, "max": 0.1})
mix_pct = {"plan_usage": 50, "studio_settings": 50}  # of the document's mix, one request in twenty is plan_usage
slos = tuple(slo for slo in profile.slos if slo.scope in ("all", "scenario:plan_usage"))
changes = {"ramp_up_s": 0, "think_time_s": think_time_s, "mix_pct": mix_pct, "slos": slos}
profile = profile.model_copy(update=changes)
bundle, caps = Bundle(Path(work) / f"with_plan_usage-{engine}"), ("20121", "10121")
request = LoadRequest(bundle, profile, base_url, "/api/v1", False, Path(sessions), numbers, Path(work), caps)
result = run_load(request, print)
assert result.completed, (result, (bundle.path / "generator.log").read_text())
"""
SEPIA = """INSERT INTO settings SELECT studio_id, '{"match": false}', '{"theme": "sepia"}' FROM "user"
WHERE studio_id IS NOT NULL ON CONFLICT (studio_id) DO UPDATE SET display_preferences = '{"theme": "sepia"}'"""


def code(language: str) -> str:
    """The only block of a language in the document."""
    (block,) = re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    return str(block)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoTarget]:
    with demo_target(tmp_path_factory.mktemp("demo")) as target:
        yield target


@pytest.fixture(scope="module")
def sessions(demo: DemoTarget, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuple[int, ...]]:
    """Sessions of a few seeded users: the file, and the users' numbers."""
    target = Target.checked(load_target_file("demo"), demo.base_url, demo.database_url, demo.redis_url)
    numbers = seed_users(target, "with_plan_usage-1").usable[:USERS]
    path = tmp_path_factory.mktemp("work") / "sessions.json"
    ensure_sessions(target, numbers, path, "with_plan_usage-1")
    return path, numbers


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of include/ with what the document says to add."""
    root = tmp_path_factory.mktemp("tree")
    shutil.copytree(ROOT / "include", root / "include", ignore=shutil.ignore_patterns("__pycache__"))
    (root / "include/locustfiles/plan_usage.py").write_text(code("python"), encoding="utf-8")
    with (root / "include/k6/scenarios.js").open("a", encoding="utf-8") as scenarios:
        scenarios.write("\n" + code("js"))
    added = yaml.safe_load(code("yaml"))
    profile: dict[str, Any] = yaml.safe_load((ROOT / "include/profiles/smoke.yaml").read_text(encoding="utf-8"))
    profile |= {"name": "with_plan_usage", "mix_pct": added["mix_pct"], "slos": profile["slos"] + added["slos"]}
    (root / "include/profiles/with_plan_usage.yaml").write_text(yaml.safe_dump(profile), encoding="utf-8")
    return root


def send(tree: Path, demo: DemoTarget, sessions: tuple[Path, tuple[int, ...]], engine: str, work: Path) -> Path:
    """A short load in the copied tree; returns the folder of its samples."""
    path, numbers = sessions
    environment = {**os.environ, "PYTHONPATH": str(tree)}
    run = subprocess.run(
        [sys.executable, "-c", RUN, engine, demo.base_url, str(path), str(work), ",".join(map(str, numbers))],
        cwd=tree,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return work / f"with_plan_usage-{engine}" / "samples"


@pytest.mark.parametrize("engine", ["locust", "k6"])
def test_the_documents_scenario_runs_on_either_engine(
    tree: Path, demo: DemoTarget, sessions: tuple[Path, tuple[int, ...]], engine: str, tmp_path: Path
) -> None:
    """Its requests and those of the shipped scenario are samples, in turn and right; settings stay as they were."""
    demo.sql(SEPIA)
    before = demo.sql("SELECT * FROM settings ORDER BY studio_id")
    samples = send(tree, demo, sessions, engine, tmp_path)
    turns = duckdb.sql(
        f"SELECT scenario, list(endpoint ORDER BY iteration), list(DISTINCT outcome) FROM '{samples}/*.parquet' "
        'GROUP BY "user", scenario'
    ).fetchall()
    assert len(turns) == 2 * USERS
    for scenario, endpoints, outcomes in turns:
        assert outcomes == ["ok"]
        assert len(endpoints) >= 4
        assert endpoints == [TURNS[scenario][at % 2] for at in range(len(endpoints))]
    assert demo.sql("SELECT * FROM settings ORDER BY studio_id") == before
    assert len(before) >= USERS


def test_the_documents_refusal_is_what_is_said(tree: Path) -> None:
    """A name that does not exist, with the nearest that does, in the document's words."""
    (said,) = re.findall(r"^include/profiles/mine.yaml:15: (.*)$", TEXT, re.MULTILINE)
    check = "import sys; from include.loadtest.profile.scenarios import unknown_scenario as u; print(u(sys.argv[1]))"
    environment = {**os.environ, "PYTHONPATH": str(tree)}
    run = subprocess.run(
        [sys.executable, "-c", check, "plan_usge"],
        cwd=tree,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"mix_pct: {run.stdout.strip()}" == said
