"""The outbox keeps one row for each thing to be told, whatever is put how often, and refuses no text."""

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, case, update

from include.loadtest.errors import InfrastructureError
from include.loadtest.history import attempts, outbox
from include.loadtest.history.attempts import Choice
from include.loadtest.history.database import connect, transaction
from include.loadtest.history.outbox import Delivery, Row
from include.loadtest.history.schema import DELIVERY

pytestmark = pytest.mark.integration
KEY = "slack/run/smoke-1"
CHOICE = Choice(frozenset({"slack_message", "slack_reply", "ticket"}), is_forced=True)
REASONS = {"may_have_arrived": False, "retry_after_s": None}


def message(payload: dict[str, Any] | None = None, key: str = KEY, **changes: Any) -> Delivery:
    values = {"service": "slack", "kind": "slack_message", "lane": KEY, "subject": "smoke-1", **changes}
    return Delivery(key, payload=payload or {"text": "started"}, **values)


def row_of(engine: Engine, key: str = KEY) -> Row:
    (row,) = [row for row in outbox.rows_of(engine, "smoke-1") if row.key == key]
    return row


def claimed(engine: Engine) -> Row:
    row = attempts.claim(engine, KEY, CHOICE)
    assert row is not None
    return row


def arrive(engine: Engine, **receipt: Any) -> None:
    attempts.arrived(engine, claimed(engine), receipt)


def test_a_new_row_waits_and_is_due(engine: Engine) -> None:
    """It is committed when `put` returns, with nothing assumed about its delivery."""
    outbox.put(engine, message(expires=datetime(2100, 1, 1, tzinfo=UTC)))
    row = row_of(engine)
    assert outbox.waiting(engine) == [row]
    assert (row.state, row.payload, row.version, row.delivered_version) == ("waiting", {"text": "started"}, 1, 0)
    assert (row.receipt, row.attempts, row.may_have_arrived, row.last_error) == ({}, 0, False, None)
    assert (row.delivered_at, row.given_up_at, row.not_before) == (None, None, None)
    assert row.expires == datetime(2100, 1, 1, tzinfo=UTC)
    assert row.next_attempt == row.created == row.updated
    assert outbox.receipt_of(engine, KEY) is None
    assert outbox.receipt_of(engine, "another") is None


def test_the_same_payload_changes_nothing(engine: Engine) -> None:
    """Before it is delivered, and after it; the order of keys is no other payload."""
    for payload in ({"a": 1, "b": 2}, {"b": 2, "a": 1}):
        outbox.put(engine, message(payload))
    assert row_of(engine).version == 1
    arrive(engine)
    delivered = row_of(engine)
    outbox.put(engine, message({"a": 1, "b": 2}))
    assert row_of(engine) == delivered


def test_what_was_given_up_is_tried_again_where_it_is_put_again(engine: Engine) -> None:
    """Somebody has mended what was wrong, and has repeated what put it."""
    outbox.put(engine, message())
    attempts.failed(engine, claimed(engine), "is_archived", is_permanent=True, **REASONS)
    assert row_of(engine).state == "given_up"
    outbox.put(engine, message())
    row = row_of(engine)
    assert (row.state, row.version, row.attempts, row.last_error) == ("waiting", 1, 0, None)
    assert row.next_attempt > row.created
    arrive(engine)
    assert row_of(engine).state == "delivered"


def test_all_that_was_given_up_about_a_run_is_revived(engine: Engine) -> None:
    """But for what has expired, and what is about another run; what has arrived or waits is as it was."""
    for key, about in (("a", "smoke-1"), ("b", "smoke-1"), ("theirs", "smoke-2"), ("waits", "smoke-1")):
        outbox.put(engine, message(key=key, subject=about))
    for _ in ("a", "b", "theirs"):
        attempts.failed(engine, claimed(engine), "is_archived", is_permanent=True, **REASONS)
    late = {"lane": "late", "expires": datetime(2020, 1, 1, tzinfo=UTC)}
    outbox.put(engine, message(key="late", **late))
    attempts.drop_expired(engine)
    outbox.put(engine, message(key="done", lane="done"))
    done = attempts.claim(engine, "done", CHOICE)
    assert done is not None
    attempts.arrived(engine, done, {})
    before = {row.key: row for row in outbox.rows_of(engine, "smoke-1")}
    outbox.revive(engine, "smoke-1")
    after = {row.key: row for row in outbox.rows_of(engine, "smoke-1")}
    assert [(key, row.state, row.attempts) for key, row in after.items()] == [
        ("a", "waiting", 0),
        ("b", "waiting", 0),
        ("waits", "waiting", 0),
        ("late", "given_up", 0),
        ("done", "delivered", 0),
    ]
    assert [key for key in after if after[key] == before[key]] == ["waits", "late", "done"]
    assert [row.state for row in outbox.rows_of(engine, "smoke-2")] == ["given_up"]


