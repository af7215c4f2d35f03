"""Old logs and rows, backup, restore and upgrade as docs/deployment.md writes them, and the end of it all."""

import time
from collections.abc import Iterator
from pathlib import Path

from experiments.claims import Claim
from experiments.compose.engine import lines
from experiments.compose.stack import PROJECT, Stack, write_env
from experiments.compose.standins import NEXT_VERSION, build_own
from include.embedded.inputs import MANUAL_DAG

AIRFLOW, HISTORY, RESTORED = "airflow", "loadtest_history", "history_restored"
DATABASES = (AIRFLOW, HISTORY)
"""Each is owned by the role of the same name."""
WRITERS = (
    *("api-server", "scheduler", "dag-processor", "triggerer"),
    *("worker", "load-worker", "locust-worker", "cleaner", "exporter"),
)
COUNTS = """SELECT relname, (xpath('/row/n/text()', query_to_xml(
    format('SELECT count(*) AS n FROM loadtest.%I', relname), false, true, '')))[1] AS n
FROM pg_class WHERE relnamespace = 'loadtest'::regnamespace AND relkind = 'r' ORDER BY 1"""
"""Rows of each of the history's tables, counted, not estimated."""
RUNS = f"SELECT run_id FROM dag_run WHERE dag_id = '{MANUAL_DAG}' ORDER BY start_date"  # noqa: S608 - a name of ours
RESULTS = "cd /var/lib/loadtest/results && find . -type f -exec sha256sum {} + | sort"
OLDER = "UPDATE dag_run SET start_date = start_date - interval '200 days' WHERE run_id = '{}'"
OLD_LOGS = """cd /opt/airflow/logs && mkdir -p dag_id=prove/old && touch dag_id=prove/young.log
touch -d '100 days ago' dag_id=prove/old/old.log dag_id=prove/old"""


def cleaned(stack: Stack, name: str) -> Claim:
    """A log of 100 days and a run of 200 days ago beside young ones, then the cleaner anew, which begins at once."""
    stack.must("exec", "-T", "worker", "sh", "-c", OLD_LOGS)
    old, *young = _sql(stack, AIRFLOW, RUNS)
    _sql(stack, AIRFLOW, OLDER.format(old))
    before, began_s = _counts(stack, HISTORY), time.monotonic()
    stack.must("restart", "cleaner")
    ill = stack.until_well()
    took_s = time.monotonic() - began_s
    left = stack.must("exec", "-T", "worker", "find", "/opt/airflow/logs/dag_id=prove", "-mindepth", "1").split()
    runs, same = _sql(stack, AIRFLOW, RUNS), _counts(stack, HISTORY) == before
    logs = ", ".join(Path(path).name for path in left)
    measured = f"{took_s:.0f} s; logs left: {logs}; runs of Airflow {len(young) + 1}, then {len(runs)}; "
    measured += f"history {'the same' if same else 'another'}"
    ok = not ill and logs == "young.log" and runs == young and same and bool(young)
    claim = "the cleaner removes old logs and old rows of Airflow's, and nothing else"
    return Claim(name, claim, "young.log, one run fewer, the same", measured, ok)


def keeping(stack: Stack, name: str) -> Iterator[Claim]:
    """The history is dumped and restored beside itself; then all is lost, restored and started in another version."""
    yield _roles(stack, name, "Airflow's role and the history's may open their own database only")
    before = _counts(stack, HISTORY)
    _dump(stack, HISTORY)
    _sql(stack, "postgres", f"CREATE DATABASE {RESTORED} OWNER {HISTORY}")
    _restore(stack, HISTORY, RESTORED)
    restored, size = _counts(stack, RESTORED), _dump_file(stack, HISTORY).stat().st_size
    _sql(stack, "postgres", f"DROP DATABASE {RESTORED}")
    rows = sum(int(line.rpartition("|")[2]) for line in before)
    measured = f"{len(before)} tables, {rows} rows, dump of {size} bytes; restored: {len(restored)} tables"
    ok = before == restored and rows > 0
    yield Claim(name, "the history, dumped and restored into an empty database, is the same", "equal", measured, ok)
    yield from _loss_and_upgrade(stack, before, name)


def _sql(stack: Stack, database: str, *statements: str) -> list[str]:
    options = [word for statement in statements for word in ("-c", statement)]
    command = ("psql", "-U", "postgres", "-d", database, "-v", "ON_ERROR_STOP=1", "-qAt", *options)
    return list(lines(stack.must("exec", "-T", "postgres", *command)))


def _counts(stack: Stack, database: str) -> list[str]:
    return _sql(stack, database, COUNTS)


