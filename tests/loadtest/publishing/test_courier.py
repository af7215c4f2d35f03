"""The courier delivers once, in order, within its time, and lets no failing row or service hold up another."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, literal, text, update

from include.embedded.postgres import PostgresServer, ensure_database
from include.embedded.servers import wait_until
from include.loadtest.errors import InfrastructureError
from include.loadtest.history import outbox
from include.loadtest.history.attempts import GIVE_UP_AFTER_S, OUT_OF_TIME
from include.loadtest.history.database import connect, transaction, upgrade
from include.loadtest.history.outbox import Delivery, Row
from include.loadtest.history.schema import DELIVERY
from include.loadtest.publishing.courier import Courier, Failure, Outcome
from include.loadtest.publishing.delivery import LEAST_CALL_S, Budget, DeliveryError, Handler

pytestmark = pytest.mark.integration
ROOT = Path(__file__).parents[3]
SUBJECT = "smoke-1"
LONG_S = 60.0


class Service:
    """Takes deliveries and notes what it was asked; raises what stands in `faults` for a key, each time."""

    def __init__(self) -> None:
        self.asked: list[Row] = []
        self.faults: dict[str, Exception] = {}

    @property
    def keys(self) -> list[str]:
        """What it was asked, in order."""
        return [row.key for row in self.asked]

    def __call__(self, row: Row, budget: Budget) -> Mapping[str, Any]:
        budget.timeout_s()
        self.asked.append(row)
        if row.key in self.faults:
            raise self.faults[row.key]
        return {"number": len(self.asked)}


def put(
    engine: Engine, *keys: str, lane: str | None = None, payload: str = "started", kind: str = "slack_message"
) -> None:
    service = "slack" if kind.startswith("slack") else "github"
    for key in keys:
        outbox.put(engine, Delivery(key, service, kind, lane or key, SUBJECT, {"text": payload}))


def courier(engine: Engine, slack: Handler, github: Handler | None = None) -> Courier:
    return Courier(engine, {"slack_message": slack} | ({"ticket": github} if github else {}))


def deliver(engine: Engine, slack: Handler, github: Handler | None = None, **options: Any) -> Outcome:
    return courier(engine, slack, github).deliver(**{"within_s": LONG_S, "call_s": 5.0, **options})


def row_of(engine: Engine, key: str) -> Row:
    (row,) = [row for row in outbox.rows_of(engine, SUBJECT) if row.key == key]
    return row


def states(engine: Engine) -> dict[str, str]:
    return {row.key: row.state for row in outbox.rows_of(engine, SUBJECT)}


def set_back(engine: Engine, column: str, seconds: float) -> None:
    """As if that moment of every row had been so long ago."""
    with transaction(engine) as connection:
        moment = func.now() - literal(timedelta(seconds=seconds))
        connection.execute(update(DELIVERY).values({column: moment}))


def test_what_waits_is_delivered_once(engine: Engine) -> None:
    """With the service's answer kept; a further call asks nobody; a new payload is delivered again."""
    slack = Service()
    put(engine, "a", "b")
    assert deliver(engine, slack) == Outcome(2, (), 0)
    assert deliver(engine, slack, force=True) == Outcome(0, (), 0)
    assert (slack.keys, outbox.receipt_of(engine, "b")) == (["a", "b"], {"number": 2})
    put(engine, "a")
    assert deliver(engine, slack) == Outcome(0, (), 0)
    put(engine, "a", payload="verdict")
    assert deliver(engine, slack) == Outcome(1, (), 0)
    assert (slack.asked[-1].payload, slack.asked[-1].receipt) == ({"text": "verdict"}, {"number": 1})


def test_a_row_is_committed_before_it_is_tried(engine: Engine) -> None:
    """Seen from another connection while the service is asked: an attempt that may have arrived."""
    seen: list[Row] = []

    def slack(row: Row, budget: Budget) -> Mapping[str, Any]:
        budget.timeout_s()
        seen.append(row_of(engine, row.key))
        return {}

    put(engine, "a")
    deliver(engine, slack)
    assert [(row.attempts, row.may_have_arrived, row.state) for row in seen] == [(1, True, "waiting")]
    assert row_of(engine, "a").may_have_arrived is False