def test_the_row_is_about_the_latest_run_that_put_it(engine: Engine) -> None:
    """A pull request's second run is told in the comment of the first, with the same words or others."""
    outbox.put(engine, message())
    outbox.put(engine, message({"text": "verdict"}, subject="smoke-2"))
    assert outbox.rows_of(engine, "smoke-1") == []
    (row,) = outbox.rows_of(engine, "smoke-2")
    assert (row.version, row.payload, row.lane) == (2, {"text": "verdict"}, KEY)
    arrive(engine)
    outbox.put(engine, message({"text": "verdict"}, subject="smoke-3"))
    (row,) = outbox.rows_of(engine, "smoke-3")
    assert (row.state, row.version) == ("delivered", 2)


def test_installations_that_share_a_history_know_only_their_own_rows(engine: Engine) -> None:
    """The same key is two things then: each has its own services, bundles and receipts."""
    here, there = (engine.execution_options(origin=name) for name in ("http://a:8080", "http://b:8080"))
    outbox.put(here, message())
    outbox.put(there, message({"text": "theirs"}))
    with transaction(there) as connection:
        outbox.put_in(connection, message(key="in"))
    arrive(here, ts="1.0")
    assert outbox.receipt_of(here, KEY) == {"ts": "1.0"}
    assert outbox.receipt_of(there, KEY) is None
    outbox.touch(there, KEY)
    assert (row_of(here).version, row_of(there).version, row_of(there).origin) == (1, 2, "http://b:8080")
    assert (outbox.waiting(here), [row.key for row in outbox.waiting(there)]) == ([], [KEY, "in"])
    attempts.failed(there, claimed(there), "is_archived", is_permanent=True, **REASONS)
    long_ago, later = datetime(2020, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
    assert (outbox.given_up(here, since=long_ago), len(outbox.given_up(there, since=long_ago))) == ([], 1)
    outbox.revive(here, "smoke-1")
    assert row_of(there).state == "given_up"
    assert outbox.forget_delivered(here, before=later) == 1
    assert len(outbox.rows_of(there, "smoke-1")) == 2
    assert outbox.rows_of(engine, "smoke-1") == []


def test_what_may_have_arrived_is_not_due_at_once_with_another_payload(engine: Engine) -> None:
    """The service may still be at the earlier one, and nobody would find it yet; after a long back-off it is sooner."""
    outbox.put(engine, message())
    row = claimed(engine)
    attempts.failed(engine, row, "no answer", is_permanent=False, **REASONS | {"may_have_arrived": True})
    outbox.put(engine, message({"text": "verdict"}))
    assert row_of(engine).next_attempt > row_of(engine).updated + timedelta(seconds=60)
    with transaction(engine) as connection:
        connection.execute(update(DELIVERY).values(next_attempt=row.created + timedelta(hours=1)))
    outbox.put(engine, message({"text": "another"}))
    again = row_of(engine)
    assert again.next_attempt - again.updated <= timedelta(seconds=outbox.UNSURE_S)


def test_another_payload_is_delivered_again(engine: Engine) -> None:
    """After a delivery, after failures and after it was given up; the service's answer to the earlier one is kept."""
    outbox.put(engine, message())
    arrive(engine, ts="1.0")
    outbox.put(engine, message({"text": "verdict"}))
    row = row_of(engine)
    assert (row.state, row.version, row.delivered_version, row.receipt) == ("waiting", 2, 1, {"ts": "1.0"})
    attempts.failed(engine, claimed(engine), "invalid_blocks", is_permanent=True, **REASONS)
    assert row_of(engine).state == "given_up"
    outbox.put(engine, message({"text": "shorter"}))
    row = row_of(engine)
    assert (row.state, row.version, row.attempts, row.last_error) == ("waiting", 3, 0, None)
    assert row.created < row.next_attempt < row.updated + timedelta(seconds=30)
    assert outbox.receipt_of(engine, KEY) == {"ts": "1.0"}


def test_many_putting_at_once_make_one_row(engine: Engine) -> None:
    """Whoever comes first; the rest finds it."""
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: outbox.put(engine, message()), range(24)))
    assert [row.version for row in outbox.rows_of(engine, "smoke-1")] == [1]


