"""A problem has one row whoever files it; what a run says of it counts once, and decides what becomes of its issue."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, func, select, update

from include.loadtest.errors import InfrastructureError
from include.loadtest.history import outbox
from include.loadtest.history.database import connect, transaction
from include.loadtest.history.schema import DELIVERY, TICKET, TICKET_EVENT
from include.loadtest.history.tickets import (
    Decision,
    Filing,
    Problem,
    Ticket,
    filing,
    issues_of,
    lane_of,
    set_issue,
    ticket_of,
)

pytestmark = pytest.mark.integration
DAYS = 30
CLEAN_RUNS = 3
BEGIN = datetime(2026, 11, 26, 18, tzinfo=UTC)
REPOSITORY = "owner/name"


def problem(metric: str = "latency_p95_ms", scope: str = "all") -> Problem:
    return Problem("smoke", "demo", scope, metric, "lower")


P95, ERRORS = problem(), problem("error_rate")


def render(decision: Decision) -> dict[str, Any]:
    return {"kind": decision.kind, "generation": decision.ticket.generation, "previous": decision.previous}


def bad(
    engine: Engine, run_id: str, problems: Iterable[Problem] = (P95,), days: int = DAYS, hour: float = 0
) -> Decision | None:
    """A run that started so many hours after the first."""
    found = list(problems)
    with filed(engine, run_id, hour) as book:
        ticket = book.ticket_for([one.fingerprint for one in found], days)
        return book.bad(ticket, found, days, render)


def clean(
    engine: Engine, run_id: str, fine: Iterable[Problem] = (P95,), unknown: Iterable[Problem] = (), hour: float = 0
) -> list[Decision]:
    shown = [[one.fingerprint for one in problems] for problems in (fine, unknown)]
    with filed(engine, run_id, hour) as book:
        return book.clean(*shown, CLEAN_RUNS, render)


def filed(engine: Engine, run_id: str, hour: float = 0) -> AbstractContextManager[Filing]:
    return filing(engine, run_id, "smoke", "demo", BEGIN + timedelta(hours=hour))


def on_github(engine: Engine, number: int, about: Problem = P95) -> None:
    """It was filed under that number."""
    set_issue(engine, about.fingerprint, 1, repository=REPOSITORY, number=number, url=f"https://x/{number}")


def ticket(engine: Engine, about: Problem = P95) -> Ticket:
    found = ticket_of(engine, about.fingerprint)
    assert found is not None
    return found


def count(engine: Engine, table: Any) -> int:
    with transaction(engine) as connection:
        return int(connection.scalar(select(func.count()).select_from(table)) or 0)


def kinds(engine: Engine, run_id: str) -> list[str]:
    return [row.payload["kind"] for row in outbox.rows_of(engine, run_id)]


def closed_days_ago(engine: Engine, days: float, about: Problem = P95) -> None:
    """The ticket was closed so long ago."""
    with transaction(engine) as connection:
        moment = func.now() - timedelta(days=days)
        own = TICKET.c.fingerprint == about.fingerprint
        connection.execute(update(TICKET).where(own).values(state="closed", closed_at=moment))


def test_the_first_bad_run_claims_a_row_and_puts_a_delivery(engine: Engine) -> None:
    """Both in one transaction: a crash leaves both or none."""
    decision = bad(engine, "smoke-1")
    assert decision is not None
    assert decision.kind == "opened"
    (row,) = outbox.rows_of(engine, "smoke-1")
    assert (row.key, row.kind, row.lane) == (f"{lane_of(P95.fingerprint)}/smoke-1", "ticket", lane_of(P95.fingerprint))
    assert row.payload == {"kind": "opened", "generation": 1, "previous": None}
    assert (ticket(engine).state, ticket(engine).number, ticket(engine).problem) == ("open", None, P95)


def test_what_fails_while_it_is_written_leaves_nothing(engine: Engine) -> None:
    """Neither a claim without a delivery nor the reverse."""

    def broken(_: Decision) -> dict[str, Any]:
        raise RuntimeError("no text")

    with pytest.raises(RuntimeError), filed(engine, "smoke-1") as book:
        book.bad(P95.fingerprint, [P95], DAYS, broken)
    assert (count(engine, TICKET), count(engine, TICKET_EVENT), count(engine, DELIVERY)) == (0, 0, 0)


def test_the_next_bad_run_updates(engine: Engine) -> None:
    """And knows what was told last."""
    bad(engine, "smoke-1")
    decision = bad(engine, "smoke-2")
    assert decision is not None
    assert (decision.kind, decision.before["kind"]) == ("updated", "opened")
    assert ticket(engine).last_bad_run_id == "smoke-2"


def test_filing_a_run_again_changes_nothing(engine: Engine) -> None:
    """Also after others have filed since, and after it was closed."""
    bad(engine, "smoke-1")
    bad(engine, "smoke-2")
    assert bad(engine, "smoke-1") is None
    closed_days_ago(engine, 1)
    assert bad(engine, "smoke-2") is None
    assert (ticket(engine).state, kinds(engine, "smoke-1"), kinds(engine, "smoke-2")) == (
        "closed",
        ["opened"],
        ["updated"],
    )


def test_many_filers_of_many_runs_at_once_open_once(engine: Engine) -> None:
    """Two of each run, eight at a time: one ticket, one opening, an update for every other run."""
    runs = [f"smoke-{number}" for number in range(10)] * 2
    with ThreadPoolExecutor(8) as pool:
        decisions = [one for one in pool.map(lambda run_id: bad(engine, run_id), runs) if one]
    assert sorted(one.kind for one in decisions) == ["opened", *["updated"] * 9]
    assert (count(engine, TICKET), count(engine, TICKET_EVENT), count(engine, DELIVERY)) == (1, 10, 10)


def test_clean_runs_in_a_row_close(engine: Engine) -> None:
    """The same run counts once, a bad one in between starts anew."""
    bad(engine, "smoke-1")
    assert [clean(engine, run_id) for run_id in ("smoke-2", "smoke-2", "smoke-3")] == [[], [], []]
    bad(engine, "smoke-4")
    assert [clean(engine, run_id) for run_id in ("smoke-5", "smoke-6", "smoke-6")] == [[], [], []]
    (closing,) = clean(engine, "smoke-7")
    assert (closing.kind, closing.ticket.state, closing.ticket.clean_runs) == ("closed", "closed", CLEAN_RUNS)
    assert clean(engine, "smoke-7") == []
    assert clean(engine, "smoke-8") == []
    assert count(engine, DELIVERY) == 3


def test_a_run_that_cannot_tell_is_no_clean_one(engine: Engine) -> None:
    """Its own problem was not judged, or another that the ticket stands for was not."""
    bad(engine, "smoke-1", [P95, ERRORS])
    for number in range(5):
        assert clean(engine, f"smoke-a{number}", fine=[ERRORS]) == []
        assert clean(engine, f"smoke-b{number}", fine=[P95], unknown=[ERRORS]) == []
    assert ticket(engine).clean_runs == 0


def test_a_run_whose_verdict_has_changed_files_the_new_finding(engine: Engine) -> None:
    """It was clean at first; a confirmed suspicion makes it bad, under the same key."""
    bad(engine, "smoke-1")
    clean(engine, "smoke-2")
    decision = bad(engine, "smoke-2")
    assert decision is not None
    assert decision.kind == "updated"
    assert ticket(engine).clean_runs == 0
    assert bad(engine, "smoke-2") is None


def test_an_open_ticket_that_stands_for_any_of_the_problems_is_used(engine: Engine) -> None:
    """Another of them is the worst today; what was new is covered from now on."""
    other = problem(scope="scenario:simple_query")
    bad(engine, "smoke-1", [P95, other])
    decision = bad(engine, "smoke-2", [ERRORS, other])
    assert decision is not None
    assert (decision.kind, decision.ticket.fingerprint) == ("updated", P95.fingerprint)
    assert ticket(engine).covers == {one.fingerprint for one in (P95, ERRORS, other)}
    assert count(engine, TICKET) == 1


def test_another_profile_or_target_has_tickets_of_its_own(engine: Engine) -> None:
    """The same limit missed there is another problem."""
    bad(engine, "smoke-1")
    elsewhere = Problem("smoke", "other", "all", "latency_p95_ms", "lower")
    with filing(engine, "smoke-2", "smoke", "other", BEGIN) as book:
        assert book.ticket_for([P95.fingerprint], DAYS) == P95.fingerprint
        assert book.clean([P95.fingerprint], [], 1, render) == []
        decision = book.bad(elsewhere.fingerprint, [elsewhere], DAYS, render)
    assert decision is not None
    assert decision.kind == "opened"


def test_back_within_the_window_it_is_opened_again(engine: Engine) -> None:
    """The same issue, with its number."""
    bad(engine, "smoke-1")
    on_github(engine, 7)
    closed_days_ago(engine, DAYS - 1)
    decision = bad(engine, "smoke-2")
    assert decision is not None
    assert (decision.kind, decision.ticket.number, decision.ticket.generation) == ("reopened", 7, 1)
    assert (ticket(engine).state, ticket(engine).clean_runs) == ("open", 0)


def test_back_after_the_window_it_is_a_new_one_that_knows_the_old(engine: Engine) -> None:
    """It covers only what is bad now; what comes late for the old one does not touch it."""
    bad(engine, "smoke-1", [P95, ERRORS])
    on_github(engine, 7)
    closed_days_ago(engine, DAYS + 1)
    decision = bad(engine, "smoke-2")
    assert decision is not None
    assert (decision.kind, decision.previous, decision.before) == ("opened", f"{REPOSITORY}#7", {})
    assert (ticket(engine).generation, ticket(engine).number) == (2, None)
    assert ticket(engine).covers == {P95.fingerprint}
    on_github(engine, 7)
    assert ticket(engine).number is None


def test_disproved_closes_tickets_of_these_metrics_at_once(engine: Engine) -> None:
    """Limits that were missed stay as they are."""
    slower = problem("latency_body_ms", "endpoint:chat")
    bad(engine, "smoke-1", [slower])
    bad(engine, "smoke-2", [P95])
    with filed(engine, "smoke-3") as book:
        (decision,) = book.disprove({"latency_body_ms"}, render)
    assert (decision.kind, decision.ticket.fingerprint) == ("disproved", slower.fingerprint)
    assert (ticket(engine, slower).state, ticket(engine).state) == ("closed", "open")


def test_what_is_told_elsewhere_spoils_the_clean_runs(engine: Engine) -> None:
    """A ticket is not closed while what it stands for is bad, in whichever issue that is told."""
    bad(engine, "smoke-1", [P95, ERRORS])
    clean(engine, "smoke-2")
    with filed(engine, "smoke-3") as book:
        book.spoil([ERRORS.fingerprint])
    assert ticket(engine).clean_runs == 0


def test_spoiling_counts_once_for_a_run(engine: Engine) -> None:
    """Published again, it takes back no clean run that came after it; its own event as a bad run stays."""
    bad(engine, "smoke-1", [P95, ERRORS])
    for run_id in ("smoke-1", "smoke-2"):
        with filed(engine, run_id) as book:
            book.spoil(None)
    clean(engine, "smoke-3")
    for run_id in ("smoke-1", "smoke-2"):
        with filed(engine, run_id) as book:
            book.spoil([ERRORS.fingerprint])
    assert ticket(engine).clean_runs == 1
    on_github(engine, 7)
    assert (len(issues_of(engine, "smoke-1")), issues_of(engine, "smoke-2")) == (1, [])


def test_a_stopped_run_spoils_all_open_tickets_of_its_profile_and_target(engine: Engine) -> None:
    """Whatever they are about, but those of another target keep their clean runs."""
    elsewhere = Problem("smoke", "other", "all", "latency_p95_ms", "lower")
    with filing(engine, "other-1", "smoke", "other", BEGIN) as book:
        book.bad(elsewhere.fingerprint, [elsewhere], DAYS, render)
    with filing(engine, "other-2", "smoke", "other", BEGIN) as book:
        book.clean([elsewhere.fingerprint], [], CLEAN_RUNS, render)
    bad(engine, "smoke-1", [P95])
    bad(engine, "smoke-1", [ERRORS])
    clean(engine, "smoke-2", fine=[P95, ERRORS])
    with filed(engine, "smoke-3") as book:
        book.spoil(None)
    counts = [ticket(engine, one).clean_runs for one in (P95, ERRORS, elsewhere)]
    assert counts == [0, 0, 1]


def test_a_run_older_than_the_last_bad_one_counts_neither_way(engine: Engine) -> None:
    """Old runs that are published again close nothing, spoil nothing and write no older figures."""
    slower = problem("latency_body_ms")
    bad(engine, "new", [P95, ERRORS], hour=4)
    bad(engine, "new", [slower], hour=4)
    for number in range(1, 4):
        assert clean(engine, f"old-{number}", hour=number) == []
    assert ticket(engine).clean_runs == 0
    clean(engine, "newer", hour=5)
    assert bad(engine, "old-4", hour=3.5) is None
    with filed(engine, "old-5", hour=3.9) as book:
        book.spoil(None)
        assert book.disprove(["latency_body_ms"], render) == []
    assert (ticket(engine).clean_runs, ticket(engine).last_bad_run_id) == (1, "new")
    assert (ticket(engine, slower).state, count(engine, DELIVERY)) == ("open", 2)


def test_an_old_bad_run_opens_no_closed_ticket_again(engine: Engine) -> None:
    """The problem was seen later, and was gone after that; at the same moment it is the same run."""
    bad(engine, "new", hour=4)
    closed_days_ago(engine, 1)
    assert bad(engine, "old", hour=3.9) is None
    assert ticket(engine).state == "closed"
    again = bad(engine, "newest", hour=4)
    assert again is not None
    assert again.kind == "reopened"


def test_two_tickets_of_one_profile_count_for_themselves(engine: Engine) -> None:
    """A run that can tell of one only is clean for that one only."""
    bad(engine, "smoke-1", [P95])
    bad(engine, "smoke-1", [ERRORS])
    for number in range(2, 5):
        clean(engine, f"smoke-{number}", fine=[P95], unknown=[ERRORS])
    assert (ticket(engine).state, ticket(engine).clean_runs) == ("closed", CLEAN_RUNS)
    assert (ticket(engine, ERRORS).state, ticket(engine, ERRORS).clean_runs) == ("open", 0)


def test_the_issues_of_a_run_are_those_that_tell_of_it(engine: Engine) -> None:
    """As far as they have a number; a clean run has none."""
    bad(engine, "smoke-1", [P95])
    bad(engine, "smoke-1", [ERRORS])
    assert issues_of(engine, "smoke-1") == []
    on_github(engine, 7)
    on_github(engine, 3, ERRORS)
    clean(engine, "smoke-2")
    assert issues_of(engine, "smoke-1") == [(3, "https://x/3"), (7, "https://x/7")]
    assert issues_of(engine, "smoke-2") == []


def test_a_database_that_is_away_is_an_infrastructure_fault() -> None:
    """The caller goes on without tickets."""
    away = connect("postgresql://nobody@127.0.0.1:1/none", connect_timeout_s=1)
    with pytest.raises(InfrastructureError):
        issues_of(away, "smoke-1")