CRASHING = """
import sys, time
from include.loadtest.history.database import connect
from include.loadtest.publishing.courier import Courier

def asked(row, budget):
    budget.timeout_s()
    print("asked", flush=True)
    time.sleep(60)

Courier(connect(sys.argv[1]), {"slack_message": asked}).deliver(within_s=60, call_s=60)
"""


def test_a_crash_in_an_attempt_is_followed_by_a_look(engine: Engine, url: str) -> None:
    """While the other process asks, nobody else does; once it is killed the next attempt knows that it may be there."""
    put(engine, "a", "b", lane="lane")
    slack = Service()
    command = [sys.executable, "-c", CRASHING, url]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "asked\n"
            assert deliver(engine, slack, force=True) == Outcome(0, (), 2)
        finally:
            process.send_signal(signal.SIGKILL)
    row = row_of(engine, "a")
    assert (row.may_have_arrived, row.attempts, row.state) == (True, 1, "waiting")
    assert deliver(engine, slack, force=True) == Outcome(0, (), 2)  # the service may still be at it
    set_back(engine, "next_attempt", 1)
    assert wait_until(lambda: deliver(engine, slack, force=True).delivered == 2, 20)
    assert [(row.key, row.may_have_arrived) for row in slack.asked] == [("a", True), ("b", False)]


def test_several_couriers_at_once_deliver_a_row_once(engine: Engine, url: str) -> None:
    """Four at the same rows: each row reaches the service once, and those of a lane in order."""
    asked: list[str] = []

    def slack(row: Row, budget: Budget) -> Mapping[str, Any]:
        budget.timeout_s()
        asked.append(row.key)
        time.sleep(0.02)
        return {}

    for number in range(4):
        put(engine, *(f"{number}{letter}" for letter in "abc"), lane=f"lane {number}")
    together = threading.Barrier(4)

    def run() -> None:
        together.wait(20)
        deliver(connect(url), slack)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONG_S)
    deliver(engine, slack)
    assert sorted(asked) == [f"{number}{letter}" for number in range(4) for letter in "abc"]
    for number in range(4):
        assert [key for key in asked if key[0] == str(number)] == [f"{number}{letter}" for letter in "abc"]