def test_a_row_belongs_to_the_callers_transaction(engine: Engine) -> None:
    """What is undone with it is not delivered."""

    def fail() -> None:
        with transaction(engine) as connection:
            outbox.put_in(connection, message())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert outbox.waiting(engine) == []


def test_touching_delivers_once_more(engine: Engine) -> None:
    """What was delivered is due again; what is absent stays absent, what is given up stays so."""
    outbox.touch(engine, KEY)
    assert outbox.waiting(engine) == []
    outbox.put(engine, message())
    arrive(engine, ts="1.0")
    outbox.touch(engine, KEY)
    row = row_of(engine)
    assert (row.state, row.version, row.payload) == ("waiting", 2, {"text": "started"})
    attempts.failed(engine, claimed(engine), "is_archived", is_permanent=True, **REASONS)
    outbox.touch(engine, KEY)
    assert row_of(engine).state == "given_up"


def test_touching_during_an_attempt_is_not_lost(engine: Engine) -> None:
    """The attempt has rendered the old state, so the row is due again after it; a failure keeps its back-off."""
    outbox.put(engine, message())
    row = claimed(engine)
    outbox.touch(engine, KEY)
    attempts.arrived(engine, row, {})
    again = row_of(engine)
    assert (again.state, again.version, again.delivered_version) == ("waiting", 2, 1)
    row = claimed(engine)
    outbox.touch(engine, KEY)
    attempts.failed(engine, row, "down", is_permanent=False, **REASONS)
    assert (row_of(engine).attempts, row_of(engine).next_attempt > again.next_attempt) == (1, True)


@pytest.mark.parametrize(
    ("payload", "kept"),
    [
        ({"text": "a\x00b\ud800"}, {"text": "a\ufffdb\ufffd"}),
        ({"n\x00": [math.nan, math.inf, 1.5, None, True]}, {"n\ufffd": [None, None, 1.5, None, True]}),
        ({"text": "ж" * 100_000}, {"text": "ж" * 100_000}),
        ({"pair": ("é\n\x1b", 2**70)}, {"pair": ["é\n\x1b", 2**70]}),
    ],
)
def test_any_text_of_a_target_is_stored(engine: Engine, payload: dict[str, Any], kept: dict[str, Any]) -> None:
    """What PostgreSQL's JSON cannot hold is replaced, the rest is unchanged; twice is the same payload."""
    for _ in range(2):
        outbox.put(engine, message(payload))
    assert (row_of(engine).payload, row_of(engine).version) == (kept, 1)


def test_what_is_no_json_is_refused(engine: Engine) -> None:
    """An object in a payload is a fault of its caller, and is not stored as some text."""
    with pytest.raises(TypeError, match="datetime is no JSON"):
        outbox.put(engine, message({"at": datetime.now(UTC)}))


