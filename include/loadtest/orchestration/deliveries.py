"""Attempts to deliver what waits in the outbox. Nothing here fails a stage, or makes a run longer than some seconds.

What is not delivered by one attempt waits for the next: of a later stage, of the next run, of the DAG
`load_test_delivery`, of housekeeping.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from include.loadtest.errors import InfrastructureError, LoadTestError, printable
from include.loadtest.history import outbox
from include.loadtest.history.database import connect
from include.loadtest.orchestration.context import Context
from include.loadtest.orchestration.deadline import StageTimeoutError
from include.loadtest.orchestration.storage import list_files, read_file
from include.loadtest.publishing import SLACK_CONNECTION
from include.loadtest.publishing.courier import Courier
from include.loadtest.publishing.delivery import Budget
from include.loadtest.publishing.services import Services
from include.loadtest.publishing.slack_delivery import send_once

LOG = logging.getLogger("loadtest")
PUBLISH_WITHIN_S, PUBLISH_CALL_S = 6.0, 3.0
"""What a verdict's own attempt may add to a run: one call that hangs, or a few slow ones."""
BESIDE_WITHIN_S, BESIDE_CALL_S = 30.0, 10.0
"""Beside a stage nobody waits for it."""
BESIDE_EVERY_S, BESIDE_JOIN_S = 5.0, 0.5
MAX_REASON_CHARS = 500


@contextmanager
def harmless(what: str) -> Iterator[None]:
    """Whatever goes wrong in the block is one line in the log; the end of a stage's time is not held up."""
    try:
        yield
    except StageTimeoutError:
        raise
    except Exception as error:  # noqa: BLE001 - a verdict does not depend on who hears of it
        # Another's text may quote a secret.
        reason = error if isinstance(error, LoadTestError) else type(error).__name__
        LOG.warning("%s: %s", what, printable(str(reason), MAX_REASON_CHARS))


@dataclass(frozen=True)
class Files:
    """Files of bundles. `own`: the context of a task, whose bundle may be newer here than where it is kept."""

    own: Context | None

    def read(self, uri: str, name: str) -> bytes | None:
        """A file's content; None where it is not there."""
        if self.own is None or uri != self.own.bundle_uri:
            return read_file(uri, name)
        file = self.own.bundle.path / name
        return file.read_bytes() if file.is_file() else None

    def names(self, uri: str) -> list[str]:
        """The files that lie in a bundle itself."""
        if self.own is None or uri != self.own.bundle_uri:
            return list_files(uri)
        return sorted(file.name for file in self.own.bundle.path.glob("*") if file.is_file())


def courier_of(history_url: str, services: Services, own: Context | None = None) -> Courier:
    """Who delivers with these services; `own` as in `Files`. Raises ConfigError for a history address that is none."""
    engine, files = connect(history_url), Files(own)
    return Courier(engine, services.handlers(engine, files.read, files.names))


def put(context: Context, delivery: outbox.Delivery) -> None:
    """Put a row into the outbox; where the history database is away, see `send_unrecorded`."""
    try:
        outbox.put(connect(context.history_url), delivery)
    except InfrastructureError as error:
        send_unrecorded(context.services, delivery, error)


def tell(history_url: Callable[[], str], services: Services, delivery: outbox.Delivery) -> None:
    """Put a message that stands for itself into the outbox, and try it once. Raises LoadTestError.

    `history_url` may raise ConfigError: people hear of a history that is not set up, too.

    Nothing is put where its service is not set up: nobody will ever read it.
    """
    if services.slack is None:
        LOG.warning("Slack message: not sent: there is no connection %s", SLACK_CONNECTION)
        return
    try:
        url = history_url()
        outbox.put(connect(url), delivery)
    except LoadTestError as error:
        send_unrecorded(services, delivery, error)
        return
    courier_of(url, services).deliver(
        subject=delivery.subject, within_s=PUBLISH_WITHIN_S, call_s=PUBLISH_CALL_S, force=True
    )


def send_unrecorded(services: Services, delivery: outbox.Delivery, cause: LoadTestError) -> None:
    """Send a final Slack message without a row, once: people hear of it just when the database is down.

    Anything else is given up, as nothing could be repeated or updated. Raises DeliveryError, and `cause`.
    """
    if not delivery.payload.get("final") or services.slack_settings is None:
        raise cause
    LOG.warning("the outbox is away (%s): the message is sent without it, once", cause)
    send_once(services.slack_settings, delivery.payload, Budget(PUBLISH_WITHIN_S, PUBLISH_CALL_S))


def deliver_now(context: Context) -> None:
    """The bounded attempt that belongs to a verdict; it waits for no back-off, since people wait for the verdict."""
    with harmless("deliveries wait for a later attempt"):
        courier_of(context.history_url, context.services, context).deliver(
            subject=context.bundle.run_id, within_s=PUBLISH_WITHIN_S, call_s=PUBLISH_CALL_S, force=True
        )


@contextmanager
def delivered_meanwhile(context: Context) -> Iterator[None]:
    """Deliver whatever is due, also of earlier runs, beside the block; its end waits for no answer."""
    if not context.services.any:
        yield
        return
    ended = threading.Event()
    thread = threading.Thread(target=_keep_delivering, args=(context, ended), name="deliveries", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(BESIDE_JOIN_S)


def _keep_delivering(context: Context, ended: threading.Event) -> None:
    told: set[str] = set()
    while True:
        try:
            courier = courier_of(context.history_url, context.services, context)
            courier.deliver(within_s=BESIDE_WITHIN_S, call_s=BESIDE_CALL_S)
        except Exception as error:  # noqa: BLE001 - the stage beside it goes on
            reason = str(error) if isinstance(error, InfrastructureError) else type(error).__name__
            if reason not in told:
                told.add(reason)
                LOG.warning("deliveries wait for a later attempt: %s", printable(reason, MAX_REASON_CHARS))
        if ended.wait(BESIDE_EVERY_S):
            return
