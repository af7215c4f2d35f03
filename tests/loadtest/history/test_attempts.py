"""Attempts are committed before they are made, wait longer each time, and end; a lane is one caller's at a time."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import ColumnElement, Engine, func, literal, select, text, update

from include.loadtest.errors import InfrastructureError
from include.loadtest.history import attempts, outbox
from include.loadtest.history.attempts import BACKOFF_S, GIVE_UP_AFTER_S, OUT_OF_TIME, Choice
from include.loadtest.history.database import connect, transaction
from include.loadtest.history.outbox import UNSURE_S, Delivery, Row
from include.loadtest.history.schema import DELIVERY

pytestmark = pytest.mark.integration
KINDS = frozenset({"slack_message", "ticket"})
CHOICE = Choice(KINDS)
FORCED = Choice(KINDS, is_forced=True)
LANE = "slack/run/1"
HOUR = timedelta(hours=1)
REFUSED: dict[str, Any] = {"may_have_arrived": False, "retry_after_s": None, "is_permanent": False}


def put(engine: Engine, key: str, lane: str = LANE, *, payload: int = 1, **changes: Any) -> None:
    values = {"service": "slack", "kind": "slack_message", "subject": "smoke-1", **changes}
    outbox.put(engine, Delivery(key, lane=lane, payload={"n": payload}, **values))


def row_of(engine: Engine, key: str) -> Row:
    with transaction(engine) as connection:
        return outbox.as_row(dict(connection.execute(select(DELIVERY).where(DELIVERY.c.key == key)).mappings().one()))


def claimed(engine: Engine, lane: str = LANE, choice: Choice = FORCED) -> Row:
    row = attempts.claim(engine, lane, choice)
    assert row is not None
    return row


def ago(seconds: float) -> ColumnElement[datetime]:
    return func.now() - literal(timedelta(seconds=seconds))


def change(engine: Engine, key: str, **values: Any) -> None:
    with transaction(engine) as connection:
        connection.execute(update(DELIVERY).where(DELIVERY.c.key == key).values(**values))


def from_now_s(engine: Engine, moment: datetime | None) -> float:
    assert moment is not None
    with transaction(engine) as connection:
        return float((moment - connection.execute(select(func.clock_timestamp())).scalar_one()).total_seconds())


def test_an_attempt_stands_in_the_row_before_it_is_made(engine: Engine) -> None:
    """A process that ends now leaves a row that waits for its back-off and may have arrived."""
    put(engine, "a")
    row = claimed(engine, choice=CHOICE)
    assert (row.attempts, row.may_have_arrived, row.last_error) == (1, False, None)
    kept = row_of(engine, "a")
    assert (kept.attempts, kept.may_have_arrived, kept.state) == (1, True, "waiting")
    assert kept.last_error == "the last attempt has come to no answer"
    assert 60 < from_now_s(engine, kept.next_attempt) <= UNSURE_S
    assert attempts.claim(engine, LANE, CHOICE) is None
    change(engine, "a", next_attempt=ago(1))
    assert claimed(engine, choice=CHOICE).may_have_arrived is True


def test_what_may_have_arrived_is_not_forced(engine: Engine) -> None:
    """The service may still be at it, so that looking would find nothing: it waits for two minutes at least."""
    put(engine, "a")
    attempts.failed(engine, claimed(engine), "no answer", **{**REFUSED, "may_have_arrived": True})
    assert 60 < from_now_s(engine, row_of(engine, "a").next_attempt) <= UNSURE_S
    assert (attempts.claim(engine, LANE, FORCED), attempts.due_lanes(engine, FORCED)) == (None, {})
    change(engine, "a", next_attempt=ago(1))
    assert claimed(engine).may_have_arrived is True


def test_another_installations_rows_are_not_tried(engine: Engine) -> None:
    """Nor given up, dropped or counted; its Retry-After is its own."""
    here, there = (engine.execution_options(origin=name) for name in ("a", "b"))
    put(there, "theirs", lane="theirs")
    put(there, "old", lane="old", expires=datetime(2020, 1, 1, tzinfo=UTC))
    change(engine, "theirs", updated=ago(GIVE_UP_AFTER_S + 1), last_error="down", not_before=func.now() + HOUR)
    attempts.drop_expired(here)
    attempts.give_up_old(here, KINDS)
    assert [row.state for row in outbox.rows_of(there, "smoke-1")] == ["waiting", "waiting"]
    assert (attempts.due_lanes(here, FORCED), attempts.claim(here, "theirs", FORCED)) == ({}, None)
    assert (attempts.count_waiting(here, None), attempts.count_waiting(there, "smoke-1")) == (0, 2)
    put(here, "mine", lane="theirs")
    assert attempts.due_lanes(here, Choice(KINDS, subject="smoke-1")) == {"slack": ["theirs"]}
    assert claimed(here, "theirs").key == "mine"


def test_the_wait_grows_to_an_hour(engine: Engine) -> None:
    """1, 2, 5, 10, 30, 60 minutes, then hourly; not before, unless forced; a success or a new version begins anew."""
    put(engine, "a")
    waits_s = []
    for _ in range(8):
        attempts.failed(engine, claimed(engine), "down", **REFUSED)
        waits_s.append(from_now_s(engine, row_of(engine, "a").next_attempt))
        assert attempts.claim(engine, LANE, CHOICE) is None
        assert attempts.due_lanes(engine, CHOICE) == {}
        assert attempts.due_lanes(engine, FORCED) == {"slack": [LANE]}
    assert waits_s == pytest.approx([60, 120, 300, 600, 1800, 3600, 3600, 3600], abs=30)
    assert BACKOFF_S[-1] == 3600
    change(engine, "a", next_attempt=ago(1))
    row = claimed(engine, choice=CHOICE)
    assert row.attempts == 9
    attempts.failed(engine, row, "down", **REFUSED)
    put(engine, "a", payload=2)
    assert claimed(engine, choice=CHOICE).attempts == 1


def test_what_may_have_arrived_is_told_until_it_has(engine: Engine) -> None:
    """A plain refusal later does not make an earlier lost answer undone; an arrival does."""
    put(engine, "a")
    attempts.failed(engine, claimed(engine), "cut", **{**REFUSED, "may_have_arrived": True})
    change(engine, "a", next_attempt=ago(1))
    attempts.failed(engine, claimed(engine), "refused", **REFUSED)
    change(engine, "a", next_attempt=ago(1))
    row = claimed(engine)
    assert (row.may_have_arrived, row.last_error, row.attempts) == (True, "refused", 3)
    attempts.arrived(engine, row, {"ts": "1"})
    done = row_of(engine, "a")
    assert (done.may_have_arrived, done.state, done.attempts, done.last_error) == (False, "delivered", 0, None)
    assert (done.receipt, done.delivered_at is None) == ({"ts": "1"}, False)
    put(engine, "b")
    attempts.failed(engine, claimed(engine), "refused", **REFUSED)
    assert row_of(engine, "b").may_have_arrived is False


def test_receipts_are_merged(engine: Engine) -> None:
    """What a later answer does not name stays; an answer's text is stored whatever is in it."""
    put(engine, "a")
    attempts.arrived(engine, claimed(engine), {"ts": "1", "channel": "C1"})
    put(engine, "a", payload=2)
    attempts.arrived(engine, claimed(engine), {"ts": "2\x00"})
    assert outbox.receipt_of(engine, "a") == {"ts": "2\ufffd", "channel": "C1"}


