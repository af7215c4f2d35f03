"""The figures of pg_stat_statements: what each statement of the database has cost."""

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any, NamedTuple

from include.loadtest.collectors.activity import SLOW_QUERY_MS
from include.loadtest.collectors.postgres_session import MARKER, Session
from include.loadtest.collectors.reader import labelled
from include.loadtest.collectors.slow_queries import Running, SlowQueries
from include.loadtest.collectors.statement_text import LONGEST_STATEMENT, without_values

MAX_STATEMENTS = 50
"""Of one reading, but for the first."""
STATEMENTS_A_READING = 1_500
"""The server needs about 4 µs for each that it knows; where they are more, only every second to fourth reading asks."""
MAX_SKIPPED = 3
MAX_TEXTS = 200
"""Asked for at once: the server reads the file of all texts for them."""
MAX_KNOWN_TEXTS = 10_000
"""Twice what a server remembers unless it is told otherwise; the text of one that was forgotten may be told again."""
_PLACE = """
SELECT (SELECT quote_ident(nspname) FROM pg_extension JOIN pg_namespace AS place ON place.oid = extnamespace
    WHERE extname = 'pg_stat_statements') AS place
"""
_OWN_DATABASE = "dbid = (SELECT oid FROM pg_database WHERE datname = current_database())"
# Without the texts, which the server would have to read from a file.
_TOTALS = """
SELECT queryid, sum(calls)::float8, sum(total_exec_time), sum(rows)::float8, sum(shared_blks_hit)::float8,
    sum(shared_blks_read)::float8
FROM {place}.pg_stat_statements(false) WHERE {database} GROUP BY queryid
"""
_TEXTS = """
SELECT queryid, left(min(query), %(most_chars)s), bool_or(position(%(marker)s IN query) > 0)
FROM {place}.pg_stat_statements(true) WHERE {database} AND queryid = ANY(%(ids)s) GROUP BY queryid
"""
_OWN = "SELECT queryid FROM {place}.pg_stat_statements(true) WHERE {database} AND position(%(marker)s IN query) > 0"
_RUNNING = """
SELECT pid, extract(epoch FROM query_start)::float8, query_id FROM pg_stat_activity
WHERE state = 'active' AND backend_type = 'client backend' AND datname = current_database()
    AND pid <> pg_backend_pid() AND clock_timestamp() - query_start > interval '1 ms' * %(slow_ms)s
"""


class Totals(NamedTuple):
    """One statement's counters, over all roles."""

    calls: float
    exec_ms: float
    rows: float
    blks_hit: float
    blks_read: float

    def since(self, before: "Totals | None") -> "Totals":
        """The growth; all of it where the server has forgotten the statement meanwhile, and begun anew."""
        if before is None or self.calls < before.calls or self.exec_ms < before.exec_ms:
            return self
        return Totals(*(now - then for now, then in zip(self, before, strict=True)))


