"""A real environment under attack: every route and role, orders over the API, a production host, and secrets that leak.

One run is made to its end: a confirmed one against a production host, with a secret of its own in every connection.
"""

import json
import os
import secrets
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psycopg2
import redis
from psycopg2 import sql

from experiments.claims import Claim, Say
from experiments.environment import NOT_COPIED, Environment, uninterrupted
from include.embedded.airflow import METADATA_DATABASE, connection_json
from include.embedded.environment import running_state
from include.embedded.postgres import running_postgres
from include.embedded.state import CHECKOUT, EmbeddedError
from include.loadtest.orchestration.settings import work_root
from tests.helpers.hostile import SMOKE, canaries
from tests.helpers.listeners import listener, redirect_to

ROLES = ("viewer", "user", "op", "admin")
OPERATOR, HOST, TARGET, DAG = "op", "localhost", "live", "load_test_manual"
ENDED_WITHIN_S, REFUSED_WITHIN_S = 900.0, 900.0
CHANGING = ("POST", "PUT", "PATCH", "DELETE")
ACT = {"X-Loadtest": "1", "Sec-Fetch-Site": "same-origin"}
ENCRYPTED = ("connection", "variable")
"""Tables in which Airflow keeps secrets, encrypted with its key."""


@dataclass
class Attack:
    """The environment, its users' logins, and what must not be seen. `seen`: what processes were started as."""

    environment: Environment
    url: str
    tokens: Mapping[str, str]
    canary: Path
    hidden: dict[str, str] = field(default_factory=dict)
    seen: dict[int, tuple[str, str]] = field(default_factory=dict)
    user_tokens: dict[str, str] = field(default_factory=dict)

    def call(self, method: str, path: str, role: str | None, **options: Any) -> httpx.Response:
        """One request with a role's login."""
        headers = {**options.pop("headers", {})}
        if role:
            headers["Authorization"] = f"Bearer {self.tokens[role]}"
        return httpx.request(method, self.url + path, headers=headers, timeout=60, trust_env=False, **options)

    def trigger(self, role: str, run_id: str, conf: Mapping[str, Any], dag_id: str = DAG) -> httpx.Response:
        """Start a DAG run."""
        body = {"dag_run_id": run_id, "logical_date": None, "conf": dict(conf)}
        return self.call("POST", f"/api/v2/dags/{dag_id}/dagRuns", role, json=body)

    def manifest_of(self, reason: str) -> tuple[Path, dict[str, Any]] | None:
        """Bundle and manifest of the run that was made for a reason."""
        for path in sorted(self.environment.results.glob("*/manifest.json")):
            with suppress(OSError, ValueError):
                found = json.loads(path.read_text(encoding="utf-8"))
                if (found.get("parameters") or {}).get("reason") == reason:
                    return path.parent, found
        return None

    def refusal_of(self, reason: str) -> str:
        """What preflight said."""
        _until(f"a refusal of the run for {reason!r}", lambda: self._fault(reason) is not None, REFUSED_WITHIN_S)
        return str(self._fault(reason))

    def _fault(self, reason: str) -> str | None:
        found = self.manifest_of(reason)
        faults = (found[1].get("faults") or {}) if found else {}
        return faults["preflight"]["text"] if "preflight" in faults else None


def claims(name: str, say: Say) -> Iterator[Claim]:
    """In an order that lets the slow run go on while routes are tried."""
    with _attacked(say) as attack, ExitStack() as open_:
        forbidden = open_.enter_context(listener("127.0.0.2"))
        away = open_.enter_context(listener("127.0.0.1", answer=redirect_to(f"http://127.0.0.2:{forbidden.port}/")))
        _plant(attack, away.port)
        watch = open_.enter_context(_watched(attack))
        say("a production host, asked for by several users")
        text = "{{ 7 * 7 }} {{ macros.os.system('x') }} " + canaries(attack.canary)[0]
        order = {"profile": "smoke", "users": 2, "duration_s": 5, "target": TARGET, "reason": text}
        answer = attack.trigger(OPERATOR, "confirmed", {**order, "confirm_production": HOST})
        refused = _refused_orders(attack)
        say("every route and role")
        yield _routes(name, attack)
        yield _other_sites(name, attack)
        yield _orders(name, attack)
        yield from _production(name, attack, refused)
        say("a confirmed run with a secret in every connection")
        yield _confirmed(name, attack, answer, text)
        watch.set()
        say("looking for secrets")
        yield _leaks(name, attack)
        yield Claim(
            name,
            "Slack's server sends the token elsewhere: requests that it got; connections elsewhere",
            "some; 0",
            f"{away.connections}; {forbidden.connections}",
            away.connections > 0 and forbidden.connections == 0,
        )


