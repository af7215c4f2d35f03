"""What a late unpausing and a blackout do in a real Airflow, and what a person's override does."""

import json
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from experiments.api import Api, until
from experiments.claims import Claim, Say
from experiments.environment import Environment, Ran, temporary_environment
from include.embedded.state import CHECKOUT
from include.loadtest.calendar.loading import PATH_VARIABLE
from tests.helpers.demo import DemoTarget, demo_target

NAME = "calendar"
WEEKLY = "load_test_weekly"
SMOKE = CHECKOUT / "include" / "profiles" / "smoke.yaml"
SHORT = {"USERS": "5", "DURATION_S": "15"}
UNPAUSED_LIMIT_S = 420.0
CALENDAR = """nights_before: 2
rules: []
extra:
  - {{from: {first}, to: {last}, reason: "the closing of the accounts"}}
"""
ASKED = "starlette_requests_total{"
ENDED = frozenset({"success", "failed"})


def live_claims(say: Say) -> Iterator[Claim]:
    """Against a target that counts as one that people work with, on days that its calendar keeps free."""
    with tempfile.TemporaryDirectory(prefix="loadtest-calendar-") as folder:
        calendar = Path(folder) / "calendar.yaml"
        today = datetime.now(UTC).date()
        calendar.write_text(CALENDAR.format(first=today, last=today + timedelta(days=1)), encoding="utf-8")
        with demo_target(Path(folder) / "target") as target:
            settings = {
                "LOAD_TEST_BASE_URL": target.base_url,
                "DATABASE_URL": target.database_url,
                "REDIS_URL": target.redis_url,
                PATH_VARIABLE: str(calendar),
            }
            with temporary_environment(say, **settings) as environment:
                yield _late_unpause(environment)
                yield from _blackout(environment, target)


def _late_unpause(environment: Environment) -> Claim:
    """The DAG's last slot is days old: Airflow starts its run, and nothing is sent."""
    api = Api.of(environment.layout)
    with api.unpaused(WEEKLY):
        until("the weekly DAG's last slot has run", lambda: _ended(api), UNPAUSED_LIMIT_S)
    latest = api.latest_run(WEEKLY) or {}
    states = api.states(WEEKLY, str(latest.get("dag_run_id")))
    loads = sorted(name for name, state in states.items() if name.endswith("run_profile") and state == "success")
    sent = [path for path in environment.bundles() if (path / "samples").exists()]
    measured = f"slot {latest.get('run_after')}: preflight {states.get('preflight')}, {len(loads)} loads"
    holds = states.get("preflight") == "skipped" and not loads and not sent
    return Claim(NAME, "unpausing the weekly DAG days after its slot", "preflight skipped, 0 loads", measured, holds)


def _ended(api: Api) -> bool:
    latest = api.latest_run(WEEKLY)
    return latest is not None and latest["state"] in ENDED


def _blackout(environment: Environment, target: DemoTarget) -> Iterator[Claim]:
    before = _questions(target)
    refused = environment.run(SMOKE, TARGET="pratikoai", **SHORT)
    text = _first_reason(refused)
    yield Claim(
        NAME,
        "a person's run in a blackout",
        "INCONCLUSIVE (blackout), the reason names it, the target was asked 0 questions",
        f"{refused.shown} ({text}), {_questions(target) - before} questions",
        refused.shown == "INCONCLUSIVE" and "the closing of the accounts" in text and _questions(target) == before,
    )
    overridden = environment.run(SMOKE, TARGET="pratikoai", IGNORE_BLACKOUT="yes", **SHORT)
    yield Claim(
        NAME,
        "the same run with IGNORE_BLACKOUT=yes",
        "PASS or WARN, some questions",
        f"{overridden.shown}, {_questions(target) - before} questions",
        overridden.shown in ("PASS", "WARN") and _questions(target) > before,
    )


def _first_reason(ran: Ran) -> str:
    if ran.bundle is None:
        return "no bundle"
    reasons = json.loads((ran.bundle / "verdict.json").read_text(encoding="utf-8"))["reasons"]
    return f"{reasons[0]['code']}: {reasons[0]['text']}" if reasons else "no reason"


def _questions(target: DemoTarget) -> int:
    """Questions to its chat that the target itself has counted so far."""
    with target.client() as client:
        lines = client.get("/metrics").raise_for_status().text.splitlines()
    asked = [line for line in lines if line.startswith(ASKED) and "/chat/stream" in line]
    return sum(int(float(line.rpartition(" ")[2])) for line in asked)
