"""Where pages read from: the history, and bundles wherever they are kept."""

import difflib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

from sqlalchemy import Engine, select

from include.loadtest import run
from include.loadtest.errors import InfrastructureError, LoadTestError
from include.loadtest.history.database import connect, is_newest, transaction, upgrade
from include.loadtest.history.schema import RUN
from include.loadtest.orchestration import settings, storage
from include.loadtest.orchestration.web.threads import Readers
from include.loadtest.publishing import RESULTS_VARIABLE
from include.loadtest.reporting.suite import FILE as SUITE_FILE
from include.loadtest.target.urls import without_passwords

CONNECT_TIMEOUT_S = 5
STATEMENT_TIMEOUT_S = 10
"""A page would rather say that the history is slow than wait for it."""
LONGEST_READ_S = 10
"""And so of the results."""
_READERS = Readers(number=8, longest_s=LONGEST_READ_S)
LONGEST_ID = 200
_NAMES_COMPARED = 2_000
_STAMP = re.compile(r"-([0-9]{8}-[0-9]{6}-[0-9a-f]{6})(?:-|$)")


def history() -> Engine:
    """The history's engine. Raises ConfigError where none is set, InfrastructureError where it does not answer."""
    return _engine(settings.history_url())


@lru_cache(maxsize=2)
def _engine(url: str) -> Engine:
    """Before the first run there are no tables, after an upgrade of this program those of before: then they are made.

    So the pages say "no run yet", or show the past.
    """
    engine = connect(url, connect_timeout_s=CONNECT_TIMEOUT_S, statement_timeout_s=STATEMENT_TIMEOUT_S)
    if not is_newest(engine):
        upgrade(url)
    return engine


@dataclass(frozen=True)
class StoredBundle:
    """The bundle of a run or a suite at `uri`, which comes from the settings or the history, never from a request."""

    run_id: str
    uri: str

    def read(self, name: str) -> bytes | None:
        """A file's content; None where it is not there. Raises InfrastructureError where nobody can say so."""
        with _file_system(self.uri):
            return _READERS.ask(partial(storage.read_file, self.uri, name))

    def has(self, name: str) -> bool:
        """Whether it has the file. Raises InfrastructureError where nobody can say so."""
        with _file_system(self.uri):
            return _READERS.ask(partial(storage.has_file, self.uri, name))

    def document(self, name: str) -> dict[str, Any] | None:
        """A JSON file's content; None where it is not there, or is none."""
        content = self.read(name)
        try:
            document = None if content is None else json.loads(content)
        except ValueError:
            return None
        return document if isinstance(document, dict) else None

    def names(self) -> list[str]:
        """The names of its files, sorted. Raises InfrastructureError."""
        with _file_system(self.uri):
            return _READERS.ask(partial(storage.list_files, self.uri))


def bundle_here(run_id: str) -> StoredBundle:
    """Where the bundle of a run that was begun lately is, if there is one. `run_id` has been checked.

    Raises InfrastructureError for a URI that nothing can read.
    """
    uri = settings.results_uri()
    with _file_system(uri):
        return StoredBundle(run_id, storage.bundle_uri(uri, run_id))


def run_row(run_id: str) -> dict[str, Any] | None:
    """A run as the history has it, without its metrics; None where it has none, or does not answer."""
    try:
        with transaction(history()) as connection:
            row = connection.execute(select(RUN).where(RUN.c.run_id == run_id)).mappings().first()
    except LoadTestError:  # then there is only what lies below the results URI
        return None
    return None if row is None else dict(row)


def find_bundle(run_id: str) -> StoredBundle | None:
    """The bundle of a run or a suite: below the results URI, or where the history says that it was kept.

    Of a run that has just begun a store other than a local one has no more than what its live page is made of.
    """
    if not is_id(run_id):
        return None
    here = bundle_here(run_id)
    if any(here.has(name) for name in (run.MANIFEST, run.LIVE, SUITE_FILE)):
        return here
    row = run_row(run_id)
    return None if row is None else StoredBundle(run_id, str(row["bundle_uri"]).removeprefix("file://"))


def is_id(text: str) -> bool:
    """Whether a text may be the id of a run or a suite, and so the name of a folder."""
    return len(text) <= LONGEST_ID and run.RUN_ID_PATTERN.fullmatch(text) is not None


def bundle_names() -> list[str]:
    """The ids of all runs and suites whose bundles lie below the results URI, sorted. It may be long.

    Raises InfrastructureError where they cannot be listed.
    """
    uri = settings.results_uri()
    with _file_system(uri):
        return [name for name in _READERS.ask(partial(storage.list_folder, uri)) if is_id(name)]


def results_fault() -> str | None:
    """Why the results cannot be read now; None where they can."""
    uri = settings.results_uri()
    try:
        with _file_system(uri):
            _READERS.ask(partial(storage.has_folder, uri))
    except InfrastructureError as error:
        return str(error)
    return None


@contextmanager
def _file_system(uri: str) -> Iterator[None]:
    """Any file system may be behind a URI, each with errors of its own. Raises InfrastructureError for all of them."""
    try:
        yield
    except Exception as error:
        reason = "no answer in time" if isinstance(error, TimeoutError) else type(error).__name__
        raise InfrastructureError(
            f"the results at {without_passwords(uri)} cannot be read now ({reason}): check {RESULTS_VARIABLE}, and the "
            "connection that it names, in the API server's environment"
        ) from error


def nearest_id(asked: str) -> str | None:
    """The id that is most like the one that was asked for; None where none is like it."""
    profile, _, _ = asked.partition("-")
    names = bundle_names()
    own = [name for name in names if name.startswith(f"{profile}-")] or names
    close = difflib.get_close_matches(asked[:LONGEST_ID], own[-_NAMES_COMPARED:], n=1, cutoff=0.5)
    return close[0] if close else None


def started_together(run_id: str) -> list[str]:
    """All ids of what the same DAG run started at the same moment: a suite, its runs, their repeats; itself too."""
    stamp = _began(run_id)
    return [name for name in bundle_names() if stamp and stamp in name] or [run_id]


def recent_bundles(number: int) -> list[StoredBundle]:
    """The bundles whose runs or suites began last, the newest first; none where the results cannot be listed."""
    try:
        names = sorted(bundle_names(), key=_began)[-number:]
    except InfrastructureError:
        return []
    return [bundle_here(name) for name in reversed(names)]


def _began(run_id: str) -> str:
    """The part of an id that its DAG run and its moment make; sorts by the moment."""
    found = _STAMP.search(run_id)
    return found[1] if found else ""
