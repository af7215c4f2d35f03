"""Where the life of issues is shown: a new history, a local GitHub, and processes that file and deliver."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg2

from experiments.ticket_filer import READY
from include.embedded.state import CHECKOUT
from tests.helpers.github_service import GitHubService, github_service
from tests.helpers.ticket_runs import history_database

FILERS = 2
Issue = dict[str, Any]


@dataclass
class Filer:
    """One filing process."""

    process: subprocess.Popen[str]

    def order(self, order: Mapping[str, Any]) -> None:
        """Tell it what to file; it begins at once."""
        if self.process.stdin is not None:
            self.process.stdin.write(json.dumps(order) + "\n")
            self.process.stdin.flush()

    def answer(self) -> str:
        """Its next line; empty where it has ended."""
        return self.process.stdout.readline().strip() if self.process.stdout else ""


@dataclass
class Stand:
    """History, GitHub, and how processes that file are started."""

    history_url: str
    github: GitHubService
    filers: list[Filer] = field(default_factory=list)

    def started(self) -> Filer:
        """A new filing process, ready."""
        command = [sys.executable, "-m", "experiments.ticket_filer", self.history_url, self.github.url]
        process = subprocess.Popen(
            command,
            cwd=CHECKOUT,
            env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        filer = Filer(process)
        self.filers.append(filer)
        if filer.answer() != READY:
            raise RuntimeError("a filing process has not started")
        return filer

    def stop(self) -> None:
        """End all of them."""
        for filer in self.filers:
            filer.process.kill()
            filer.process.wait()

    def file(self, *orders: Mapping[str, Any]) -> None:
        """Each order is filed and delivered by two processes at the same time; then the next."""
        for order in orders:
            for filer in self.filers[:FILERS]:
                filer.order(order)
            for filer in self.filers[:FILERS]:
                if not filer.answer():
                    raise RuntimeError("a filing process has ended")

    def issues(self, profile: str) -> list[Issue]:
        """The issues of a profile, the oldest first."""
        wanted = f"profile:{profile}"
        return [
            issue for issue in self.github.issues.issues.values() if wanted in [one["name"] for one in issue["labels"]]
        ]

    def comments(self, issue: Issue) -> list[str]:
        """The first visible line of each comment."""
        return [str(one["body"]).splitlines()[2] for one in self.github.issues.of_issue(issue["number"])]

    def let_pass(self, days: int) -> None:
        """Closed issues were closed so many days earlier."""
        self._change("UPDATE loadtest.ticket SET closed_at = closed_at - make_interval(days => %s)", days)

    def let_wait(self, hours: int) -> None:
        """What waits for its next attempt has waited so long."""
        self._change(
            "UPDATE loadtest.delivery SET next_attempt = next_attempt - make_interval(hours => %s), not_before = NULL",
            hours,
        )

    def _change(self, statement: str, *values: int) -> None:
        connection = psycopg2.connect(self.history_url)
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(statement, values)
        finally:
            connection.close()


@contextmanager
def stand() -> Iterator[Stand]:
    """For the length of a block."""
    folder = Path(tempfile.mkdtemp(prefix="loadtest-tickets-"))
    try:
        with ExitStack() as opened:
            url = opened.enter_context(history_database(folder))
            found = Stand(url, opened.enter_context(github_service()))
            opened.callback(found.stop)
            for _ in range(FILERS):
                found.started()
            yield found
    finally:
        shutil.rmtree(folder, ignore_errors=True)
