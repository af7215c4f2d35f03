"""Connections to the database, and locks in it."""

import pytest

from include.loadtest.analysis.bottleneck import connections
from tests.helpers.made_cases import Value, after, counted, made_case, made_requests, moment

pytestmark = pytest.mark.unit
WAITED = ("app", "db_pool_wait_seconds_sum")
POOL = [("app", f"db_pool_{name}") for name in ("size", "used", "waiting", "wait_seconds_sum", "wait_seconds_count")]
LOCKED: dict[tuple[str, str], Value] = {
    ("postgres", "lock_waits"): after(30, 2.0),
    ("postgres", 'waiting_backends{type="Lock"}'): after(30, 2.0),
    ("postgres", "lock_wait_longest_s"): lambda at_s: max(0.0, at_s - 30),
}


def test_seconds_waited_for_a_connection_are_requests_that_wait() -> None:
    """By Little's law, from the counter: gauges now and then see none of them. The wait a use is told."""
    figures: dict[tuple[str, str], Value] = {
        WAITED: counted(after(30, 2.0)),
        ("app", "db_pool_size"): 2.0,
        ("app", "db_pool_used"): 1.8,
    }
    (found,) = connections.database_connections(made_case(figures))
    assert (found.cause, found.strength, found.plain) == ("database_connections", "strong", True)
    assert "1.8 of 2 connections were used and 1.9 requests waited" in found.facts
    assert any("waited for for" in one.text or "waited for" in one.text for one in found.evidence)


def test_few_waits_are_no_bottleneck() -> None:
    """A healthy pool, and one whose waits are a hundredth of the requests' time."""
    assert connections.database_connections(made_case()) == []
    assert connections.database_connections(made_case({WAITED: counted(0.01)})) == []


def test_a_server_near_its_limit_is_the_connections() -> None:
    """80 of 100, whoever has them."""
    (found,) = connections.database_connections(made_case({("postgres", "connections_total"): 93.0}))
    assert "93 of the server's 100 connections" in found.facts


def test_an_application_that_hides_its_pool_is_seen_by_requests_beyond_its_connections() -> None:
    """More requests than connections, whose number does not move: moderately sure. Enough connections: nothing."""
    requests = made_requests(lambda _, __, ms: ms + 500)
    few = made_case({("postgres", "connections_total"): 2.0}, without=POOL, requests=requests)
    (found,) = connections.database_connections(few)
    assert (found.strength, found.plain) == ("moderate", False)
    assert connections.database_connections(made_case(without=POOL, requests=requests)) == []


def test_transactions_that_nobody_ends_are_told() -> None:
    """Connections idle in a transaction for longer than any request lasts."""
    figures: dict[tuple[str, str], Value] = {
        ("postgres", "idle_in_transaction_longest_s"): lambda at_s: at_s + 10,
        ("postgres", "connections_idle_in_transaction"): 6.0,
    }
    (found,) = connections.database_connections(made_case(figures))
    assert "6 connections stood idle in a transaction" in found.facts
    assert found.plain
    figures["postgres", "connections_idle_in_transaction"] = 3.0
    assert not connections.database_connections(made_case(figures))[0].plain


def test_a_lock_names_who_waits_and_who_holds_it() -> None:
    """The longest wait decides; the blocking statement and its transaction come from what was observed."""
    seen = {
        "kind": "lock_wait", "ts": moment(40), "statement": "UPDATE tariffs", "blocking_statement": "SELECT 1",
        "blocking_state": "idle in transaction", "blocking_transaction_s": 12.0, "blocking_pid": 77,
    }  # fmt: skip
    (found,) = connections.locks(made_case(LOCKED, observations=[seen]))
    assert (found.strength, found.plain) == ("strong", True)
    assert (found.statement, found.blocking_statement) == ("UPDATE tariffs", "SELECT 1")
    assert "held by a transaction of 12 s (idle in transaction)" in found.facts
    assert "backend 77" in found.next_step


def test_short_waits_for_locks_are_usual() -> None:
    """Statements that write the same row wait for some milliseconds; nobody is blamed."""
    figures = {**LOCKED, ("postgres", "lock_wait_longest_s"): 0.01}
    assert connections.locks(made_case(figures)) == []
    assert connections.locks(made_case()) == []