@pytest.mark.parametrize("is_permanent", [True, False])
def test_a_version_put_meanwhile_is_due_whatever_comes_of_the_older(engine: Engine, is_permanent: bool) -> None:
    """Delivered, failed or given up: that was the older one."""
    put(engine, "a")
    row = claimed(engine)
    put(engine, "a", payload=2)
    attempts.arrived(engine, row, {"ts": "1"})
    newer = row_of(engine, "a")
    assert (newer.version, newer.delivered_version, newer.state) == (2, 1, "waiting")
    row = claimed(engine, choice=CHOICE)
    assert row.payload == {"n": 2}
    put(engine, "a", payload=3)
    attempts.failed(engine, row, "refused", **{**REFUSED, "is_permanent": is_permanent})
    row = claimed(engine, choice=CHOICE)
    assert (row.payload, row.attempts) == ({"n": 3}, 1)
    put(engine, "a", payload=4)
    attempts.untried(engine, row, may_have_arrived=False)
    assert claimed(engine, choice=CHOICE).payload == {"n": 4}


def test_an_attempt_without_time_counts_for_nothing(engine: Engine) -> None:
    """The row is as it was; what had been sent by then may have arrived, so that it is looked for later."""
    put(engine, "a")
    attempts.failed(engine, claimed(engine), "down", **REFUSED)
    before = row_of(engine, "a")
    attempts.untried(engine, claimed(engine), may_have_arrived=False)
    assert row_of(engine, "a") == before
    attempts.untried(engine, claimed(engine), may_have_arrived=True)
    after = row_of(engine, "a")
    assert after == replace(before, may_have_arrived=True, next_attempt=after.next_attempt)
    assert 60 < from_now_s(engine, after.next_attempt) <= UNSURE_S


