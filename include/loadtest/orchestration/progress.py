"""What a run's thread tells of its longer stages; whatever goes wrong in that reaches no stage."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from include.loadtest import run
from include.loadtest.orchestration.context import RunContext
from include.loadtest.orchestration.deliveries import delivered_meanwhile, harmless, put
from include.loadtest.publishing.message import progress_message
from include.loadtest.publishing.slack_rows import reply_row

PROGRESS = "progress"
"""Part of the manifest: what the thread's reply has told so far."""
PROGRESS_EXPIRES_AFTER = timedelta(hours=6)


@contextmanager
def told(context: RunContext, name: str) -> Iterator[None]:
    """The thread follows a longer stage, and what waits is delivered beside it."""
    if name not in _FOLLOWED or not context.services.any:
        yield
        return
    began, ended = _FOLLOWED[name]
    with delivered_meanwhile(context):
        tell_progress(context, began)
        yield
        tell_progress(context, ended)


def tell_progress(context: RunContext, say: Callable[[RunContext], str]) -> None:
    """Add a line to the one reply that grows; late it would tell nobody anything, so it expires."""
    with harmless("Slack is not told of the progress"):
        text = say(context)
        if not text or not context.services.has_thread:
            return
        now = datetime.now(UTC)
        lines = [*(context.manifest().get(PROGRESS) or []), {"at": run.utc_text(now), "text": text}]
        context.bundle.update_manifest(**{PROGRESS: lines})
        message = progress_message([(datetime.fromisoformat(line["at"]), line["text"]) for line in lines])
        put(context, reply_row(context.bundle.run_id, PROGRESS, message, expires=now + PROGRESS_EXPIRES_AFTER))


def _nothing(_context: RunContext) -> str:
    return ""


def _users_ready(context: RunContext) -> str:
    return f"{len(context.manifest()['seed']['usable'])} test users are ready"


def _load_begins(context: RunContext) -> str:
    profile = context.profile()
    until = datetime.now(UTC) + timedelta(seconds=profile.load_s)
    return f"load begins: up to {profile.users} users, until about {until:%H:%M:%S}"


def _load_ended(context: RunContext) -> str:
    completed = context.manifest()["load"]["completed"]
    return "load ended" if completed else "load ended before its time: see the task run_profile"


_FOLLOWED: dict[str, tuple[Callable[[RunContext], str], Callable[[RunContext], str]]] = {
    "seed_users": (_nothing, _users_ready),
    "warm_cache": (_nothing, lambda _: "the cache is warm"),
    "run_profile": (_load_begins, _load_ended),
    "confirm": (
        lambda _: "suspected of being slower, or a candidate: it is repeated before anything is final",
        lambda _: "the repeats are over",
    ),
}
"""Stages that take long, with what is said when they begin and when they have ended well."""
