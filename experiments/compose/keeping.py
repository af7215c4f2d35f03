"""Backup, restore and upgrade as docs/deployment.md writes them, and the end of it all."""

from collections.abc import Iterator
from pathlib import Path

from experiments.claims import Claim
from experiments.compose.engine import lines
from experiments.compose.stack import PROJECT, Stack

HISTORY, RESTORED = "loadtest_history", "history_restored"
COUNTS = """SELECT relname, (xpath('/row/n/text()', query_to_xml(
    format('SELECT count(*) AS n FROM loadtest.%I', relname), false, true, '')))[1] AS n
FROM pg_class WHERE relnamespace = 'loadtest'::regnamespace AND relkind = 'r' ORDER BY 1"""
"""Rows of each of the history's tables, counted, not estimated."""


def keeping(stack: Stack, name: str) -> Iterator[Claim]:
    """The history is dumped and restored beside itself; the migration runs a second time over all there is."""
    yield _roles(stack, name)
    before = _counts(stack, HISTORY)
    dump = stack.env_file.with_name("history.dump")
    _dump(stack, dump)
    _sql(stack, "postgres", f"CREATE DATABASE {RESTORED} OWNER loadtest")
    _restore(stack, dump)
    restored, size = _counts(stack, RESTORED), dump.stat().st_size
    _sql(stack, "postgres", f"DROP DATABASE {RESTORED}")
    rows = sum(int(line.rpartition("|")[2]) for line in before)
    measured = f"{len(before)} tables, {rows} rows, dump of {size} bytes; restored: {len(restored)} tables"
    ok = before == restored and rows > 0
    yield Claim(name, "the history, dumped and restored into an empty database, is the same", "equal", measured, ok)
    yield _upgrade(stack, before, name)


def _sql(stack: Stack, database: str, statement: str) -> list[str]:
    command = ("psql", "-U", "postgres", "-d", database, "-v", "ON_ERROR_STOP=1", "-Atc", statement)
    return list(lines(stack.must("exec", "-T", "postgres", *command)))


def _counts(stack: Stack, database: str) -> list[str]:
    return _sql(stack, database, COUNTS)


def _dump(stack: Stack, dump: Path) -> None:
    with dump.open("wb") as file:
        stack.piped("exec", "-T", "postgres", "pg_dump", "-U", "postgres", "--format=custom", HISTORY, out=file)


def _restore(stack: Stack, dump: Path) -> None:
    command = ("pg_restore", "-U", "postgres", "--single-transaction", f"--dbname={RESTORED}")
    with dump.open("rb") as file:
        stack.piped("exec", "-T", "postgres", *command, into=file)


def _roles(stack: Stack, name: str) -> Claim:
    """Over TCP with the right password, each into its own database and into the other's."""
    roles = {"airflow": ("AIRFLOW_DB_PASSWORD", "airflow"), "loadtest": ("HISTORY_DB_PASSWORD", HISTORY)}
    found = []
    for role, (secret, own) in roles.items():
        for database in ("airflow", HISTORY, "postgres"):
            url = f"postgresql://{role}:{stack.values[secret]}@postgres:5432/{database}"
            done = stack.compose("exec", "-T", "postgres", "psql", url, "-Atc", "SELECT 1")
            found.append((role, database, done.code == 0, database == own))
    opened = [f"{role}: {database}" for role, database, opens, _ in found if opens]
    claim = "Airflow's role and the history's may open their own database only"
    ok = all(opens == may for *_, opens, may in found)
    return Claim(name, claim, "airflow: airflow, loadtest: loadtest_history", ", ".join(opened), ok)


def _upgrade(stack: Stack, before: list[str], name: str) -> Claim:
    """The services replaced by new containers, migration first; the volumes stay."""
    stack.must("up", "--detach", "--no-build", "--force-recreate", "--scale", "locust-worker=2")
    ill = stack.until_well()
    after = _counts(stack, HISTORY)
    measured = f"{len(ill)} not healthy; history {'the same' if after == before else 'another'}"
    claim = "an upgrade: migration over existing data, then new containers; the history stays"
    return Claim(name, claim, "all healthy, the same", measured, not ill and after == before)


def end(stack: Stack, name: str) -> Claim:
    """`down -v`, then what the daemon still knows of the project."""
    stack.must("down", "--volumes", "--remove-orphans")
    label = f"label=com.docker.compose.project={PROJECT}"
    kinds = {"containers": ("ps", "--all"), "volumes": ("volume", "ls"), "networks": ("network", "ls")}
    left = {
        kind: len(lines(stack.docker.must(*words, "--quiet", "--filter", label))) for kind, words in kinds.items()
    }
    measured = ", ".join(f"{kind} {count}" for kind, count in left.items())
    expected = "containers 0, volumes 0, networks 0"
    return Claim(name, "down -v leaves nothing", expected, measured, measured == expected)