class Statements:
    """Counters of the database's statements without the collectors' own, and the texts of those that have been active.

    The first reading has every statement that the server knows; a later one has at most `MAX_STATEMENTS` of those
    that have changed since they were last told, by the time that they took. So a statement that is told of for the
    first time later was not known to the server before: it began at 0.
    """

    title = "figures of pg_stat_statements"

    def __init__(self) -> None:
        self._place: str | None = None
        self._last: dict[int, Totals] | None = None
        self._told: dict[int, Totals] = {}
        self._own: set[int] = set()
        self._texts: dict[int, None] = {}
        self._skip = 0
        self._slow = SlowQueries()
        self._seen: list[dict[str, Any]] = []

    def connected(self, session: Session) -> str | None:
        """Find the extension on a new connection; why there are no figures, None where there are."""
        place = session.row(_PLACE, {})["place"]
        self._place = place.replace("%", "%%") if place else None
        if self._place is None:
            return "the extension pg_stat_statements is not there"
        self._find_own(session)
        return None

    def _find_own(self, session: Session) -> None:
        rows = session.rows(_OWN.format(place=self._place, database=_OWN_DATABASE), {"marker": MARKER})
        self._own |= {row[0] for row in rows}

    def read(self, session: Session) -> dict[str, float]:
        """One reading. What belongs to single statements is absent where the role may not see them."""
        if self._skip:
            self._skip -= 1
            return {}
        running = [Running(*row) for row in session.rows(_RUNNING, {"slow_ms": SLOW_QUERY_MS})]
        if self._last is None:
            self._find_own(session)  # once more: now it finds itself as well
        totals = self._totals(session)
        self._skip = min(MAX_SKIPPED, len(totals) // STATEMENTS_A_READING)
        visible = {queryid: entry for queryid, entry in totals.items() if queryid is not None}
        first, before = self._last is None, self._last or {}
        self._last = visible
        chosen = list(visible) if first else self._changed(visible)
        self._ask_texts(session, [] if first else [*(queryid for queryid in visible if queryid not in before), *chosen])
        own = self._own
        values = _sums(entry for queryid, entry in totals.items() if queryid not in own)
        for queryid in chosen:
            if queryid not in own:
                values |= _labelled(queryid, visible[queryid])
                self._told[queryid] = visible[queryid]
        self._told = {queryid: told for queryid, told in self._told.items() if queryid in visible}
        if None not in totals:
            grown = {} if first else {queryid: entry.since(before.get(queryid)) for queryid, entry in visible.items()}
            values["slow_queries"] = self._slow.add(running, slow_calls(grown, own))
        return values

    def observations(self) -> list[dict[str, Any]]:
        """Texts that were read since the last call."""
        seen, self._seen = self._seen, []
        return seen

    def _totals(self, session: Session) -> dict[int | None, Totals]:
        rows = session.rows(_TOTALS.format(place=self._place, database=_OWN_DATABASE), {})
        return {queryid: Totals(*figures) for queryid, *figures in rows}

    def _changed(self, visible: Mapping[int, Totals]) -> list[int]:
        grown = {
            queryid: entry.since(self._told.get(queryid))
            for queryid, entry in visible.items()
            if queryid not in self._own and entry != self._told.get(queryid)
        }
        return sorted(grown, key=lambda queryid: grown[queryid].exec_ms, reverse=True)[:MAX_STATEMENTS]

    def _ask_texts(self, session: Session, wanted: Iterable[int]) -> None:
        """Ask for texts that are not known yet; a text with the marker is one of the collectors' own."""
        known = self._texts.keys() | self._own
        ids = [queryid for queryid in dict.fromkeys(wanted) if queryid not in known][:MAX_TEXTS]
        if not ids:
            return
        asked = {"ids": ids, "marker": MARKER, "most_chars": LONGEST_STATEMENT}
        for queryid, text, is_own in session.rows(_TEXTS.format(place=self._place, database=_OWN_DATABASE), asked):
            if is_own:
                self._own.add(queryid)
                continue
            self._texts[queryid] = None
            self._seen.append({"kind": "statement", "queryid": str(queryid), "text": without_values(text)})
        for queryid in list(islice(self._texts, max(0, len(self._texts) - MAX_KNOWN_TEXTS))):
            del self._texts[queryid]


def slow_calls(grown: Mapping[int, Totals], own: set[int]) -> dict[int, int]:
    """Calls by statement that ended with a mean that is too long."""
    return {
        queryid: int(entry.calls)
        for queryid, entry in grown.items()
        if queryid not in own and entry.calls > 0 and entry.exec_ms / entry.calls > SLOW_QUERY_MS
    }


def _sums(totals: Iterable[Totals]) -> dict[str, float]:
    entries = list(totals)
    slow = sum(1 for entry in entries if entry.calls and entry.exec_ms / entry.calls > SLOW_QUERY_MS)
    return {
        "statement_calls": sum(entry.calls for entry in entries),
        "statement_exec_ms": sum(entry.exec_ms for entry in entries),
        "slow_statements": float(slow),
    }


def _labelled(queryid: int, totals: Totals) -> dict[str, float]:
    return {labelled(f"statement_{name}", "queryid", str(queryid)): value for name, value in totals._asdict().items()}
