"""Which problem has an issue: one row a problem, claimed before GitHub is asked, so that two filers make one issue.

What a run says of a problem is one event; saying it twice changes nothing, and a run that is older than the last bad
one of a ticket says nothing of it any more. An issue that comes back too late for its
reopening is a new one under the same row: its `generation` rises.
"""

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Engine, Row, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert

from include.loadtest.history.outbox import Delivery, after, put_in, session
from include.loadtest.history.schema import DELIVERY, TICKET, TICKET_EVENT

KIND = "ticket"
_BAD = frozenset({"opened", "updated", "reopened"})
_LOCK_SPACE = 4_117_902_553  # any number: these locks are not mixed up with others in the database
_DAY_S = 86_400
EventKind = Literal["opened", "updated", "reopened", "clean", "spoiled", "closed", "disproved"]


@dataclass(frozen=True)
class Problem:
    """What is wrong, whenever it is; `metric` is a metric, a measure of the change test or a stop rule."""

    profile: str
    target: str
    scope: str
    metric: str
    direction: str

    @property
    def fingerprint(self) -> str:
        """Twelve hex digits that are the same in every run."""
        text = "\n".join(f"{one.name}={getattr(self, one.name)}" for one in fields(self))
        return hashlib.sha256(text.encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Ticket:
    """One problem's issue.

    number            within `repository` (owner/name), None: not on GitHub yet
    covers            fingerprints of all that it stands for
    last_bad_started  when the latest run that has the problem started
    """

    fingerprint: str
    problem: Problem
    state: str
    generation: int
    number: int | None
    url: str | None
    covers: frozenset[str]
    clean_runs: int
    last_bad_run_id: str | None
    repository: str | None = None
    last_bad_started: datetime | None = None

    @property
    def reference(self) -> str | None:
        """Its issue as GitHub links it from anywhere: `owner/name#7`; None where it has none."""
        return None if self.number is None else f"{self.repository or ''}#{self.number}"


@dataclass(frozen=True)
class Decision:
    """What becomes of a ticket, which is given as it is now.

    `previous`: a reference to the issue that a new one follows; `before`: what was last delivered of a bad run, {} for
    nothing.
    """

    kind: EventKind
    ticket: Ticket
    previous: str | None
    before: Mapping[str, Any]


Render = Callable[[Decision], Mapping[str, Any]]
"""From a decision to what is to be delivered."""


def lane_of(fingerprint: str) -> str:
    """The outbox lane of a problem's issue."""
    return f"github/ticket/{fingerprint}"


@contextmanager
def filing(engine: Engine, run_id: str, profile: str, target: str, started: datetime) -> Iterator["Filing"]:
    """One transaction in which the problems of a run that began at `started` are filed, alone for profile and target.

    Raises InfrastructureError where the database fails.
    """
    with session(engine) as connection:
        name = f"{profile} on {target}"
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, _LOCK_SPACE))))
        yield Filing(connection, run_id, profile, target, started)


