"""A test that is not valid says so, with its own reason; a target that dies does not hide behind it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import yaml
from sqlalchemy import select

from experiments.aftermath import GREEN, document
from experiments.claims import Claim, Say
from experiments.in_process import Bench, bench
from experiments.sabotage import Sabotage, during_load, hog_generator, kill_monitors, kill_target, second_load
from include.loadtest.history.database import connect, transaction
from include.loadtest.history.schema import RUN
from include.loadtest.history.store import last_comparable_runs
from include.loadtest.orchestration import load as load_stage
from include.loadtest.profile import PROFILES_DIR
from include.loadtest.reasons import REASON_CODES
from include.loadtest.runners.engines import run_load
from include.loadtest.runners.generator import LoadRequest, LoadResult
from tests.helpers.demo import await_ready, launch, stop, stop_servers

NAME = "validity"
HEALTHY_RUNS = 20
USERS, HOLD_S, HEALTHY_S = 10, 30, 15
WINDOW_S = 10
SLOW_MS = 1500.0


@dataclass(frozen=True)
class Case:
    """One run, what spoils it, and what it has to say. `share` of the users get a session to work with."""

    name: str
    claim: str
    verdict: str
    code: str
    changes: Mapping[str, Any]
    share: float = 1.0
    sabotage: Sabotage | None = None


def claims(say: Say) -> Iterator[Claim]:
    """Spoilt runs, a target that dies, healthy runs, and what of them the history gives to others."""
    with bench(say) as servers:
        for case in _cases(servers):
            yield _claim(servers, case)
        yield _few_samples(servers)
        yield from _dying_target(servers)
        yield _healthy(servers)
        yield _nothing_compared(servers)


def _cases(servers: Bench) -> list[Case]:
    return [
        Case("empty", "zero requests", "INCONCLUSIVE", "no_samples", {}, share=0.0),
        Case("half", "half the users", "INCONCLUSIVE", "load_not_achieved", {}, share=0.5),
        Case("hog", "a generator with a CPU hog beside it", "INCONCLUSIVE", "generator_starved", {},
             sabotage=hog_generator),
        Case("silent", "the monitors dead at half time", "INCONCLUSIVE", "source_silent", {},
             sabotage=kill_monitors(HOLD_S / 2)),
        Case("overlap", "a second load on the target", "INCONCLUSIVE", "overlap", {},
             sabotage=second_load(servers.demo.base_url)),
    ]  # fmt: skip


def profile_yaml(**changes: Any) -> str:
    """The committed smoke profile with a short ramp, little to warm up, and what is given."""
    data = yaml.safe_load((PROFILES_DIR / "smoke.yaml").read_text(encoding="utf-8"))
    data |= {
        "users": USERS,
        "ramp_up_s": 2,
        "duration_s": HOLD_S,
        "questions": {"pool_size": 5, "zipf_exponent": 1.1, "new_share": 0.15},
        "warm_up": {"settled_within": 0.02, "max_s": 5},
        **changes,
    }
    return str(yaml.safe_dump(data, sort_keys=False, allow_unicode=True))


@contextmanager
def _share_of_users(share: float) -> Iterator[None]:
    """The generator gets a part of the users only, as if the others could not start."""

    def with_fewer(request: LoadRequest, *further: Any) -> LoadResult:
        kept = int(share * len(request.user_numbers))
        return run_load(replace(request, user_numbers=request.user_numbers[:kept]), *further)

    with patch.object(load_stage, "run_load", with_fewer):
        yield


def _run(servers: Bench, case: Case) -> Path:
    servers.say(case.claim)
    context = servers.context(f"smoke-{case.name}", profile_yaml(**case.changes))
    with _share_of_users(case.share), during_load(context.bundle.path, case.sabotage):
        servers.run(context)
    servers.say(f"  {_text(context.bundle.path)}")
    return context.bundle.path


def _reasons(bundle: Path) -> list[dict[str, Any]]:
    return list(document(bundle, "verdict.json").get("reasons", ()))


def _text(bundle: Path) -> str:
    verdict = document(bundle, "verdict.json").get("verdict", "none")
    decisive = [reason for reason in _reasons(bundle) if REASON_CODES[reason["code"]].kind not in ("note", "warning")]
    return "; ".join([str(verdict), *(f"{reason['code']}: {reason['text']}" for reason in decisive)])


def _claim(servers: Bench, case: Case) -> Claim:
    bundle = _run(servers, case)
    found = document(bundle, "verdict.json").get("verdict")
    ok = found == case.verdict and case.code in [reason["code"] for reason in _reasons(bundle)]
    return Claim(NAME, case.claim, f"{case.verdict}, reason {case.code}", _text(bundle), ok)


def _few_samples(servers: Bench) -> Claim:
    """One user, one request of twenty slow: a P99 limit between the two kinds is neither met nor missed."""
    changes = {
        "users": 1,
        "duration_s": 24,
        "mix_pct": {"user_operations": 95, "complex_query": 5},
        "questions": {"pool_size": 5, "zipf_exponent": 1.1, "new_share": 1.0},
        "timeout_s": 30.0,
        "slos": [{"metric": "latency_p99_ms", "comparator": "<", "limit": SLOW_MS, "required": True}],
    }
    case = Case("few", "20 samples for a required P99", "INCONCLUSIVE", "too_few_samples", changes)
    with servers.demo.client() as client:
        client.put("/admin/faults", json={"llm_first_token_ms": 2 * SLOW_MS}).raise_for_status()
        try:
            return _claim(servers, case)
        finally:
            client.delete("/admin/faults").raise_for_status()


def _dying_target(servers: Bench) -> Iterator[Claim]:
    rules = {"window_s": WINDOW_S, "min_requests": 20, "error_share": 0.9, "latency_p95_ms": None, "starved_s": None}
    for name, share, verdict, code in (
        ("stopped", 0.9, "ABORTED", "auto_stop_errors"),
        ("dead", None, "SLA_BREACH", "slo_missed"),
    ):
        state = servers.folder / f"victim-{name}"
        process = launch(state)
        try:
            demo = await_ready(process, state)
            with_auto_stop = "auto-stop" if share else "no auto-stop"
            case = Case(
                name,
                f"a target that dies with its monitors, {with_auto_stop}",
                verdict,
                code,
                {"auto_stop": rules | {"error_share": share}},
                sabotage=kill_target(demo, HOLD_S / 2),
            )
            yield _claim(replace(servers, demo=demo), case)
        finally:
            stop(process)
            stop_servers(state)


def _healthy(servers: Bench) -> Claim:
    valid, others = 0, []
    for number in range(HEALTHY_RUNS):
        case = Case(f"healthy-{number}", f"healthy run {number + 1}", "PASS", "", {"duration_s": HEALTHY_S})
        bundle = _run(servers, case)
        is_valid = document(bundle, "verdict.json").get("verdict") in GREEN
        valid += is_valid
        others += [] if is_valid else [_text(bundle)]
    return Claim(
        NAME,
        f"healthy runs of {HEALTHY_S} s with {USERS} users are valid",
        f"{HEALTHY_RUNS} of {HEALTHY_RUNS}",
        " / ".join([f"{valid} of {HEALTHY_RUNS}", *others]),
        valid == HEALTHY_RUNS,
    )


def _nothing_compared(servers: Bench) -> Claim:
    """Whatever conditions are asked for, the history gives back runs that ended normally, and only those."""
    engine = connect(servers.history_url)
    with transaction(engine) as connection:
        rows = connection.execute(select(RUN.c.run_id, RUN.c.verdict, RUN.c.comparability_key)).all()
    keys = {row.comparability_key for row in rows}
    given = [
        run["run_id"] for key in keys for run in last_comparable_runs(engine, key, datetime.now(UTC), limit=1000)
    ]  # fmt: skip
    green = {row.run_id for row in rows if row.verdict in GREEN}
    spoilt = len(rows) - len(green)
    return Claim(
        NAME,
        "no run that was not valid, aborted or breached is ever given as one to compare with",
        f"{len(green)} of {len(rows)} runs are given, 0 of the {spoilt} others",
        f"{len(set(given) & green)} are given, {len(set(given) - green)} of the others",
        set(given) == green and spoilt > 0,
    )