def test_a_failing_row_holds_up_its_lane_only(engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    """What stands behind it waits with it, and both arrive in order later; the log names it."""
    slack = Service()
    slack.faults["a1"] = DeliveryError("the picture is not there yet", is_service_wide=False)
    put(engine, "a1", "a2", lane="a")
    put(engine, "b1", "b2", lane="b")
    expected = Outcome(2, (Failure("a1", "the picture is not there yet"),), 2)
    assert deliver(engine, slack, force=True) == expected
    assert slack.keys == ["a1", "b1", "b2"]
    assert "Slack message about smoke-1 is not delivered: the picture is not there yet" in caplog.text
    slack.faults.clear()
    assert deliver(engine, slack) == Outcome(0, (), 2)
    set_back(engine, "next_attempt", 1)
    assert deliver(engine, slack) == Outcome(2, (), 0)
    assert slack.keys[3:] == ["a1", "a2"]


def test_a_broken_service_is_asked_once(engine: Engine) -> None:
    """Whatever waits for it, also in other lanes, also forced; the other service gets all of its rows."""
    slack, github = Service(), Service()
    for number in range(3):
        put(engine, f"s{number}")
        put(engine, f"g{number}", kind="ticket")
        slack.faults[f"s{number}"] = DeliveryError("Slack does not answer", may_have_arrived=True)
    outcome = deliver(engine, slack, github, force=True)
    assert outcome == Outcome(3, (Failure("s0", "Slack does not answer"),), 3)
    assert (slack.keys, github.keys) == (["s0"], ["g0", "g1", "g2"])
    assert [row_of(engine, f"s{number}").may_have_arrived for number in range(3)] == [True, False, False]


def test_a_row_that_always_fails_starves_no_other(engine: Engine) -> None:
    """Though the service is left alone after it each time: the next call begins with the others."""
    slack = Service()
    slack.faults["bad"] = DeliveryError("HTTP 500")
    put(engine, "bad", "good")
    assert deliver(engine, slack, force=True).delivered == 0
    assert deliver(engine, slack, force=True).delivered == 1
    assert slack.keys == ["bad", "good", "bad"]


def test_services_are_asked_beside_each_other(engine: Engine) -> None:
    """Each waits here until the other has been asked too."""
    both = threading.Barrier(2)

    def meets(row: Row, budget: Budget) -> Mapping[str, Any]:  # noqa: ARG001 - a handler's signature
        both.wait(20)
        return {}

    put(engine, "s")
    put(engine, "g", kind="ticket")
    assert deliver(engine, meets, meets) == Outcome(2, (), 0)


def test_what_another_service_made_due_again_is_delivered_in_the_same_call(engine: Engine) -> None:
    """The message arrives, then the issue that it names, then the message with the issue."""
    slack = Service()
    first = threading.Event()

    def tells(row: Row, budget: Budget) -> Mapping[str, Any]:
        answer = slack(row, budget)
        first.set()
        return answer

    def files(row: Row, budget: Budget) -> Mapping[str, Any]:  # noqa: ARG001 - a handler's signature
        assert first.wait(20)
        outbox.touch(engine, "s")
        return {}

    put(engine, "s")
    put(engine, "g", kind="ticket")
    assert deliver(engine, tells, files) == Outcome(3, (), 0)
    assert slack.keys == ["s", "s"]


def test_a_payload_put_while_the_older_one_is_under_way(engine: Engine) -> None:
    """The newer one follows at once; what a reader sees last is the last that was put."""
    slack = Service()

    def slow(row: Row, budget: Budget) -> Mapping[str, Any]:
        put(engine, "a", payload="verdict")
        return slack(row, budget)

    put(engine, "a")
    assert deliver(engine, slow) == Outcome(2, (), 0)
    assert [row.payload["text"] for row in slack.asked] == ["started", "verdict"]


def test_retry_after_is_obeyed(engine: Engine) -> None:
    """By the whole service, also forced and for new rows, by a call of its own too; then all is delivered."""
    slack, github = Service(), Service()
    slack.faults["a"] = DeliveryError("Slack takes no more for 90 s", 90.0)
    put(engine, "a", "b")
    assert deliver(engine, slack, github, force=True).left == 2
    put(engine, "c")
    put(engine, "g", kind="ticket")
    assert deliver(engine, slack, github, force=True) == Outcome(1, (), 3)
    assert (slack.keys, github.keys) == (["a"], ["g"])
    slack.faults.clear()
    set_back(engine, "not_before", 1)
    assert deliver(engine, slack, github, force=True) == Outcome(3, (), 0)


def test_a_permanent_fault_is_not_repeated(engine: Engine) -> None:
    """The row is given up at once, and the next one of its lane is tried."""
    slack = Service()
    slack.faults["a"] = DeliveryError("invalid_blocks: a fault of this program", is_permanent=True)
    put(engine, "a", "b", lane="lane")
    reason = "given up: invalid_blocks: a fault of this program"
    assert deliver(engine, slack) == Outcome(1, (Failure("a", reason, True),), 0)
    assert deliver(engine, slack, force=True) == Outcome(0, (), 0)
    assert (slack.keys, states(engine)) == (["a", "b"], {"a": "given_up", "b": "delivered"})
    assert outbox.states(engine, SUBJECT)[0]["text"] == reason
    assert str(Failure("a", reason, True)) == f"a: {reason}"


def test_three_days_in_vain_are_the_end(engine: Engine) -> None:
    """It is tried a last time and then given up, which the report says; what was not yet tried gets its chance."""
    slack = Service()
    slack.faults["a"] = DeliveryError("Slack does not answer")
    put(engine, "a", "b", lane="lane")
    set_back(engine, "updated", GIVE_UP_AFTER_S + 1)
    assert deliver(engine, slack).left == 1
    assert outbox.states(engine, SUBJECT)[0]["text"] == "given up after 72 h: Slack does not answer"
    assert deliver(engine, slack) == Outcome(1, (), 0)
    assert slack.keys == ["a", "b"]


def test_what_has_expired_is_dropped(engine: Engine) -> None:
    """Nobody is asked; the rest of its lane goes on."""
    slack = Service()
    put(engine, "a", "b", lane="lane")
    with transaction(engine) as connection:
        connection.execute(update(DELIVERY).where(DELIVERY.c.key == "a").values(expires=func.now()))
    assert deliver(engine, slack) == Outcome(1, (), 0)
    assert (slack.keys, states(engine)) == (["b"], {"a": "given_up", "b": "delivered"})


def test_a_kind_that_nobody_delivers_waits(engine: Engine) -> None:
    """It holds up nothing in its lane, and is counted; with no handler at all nothing is done."""
    put(engine, "g", lane="lane", kind="ticket")
    put(engine, "s", lane="lane")
    assert deliver(engine, Service()) == Outcome(1, (), 1)
    assert Courier(engine, {}).deliver(within_s=5, call_s=5) == Outcome(0, (), 1)


def test_only_lanes_of_the_subject(engine: Engine) -> None:
    """And only its rows are counted as left."""
    slack = Service()
    put(engine, "mine")
    outbox.put(engine, Delivery("theirs", "slack", "slack_message", "theirs", "smoke-2", {}))
    slack.faults["mine"] = DeliveryError("down")
    assert deliver(engine, slack, subject=SUBJECT).left == 1
    assert deliver(engine, slack, subject="smoke-2") == Outcome(1, (), 0)


def test_a_handler_that_hangs_is_left_behind(engine: Engine) -> None:
    """The call ends in its time, others are served; nobody repeats what is still under way; then it is looked for."""
    slack, github, goes_on = Service(), Service(), threading.Event()
    slack.faults["a"] = RuntimeError("the connection was reset in the end")

    def hangs(row: Row, budget: Budget) -> Mapping[str, Any]:
        goes_on.wait(60)
        return slack(row, Budget(9, 9)) if budget.left_s == 0 else {}

    put(engine, "a")
    put(engine, "g", kind="ticket")
    began_s = time.monotonic()
    outcome = deliver(engine, hangs, github, within_s=1.5, call_s=60)
    took_s = time.monotonic() - began_s
    assert took_s < 2.5
    assert outcome == Outcome(1, (Failure("a", "no answer within 1.5 s"),), 1)
    row = row_of(engine, "a")
    assert (row.may_have_arrived, row.attempts, row.last_error) == (
        True, 1, "the last attempt has come to no answer"
    )  # fmt: skip
    next_one = Service()
    assert deliver(engine, next_one, force=True) == Outcome(0, (), 1)
    goes_on.set()
    assert wait_until(lambda: row_of(engine, "a").last_error == "stopped by an unexpected RuntimeError", 20)
    set_back(engine, "next_attempt", 1)
    assert wait_until(lambda: deliver(engine, next_one, force=True).delivered == 1, 20)
    assert [row.may_have_arrived for row in next_one.asked] == [True]
    assert (slack.keys, github.keys) == (["a"], ["g"])


def test_an_answer_that_comes_after_the_call_is_kept(engine: Engine) -> None:
    """The thread that was left behind writes down that it arrived, and begins nothing more."""
    slack, goes_on = Service(), threading.Event()

    def slow(row: Row, budget: Budget) -> Mapping[str, Any]:
        answer = slack(row, budget)
        goes_on.wait(60)
        return answer

    put(engine, "a", "b", lane="lane")
    assert deliver(engine, slow, within_s=1.2, call_s=60).left == 2
    goes_on.set()
    assert wait_until(lambda: states(engine) == {"a": "delivered", "b": "waiting"}, 20)
    assert slack.keys == ["a"]


@pytest.mark.parametrize("calls", [0, 1])
def test_time_that_is_used_up_counts_as_no_attempt(engine: Engine, calls: int) -> None:
    """The row is due at once, or where anything was sent before, and may have arrived, in two minutes."""
    later = Service()

    def slow(row: Row, budget: Budget) -> Mapping[str, Any]:  # noqa: ARG001 - a handler's signature
        for _ in range(calls):
            budget.timeout_s()
        while budget.left_s >= LEAST_CALL_S:
            time.sleep(0.01)
        budget.timeout_s()
        return {}

    put(engine, "a")
    assert deliver(engine, slow, within_s=1.2).left == 1
    assert wait_until(lambda: row_of(engine, "a").attempts == 0, 20)
    row = row_of(engine, "a")
    assert (row.last_error, row.may_have_arrived) == (OUT_OF_TIME, calls > 0)
    assert deliver(engine, later, force=True) == Outcome(1 - calls, (), calls)
    set_back(engine, "next_attempt", 1)
    assert deliver(engine, later) == Outcome(calls, (), 0)


def test_without_time_nothing_is_begun(engine: Engine) -> None:
    """The rows are as they were."""
    put(engine, "a")
    before = row_of(engine, "a")
    slack = Service()
    assert deliver(engine, slack, within_s=0.1) == Outcome(0, (), 1)
    assert (slack.keys, row_of(engine, "a")) == ([], before)


def test_a_faults_text_is_kept_nowhere(engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    """Only what a DeliveryError says is; any other exception may quote a secret, so its type alone is told."""
    slack = Service()
    slack.faults["a"] = ValueError("https://hooks.example.com/xoxb-secret")
    slack.faults["b"] = DeliveryError("no\n\x1b[31m" + "ж" * 10_000, is_service_wide=False)
    put(engine, "a", "b")
    outcome = deliver(engine, slack)
    assert outcome.failed[0] == Failure("a", "stopped by an unexpected ValueError")
    reason = outcome.failed[1].text
    assert (len(reason), reason.isprintable()) == (500, True)
    assert [row_of(engine, key).last_error for key in "ab"] == [failure.text for failure in outcome.failed]
    assert [row_of(engine, key).may_have_arrived for key in "ab"] == [True, False]
    assert "xoxb-secret" not in caplog.text
    assert reason in caplog.text


def test_an_answer_that_cannot_be_kept_is_a_fault_of_the_handler(engine: Engine) -> None:
    """It may have arrived: the next attempt looks."""
    put(engine, "a")
    outcome = deliver(engine, lambda row, budget: {"at": object()})  # noqa: ARG005 - a handler's signature
    assert outcome == Outcome(0, (Failure("a", "stopped by an unexpected TypeError"),), 1)
    assert row_of(engine, "a").may_have_arrived is True


@pytest.mark.parametrize(
    ("name", "damage"),
    [("refusing", "DROP TABLE loadtest.delivery"), ("gone", "ALTER DATABASE gone ALLOW_CONNECTIONS false")],
)
def test_a_database_that_fails_on_the_way_is_infrastructure(server: PostgresServer, name: str, damage: str) -> None:
    """Raised where the call was made, not lost in a thread; nothing else is raised."""
    ensure_database(server, name)
    upgrade(server.url(name))
    engine = connect(server.url(name))
    put(engine, "a")

    def slack(row: Row, budget: Budget) -> Mapping[str, Any]:  # noqa: ARG001 - a handler's signature
        with transaction(connect(server.url("postgres" if name == "gone" else name))) as connection:
            connection.execute(text(damage))
        return {}

    with pytest.raises(InfrastructureError, match=f"history database {name}"):
        deliver(engine, slack)


def test_a_database_that_is_away_is_infrastructure() -> None:
    """From the first statement on."""
    with pytest.raises(InfrastructureError, match="history database"):
        deliver(connect("postgresql://somebody@127.0.0.1:1/history"), Service())