@dataclass(frozen=True)
class Filing:
    """Files what one run says, within the transaction of `filing`."""

    connection: Connection
    run_id: str
    profile: str
    target: str
    started: datetime

    def ticket_for(self, fingerprints: Sequence[str], reopen_within_days: int) -> str:
        """The ticket that these problems, the worst first, belong to: an open one that stands for any of them, else
        one that was closed lately, else the worst's own."""
        for found in (self._open(), self._closed_lately(reopen_within_days)):
            for fingerprint in fingerprints:
                for ticket in found:
                    if fingerprint in ticket.covers:
                        return ticket.fingerprint
        return fingerprints[0]

    def bad(
        self, fingerprint: str, problems: Sequence[Problem], reopen_within_days: int, render: Render
    ) -> Decision | None:
        """The run has these problems, the worst first, which ticket `fingerprint` stands for.

        None: that is filed already, or a later run's problem is. A new ticket is the worst's.
        """
        is_new = self._claim(problems[0]) if fingerprint == problems[0].fingerprint else False
        ticket = self._locked(fingerprint)
        if not is_new and (self._event(fingerprint) in _BAD or self._is_outdated(ticket)):
            return None
        kind = self._bad_kind(ticket, reopen_within_days, is_new=is_new)
        before = self._last_payload(ticket)
        is_next = kind == "opened" and not is_new
        new = {problem.fingerprint for problem in problems} | {fingerprint}
        values: dict[str, Any] = {
            "state": "open",
            "covers": sorted(new if kind == "opened" else new | ticket.covers),
            "clean_runs": 0,
            "closed_at": None,
            "last_bad_run_id": self.run_id,
            "last_bad_started": self.started,
        }
        if is_next:
            values |= dict.fromkeys(("number", "url", "repository"))
            values |= {"generation": ticket.generation + 1, "opened_at": func.now()}
        self._save(fingerprint, values)
        previous = ticket.reference if is_next else None
        return self._decided(kind, fingerprint, previous, {} if kind == "opened" else before, render)

    def spoil(self, fingerprints: Collection[str] | None) -> None:
        """Open tickets that stand for any of these have no clean runs any more, though the run is told elsewhere.

        None: all open tickets of the profile and target.
        """
        for ticket in self._open_now():
            is_meant = fingerprints is None or bool(ticket.covers & set(fingerprints))
            if is_meant and self._event(ticket.fingerprint) not in (*_BAD, "spoiled"):
                self._save(ticket.fingerprint, {"clean_runs": 0})
                self._note("spoiled", ticket.fingerprint)

    def clean(
        self, fine: Collection[str], unknown: Collection[str], close_after: int, render: Render
    ) -> list[Decision]:
        """The run is good: tickets whose own problem is `fine`, and that stand for nothing `unknown`, come nearer
        their closing. Returns those that are closed."""
        closed = []
        for ticket in self._open_now():
            is_shown = ticket.fingerprint in fine and not ticket.covers & set(unknown)
            if not is_shown or self._event(ticket.fingerprint) in ("clean", "closed", "disproved"):
                continue
            runs = ticket.clean_runs + 1
            self._save(ticket.fingerprint, {"clean_runs": runs})
            if runs >= close_after:
                closed.append(self._close("closed", ticket, render))
            else:
                self._note("clean", ticket.fingerprint)
        return closed

    def disprove(self, metrics: Collection[str], render: Render) -> list[Decision]:
        """The run's repeats show that nothing got slower: open tickets of these metrics are closed at once."""
        found = [ticket for ticket in self._open_now() if ticket.problem.metric in metrics]
        return [self._close("disproved", ticket, render) for ticket in found]

    def _close(self, kind: EventKind, ticket: Ticket, render: Render) -> Decision:
        self._save(ticket.fingerprint, {"state": "closed", "closed_at": func.now()})
        return self._decided(kind, ticket.fingerprint, None, self._last_payload(ticket), render)

    def _bad_kind(self, ticket: Ticket, reopen_within_days: int, *, is_new: bool) -> EventKind:
        if is_new:
            return "opened"
        if ticket.state == "open":
            return "updated"
        lately = {one.fingerprint for one in self._closed_lately(reopen_within_days)}
        return "reopened" if ticket.fingerprint in lately else "opened"

    def _decided(
        self, kind: EventKind, fingerprint: str, previous: str | None, before: Mapping[str, Any], render: Render
    ) -> Decision:
        decision = Decision(kind, self._locked(fingerprint), previous, before)
        self._note(kind, fingerprint)
        lane = lane_of(fingerprint)
        put_in(
            self.connection,
            Delivery(f"{lane}/{self.run_id}", "github", KIND, lane, self.run_id, render(decision)),
        )
        return decision

    def _claim(self, problem: Problem) -> bool:
        """Whether the problem had no ticket before; now it has one."""
        named = {one.name: getattr(problem, one.name) for one in fields(problem)}
        new = insert(TICKET).values(fingerprint=problem.fingerprint, state="open", **named)
        claimed = new.on_conflict_do_nothing(index_elements=[TICKET.c.fingerprint]).returning(TICKET.c.fingerprint)
        return self.connection.scalar(claimed) is not None

    def _locked(self, fingerprint: str) -> Ticket:
        found = select(TICKET).where(TICKET.c.fingerprint == fingerprint).with_for_update()
        return _ticket(self.connection.execute(found).one())

    def _save(self, fingerprint: str, values: Mapping[str, Any]) -> None:
        own = update(TICKET).where(TICKET.c.fingerprint == fingerprint)
        self.connection.execute(own.values(updated=func.now(), **values))

    def _note(self, kind: EventKind, fingerprint: str) -> None:
        new = insert(TICKET_EVENT).values(fingerprint=fingerprint, run_id=self.run_id, kind=kind)
        keys = [TICKET_EVENT.c.fingerprint, TICKET_EVENT.c.run_id]
        self.connection.execute(new.on_conflict_do_update(index_elements=keys, set_={"kind": kind, "at": func.now()}))

    def _event(self, fingerprint: str) -> str | None:
        own = (TICKET_EVENT.c.fingerprint == fingerprint, TICKET_EVENT.c.run_id == self.run_id)
        kind: str | None = self.connection.scalar(select(TICKET_EVENT.c.kind).where(*own))
        return kind

    def _last_payload(self, ticket: Ticket) -> Mapping[str, Any]:
        key = f"{lane_of(ticket.fingerprint)}/{ticket.last_bad_run_id}"
        return self.connection.scalar(select(DELIVERY.c.payload).where(DELIVERY.c.key == key)) or {}

    def _is_outdated(self, ticket: Ticket) -> bool:
        """Whether the run is older than the last bad one: it was published again, and the problem came after it."""
        return ticket.last_bad_started is not None and self.started < ticket.last_bad_started

    def _open_now(self) -> list[Ticket]:
        return [ticket for ticket in self._open() if not self._is_outdated(ticket)]

    def _open(self) -> list[Ticket]:
        return self._found(TICKET.c.state == "open")

    def _closed_lately(self, within_days: int) -> list[Ticket]:
        return self._found(TICKET.c.closed_at > after(-within_days * _DAY_S))

    def _found(self, condition: Any) -> list[Ticket]:
        own = (TICKET.c.profile == self.profile, TICKET.c.target == self.target)
        rows = select(TICKET).where(*own, condition).order_by(TICKET.c.opened_at, TICKET.c.fingerprint)
        return [_ticket(row) for row in self.connection.execute(rows.with_for_update())]


