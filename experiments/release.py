"""A candidate that ends WARN, three times at once: approved, rejected, and left without an answer."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import psycopg2

from experiments.api import Api, until
from experiments.claims import Claim, Say
from experiments.environment import Environment, temporary_environment
from include.embedded.follow import follow

NAME = "release"
DAG, WAITING = "load_test_pre_release", "approve_warning"
USERS, DURATION_S = 10, 20
ANSWER_WITHIN_S = 45
READING_S = 3
"""A person reads the question first; an answer within the second is lost by Airflow 3.3.2, which fails the task."""
RUN_LIMIT_S = 600.0
SLOW_CALLS = ("users_me", "subscription", "billing_usage", "settings_get", "invoices")
SLOW = {"latency_added_ms": dict.fromkeys(SLOW_CALLS, 1200)}
"""User operations slower than their limit of a second, which is a warning in this profile."""
CASES = (("approved", "Approve", "success"), ("rejected", "Reject", "failed"), ("unanswered", None, "failed"))


def claims(say: Say) -> Iterator[Claim]:
    """Each candidate's run, and what the target's lease was while a person was asked."""
    with temporary_environment(say, LOADTEST_ANSWER_WITHIN_S=str(ANSWER_WITHIN_S)) as environment:
        api = Api.of(environment.layout)
        with _slow_operations(environment), api.unpaused(DAG):
            for name, _, _ in CASES:
                conf = {"release": name, "target": "demo", "users": USERS, "duration_s": DURATION_S}
                api.trigger(DAG, name, conf)
            for case in CASES:
                yield from _claims_of(api, environment, say, case)


def _claims_of(api: Api, environment: Environment, say: Say, case: tuple[str, str | None, str]) -> Iterator[Claim]:
    name, option, expected = case
    until(f"{name} waits for a person", lambda: _is_asked(api, name), RUN_LIMIT_S)
    holder, own = _holder(environment), f"{DAG}/{name}"
    claim = f"{name}: while a person is asked, the run holds no target"
    yield Claim(NAME, claim, f"not {own}", str(holder), not str(holder).startswith(own))
    if option is not None:
        time.sleep(READING_S)
        api.answer(DAG, name, WAITING, option)
    outcome = follow(api, DAG, name, say=say)
    yield Claim(
        NAME,
        f"a WARN that is {name} ends {'green' if expected == 'success' else 'red'}",
        f"WARN, {expected}",
        f"{outcome.verdict}, {outcome.state}; task {WAITING}: {api.states(DAG, name)[WAITING]}",
        (outcome.verdict, outcome.state) == ("WARN", expected),
    )


def _is_asked(api: Api, run_id: str) -> bool:
    """Raises EmbeddedError through `until` where the run ended without a question."""
    return api.states(DAG, run_id).get(WAITING) not in (None, "scheduled", "queued", "running")


def _holder(environment: Environment) -> str | None:
    """Owner of the target's lease now; None where nobody has it."""
    connection = psycopg2.connect(environment.history_url)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT owner FROM loadtest.target_lock WHERE target = 'demo' AND expires > now()")
            row = cursor.fetchone()
            return None if row is None else str(row[0])
    finally:
        connection.close()


@contextmanager
def _slow_operations(environment: Environment) -> Iterator[None]:
    faults = f"{environment.demo_url}/admin/faults"
    httpx.put(faults, json=SLOW, timeout=30, trust_env=False).raise_for_status()
    try:
        yield
    finally:
        httpx.delete(faults, timeout=30, trust_env=False).raise_for_status()
