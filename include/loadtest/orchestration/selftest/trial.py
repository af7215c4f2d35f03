"""One trial of the alarm chain: who delivers, under which names, and that a delivery has arrived."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TypeVar

from sqlalchemy import Engine

from include.loadtest import run
from include.loadtest.errors import ConfigError
from include.loadtest.history import outbox
from include.loadtest.orchestration.deliveries import outbox_engine
from include.loadtest.orchestration.selftest.judging import SUSPECT, Bench, Conclusion
from include.loadtest.orchestration.selftest.links import BrokenLinkError, Link
from include.loadtest.orchestration.selftest.recordings import BAD, PROFILE
from include.loadtest.publishing.courier import Courier
from include.loadtest.publishing.delivery import Handler
from include.loadtest.publishing.services import Services

Settings = TypeVar("Settings")
ALARMS = (BAD, SUSPECT)
"""Recordings that are told: a breach of the limits, and a regression."""
ARRIVES_WITHIN_S, CALL_S = 25.0, 10.0
OTHER_COURIER_S = 1.0
"""Another courier may have the lane: so long until it is asked for again."""
TOLD_FOR = timedelta(minutes=15)
"""A test's message that has not arrived by then is dropped: it would puzzle people."""


@dataclass(frozen=True)
class Trial:
    """`run_id` is unique to the trial; `link`: page of the DAG run. Trying again under the same id repeats nothing."""

    bench: Bench
    services: Services
    history_url: str
    run_id: str
    link: str | None

    @classmethod
    def of(
        cls,
        bench: Bench,
        services: Services,
        history_url: str,
        *,
        began: datetime,
        owner: str,
        link: str | None,
    ) -> "Trial":
        """The trial of a DAG run (`owner`) that began then."""
        return cls(bench, services, history_url, f"{run.run_id_for(PROFILE, began, owner)}-alarm", link)

    @cached_property
    def engine(self) -> Engine:
        """The database with the outbox. Raises ConfigError for an address that is none."""
        return outbox_engine(self.history_url)

    def run_id_of(self, name: str) -> str:
        """The id under which a recorded run is told this time."""
        return f"{self.run_id}-{name}"

    def conclusion(self, name: str, run_id: str | None = None) -> Conclusion:
        """What is told of a recorded run, under its id of this time."""
        found = self.bench.alarms[name]
        return replace(found, verdict={**found.verdict, "run_id": run_id or self.run_id_of(name)})

    def bundle_uri(self, name: str) -> str:
        """Where a recorded run is kept, for people."""
        return f"include/loadtest/{self.bench.folder.name}/{name}"


def expiry() -> datetime:
    """When a message of this trial is dropped."""
    return datetime.now(UTC) + TOLD_FOR


def deliver(trial: Trial, subject: str, handlers: Mapping[str, Handler], name: Link, action: str) -> list[outbox.Row]:
    """Deliver all rows about `subject` that these handlers know; returns them. Raises BrokenLinkError."""
    courier, ends = Courier(trial.engine, handlers), time.monotonic() + ARRIVES_WITHIN_S
    while True:
        within_s = max(ends - time.monotonic(), 1.0)
        outcome = courier.deliver(subject=subject, within_s=within_s, call_s=CALL_S, force=True)
        rows = [row for row in outbox.rows_of(trial.engine, subject) if row.kind in handlers]
        waiting = [row for row in rows if row.state != "delivered"]
        if not waiting:
            return rows
        if outcome.failed or waiting[0].state == "given_up" or time.monotonic() >= ends:
            reasons = [failure.text for failure in outcome.failed] + [row.last_error for row in waiting]
            reason = next((text for text in reasons if text), f"not delivered within {ARRIVES_WITHIN_S:g} s")
            raise BrokenLinkError(name, f"{outbox.what(waiting[0])} has not arrived: {reason}", action)
        time.sleep(OTHER_COURIER_S)


def usable(settings: Settings | ConfigError | None, name: Link, action: str) -> Settings:
    """The settings of a service, where it can work. Raises BrokenLinkError."""
    if settings is None or isinstance(settings, ConfigError):
        raise BrokenLinkError(name, str(settings or "it is not set up"), action)
    return settings