def test_what_never_has_enough_time_is_given_up_by_its_age(engine: Engine) -> None:
    """No attempt at it is counted, however often it was begun."""
    put(engine, "a")
    attempts.untried(engine, claimed(engine), may_have_arrived=False)
    change(engine, "a", updated=ago(GIVE_UP_AFTER_S + 1))
    attempts.give_up_old(engine, KINDS)
    row = row_of(engine, "a")
    assert (row.state, row.attempts, row.last_error) == ("given_up", 0, f"given up after 72 h: {OUT_OF_TIME}")


def test_the_first_row_of_a_lane_comes_first(engine: Engine) -> None:
    """While it waits for its back-off those behind it wait too; given up, it holds up nobody."""
    for key in ("a", "b"):
        put(engine, key)
    row = claimed(engine)
    assert row.key == "a"
    attempts.failed(engine, row, "down", **REFUSED)
    assert (attempts.claim(engine, LANE, CHOICE), attempts.due_lanes(engine, CHOICE)) == (None, {})
    attempts.failed(engine, claimed(engine), "wrong", **{**REFUSED, "is_permanent": True})
    assert claimed(engine, choice=CHOICE).key == "b"


def test_lanes_that_failed_least_come_first(engine: Engine) -> None:
    """A row that fails each time is tried after all others, by service; kinds that nobody delivers are not seen."""
    for key in ("a", "b", "c"):
        put(engine, key, lane=key)
    attempts.failed(engine, claimed(engine, "a"), "down", **REFUSED)
    put(engine, "g", lane="g", service="github", kind="ticket")
    put(engine, "p", lane="b", kind="slack_file")
    put(engine, "q", lane="q", kind="slack_file")
    assert attempts.due_lanes(engine, FORCED) == {"slack": ["b", "c", "a"], "github": ["g"]}
    assert attempts.due_lanes(engine, CHOICE) == {"slack": ["b", "c"], "github": ["g"]}
    assert attempts.due_lanes(engine, Choice(frozenset({"ticket"}))) == {"github": ["g"]}


def test_a_lane_below_another_comes_after_it(engine: Engine) -> None:
    """A plot needs its message, also where that has failed before and the plot was never tried."""
    put(engine, "message", lane="slack/run/1")
    put(engine, "plot", lane="slack/run/1/plot")
    put(engine, "other", lane="slack/run/2")
    attempts.failed(engine, claimed(engine, "slack/run/1"), "down", **REFUSED)
    assert attempts.due_lanes(engine, FORCED) == {"slack": ["slack/run/2", "slack/run/1", "slack/run/1/plot"]}


def test_a_subject_chooses_lanes_and_keeps_their_order(engine: Engine) -> None:
    """An earlier row of another run goes first; a later one, and other lanes, are left."""
    put(engine, "pages/1", lane="pages")
    put(engine, "pages/2", lane="pages", subject="smoke-2")
    put(engine, "pages/3", lane="pages", subject="smoke-3")
    put(engine, "other", lane="other", subject="smoke-3")
    mine = Choice(KINDS, subject="smoke-2")
    assert attempts.due_lanes(engine, mine) == {"slack": ["pages"]}
    for key in ("pages/1", "pages/2"):
        row = claimed(engine, "pages", mine)
        assert row.key == key
        attempts.arrived(engine, row, {})
    assert attempts.claim(engine, "pages", mine) is None
    assert (attempts.count_waiting(engine, "smoke-2"), attempts.count_waiting(engine, None)) == (0, 2)


@pytest.mark.parametrize("wait_s", [120.0, 1e12])
def test_retry_after_holds_for_the_whole_service(engine: Engine, wait_s: float) -> None:
    """Also when forced, also for what is put later; not for another service; however long, it is no error."""
    put(engine, "a", lane="a")
    put(engine, "g", lane="g", service="github", kind="ticket")
    attempts.failed(engine, claimed(engine, "a"), "ratelimited", **{**REFUSED, "retry_after_s": wait_s})
    put(engine, "b", lane="b")
    put(engine, "a", lane="a", payload=2)
    assert attempts.due_lanes(engine, FORCED) == {"github": ["g"]}
    assert attempts.claim(engine, "b", FORCED) is None
    rest_s = from_now_s(engine, row_of(engine, "a").not_before)
    assert rest_s == pytest.approx(min(wait_s, GIVE_UP_AFTER_S), abs=30)
    change(engine, "a", not_before=ago(1))
    assert attempts.due_lanes(engine, CHOICE) == {"slack": ["a", "b"], "github": ["g"]}


