"""Connections to the database."""

from dataclasses import replace

import numpy as np
import pytest

from include.loadtest.analysis.bottleneck import connections
from include.loadtest.analysis.bottleneck.case import Silence
from include.loadtest.analysis.bottleneck.model import Span
from include.loadtest.analysis.bottleneck.series import Readings
from tests.helpers.made_cases import START_S, Value, after, counted, made_case, made_requests, requests_of

pytestmark = pytest.mark.unit
IN_WORK = ("app", "starlette_requests_in_progress")
WAITED = ("app", "db_pool_wait_seconds_sum")
POOL = [("app", f"db_pool_{name}") for name in ("size", "used", "waiting", "wait_seconds_sum", "wait_seconds_count")]


def test_seconds_waited_for_a_connection_are_requests_that_wait() -> None:
    """By Little's law, from the counter: gauges now and then see none of them. The wait a use is told."""
    figures: dict[tuple[str, str], Value] = {
        WAITED: counted(after(30, 2.0)),
        ("app", "db_pool_size"): 2.0,
        ("app", "db_pool_used"): 1.8,
    }
    (found,) = connections.database_connections(made_case(figures))
    assert (found.cause, found.strength, found.plain) == ("database_connections", "strong", True)
    assert "1.8 of 2 connections were used on average and 1.9 requests waited" in found.facts
    assert any("the wait for a connection took" in one.text for one in found.evidence)


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
    few: dict[tuple[str, str], Value] = {("postgres", "connections_total"): 2.0, IN_WORK: 4.0}
    (found,) = connections.database_connections(made_case(few, without=POOL, requests=requests))
    assert (found.strength, found.plain) == ("moderate", False)
    assert connections.database_connections(made_case(without=POOL, requests=requests)) == []


def test_users_that_wait_for_something_else_are_no_pool_that_is_used_up() -> None:
    """Fewer requests in work than connections; or only what asks the LLM takes long, and others find a connection."""
    slow = made_requests(lambda _, __, ms: ms + 500)
    few: dict[tuple[str, str], Value] = {("postgres", "connections_total"): 2.0, IN_WORK: 1.0}
    assert connections.database_connections(made_case(few, without=POOL, requests=slow)) == []
    streams = made_requests(lambda _, name, ms: ms + (2000 if name.startswith("chat") else 0))
    assert connections.database_connections(made_case({**few, IN_WORK: 9.0}, without=POOL, requests=streams)) == []


def test_connections_that_all_work_are_a_pool_that_is_used_up() -> None:
    """Also where nobody tells how many requests are in work."""
    figures: dict[tuple[str, str], Value] = {
        ("postgres", "connections_total"): 2.0,
        ("postgres", "connections_active"): 1.0,
        ("postgres", "connections_idle_in_transaction"): 0.8,
    }
    slow = made_requests(lambda _, __, ms: ms + 500)
    (found,) = connections.database_connections(made_case(figures, without=[*POOL, IN_WORK], requests=slow))
    assert "2, a number that did not move" in found.facts
    idle = {**figures, ("postgres", "connections_active"): 0.0}
    assert connections.database_connections(made_case(idle, without=[*POOL, IN_WORK], requests=slow)) == []


def test_a_wait_without_requests_is_none() -> None:
    """Nobody waited for what nobody asked."""
    assert connections.database_connections(made_case({WAITED: counted(2.0)}, requests=requests_of([]))) == []


def test_more_waits_than_requests_are_a_clock_s_and_no_reading() -> None:
    """Set back, it makes intervals of nearly no length; a wait is never one of more requests than there were."""
    case = made_case()
    series = case.readings.get(*WAITED)
    assert series is not None
    at_s = np.sort(np.concatenate([series.at_s + 0.001 * number for number in range(4)]))
    stepped = replace(series, at_s=at_s, values=np.arange(len(at_s)) * 0.2)
    readings = Readings({**case.readings.by_kind, WAITED: (stepped,)})
    assert connections.database_connections(replace(case, readings=readings)) == []
    many = made_case({WAITED: counted(25.0)}, requests=made_requests(lambda _, __, ms: ms + 20_000))
    (found,) = connections.database_connections(many)
    assert found.weight is not None
    assert found.evidence[0].value <= many.requests.most_at_once(many.load)


def test_a_server_that_lets_nobody_in_has_no_connection_left() -> None:
    """By what it answered the monitoring; another refusal says nothing of its connections."""
    span = Span(START_S + 20, START_S + 40)
    full = Silence("postgres", span, "FATAL: sorry, too many clients already")
    (found,) = connections.database_connections(made_case(silences=[full]))
    assert (found.strength, found.plain, found.weight) == ("moderate", False, None)
    refused = Silence("postgres", span, "password authentication failed, connection refused")
    assert connections.database_connections(made_case(silences=[refused])) == []


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