@contextmanager
def _attacked(say: Say) -> Iterator[Attack]:
    folder = Path(tempfile.mkdtemp(prefix="loadtest-prove-"))
    environment = Environment(folder / "checkout", say, {})
    try:
        shutil.copytree(CHECKOUT, environment.folder, ignore=NOT_COPIED)
        (environment.folder / ".venv").symlink_to(CHECKOUT / ".venv")
        _set_up(environment.folder)
        say("starting an environment of its own, with a user of each role and a target on a production host")
        environment.up()
        state = running_state(environment.layout)
        if state is None:
            raise EmbeddedError("the environment does not run")
        passwords = _passwords(environment)
        tokens = {role: _login(state.url, role, passwords[role]) for role in ROLES}
        hidden = {f"password of {role}": passwords[role] for role in ROLES}
        hidden |= {f"login of {role}": token for role, token in tokens.items()}
        hidden |= json.loads(environment.layout.secrets_file.read_text(encoding="utf-8"))
        yield Attack(environment, state.url, tokens, folder / "canary", hidden)
    finally:
        with uninterrupted():
            say("stopping it")
            environment.down()
            shutil.rmtree(folder, ignore_errors=True)


def _set_up(checkout: Path) -> None:
    """Users and a target, as whoever installs it would write them into files."""
    file = checkout / "include" / "embedded" / "airflow.py"
    users = ",".join(f"{role}:{role}" for role in ROLES)
    file.write_text(file.read_text(encoding="utf-8").replace('f"{USER}:admin"', f'"{users}"'), encoding="utf-8")
    targets = checkout / "include" / "profiles" / "targets"
    live = (targets / "demo.yaml").read_text(encoding="utf-8").replace("name: demo", f"name: {TARGET}")
    own = f"production_hosts: [{HOST}]\nproduction_operators: [{OPERATOR}]\n"
    (targets / f"{TARGET}.yaml").write_text(live + own, encoding="utf-8")


def _passwords(environment: Environment) -> dict[str, str]:
    """Airflow makes one for each user, and says them in a private file."""
    found: dict[str, str] = json.loads(environment.layout.passwords_file.read_text(encoding="utf-8"))
    return found


def _login(url: str, user: str, password: str) -> str:
    answer = httpx.post(f"{url}/auth/token", json={"username": user, "password": password}, timeout=60, trust_env=False)
    return str(answer.raise_for_status().json()["access_token"])


def _plant(attack: Attack, port: int) -> None:
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


def _refused_orders(attack: Attack) -> dict[str, tuple[httpx.Response, str]]:
    """Orders against the production host by who may not, or not like that; the answer of Airflow, and the reason."""
    short = {"profile": "smoke", "users": 2, "duration_s": 5, "target": TARGET}
    wanted: dict[str, tuple[str, str, dict[str, Any]]] = {
        "a viewer": ("viewer", DAG, {**short, "confirm_production": HOST}),
        "another user": ("user", DAG, {**short, "confirm_production": HOST}),
        "the operator without the name": (OPERATOR, DAG, short),
    }
    return {
        who: (attack.trigger(role, f"refused-{number}", {**conf, "reason": who}, dag_id), who)
        for number, (who, (role, dag_id, conf)) in enumerate(wanted.items())
    }


