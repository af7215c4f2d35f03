"""A real demo target for tests, in a process of its own."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bcrypt
import httpx
import psycopg2

from include.embedded.postgres import running_postgres, stop_postgres
from include.embedded.valkey import running_valkey, stop_valkey

PASSWORD = "TestPassword123!"
START_TIMEOUT_S = 90
STOP_TIMEOUT_S = 60
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class DemoTarget:
    """A running demo target, as its ready.json describes it."""

    base_url: str
    database_url: str
    redis_url: str
    llm_url: str
    pid: int
    state: Path

    def client(self, **headers: str) -> httpx.Client:
        """An HTTP client that speaks to it."""
        return httpx.Client(base_url=self.base_url, headers=headers, timeout=60, trust_env=False)

    def sql(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Run one statement in its database; the rows, if it has any."""
        connection = psycopg2.connect(self.database_url)
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(statement, values or None)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def switch(self, **changes: Any) -> httpx.Response:
        """Put faults into force; the answer as it is."""
        with self.client() as client:
            return client.put("/admin/faults", json=changes)

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """For the length of a block it accepts connections and answers nothing, and then all at once."""
        os.kill(self.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.pid, signal.SIGCONT)

    def timed(self, token: str, path: str, body: dict[str, Any], timeout_s: float = 60) -> tuple[float, int]:
        """Seconds and status of one POST below the API's prefix."""
        begin = time.perf_counter()
        with self.client(authorization=f"Bearer {token}") as client:
            status = client.post(f"/api/v1/{path}", json=body, timeout=timeout_s).status_code
        return time.perf_counter() - begin, status

    def add_user(self, email: str) -> None:
        """Insert an account as a load test seeds it; its password is `PASSWORD`."""
        # Four rounds instead of twelve: what is tested here is the account, not the hash.
        hashed = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
        self.sql(
            """INSERT INTO "user" (email, hashed_password, provider, role, email_verified, failed_login_attempts,
            totp_enabled, account_code, billing_plan_slug, created_at)
            VALUES (%s, %s, 'email', 'regular_user', true, 0, false, %s, 'premium', now())""",
            email,
            hashed,
            email[:20],
        )

    def login(self, email: str) -> str:
        """A user token."""
        with self.client() as client:
            form = {"username": email, "password": PASSWORD}
            return str(client.post("/api/v1/auth/login", data=form).raise_for_status().json()["access_token"])

    def session(self, user_token: str) -> str:
        """A session token."""
        with self.client(authorization=f"Bearer {user_token}") as client:
            return str(client.post("/api/v1/auth/session").raise_for_status().json()["token"]["access_token"])


def launch(state: Path, *options: str) -> subprocess.Popen[str]:
    """Start the target without awaiting it; its output goes to `output.log` in `state`."""
    state.mkdir(parents=True, exist_ok=True)
    command = [
        sys.executable,
        "-m",
        "include.demo_target",
        "--state",
        str(state),
        "--llm-first-token-ms",
        "50",
        *options,
    ]
    with (state / "output.log").open("w") as output:
        return subprocess.Popen(
            command,
            cwd=ROOT,
            env=os.environ | {"DEMO_TARGET_HASH_ROUNDS": "4"},
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )


def await_ready(process: subprocess.Popen[str], state: Path) -> DemoTarget:
    """The target once it takes requests; fails with its output when it does not."""
    deadline = time.monotonic() + START_TIMEOUT_S
    ready = state / "ready.json"
    while not ready.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            stop(process)
            raise AssertionError(f"the demo target did not get ready:\n{(state / 'output.log').read_text()}")
        time.sleep(0.05)
    return DemoTarget(**json.loads(ready.read_text()), state=state)


def stop(process: subprocess.Popen[str]) -> int:
    """Order the target to stop and return its exit code; kills it when it does not stop."""
    if process.poll() is None:
        os.kill(process.pid, signal.SIGTERM)
    try:
        return process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise


def stop_servers(state: Path) -> None:
    """End the servers of a target that was killed and could not do it itself."""
    database, cache = running_postgres(state / "pg"), running_valkey(state / "valkey")
    if database is not None:
        stop_postgres(database)
    if cache is not None:
        stop_valkey(cache)


@contextmanager
def llm_stub(*options: str) -> Iterator[str]:
    """The address of an LLM stub in a process of its own, for the length of a block."""
    command = [sys.executable, "-m", "include.demo_target.llm", "--until-stdin-closes", *options]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield str(json.loads(process.stdout.readline())["llm_url"])
        finally:
            process.stdin.close()
            process.wait(STOP_TIMEOUT_S)


@contextmanager
def demo_target(state: Path, *options: str) -> Iterator[DemoTarget]:
    """A running demo target for the length of a block; `options` are start options, as `--workers`, `2`."""
    process = launch(state, *options)
    try:
        yield await_ready(process, state)
    finally:
        code = stop(process)
    assert code == 0, f"the demo target ended with {code}:\n{(state / 'output.log').read_text()}"
