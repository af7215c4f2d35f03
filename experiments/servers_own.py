"""What servers say of themselves, read without the project's own code, and a little load to make them say something."""

import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import psycopg2
import redis
from prometheus_client.parser import text_string_to_metric_families

from include.embedded.servers import free_port, wait_until
from tests.helpers.demo import DemoTarget

MONITORS = ("/metrics", "/health")
THINK_S = 0.7
_STATEMENTS = """
SELECT queryid, sum(calls), sum(rows) FROM pg_stat_statements
WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND query !~ 'pg_|set_config'
GROUP BY queryid
"""
"""Of the application: neither those of this module nor the collectors' own."""


@dataclass(frozen=True)
class Own:
    """Counters by `source` and metric, named as the collectors name them, at one moment (s since 1970)."""

    at_s: float
    values: dict[tuple[str, str], float]


def counters(demo: DemoTarget) -> Own:
    """All counters that a collector's reading does not move itself."""
    values = {("postgres", name): value for name, value in _postgres(demo).items()}
    with closing(redis.Redis.from_url(demo.redis_url)) as client:
        info = client.info()
    values |= {
        ("redis", name): float(info[name])
        for name in ("keyspace_hits", "keyspace_misses", "expired_keys", "evicted_keys")
    }
    values |= {("app", name): value for name, value in _application(demo).items()}
    values |= {("llm", name): value for name, value in _llm(demo.llm_url).items()}
    return Own(time.time(), values)


def _postgres(demo: DemoTarget) -> dict[str, float]:
    ((deadlocks, rollbacks, temporary),) = demo.sql(
        "SELECT deadlocks, xact_rollback, temp_files FROM pg_stat_database WHERE datname = current_database()"
    )
    values = {"deadlocks": float(deadlocks), "xact_rollback": float(rollbacks), "temp_files": float(temporary)}
    for queryid, calls, rows in demo.sql(_STATEMENTS):
        values[f'statement_calls{{queryid="{queryid}"}}'] = float(calls)
        values[f'statement_rows{{queryid="{queryid}"}}'] = float(rows)
    return values


def _samples(url: str) -> list[tuple[str, dict[str, str], float]]:
    page = httpx.get(url, trust_env=False, timeout=10).raise_for_status().text
    return [
        (sample.name, sample.labels, sample.value)
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    ]


def _application(demo: DemoTarget) -> dict[str, float]:
    values = {"user_requests_total": 0.0, "responses_5xx": 0.0, "responses_4xx": 0.0}
    for name, labels, value in _samples(f"{demo.base_url}/metrics"):
        if name == "starlette_requests_total" and not labels["path_template"].endswith(MONITORS):
            values["user_requests_total"] += value
        if name == "starlette_responses_total" and labels["status_code"][0] in "45":
            values[f"responses_{labels['status_code'][0]}xx"] += value
        if name.startswith(("db_pool_wait_seconds_", "db_pool_held_seconds_")) and name.endswith(("_sum", "_count")):
            values[name] = value
    return values | _llm(demo.base_url)


def _llm(url: str) -> dict[str, float]:
    values = {"llm_calls": 0.0, "llm_refusals": 0.0, "llm_errors": 0.0}
    for name, labels, value in _samples(f"{url}/metrics"):
        if name == "llm_requests_total":
            values["llm_calls"] += value
            values["llm_refusals"] += value if labels["status"] == "429" else 0
            values["llm_errors"] += value if labels["status"] not in ("200", "429") else 0
        if name in ("llm_request_duration_seconds_sum", "llm_request_duration_seconds_count"):
            values[name.replace("llm_request_duration", "llm_wait")] = value
    return values


def gauges(demo: DemoTarget) -> dict[tuple[str, str], float]:
    """Levels at this moment."""
    ((connections,),) = demo.sql(
        "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() "
        "AND application_name <> 'loadtest-collectors'"
    )
    with closing(redis.Redis.from_url(demo.redis_url)) as client:
        info = client.info("memory")
    process = psutil.Process(demo.pid)
    return {
        ("postgres", "connections_total"): float(connections),
        ("redis", "used_memory_bytes"): float(info["used_memory"]),
        ("process", "app_rss_bytes"): float(process.memory_info().rss),
        ("process", "app_threads"): float(process.num_threads()),
        ("host", "memory_used_bytes"): float(psutil.virtual_memory().used),
    }


def mistakes(demo: DemoTarget) -> None:
    """Three transactions that are rolled back, and one deadlock."""
    with closing(psycopg2.connect(demo.database_url)) as first, closing(psycopg2.connect(demo.database_url)) as second:
        for _ in range(3):
            first.cursor().execute("SELECT 1")
            first.rollback()
        for number, connection in ((1, first), (2, second)):
            connection.cursor().execute("SELECT pg_advisory_xact_lock(%s)", (number,))
        thread = threading.Thread(target=_lock, args=(first, 2))
        thread.start()
        _lock(second, 1)
        thread.join()


def _lock(connection: "psycopg2.extensions.connection", number: int) -> None:
    with suppress(psycopg2.errors.DeadlockDetected):
        connection.cursor().execute("SELECT pg_advisory_xact_lock(%s)", (number,))
    connection.rollback()


@contextmanager
def load(demo: DemoTarget, users: int) -> Iterator[None]:
    """So many users who ask, calculate and look at themselves until the block ends."""
    ended = threading.Event()
    sessions = [_session(demo, number) for number in range(users)]
    threads = [threading.Thread(target=_use, args=(demo, session, ended)) for session in sessions]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def _session(demo: DemoTarget, number: int) -> tuple[str, str]:
    email = f"collected-{number}@example.com"
    if not demo.sql('SELECT 1 FROM "user" WHERE email = %s', email):
        demo.add_user(email)
    user = demo.login(email)
    return user, demo.session(user)


def _use(demo: DemoTarget, tokens: tuple[str, str], ended: threading.Event) -> None:
    user, session = ({"authorization": f"Bearer {token}"} for token in tokens)
    with demo.client() as client:
        number = 0
        while not ended.wait(THINK_S):
            number += 1
            question = {
                "messages": [{"role": "user", "content": f"Che cos'è l'IVA? {number % 5}"}],
                "skip_proactivity": True,
            }
            client.post("/api/v1/chatbot/chat/stream", json=question, headers=session)
            client.post("/api/v1/italian/tax/calculate", json={"tax_type": "iva", "amount": number}, headers=session)
            client.get("/api/v1/users/me", headers=user)
            client.get("/api/v1/users/me")  # without a token: a client's error


@contextmanager
def prometheus_server(folder: Path, target_url: str) -> Iterator[str | None]:
    """A Prometheus server that scrapes the target every second; None where the program is not installed."""
    program = shutil.which("prometheus")
    if program is None:
        yield None
        return
    folder.mkdir()
    place = target_url.removeprefix("http://")
    (folder / "prometheus.yml").write_text(
        "global: {scrape_interval: 1s}\n"
        f"scrape_configs: [{{job_name: target, static_configs: [{{targets: ['{place}']}}]}}]\n"
    )
    port = free_port()
    command = [program, "--config.file", "prometheus.yml", "--storage.tsdb.path", "data"]
    command += ["--web.listen-address", f"127.0.0.1:{port}", "--log.level", "error"]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: _is_ready(f"http://127.0.0.1:{port}"), 60)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/-/ready", trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False
