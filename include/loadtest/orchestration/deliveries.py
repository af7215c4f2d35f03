"""Attempts to deliver what waits in the outbox. Nothing here fails a stage, or makes a run longer than some seconds.

What is not delivered by one attempt waits for the next: of a later stage, of the next run, of the DAG
`load_test_delivery`, of housekeeping.
"""

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Engine

from include.loadtest.errors import InfrastructureError, LoadTestError, printable
from include.loadtest.history import outbox
from include.loadtest.history.database import connect
from include.loadtest.orchestration.context import Context
from include.loadtest.orchestration.deadline import StageTimeoutError
from include.loadtest.orchestration.storage import list_files, read_file
from include.loadtest.publishing import SLACK_CONNECTION
from include.loadtest.publishing.courier import Courier
from include.loadtest.publishing.delivery import Budget, DeliveryError
from include.loadtest.publishing.message_parts import text_name
from include.loadtest.publishing.services import Services

LOG = logging.getLogger("loadtest")
PUBLISH_WITHIN_S, PUBLISH_CALL_S = 6.0, 3.0
"""What a verdict's own attempt may add to a run: one call that hangs, or a few slow ones."""
BESIDE_WITHIN_S, BESIDE_CALL_S = 30.0, 10.0
"""Beside a stage nobody waits for it."""
BESIDE_EVERY_S, BESIDE_JOIN_S = 5.0, 0.5
MAX_REASON_CHARS = 500
HISTORY_WITHIN_S = 3
"""A history that takes longer to connect to is away, as far as telling people goes."""
SENT_UNRECORDED = "sent_unrecorded"
"""Part of the manifest: by the row's key, which message was sent without its row, and where it is."""


@contextmanager
def harmless(what: str, *, but: type[Exception] = StageTimeoutError) -> Iterator[None]:
    """Whatever goes wrong in the block is one line in the log, `but` is not; the end of a stage's time never is."""
    try:
        yield
    except (StageTimeoutError, but):
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


def outbox_engine(history_url: str) -> Engine:
    """The history for all that puts, delivers or looks at rows: this installation's, as others may share the database.

    Raises ConfigError for an address that is none.
    """
    from include.loadtest.orchestration import settings  # Airflow's configuration

    engine = connect(history_url, connect_timeout_s=HISTORY_WITHIN_S)
    return engine.execution_options(**{outbox.ORIGIN: settings.installation()})


def courier_of(history_url: str, services: Services, own: Context | None = None) -> Courier:
    """Who delivers with these services; `own` as in `Files`. Raises ConfigError for a history address that is none."""
    engine, files = outbox_engine(history_url), Files(own)
    return Courier(engine, services.handlers(engine, files.read, files.names))


def put(context: Context, delivery: outbox.Delivery) -> None:
    """Put a row into the outbox. Raises InfrastructureError where the history database is away.

    A final message is sent then all the same, once in a run; when the history is back, its row changes that message.
    """
    is_final = bool(delivery.payload.get("final"))
    sent = (context.manifest().get(SENT_UNRECORDED) or {}).get(delivery.key) if is_final else None
    row = delivery if sent is None else replace(delivery, payload={**delivery.payload, "sent": sent})
    try:
        outbox.put(outbox_engine(context.history_url), row)
    except StageTimeoutError:
        raise
    except InfrastructureError as error:
        if is_final and (sent or {}).get("said") != text_name(delivery.payload["text"]):
            _send_unrecorded_once(context, delivery, error)
        raise


def _send_unrecorded_once(context: Context, delivery: outbox.Delivery, cause: InfrastructureError) -> None:
    """Send it, and note that in the manifest, since Airflow repeats a stage that the history has failed."""

    def note(place: Mapping[str, Any]) -> None:
        noted = dict(context.manifest().get(SENT_UNRECORDED) or {})
        noted[delivery.key] = {"said": text_name(delivery.payload["text"]), **place}
        context.bundle.update_manifest(**{SENT_UNRECORDED: noted})

    try:
        note(send_unrecorded(context.services, delivery, cause))
    except DeliveryError as error:
        if error.may_have_arrived:
            note({})
        raise


def put_all(steps: Mapping[str, Callable[[], None]]) -> bool:
    """Take every step, each harmless by itself; once the history has failed in one, none is taken any more.

    `steps`: what does not happen where one fails, and what it calls. Returns whether all of them were taken.
    """
    for what, step in steps.items():
        try:
            with harmless(what, but=InfrastructureError):
                step()
        except StageTimeoutError:
            raise
        except InfrastructureError as error:
            LOG.warning("%s, and the rest is left out: %s", what, printable(str(error), MAX_REASON_CHARS))
            return False
    return True


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
        outbox.put(outbox_engine(url), delivery)
    except LoadTestError as error:
        send_unrecorded(services, delivery, error)
        return
    courier_of(url, services).deliver(
        subject=delivery.subject, within_s=PUBLISH_WITHIN_S, call_s=PUBLISH_CALL_S, force=True
    )


def send_unrecorded(services: Services, delivery: outbox.Delivery, cause: LoadTestError) -> Mapping[str, Any]:
    """Send a final Slack message without a row, once: people hear of it just when the database is down.

    Returns where it is, {} by a webhook. Anything else is given up, as nothing could be repeated or updated. Raises
    DeliveryError, and `cause`.
    """
    if not delivery.payload.get("final") or services.slack_settings is None:
        raise cause
    from include.loadtest.publishing.slack_delivery import send_once  # Slack's library

    LOG.warning("the outbox is away (%s): the message is sent without it, once", cause)
    return send_once(services.slack_settings, delivery.payload, Budget(PUBLISH_WITHIN_S, PUBLISH_CALL_S))


def deliver_now(context: Context) -> None:
    """The bounded attempt that belongs to a verdict; it waits for no back-off, since people wait for the verdict.

    What of the run was given up is tried again: somebody has mended what was wrong, and had it published once more.
    """
    with harmless("deliveries wait for a later attempt"):
        outbox.revive(outbox_engine(context.history_url), context.bundle.run_id)
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
