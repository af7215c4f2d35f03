"""The steps from nothing to a running environment."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import psycopg2

from include.embedded import airflow
from include.embedded.client import AirflowClient, ApiUnavailableError
from include.embedded.exporter import MODULE, NAME, exporter_address, exporter_environment
from include.embedded.inputs import MANUAL_DAG
from include.embedded.monitor_role import create_monitor_role
from include.embedded.postgres import PostgresServer, ensure_database, start_postgres
from include.embedded.processes import find_process, record_of, start_process
from include.embedded.servers import listens, log_tail, wait_until
from include.embedded.state import EmbeddedError, EnvironmentState, Layout, ProcessRecord, save_state

PARTS = ("scheduler", "dag_processor", "triggerer")
"""Of Airflow, as its health page names those that give signs of life."""
START_TIMEOUT_S = 240.0  # of one step; a busy small machine needs a minute for Airflow

Say = Callable[[str], None]


@contextmanager
def step(name: str, say: Say) -> Iterator[None]:
    """Say how long a step took, once it is done."""
    started_s = time.monotonic()
    yield
    say(f"{name:<24} {time.monotonic() - started_s:6.1f} s")


class Startup:
    """One start of the environment, step by step."""

    def __init__(self, layout: Layout, state: EnvironmentState, say: Say) -> None:
        self.layout, self.state, self.say = layout, state, say
        self.started_at = datetime.now(UTC)

    def run(self) -> EnvironmentState:
        """Start all parts and wait until they can serve; returns the complete state. Raises EmbeddedError."""
        save_state(self.layout, self.state)
        with step("PostgreSQL", self.say):
            postgres = self._postgres()
        with_demo_target = self.state.default_target == "demo"
        if with_demo_target:
            self._launch_demo_target()  # it gets ready while the metadata tables are made
        environment = airflow.airflow_environment(self.layout, self.state, postgres, os.environ)
        with step("Airflow's tables", self.say):
            self._migrate(environment)
            _end_runs_of_before(postgres)
        if with_demo_target:
            with step("demo target", self.say):
                ready = self._demo_target_ready()
                ready["monitor_url"] = create_monitor_role(ready["database_url"])
                environment |= airflow.demo_target_connections(ready)
        with step("Airflow", self.say), exporter_address(os.environ) as address:
            self._launch_exporter(postgres, address)
            self._launch_airflow(environment)
            self._await_health()
            self._await(lambda: listens(address))
        with step("DAGs", self.say):
            self._await_dags()
        self.state = self.state.model_copy(update={"ready": True})
        save_state(self.layout, self.state)
        return self.state

    def _remember(self, record: ProcessRecord) -> None:
        self.state = self.state.with_process(record)
        save_state(self.layout, self.state)

    def _postgres(self) -> PostgresServer:
        # An operating system's crash may cost the last half second of metadata, never the consistency of the tables.
        server = start_postgres(self.layout.postgres, settings={"synchronous_commit": "off"})
        self._remember(record_of("postgres", server.pid))
        for database in (airflow.METADATA_DATABASE, airflow.HISTORY_DATABASE):
            ensure_database(server, database)
        return server

    def _launch_demo_target(self) -> None:
        ready = self.layout.demo_target / "ready.json"
        ready.unlink(missing_ok=True)
        command = [sys.executable, "-m", "include.demo_target", "--state", str(self.layout.demo_target), "--port", "0"]
        self._launch("demo-target", command, airflow.base_environment(self.layout, self.state, os.environ))

    def _demo_target_ready(self) -> dict[str, Any]:
        ready = self.layout.demo_target / "ready.json"
        self._await(ready.exists)
        content: dict[str, Any] = json.loads(ready.read_text())
        return content

    def _migrate(self, environment: dict[str, str]) -> None:
        airflow.admin_password(self.layout)
        self.layout.airflow_home.mkdir(parents=True, exist_ok=True)
        log = self.layout.logs / "db-migrate.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as output:
            done = subprocess.run(
                airflow.airflow_command("db", "migrate"),
                env=environment,
                cwd=self.layout.airflow_home,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=START_TIMEOUT_S,
                check=False,
            )
        if done.returncode != 0:
            raise EmbeddedError(f"Airflow's tables could not be made, see {log}:\n{log_tail(log)}")

    def _launch_exporter(self, postgres: PostgresServer, address: str) -> None:
        self.state = self.state.model_copy(update={"exporter": address})
        environment = exporter_environment(self.layout, self.state, postgres, os.environ, address)
        self._launch(NAME, [sys.executable, "-m", MODULE], environment)

    def _launch_airflow(self, environment: dict[str, str]) -> None:
        for name, arguments in airflow.COMPONENTS.items():
            self._launch(name, airflow.airflow_command(*arguments), environment)

    def _launch(self, name: str, command: list[str], environment: dict[str, str]) -> None:
        log = self.layout.logs / f"{name}.log"
        self._remember(start_process(name, command, environment=environment, log=log, cwd=self.layout.checkout))

    def _await_health(self) -> None:
        client = airflow.client_of(self.layout, self.state)
        try:
            self._await(lambda: _is_healthy(client, self.started_at))
        finally:
            client.close()

    def _await_dags(self) -> None:
        client = airflow.client_of(self.layout, self.state)
        try:
            self._await(lambda: _has_dags(client))
            client.unpause(MANUAL_DAG)
        finally:
            client.close()

    def _await(self, condition: Callable[[], bool]) -> None:
        """Wait for a condition as long as all processes live."""
        ended: list[ProcessRecord] = []

        def settled() -> bool:
            ended[:] = [record for record in self.state.processes if find_process(record) is None]
            return bool(ended) or condition()

        if not wait_until(settled, START_TIMEOUT_S, poll_s=0.25):
            raise EmbeddedError(f"not ready within {START_TIMEOUT_S:g} s; the logs are in {self.layout.logs}")
        if ended:
            log = self.layout.logs / f"{ended[0].name}.log"
            raise EmbeddedError(f"{ended[0].name} ended, see {log}:\n{log_tail(log)}")


def _end_runs_of_before(postgres: PostgresServer) -> None:
    """Fail the runs that were under way when the environment stopped: their load would come hours late, by itself."""
    with psycopg2.connect(postgres.url(airflow.METADATA_DATABASE)) as connection, connection.cursor() as cursor:
        cursor.execute("UPDATE dag_run SET state = 'failed', end_date = now() WHERE state IN ('running', 'queued')")
        # Nor may they go on waiting for their target: whoever waits behind them would wait for nobody.
        cursor.execute("UPDATE task_instance SET state = 'failed', end_date = now() WHERE state = 'deferred'")
    connection.close()


def _is_healthy(client: AirflowClient, since: datetime) -> bool:
    """Whether all components are alive; a heartbeat from before this start is another scheduler's."""
    try:
        health = client.health()
    except ApiUnavailableError:
        return False
    return all(_beats(health[part], f"latest_{part}_heartbeat", since) for part in PARTS)


def _beats(part: dict[str, str | None], heartbeat: str, since: datetime) -> bool:
    at = part.get(heartbeat)
    return part["status"] == "healthy" and at is not None and datetime.fromisoformat(at) > since


def _has_dags(client: AirflowClient) -> bool:
    """Whether Airflow has read the DAG that `make run` starts. Raises EmbeddedError where a file cannot be read."""
    for file, trace in client.import_errors().items():
        if MANUAL_DAG in file:
            raise EmbeddedError(f"the DAG file {file} cannot be read:\n{trace}")
    return client.has_dag(MANUAL_DAG)