def test_a_report_reads_each_state(engine: Engine) -> None:
    """What it is, how far it is, why, and where to see it; only what concerns that subject."""
    outbox.put(engine, message())
    arrive(engine, ts="1.0", url="https://example.slack.com/archives/C1/p1")
    outbox.put(engine, message(key=f"{KEY}/progress", kind="slack_reply"))
    attempts.failed(engine, claimed(engine), "Slack is down", is_permanent=False, **REASONS)
    outbox.put(engine, message(key="github/ticket/f/smoke-1", lane="t", kind="ticket", service="github"))
    with transaction(engine) as connection:
        ticket = update(DELIVERY).where(DELIVERY.c.key == "github/ticket/f/smoke-1")
        connection.execute(ticket.values(receipt={"url": "javascript:alert(1)"}))
    outbox.put(
        engine, message(key=f"{KEY}/late", lane="l", kind="slack_reply", expires=datetime(2020, 1, 1, tzinfo=UTC))
    )
    attempts.drop_expired(engine)
    outbox.put(engine, message(key="other", subject="smoke-2"))
    first, second, third, fourth = outbox.states(engine, "smoke-1")
    when = f"{row_of(engine).delivered_at:%Y-%m-%d}"
    assert first["text"] is not None
    assert first["text"].startswith(f"delivered {when}")
    assert (first["what"], first["state"]) == ("Slack message", "delivered")
    assert first["url"] == "https://example.slack.com/archives/C1/p1"
    assert second["text"] is not None
    assert second["text"].startswith(f"Slack is down; tried again from {when}")
    assert (second["what"], second["state"], second["url"]) == ("Slack reply progress", "waiting", None)
    assert third == {"what": "GitHub ticket", "state": "waiting", "text": "not tried yet", "url": None}
    assert fourth["text"] == "told nobody anything any more"
    assert (fourth["what"], fourth["state"]) == ("Slack reply", "given_up")


def test_a_report_says_that_an_earlier_version_arrived(engine: Engine) -> None:
    """A message that says "started" while the verdict waits is not taken for nothing at all."""
    outbox.put(engine, message())
    arrive(engine)
    outbox.put(engine, message({"text": "verdict"}))
    (state,) = outbox.states(engine, "smoke-1")
    assert state["state"] == "waiting"
    assert "not tried yet; an earlier version arrived 20" in str(state["text"])


def test_what_was_given_up_lately_is_told(engine: Engine) -> None:
    """From that moment on; what waits or has arrived is not among it."""
    for key in ("gone", "waits"):
        outbox.put(engine, message(key=key))
    attempts.failed(engine, claimed(engine), "is_archived", is_permanent=True, **REASONS)
    at = row_of(engine, "gone").given_up_at
    assert at is not None
    assert [row.key for row in outbox.given_up(engine, since=at)] == ["gone"]
    assert outbox.given_up(engine, since=at + timedelta(seconds=1)) == []


def test_only_what_is_settled_is_forgotten(engine: Engine) -> None:
    """What arrived or was given up long ago goes; what waits stays however old, and so does what changed since."""
    for key in ("given up", "arrived", "young", "waits"):
        outbox.put(engine, message(key=key))
    attempts.failed(engine, claimed(engine), "is_archived", is_permanent=True, **REASONS)
    for _ in range(2):
        arrive(engine)
    old = datetime(2026, 1, 1, tzinfo=UTC)
    with transaction(engine) as connection:
        aged = update(DELIVERY).where(DELIVERY.c.key != "young")
        connection.execute(aged.values(updated=old, delivered_at=case((DELIVERY.c.delivered_at.is_not(None), old))))
        connection.execute(update(DELIVERY).where(DELIVERY.c.key == "given up").values(given_up_at=old))
        connection.execute(update(DELIVERY).where(DELIVERY.c.key == "young").values(delivered_at=old))
    assert outbox.forget_delivered(engine, before=old) == 0
    assert outbox.forget_delivered(engine, before=old + timedelta(seconds=1)) == 2
    assert [row.key for row in outbox.rows_of(engine, "smoke-1")] == ["young", "waits"]


CALLS: list[Callable[[Engine], Any]] = [
    lambda engine: outbox.put(engine, message()),
    lambda engine: outbox.touch(engine, KEY),
    lambda engine: outbox.revive(engine, "smoke-1"),
    lambda engine: outbox.receipt_of(engine, KEY),
    lambda engine: outbox.rows_of(engine, "smoke-1"),
    outbox.waiting,
    lambda engine: outbox.given_up(engine, since=datetime.now(UTC)),
    lambda engine: outbox.forget_delivered(engine, before=datetime.now(UTC)),
    lambda engine: outbox.states(engine, "smoke-1"),
]


@pytest.mark.parametrize("call", CALLS)
def test_a_database_that_fails_is_infrastructure(call: Callable[[Engine], Any], empty_url: str) -> None:
    """Whether it is away or was never upgraded: nothing else has to be borne by those who must not fail."""
    for url in ("postgresql://somebody@127.0.0.1:1/history", empty_url):
        with pytest.raises(InfrastructureError, match="history database"):
            call(connect(url))
