"""Secrets that are planted in an environment's connections, and the search for them wherever something is written."""

import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg2
import pyarrow.parquet as pq
from psycopg2 import sql

from include.embedded.airflow import HISTORY_DATABASE, METADATA_DATABASE
from include.embedded.postgres import PostgresServer
from tests.helpers.github_service import REPOSITORY, TOKEN, GitHubService, github_service
from tests.helpers.slack_service import CHANNEL, SlackService, slack_service

PAGES = "gh-pages"
DATABASES = ("HISTORY", "TARGET_DB__DEMO", "TARGET_MONITOR__DEMO")
"""Connections whose servers here take any password."""
SETTINGS = """import json, os
for part in {parts!r}:
    name = "AIRFLOW_CONN_LOADTEST_" + part
    if name in os.environ:
        os.environ[name] = json.dumps(json.loads(os.environ[name]) | {{"password": {password!r}}})
        with open({done!r}, "a") as done:
            done.write(part + "\\n")
"""
"""An airflow_local_settings.py: the embedded environment makes these connections itself, with no password."""
_TABLES = """SELECT table_schema, table_name FROM information_schema.tables
WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')"""


@dataclass(frozen=True)
class Planted:
    """A Slack and a GitHub with the connections to them; `secrets`: what each is of, and what nobody may show.

    `folder` is for files of its own.
    """

    folder: Path
    slack: SlackService
    github: GitHubService
    secrets: Mapping[str, str]

    def connections(self) -> dict[str, str]:
        """Environment variables of Airflow's processes."""
        hook = f"{self.slack.url}/services/T0/B0/{self.secrets['webhook']}"
        slack = {"password": self.secrets["Slack"], "host": hook}
        extra = {"channel": CHANNEL, "base_url": self.slack.base_url}
        github = {"password": self.secrets["GitHub"], "host": self.github.url}
        where = {"repository": REPOSITORY, "pages_branch": PAGES}
        return {
            "AIRFLOW_CONN_LOADTEST_SLACK": json.dumps({"conn_type": "slack", **slack, "extra": extra}),
            "AIRFLOW_CONN_LOADTEST_GITHUB": json.dumps({"conn_type": "github", **github, "extra": where}),
        }

    @contextmanager
    def passwords(self, airflow_home: Path) -> Iterator[None]:
        """For the length of a block, what Airflow's processes start with gives the databases passwords."""
        file = airflow_home / "config" / "airflow_local_settings.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        secret, done = self.secrets["databases"], str(self.folder / "done")
        file.write_text(SETTINGS.format(parts=DATABASES, password=secret, done=done))
        try:
            yield
        finally:
            file.unlink()

    def with_password(self) -> set[str]:
        """The databases' connections that have got their password."""
        done = self.folder / "done"
        return set(done.read_text().split()) if done.exists() else set()

    def told(self) -> str:
        """All that the services were sent, apart from headers."""
        github = self.github.api
        issues, git = github.issues, github.git
        sent = [self.slack.messages, self.slack.posts, self.slack.uploads, issues.issues, issues.comments, git.blobs]
        return " ".join(map(str, [*sent, git.commits, github.checks, github.statuses]))

    def in_text(self, where: str, text: str | bytes) -> list[str]:
        """`where: what` for each secret in it, as it is or in hexadecimal digits, as a database shows bytes."""
        raw = text.encode() if isinstance(text, str) else text
        return [
            f"{where}: {what}"
            for what, secret in self.secrets.items()
            if secret.encode() in raw or secret.encode().hex().encode() in raw
        ]

    def in_folder(self, folder: Path) -> list[str]:
        """The same for all files; Parquet is read, since it is compressed."""
        found = []
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            raw = str(pq.read_table(file).to_pydict()) if file.suffix == ".parquet" else file.read_bytes()
            found += self.in_text(str(file), raw)
        return found

    def in_database(self, url: str) -> list[str]:
        """The same for all rows of all tables."""
        connection = psycopg2.connect(url)
        try:
            with connection.cursor() as cursor:
                cursor.execute(_TABLES)
                found = []
                for schema, table in cursor.fetchall():
                    cursor.execute(sql.SQL("SELECT t::text FROM {} t").format(sql.Identifier(schema, table)))
                    found += self.in_text(f"{schema}.{table}", "\n".join(row for (row,) in cursor))
                return found
        finally:
            connection.close()


@contextmanager
def planted(folder: Path) -> Iterator[Planted]:
    """For the length of a block."""
    made = {what: f"planted-{what}-{secrets.token_hex(8)}" for what in ("Slack", "webhook", "databases")}
    with slack_service() as slack, github_service() as github:
        slack.token = made["Slack"]
        yield Planted(folder, slack, github, made | {"GitHub": TOKEN})


@dataclass(frozen=True)
class Places:
    """All that an environment writes: logs of processes and tasks, two databases, a run's bundle, what services get."""

    planted: Planted
    server: PostgresServer
    logs: Path
    bundle: Path

    def with_secrets(self) -> list[str]:
        """Where a secret stands, and which."""
        return [
            *self.planted.in_folder(self.logs),
            *self.planted.in_folder(self.bundle),
            *(place for url in self._urls() for place in self.planted.in_database(url)),
            *self.planted.in_text("services", self.planted.told()),
        ]

    @contextmanager
    def secrets_written(self) -> Iterator[list[str]]:
        """For the length of a block a secret in each of them, in the order in which they are found."""
        log, file, secrets_of = self.logs / "planted.log", self.bundle / "planted.json", self.planted.secrets
        log.write_text(f"Authorization: Bearer {secrets_of['Slack']}\n")
        file.write_text(json.dumps({"url": secrets_of["webhook"]}))
        self.planted.slack.messages.append({"text": secrets_of["GitHub"]})
        metadata, history = self._urls()
        password = secrets_of["databases"]
        _execute(metadata, "CREATE TABLE planted AS SELECT jsonb_build_object('return_value', %s::text)", password)
        _execute(history, "CREATE TABLE planted AS SELECT %s::bytea", password)
        try:
            rows = ["public.planted: databases"] * 2
            yield [f"{log}: Slack", f"{file}: webhook", *rows, "services: GitHub"]
        finally:
            log.unlink()
            file.unlink()
            self.planted.slack.messages.pop()
            for url in (metadata, history):
                _execute(url, "DROP TABLE planted")

    def _urls(self) -> tuple[str, str]:
        return self.server.url(METADATA_DATABASE), self.server.url(HISTORY_DATABASE)


def _execute(url: str, statement: str, *values: str) -> None:
    connection = psycopg2.connect(url)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(statement, values or None)
    finally:
        connection.close()