def ticket_of(engine: Engine, fingerprint: str) -> Ticket | None:
    """A ticket as it is now; None: there is none."""
    with session(engine) as connection:
        row = connection.execute(select(TICKET).where(TICKET.c.fingerprint == fingerprint)).one_or_none()
        return None if row is None else _ticket(row)


def set_issue(engine: Engine, fingerprint: str, generation: int, *, repository: str, number: int, url: str) -> None:
    """Note which issue it is; nothing where a later one has taken its place."""
    own = (TICKET.c.fingerprint == fingerprint, TICKET.c.generation == generation)
    issue = {"repository": repository, "number": number, "url": url}
    with session(engine) as connection:
        connection.execute(update(TICKET).where(*own).values(**issue, updated=func.now()))


def issues_of(engine: Engine, run_id: str) -> list[tuple[int, str]]:
    """Number and address of the issues that a run's problems are told in, as far as they are on GitHub."""
    own = (TICKET_EVENT.c.run_id == run_id, TICKET_EVENT.c.kind.in_(sorted(_BAD)), TICKET.c.number.is_not(None))
    joined = TICKET.join(TICKET_EVENT, TICKET.c.fingerprint == TICKET_EVENT.c.fingerprint)
    found = select(TICKET.c.number, func.coalesce(TICKET.c.url, literal(""))).select_from(joined).where(*own)
    with session(engine) as connection:
        return [(int(number), str(url)) for number, url in connection.execute(found.order_by(TICKET.c.number))]


def _ticket(row: Row[Any]) -> Ticket:
    return Ticket(
        fingerprint=row.fingerprint,
        problem=Problem(row.profile, row.target, row.scope, row.metric, row.direction),
        state=row.state,
        generation=row.generation,
        number=row.number,
        url=row.url,
        covers=frozenset(row.covers),
        clean_runs=row.clean_runs,
        last_bad_run_id=row.last_bad_run_id,
        repository=row.repository,
        last_bad_started=row.last_bad_started,
    )
