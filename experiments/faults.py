"""Whatever goes wrong in a run, its verdict says so, its data stay, and nothing of it is left on the target."""

from collections.abc import Iterator
from contextlib import contextmanager

import yaml

from experiments.aftermath import GREEN, Aftermath, Expected, aftermath, document
from experiments.claims import Claim, Say
from experiments.environment import temporary_environment
from experiments.in_process import Bench, bench
from experiments.injection import Fault, arm, fired, plant
from experiments.scheduled import EXPECTED, Case, Group, case
from include.loadtest.orchestration import pipeline
from include.loadtest.profile import PROFILES_DIR
from include.loadtest.profile.vocabulary import STAGES

ALWAYS_RUN = tuple(stage for stage in STAGES if stage != "confirm")
"""A run that nobody suspects repeats nothing; what becomes of repeats that fail is shown by tests."""
NAME = "faults"
USERS, DURATION_S = 3, 6
KILLED = ("run_profile", "collect_metrics", "cleanup_users")
HANGING = (("warm_cache", "hang"), ("validate_sla", "hang"), ("publish", "hang_in_c"))


def claims(say: Say) -> Iterator[Claim]:
    """Exceptions in every stage without Airflow, then kills and hangs through the real scheduler."""
    with bench(say) as servers, armed(servers):
        yield from _exceptions(servers)
    with temporary_environment(say) as environment:
        yield from Group(NAME, environment, say).claims(_scheduled_cases())


def _scheduled_cases() -> list[Case]:
    return [*(case(stage, "kill") for stage in KILLED), *(case(stage, kind) for stage, kind in HANGING)]


@contextmanager
def armed(servers: Bench) -> Iterator[None]:
    """The pipeline of this process looks for planted faults; afterwards it is as it was."""
    before, stages = dict(vars(pipeline)), dict(pipeline.STAGES)
    arm(pipeline, servers.folder)
    try:
        yield
    finally:
        pipeline.STAGES.update(stages)
        for name, value in before.items():
            setattr(pipeline, name, value)


def exceptions() -> list[Fault]:
    """One instead of every stage, and one in the middle where a stage has something to lose there."""
    instead = [Fault(stage, "exception") for stage in ALWAYS_RUN]
    worst = [Fault.worst(stage, "exception") for stage in ALWAYS_RUN]
    return [*instead, *(fault for fault in worst if fault not in instead)]


def _exceptions(servers: Bench) -> Iterator[Claim]:
    waiting: tuple[Fault, Aftermath] | None = None
    for fault in [*exceptions(), None]:
        servers.say("a healthy run" if fault is None else f"an exception: {fault.stage}, {fault.point}")
        found, removed = _run(servers, fault)
        servers.say(f"  {found.text()}")
        if waiting is not None:
            yield _claim(*waiting, removed)
        waiting = None if fault is None else (fault, found)
    yield Claim(
        NAME,
        "after an exception in every stage, one after the other, a healthy run passes",
        Expected(GREEN).text(),
        found.text(),
        Expected(GREEN).met_by(found),
    )


def _run(servers: Bench, fault: Fault | None) -> tuple[Aftermath, int]:
    """What is left after a run with that fault, and how many left-over users its seeding removed."""
    run_id = "smoke-healthy" if fault is None else f"smoke-{fault.stage}-{fault.point}"
    plant(servers.folder, fault)
    context = servers.context(run_id, smoke_yaml(), USERS, DURATION_S)
    try:
        servers.run(context)
        if fault is not None and not fired(servers.folder):
            raise RuntimeError(f"the fault in {fault.stage} did not happen")
    finally:
        plant(servers.folder, None)
    found = aftermath(context.bundle.path, servers.demo.database_url, servers.history_url, servers.folder)
    seed = document(context.bundle.path, "manifest.json").get("seed") or {}
    return found, int((seed.get("left_over") or {}).get("users", 0))


def smoke_yaml() -> str:
    """The committed smoke profile as a text."""
    data = yaml.safe_load((PROFILES_DIR / "smoke.yaml").read_text(encoding="utf-8"))
    return str(yaml.safe_dump(data, sort_keys=False, allow_unicode=True))


def expected_of(fault: Fault) -> Expected:
    """As through the scheduler, but for what never began: without a first stage there is no run, so no verdict."""
    if fault == Fault("preflight", "exception"):
        return Expected(("none",), samples=False, report=False)
    if fault == Fault("run_profile", "exception"):
        return EXPECTED["warm_cache"]
    return Expected(EXPECTED["gate"].verdicts) if fault.stage == "gate" else EXPECTED[fault.stage]


def _claim(fault: Fault, found: Aftermath, removed: int) -> Claim:
    expected = expected_of(fault)
    where = "instead of" if fault.point == "start" else "in the middle of"
    left = f"; the next seeding removes the {expected.users} users" if expected.users else ""
    measured = f"{found.text()}, removed by the next seeding={removed}"
    ok = expected.met_by(found) and removed == found.users
    return Claim(NAME, f"an exception {where} {fault.stage}{left}", expected.text(), measured, ok)