def _dump_file(stack: Stack, database: str) -> Path:
    return stack.env_file.with_name(f"{database}.dump")


def _dump(stack: Stack, database: str) -> None:
    with _dump_file(stack, database).open("wb") as file:
        stack.piped("exec", "-T", "postgres", "pg_dump", "-U", "postgres", "--format=custom", database, out=file)


def _restore(stack: Stack, database: str, into: str) -> None:
    command = ("pg_restore", "-U", "postgres", "--single-transaction", f"--dbname={into}")
    with _dump_file(stack, database).open("rb") as file:
        stack.piped("exec", "-T", "postgres", *command, into=file)


def _tar(stack: Stack, *words: str) -> None:
    """With the volume of the results at /results and the folder of the dumps at /backup."""
    places = ("-v", f"{PROJECT}_results:/results", "-v", f"{stack.env_file.parent}:/backup")
    stack.docker.must("run", "--rm", "--network=none", *places, "debian:bookworm-slim", *words)


def _roles(stack: Stack, name: str, claim: str) -> Claim:
    """Over TCP with the right password, each into its own database and into the other's."""
    secrets = {AIRFLOW: "AIRFLOW_DB_PASSWORD", HISTORY: "HISTORY_DB_PASSWORD"}
    found = []
    for role, secret in secrets.items():
        for database in (*DATABASES, "postgres"):
            url = f"postgresql://{role}:{stack.values[secret]}@postgres:5432/{database}"
            done = stack.compose("exec", "-T", "postgres", "psql", url, "-Atc", "SELECT 1")
            found.append((role, database, done.code == 0, database == role))
    opened = [f"{role}: {database}" for role, database, opens, _ in found if opens]
    ok = all(opens == may for *_, opens, may in found)
    return Claim(name, claim, f"{AIRFLOW}: {AIRFLOW}, {HISTORY}: {HISTORY}", ", ".join(opened), ok)


def _loss_and_upgrade(stack: Stack, before: list[str], name: str) -> Iterator[Claim]:
    """Both databases and all results lost and brought back, then all services from an image of another version."""
    runs, results = _sql(stack, AIRFLOW, RUNS), stack.must("exec", "-T", "worker", "sh", "-c", RESULTS)
    _lose_and_restore(stack)
    build_own(stack.docker, NEXT_VERSION, stack.say)
    write_env(stack.env_file, {**stack.values, "LOADTEST_VERSION": NEXT_VERSION})
    stack.must("up", "--detach", "--no-build", "--scale", "locust-worker=2")
    ill, versions = stack.until_well(), _versions(stack)
    measured = f"{len(ill)} not healthy; versions of the services: {', '.join(sorted(versions))}"
    claim = "an upgrade: all services from an image of another version (of the same code), migration first"
    yield Claim(name, claim, f"0, {NEXT_VERSION}", measured, not ill and versions == {NEXT_VERSION})
    same = {
        "history": _counts(stack, HISTORY) == before,
        "Airflow's runs": _sql(stack, AIRFLOW, RUNS) == runs,
        "results": stack.must("exec", "-T", "worker", "sh", "-c", RESULTS) == results,
    }
    measured = ", ".join(f"{what} {'the same' if is_same else 'another'}" for what, is_same in same.items())
    measured += f" ({len(runs)} runs, {len(lines(results))} files)"
    claim = "after the loss of both databases and the results, the backup brings all of it back"
    yield Claim(name, claim, "all the same", measured, all(same.values()) and bool(runs) and bool(results))
    yield _roles(stack, name, "and each role may still open its own database only")


def _lose_and_restore(stack: Stack) -> None:
    for database in DATABASES:
        _dump(stack, database)
    _tar(stack, "tar", "-C", "/results", "-czf", "/backup/results.tar.gz", ".")
    stack.must("stop", *WRITERS)
    for database in DATABASES:
        made = f"CREATE DATABASE {database} OWNER {database}"
        _sql(stack, "postgres", f"DROP DATABASE {database}", made, f"REVOKE ALL ON DATABASE {database} FROM PUBLIC")
        _restore(stack, database, database)
    _tar(stack, "find", "/results", "-mindepth", "1", "-delete")
    _tar(stack, "tar", "-C", "/results", "-xzf", "/backup/results.tar.gz")


def _versions(stack: Stack) -> set[str]:
    """Of the images of the project's own services."""
    labels = [one.details["Config"]["Labels"] for one in stack.containers()]
    return {found for own in labels if (found := own.get("org.opencontainers.image.version"))}


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
