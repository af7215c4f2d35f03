"""The stages around a suite's runs, in plain Python: users before the first, verdict and clean-up after the last."""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from include.loadtest import run
from include.loadtest.errors import ConfigError
from include.loadtest.orchestration.context import SuiteContext
from include.loadtest.orchestration.faults import stage
from include.loadtest.orchestration.lease import kept_lease
from include.loadtest.orchestration.load import minutes
from include.loadtest.orchestration.load_text import suite_sentence
from include.loadtest.orchestration.pipeline import make_users
from include.loadtest.orchestration.review import ReadDocument, write_review
from include.loadtest.orchestration.suite_announcements import announce_digest, announce_suite_start
from include.loadtest.orchestration.target_use import leave_target, lock_target, released_on_failure, remove_users
from include.loadtest.reporting.suite import FILE, SuiteEntry, SuiteHead, write_suite
from include.loadtest.target.growth import check_disk, check_open_files
from include.loadtest.target.preflight import check_target

LOG = logging.getLogger("loadtest")

Entries = Callable[[], Sequence[SuiteEntry]]
"""The suite's runs as their bundles tell them."""


def began(context: SuiteContext) -> bool:
    """Whether preflight got as far as a valid suite: without it there is none, and no verdict."""
    return "suite" in context.manifest()


def preflight(context: SuiteContext) -> None:
    """Check the suite and the target, take the target's lock for the whole suite."""
    profiles = context.suite.profiles()
    context.bundle.update_manifest(
        suite=context.suite.model_dump(mode="json"),
        reason=context.reason,
        target={"name": context.target_name},
        started=run.utc_text(datetime.now(UTC)),
        services=list(context.services.names),
    )
    LOG.info("suite %s", suite_sentence(context.suite))
    for profile in profiles:
        LOG.info("  %s: %d users, load %s%s", profile.name, profile.users, minutes(profile.load_s),
                 "".join(f"; {note}" for note in profile.notes))  # fmt: skip
    context.refuse_if_stopped()
    context.refuse_in_blackout(sum(profile.load_s for profile in profiles))
    for profile in profiles:
        check_open_files(profile)
    lock_target(context)
    with released_on_failure(context):
        facts = check_target(context.target, context.bundle.run_id)
        growth = check_disk(context.target, profiles, context.bundle.path.parent)
    context.bundle.update_manifest(environment=facts.document(), growth=growth.document())
    for line in growth.lines():
        LOG.info("%s", line)
    announce_suite_start(context, profiles)


def seed(context: SuiteContext) -> None:
    """Make the users of all runs."""
    make_users(context, max(profile.users for profile in context.suite.profiles()))


def publish(context: SuiteContext, entries: Entries) -> dict[str, Any]:
    """Write suite.json and the suite's summary, tell whom it concerns; returns the content of suite.json."""
    suite = context.suite
    head = SuiteHead(context.bundle.run_id, suite.name, suite.title, suite.max_load_s)
    runs = entries()
    document: dict[str, Any] = write_suite(context.bundle, head, runs, datetime.now(UTC))
    announce_digest(context, document, runs)
    for entry in document["runs"]:
        LOG.info("%-12s %s", entry["profile"], entry["verdict"])
    return document


def review(context: SuiteContext, entries: Entries, read: ReadDocument) -> None:
    """Write what the runs and the latest days say of capacity, what to scale, and trends."""
    days = context.suite.review_days
    if days is not None:
        write_review(context, entries(), read, days, datetime.now(UTC))


def close(context: SuiteContext, entries: Entries) -> Mapping[str, Any]:
    """The suite's verdict, for the gate; concluded now where publish_suite did not live to."""
    try:
        return context.bundle.read(FILE) if context.bundle.has(FILE) else publish(context, entries)
    finally:
        leave_target(context)


def run_suite_stage(context: SuiteContext, name: str, entries: Entries, read: ReadDocument) -> None:
    """One stage of a suite, with its fault noted. Raises what the stage raised. An ended suite makes no users again."""
    if name in ("preflight", "seed_users") and context.bundle.has(FILE):
        raise ConfigError(f"suite {context.bundle.run_id} has ended; a repeat is a new run: trigger it anew")
    stages: dict[str, Callable[[], object]] = {
        "preflight": lambda: preflight(context),
        "seed_users": lambda: seed(context),
        "publish_suite": lambda: publish(context, entries),
        "review": lambda: review(context, entries, read),
        "cleanup_users": lambda: remove_users(context),
    }
    with stage(context, name), kept_lease(context, name):
        stages[name]()
