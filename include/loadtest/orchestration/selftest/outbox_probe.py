"""Whether the outbox works: what is refused waits and is delivered later, once. No service is asked."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from include.loadtest.history import outbox
from include.loadtest.history.database import upgrade
from include.loadtest.orchestration.selftest.links import BrokenLinkError, Link, link
from include.loadtest.orchestration.selftest.trial import CALL_S, Trial, expiry
from include.loadtest.publishing.courier import Courier
from include.loadtest.publishing.delivery import Budget, DeliveryError, Handler

KIND = "alarm_selftest"
WITHIN_S = 10.0
REFUSAL = "refused by the self-test, on purpose"
_ACTION = "look whether the history database runs and takes writes (connection loadtest_history), then clear this task"


def check_outbox(trial: Trial) -> str:
    """A row is refused, kept, delivered with its receipt, and not delivered twice. Raises BrokenLinkError."""
    subject, content = f"{trial.run_id}-outbox", uuid4().hex
    delivery = outbox.Delivery(f"selftest/{trial.run_id}", "slack", KIND, f"selftest/{trial.run_id}", subject,
                               {"content": content}, expiry())  # fmt: skip
    with link(Link.OUTBOX, _ACTION):
        upgrade(trial.history_url)
        outbox.put(trial.engine, delivery)
        _try(trial, subject, _refuse)
        refused = _row(trial, subject)
        if refused.state != "waiting" or refused.last_error != REFUSAL:
            raise _broken(f"a row that was refused is {refused.state} ({refused.last_error})")
        _try(trial, subject, _take)
        outbox.put(trial.engine, delivery)
        delivered = _row(trial, subject)
        if delivered.state != "delivered" or delivered.receipt.get("content") != content:
            raise _broken(f"a row that was taken is {delivered.state} ({delivered.last_error})")
    return "a row was refused, waited, was delivered, and is not due again"


def _try(trial: Trial, subject: str, handler: Handler) -> None:
    Courier(trial.engine, {KIND: handler}).deliver(subject=subject, within_s=WITHIN_S, call_s=CALL_S, force=True)


def _row(trial: Trial, subject: str) -> outbox.Row:
    rows = outbox.rows_of(trial.engine, subject)
    if len(rows) != 1:
        raise _broken(f"the outbox has {len(rows)} rows for one that was put")
    return rows[0]


def _broken(found: str) -> BrokenLinkError:
    return BrokenLinkError(Link.OUTBOX, found, _ACTION)


def _refuse(row: outbox.Row, budget: Budget) -> Mapping[str, Any]:  # noqa: ARG001 - a handler's signature
    raise DeliveryError(REFUSAL, is_service_wide=False)


def _take(row: outbox.Row, budget: Budget) -> Mapping[str, Any]:  # noqa: ARG001 - a handler's signature
    return {"content": row.payload["content"]}
