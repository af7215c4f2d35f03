"""What waits in the outbox of all runs: tried again, and told of when it waits for too long."""

from datetime import UTC, datetime, timedelta

from include.loadtest.history import outbox
from include.loadtest.history.attempts import EXPIRED
from include.loadtest.history.database import upgrade
from include.loadtest.orchestration.deliveries import courier_of, outbox_engine
from include.loadtest.publishing.services import Services
from include.loadtest.publishing.slack_answers import lacks_optional_scope

WITHIN_S, CALL_S = 240.0, 30.0
MAX_NAMED = 5


def deliver_waiting(history_url: str, services: Services) -> list[str]:
    """Try what is due; returns a line for the whole and for what went wrong, nothing where nothing waits.

    Raises InfrastructureError where the history database is away, ConfigError where its address is none.
    """
    upgrade(history_url)
    engine = outbox_engine(history_url)
    if not outbox.waiting(engine):
        return []
    outcome = courier_of(history_url, services).deliver(within_s=WITHIN_S, call_s=CALL_S)
    return [f"delivered {outcome.delivered}, {outcome.left} left", *(str(one) for one in outcome.failed)]


def late_text(history_url: str, late_h: int, now: datetime) -> str | None:
    """What has waited for more than `late_h` hours, or was given up in the last day; None where nobody misses any."""
    engine = outbox_engine(history_url)
    limit = now.astimezone(UTC) - timedelta(hours=late_h)
    late = [row for row in outbox.waiting(engine) if row.updated < limit]
    given_up = [row for row in outbox.given_up(engine, since=now - timedelta(days=1)) if _is_missed(row)]
    if not late and not given_up:
        return None
    named = [f"{outbox.what(row)} about {row.subject} ({row.last_error or 'not tried'})" for row in (*given_up, *late)]
    more = f", and {len(named) - MAX_NAMED} more" if len(named) > MAX_NAMED else ""
    head = f"{len(late)} deliveries wait for more than {late_h} h, {len(given_up)} were given up within a day"
    return f"{head}: {'; '.join(named[:MAX_NAMED])}{more}. Check the connections loadtest_slack and loadtest_github"


def _is_missed(row: outbox.Row) -> bool:
    """Not what told nobody anything any more, and not what nobody has given the app a scope for."""
    return row.last_error != EXPIRED and not lacks_optional_scope(row.last_error or "")