def test_what_would_tell_nobody_anything_is_dropped(engine: Engine) -> None:
    """Only rows whose moment has passed; those are not tried in between either."""
    put(engine, "late", expires=datetime(2026, 1, 1, tzinfo=UTC))
    put(engine, "early", expires=datetime(2100, 1, 1, tzinfo=UTC))
    assert claimed(engine).key == "early"
    attempts.drop_expired(engine)
    assert (row_of(engine, "late").state, row_of(engine, "early").state) == ("given_up", "waiting")
    assert row_of(engine, "late").last_error == "told nobody anything any more"


def test_what_fails_for_three_days_is_given_up(engine: Engine) -> None:
    """Not what was never tried, since nobody was there to try; but what nobody here can deliver is, and says so."""
    kinds = {"tried": "slack_message", "untried": "slack_message", "young": "slack_message", "nobody": "page"}
    for key, kind in kinds.items():
        put(engine, key, lane=key, kind=kind)
    for key in ("tried", "young"):
        attempts.failed(engine, claimed(engine, key), "Slack is down", **REFUSED)
    for key in ("tried", "untried", "nobody"):
        change(engine, key, updated=ago(GIVE_UP_AFTER_S + 1))
    change(engine, "young", updated=ago(GIVE_UP_AFTER_S - 60))
    attempts.give_up_old(engine, KINDS)
    states = {key: (row_of(engine, key).state, row_of(engine, key).last_error) for key in kinds}
    assert states == {
        "tried": ("given_up", "given up after 72 h: Slack is down"),
        "untried": ("waiting", None),
        "young": ("waiting", "Slack is down"),
        "nobody": ("given_up", "given up after 72 h: the service is not set up"),
    }


def test_a_reason_is_bounded_and_printable(engine: Engine) -> None:
    """One line, whatever a service has answered."""
    put(engine, "a")
    kept = attempts.failed(engine, claimed(engine), "no\x00\n\x1b[31m\ud800" + "x" * 100_000, **REFUSED)
    assert (kept, len(kept), kept.isprintable()) == (row_of(engine, "a").last_error, 500, True)


def test_a_lane_is_one_callers(engine: Engine, url: str) -> None:
    """Another is refused at once, whichever process it is of; other lanes are free; afterwards it is free again."""
    other = connect(url)
    for _ in range(2):
        with attempts.lane_lock(engine, LANE) as mine:
            with attempts.lane_lock(other, LANE) as second, attempts.lane_lock(other, "x") as third:
                assert (mine, second, third) == (True, False, True)
            with attempts.lane_lock(other, LANE) as still:
                assert still is False


def test_many_want_a_lane(engine: Engine) -> None:
    """Never two in it."""
    inside: list[int] = []

    def enter(_: int) -> bool:
        with attempts.lane_lock(engine, LANE) as mine:
            if mine:
                inside.append(1)
                put(engine, "a")
                assert len(inside) == 1
                inside.pop()
            return mine

    with ThreadPoolExecutor(6) as pool:
        assert any(pool.map(enter, range(30)))


def test_a_lock_ends_with_its_connection(engine: Engine) -> None:
    """A server that loses it lets the next one in; who held it hears of it as infrastructure."""
    ends = text("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'")

    def hold() -> None:
        with attempts.lane_lock(engine, LANE) as mine:
            assert mine
            with transaction(engine) as connection:
                assert connection.scalars(ends).all() == [True]

    with pytest.raises(InfrastructureError, match="history database"):
        hold()
    with attempts.lane_lock(engine, LANE) as mine:
        assert mine is True


def test_a_database_that_fails_is_infrastructure(empty_url: str) -> None:
    """A lock on a server that is away, rows of a history that was never upgraded."""
    away = connect("postgresql://somebody@127.0.0.1:1/history")
    with pytest.raises(InfrastructureError, match="history database"), attempts.lane_lock(away, LANE):
        pass
    with pytest.raises(InfrastructureError, match="does not exist"):
        attempts.due_lanes(connect(empty_url), CHOICE)