def _production(name: str, attack: Attack, orders: Mapping[str, tuple[httpx.Response, str]]) -> Iterator[Claim]:
    expected = {
        "a viewer": "HTTP 403",
        "another user": f"user may not confirm it, but {OPERATOR}",
        "the operator without the name": f"type confirm_production: {HOST}",
    }
    for who, (answer, reason) in orders.items():
        said = f"HTTP {answer.status_code}"
        if answer.status_code == 200:
            said = attack.refusal_of(reason)
        right = expected[who] in said and "\n" not in said
        yield Claim(name, f"a run against a production host by {who}", f"…{expected[who]}…", said[-160:], right)


def _own_routes() -> list[tuple[str, str]]:
    from include.loadtest.orchestration.web.app import create_app

    found = []
    for route in create_app().routes:
        parts = ["x" if part.startswith("{") else part for part in route.path.split("/")]  # type: ignore[attr-defined]
        found += [(method, "/loadtest" + "/".join(parts)) for method in sorted(route.methods)]  # type: ignore[attr-defined]
    return found


def _routes(name: str, attack: Attack) -> Claim:
    """Nobody without a login; reading for every role; changing for all but viewers."""
    wrong, tried, bare = [], 0, 0
    for method, path in _own_routes():
        is_action = method in CHANGING and path != "/loadtest/x"
        for role in (None, *ROLES):
            answer = attack.call(method, path, role, headers=ACT, json={})
            tried += 1
            bare += "content-security-policy" not in answer.headers or "x-content-type-options" not in answer.headers
            refused = answer.status_code in (401, 403)
            allowed = role is not None and not (is_action and role == "viewer")
            right = (answer.status_code == 401) if role is None else refused is not allowed
            if not right or answer.status_code in (500, 502, 504):
                wrong.append(f"{method} {path} as {role or 'nobody'}: {answer.status_code}")
    return Claim(
        name,
        f"every route of the pages, as nobody and as {', '.join(ROLES)}, on Airflow's real server: wrong answers; "
        "answers without security headers",
        "0; 0",
        f"{len(wrong)} of {tried}{': ' + '; '.join(wrong[:5]) if wrong else ''}; {bare}",
        not wrong and not bare and tried > 100,
    )


def _other_sites(name: str, attack: Attack) -> Claim:
    """What another site's page can make a browser send, with the administrator's cookie."""
    forged: tuple[dict[str, str], ...] = (
        {},
        {"Content-Type": "text/plain", "Origin": "https://evil.example"},
        {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "cross-site"},
        {"Content-Type": "application/json", "X-Loadtest": "1", "Sec-Fetch-Site": "cross-site"},
        {"Content-Type": "application/json", "X-Loadtest": "1", "Sec-Fetch-Site": "same-site"},
    )
    changing = [path for method, path in _own_routes() if method == "POST" and path != "/loadtest/x"]
    status = []
    for action in ("propose", "pin", "retire", "mark"):
        for headers in forged:
            for path in changing:
                cookie = {"_token": attack.tokens["admin"]}
                url = attack.url + path.replace("/x", f"/{action}")
                answer = httpx.post(url, headers=headers, cookies=cookie, content=b"{}", timeout=60, trust_env=False)
                status.append(answer.status_code)
    refused = status.count(403)
    claim = "changes that another site's page asks for with the administrator's login: refused"
    return Claim(name, claim, f"all of {len(status)}", f"{refused}", refused == len(status) and refused > 0)


def _orders(name: str, attack: Attack) -> Claim:
    """Parameters that the form would not let pass, over the API with a login that may start runs."""
    wrong = _wrong_parameters(attack.canary)
    answers = [attack.trigger(OPERATOR, f"hostile-{number}", conf) for number, conf in enumerate(wrong)]
    taken = [str(conf)[:60] for conf, answer in zip(wrong, answers, strict=True) if answer.status_code < 400]
    texts = {
        "a tag": SMOKE.replace("title: Smoke", f"title: !!python/object/apply:os.system ['touch {attack.canary}']"),
        "a bomb": "a0: &a0 [x,x,x,x,x,x,x,x,x]\n"
        + "".join(f"a{level}: &a{level} [{','.join([f'*a{level - 1}'] * 9)}]\n" for level in range(1, 10)),
    }
    said = []
    for what, text in texts.items():
        conf = {"profile": None, "profile_yaml": text, "reason": f"{what} in a profile", "target": "demo"}
        if attack.trigger(OPERATOR, f"hostile-{what.replace(' ', '-')}", conf).status_code == 200:
            said.append(_log_of_preflight(attack, f"hostile-{what.replace(' ', '-')}"))
    refused = sum(400 <= answer.status_code < 500 for answer in answers)
    clear = sum("profile_yaml:" in line for line in said)
    return Claim(
        name,
        "hostile parameters over Airflow's API: refused there; profiles as text with a tag that runs a program and "
        "with aliases of aliases: refused by preflight in a line; programs that ran",
        f"{len(answers)} of {len(answers)}; 2 of 2; 0",
        f"{refused} of {len(answers)}{f' (taken: {taken})' if taken else ''}; {clear} of {len(texts)}; "
        f"{int(attack.canary.exists())}",
        refused == len(answers) and clear == len(texts) and not attack.canary.exists(),
    )


