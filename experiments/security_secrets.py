"""Secrets that stand in every connection of an attacked environment, and where they must not be found after a run."""

import json
import os
import secrets
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg2
import redis
from psycopg2 import sql

from experiments.claims import Claim
from experiments.environment import Environment
from experiments.security_attack import HOST, TARGET, Attack
from include.embedded.airflow import METADATA_DATABASE, connection_json
from include.embedded.postgres import running_postgres
from include.embedded.state import EmbeddedError
from include.loadtest.orchestration.settings import work_root

ENCRYPTED = ("connection", "variable")
"""Tables in which Airflow keeps secrets, encrypted with its key."""


def plant(attack: Attack, port: int) -> None:
    """A secret in every connection that a run may use, by the API, as an administrator does."""
    environment = attack.environment
    ready = json.loads((environment.layout.demo_target / "ready.json").read_text(encoding="utf-8"))
    own = {part: f"canary-{part}-{secrets.token_hex(8)}" for part in ("db", "monitor", "redis", "llm", "prometheus")}
    own |= {"slack": f"xoxb-{secrets.token_hex(12)}", "github": f"ghp_{secrets.token_hex(18)}"}
    with closing(redis.Redis.from_url(environment.target_redis().url)) as client:
        client.acl_setuser(
            "planted", enabled=True, passwords=[f"+{own['redis']}"], keys=["*"], channels=["*"], categories=["+@all"]
        )
    database = json.loads(connection_json(ready["database_url"]))
    llm = json.loads(connection_json(ready["llm_url"]))
    cache = json.loads(connection_json(ready["redis_url"]))
    base = json.loads(connection_json(ready["base_url"]))
    given: dict[str, dict[str, Any]] = {
        f"loadtest_target__{TARGET}": {**base, "host": HOST, "schema": "http"},
        f"loadtest_target_db__{TARGET}": {**database, "password": own["db"]},
        f"loadtest_target_monitor__{TARGET}": {**database, "password": own["monitor"]},
        f"loadtest_target_redis__{TARGET}": {**cache, "login": "planted", "password": own["redis"]},
        f"loadtest_llm__{TARGET}": {**llm, "schema": "http", "login": "reader", "password": own["llm"]},
        "loadtest_prometheus": {"conn_type": "http", "host": "127.0.0.1", "port": 1, "password": own["prometheus"]},
        "loadtest_slack": {
            "conn_type": "http",
            "password": own["slack"],
            "extra": json.dumps({"channel": "C0123456789", "base_url": f"http://127.0.0.1:{port}/api/"}),
        },
        "loadtest_github": {
            "conn_type": "http",
            "host": f"http://127.0.0.1:{port}",
            "password": own["github"],
            "extra": json.dumps({"repository": "studio/app"}),
        },
    }
    for connection_id, fields in given.items():
        body = {"connection_id": connection_id, **fields}
        attack.call("POST", "/api/v2/connections", "admin", json=body).raise_for_status()
    attack.hidden |= {f"connection's {part}": secret for part, secret in own.items()}


@contextmanager
def watched(attack: Attack) -> Iterator[threading.Event]:
    """Keeps what the environment's processes were started as, and the test users' tokens while they are there."""
    over = threading.Event()
    thread = threading.Thread(target=_watch, args=(attack, over), daemon=True)
    thread.start()
    try:
        yield over
    finally:
        over.set()
        thread.join(30)


def _watch(attack: Attack, over: threading.Event) -> None:
    mark = str(attack.environment.folder)
    while not over.wait(0.4):
        for path in Path("/proc").iterdir():
            if path.name.isdigit() and int(path.name) != os.getpid():
                with suppress(OSError):
                    given = (path / "environ").read_bytes().decode(errors="replace")
                    line = (path / "cmdline").read_bytes().decode(errors="replace")
                    if mark in given or mark in line:
                        attack.seen[int(path.name)] = (line, given)
        for file in work_root().glob("*/sessions.json"):
            with suppress(OSError, ValueError, AttributeError):
                run_id = file.parent.name
                for number, entry in json.loads(file.read_text(encoding="utf-8")).items():
                    for key in ("user_token", "session_token"):
                        attack.user_tokens[f"{key} {number} of {run_id}"] = entry[key]


def leaks(name: str, attack: Attack) -> Claim:
    """Files, tables and processes in which a secret stands that must not be there."""
    bundles = {path.name for path in attack.environment.bundles()}
    tokens = {key: value for key, value in attack.user_tokens.items() if key.rpartition(" ")[2] in bundles}
    hidden = {**attack.hidden, **tokens}
    control = "smoke-2"
    places = {"file": _in_files(attack.environment), "table": _in_tables(attack.environment)}
    generators = [(line, given) for line, given in attack.seen.values() if "locust" in line or "include.k6" in line]
    places["arguments"] = {line[:60]: line for line, _ in attack.seen.values()}
    places["a generator's environment"] = {line[:60]: given for line, given in generators}
    hits = [
        f"{what} in {kind} {where}"
        for kind, found in places.items()
        for where, text in found.items()
        for what, secret in hidden.items()
        if secret in text
    ]
    seen = {kind: sum(control in text for text in places[kind].values()) for kind in ("file", "table")}
    return Claim(
        name,
        f"{len(hidden)} secrets (connections, Airflow's keys, users' passwords and logins, {len(tokens)} test users' "
        "tokens) after a run: found in logs, bundles, reports, tables of both databases but Airflow's encrypted ones, "
        "arguments of processes, environment of generators; control: places with the run's id",
        "0; files and tables",
        f"{len(hits)}{': ' + '; '.join(sorted(set(hits))[:6]) if hits else ''}; "
        f"{seen['file']} of {len(places['file'])} files, {seen['table']} of {len(places['table'])} tables; "
        f"{len(attack.seen)} processes, {len(generators)} of generators",
        not hits and all(seen.values()) and len(generators) > 0 and len(tokens) > 0,
    )


def _in_files(environment: Environment) -> dict[str, str]:
    """Everything that was written but the databases' own files, and the two private ones that hold the keys."""
    layout = environment.layout
    private = {layout.secrets_file, layout.passwords_file}
    roots = (layout.logs, environment.results, layout.airflow_home)
    files = [path for root in roots for path in root.rglob("*") if path.is_file()]
    files += list(environment.folder.glob("*.log"))
    found = {}
    for path in files:
        if path not in private:
            with suppress(OSError):
                found[str(path.relative_to(environment.folder))] = path.read_bytes().decode("latin-1")
    return found


def _in_tables(environment: Environment) -> dict[str, str]:
    """Every row of every table, as text: Airflow's but the encrypted ones, and the history's."""
    server = running_postgres(environment.layout.postgres)
    if server is None:
        raise EmbeddedError("PostgreSQL does not run")
    airflow = _rows(server.url(METADATA_DATABASE), ENCRYPTED)
    return {**{f"airflow.{key}": text for key, text in airflow.items()}, **_rows(environment.history_url, ())}


def _rows(url: str, left_out: tuple[str, ...]) -> dict[str, str]:
    found = {}
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute("""SELECT table_schema, table_name FROM information_schema.tables
            WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')""")
        for schema, table in cursor.fetchall():
            if table not in left_out:
                cursor.execute(sql.SQL("SELECT t::text FROM {} AS t").format(sql.Identifier(schema, table)))
                found[f"{schema}.{table}"] = "\n".join(str(row[0]) for row in cursor.fetchall())
    return found