def _wrong_parameters(canary: Path) -> list[dict[str, Any]]:
    """One wrong value each."""
    values: dict[str, tuple[Any, ...]] = {
        "profile": (*canaries(canary)[:4], "../../etc/passwd", "smoke.yaml", "\x00"),
        "target": (*canaries(canary)[:4], "../demo", None, 1, ["demo"], {"$ne": 1}),
        "suite": ("../weekly", "$(id)", 3, []),
        "users": (0, -1, 10**30, "1; id", 1.5, True, [1], {"a": 1}),
        "duration_s": (0, -5, 10**12, "60", "$(id)"),
        "engine": ("locust; id", "k6\n", 7),
        "reason": ("x" * 501, ["x"], {"a": "b"}, 5),
        "ignore_blackout": ("yes", 1, []),
        "profile_yaml": ("x" * 65537, ["a"], 5),
        "confirm_production": ("x" * 501, ["localhost"], True),
    }
    return [{name: value} for name, wrong in values.items() for value in wrong]


def _log_of_preflight(attack: Attack, run_id: str) -> str:
    """The log of the task that refuses a run without a valid profile: such a run has no manifest."""
    path = f"/api/v2/dags/{DAG}/dagRuns/{run_id}/taskInstances/preflight"
    _until(f"the end of preflight of {run_id}", lambda: _state(attack, path) in ("failed", "success"), REFUSED_WITHIN_S)
    return attack.call("GET", f"{path}/logs/1", "admin", params={"map_index": -1}).text


def _state(attack: Attack, path: str) -> str:
    answer = attack.call("GET", path, "admin")
    return str(answer.json().get("state")) if answer.status_code == 200 else ""


def _confirmed(name: str, attack: Attack, answer: httpx.Response, text: str) -> Claim:
    """The named operator who types the host's name; the reason stays text in every place."""
    path = f"/api/v2/dags/{DAG}/dagRuns/confirmed"
    if answer.status_code == 200:
        _until("the end of the confirmed run", lambda: _state(attack, path) in ("success", "failed"), ENDED_WITHIN_S)
    found = attack.manifest_of(text)
    bundle = found[0] if found else None
    verdict, samples = "none", 0
    if bundle and (bundle / "verdict.json").exists():
        verdict = str(json.loads((bundle / "verdict.json").read_text(encoding="utf-8"))["verdict"])
        samples = len(list((bundle / "samples").glob("*.parquet")))
    return Claim(
        name,
        "a run against a production host by the operator who types its name: load was sent; a template and a command "
        "in its reason: kept as text; programs that ran",
        "yes; yes; 0",
        f"{'yes' if samples else 'no'} (verdict {verdict}); {'yes' if found else 'no'}; {int(attack.canary.exists())}",
        samples > 0 and found is not None and not attack.canary.exists(),
    )


@contextmanager
def _watched(attack: Attack) -> Iterator[threading.Event]:
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


def _leaks(name: str, attack: Attack) -> Claim:
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


def _until(what: str, happened: Callable[[], bool], limit_s: float) -> None:
    deadline_s = time.monotonic() + limit_s
    while not happened():
        if time.monotonic() > deadline_s:
            raise EmbeddedError(f"did not happen within {limit_s:.0f} s: {what}")
        time.sleep(1.0)
