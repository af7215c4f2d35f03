"""Runs with a fault through the real scheduler: what each leaves, and that a healthy run passes after them."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from experiments.aftermath import GREEN, NONE, Aftermath, Expected, aftermath, document, sample_rows
from experiments.claims import Claim, Say
from experiments.environment import Environment, Ran
from experiments.injection import Fault, fired, plant
from include.loadtest.profile import PROFILES_DIR

USERS, DURATION_S = 3, 8
LONG_DURATION_S = 25
"""Of a run whose target or disk fails in the middle: time enough to feel it."""
WARM_UP_MAX_S = 30
STAGE_TIMEOUTS_S = {
    "preflight": 25,
    "seed_users": 25,
    "warm_cache": 10,
    "run_profile": 20,
    "collect_metrics": 30,
    "validate_sla": 60,
    "diff_history": 25,
    "diagnose": 25,
    "publish": 25,
    "cleanup_users": 30,
    "gate": 20,
}
TEST_USERS = 200
TEXTS = {
    "exception": "an exception",
    "kill": "kill -9",
    "hang": "a hang",
    "hang_in_c": "a hang in C, deaf to signals,",
}

INCONCLUSIVE = ("INCONCLUSIVE",)
NO_LOAD = Expected(INCONCLUSIVE, "stage_failed", samples=False)
NOT_SET_UP = Expected(INCONCLUSIVE, "setup_failed", samples=False)
NOT_MEASURED = Expected(INCONCLUSIVE, "stage_failed")
NOT_DECIDED_BY = Expected(GREEN)
EXPECTED: dict[str, Expected] = {
    "preflight": NO_LOAD,
    "seed_users": NO_LOAD,
    "warm_cache": NO_LOAD,
    "run_profile": NOT_MEASURED,
    "collect_metrics": NOT_MEASURED,
    "validate_sla": NOT_MEASURED,
    "diff_history": NOT_DECIDED_BY,
    "diagnose": NOT_DECIDED_BY,
    "publish": Expected(GREEN, report=False),
    "cleanup_users": Expected(GREEN, users=TEST_USERS),
    "gate": Expected(GREEN, shown=NONE),
}
"""After a fault on every try of that stage: a verdict that stands before it stays, one that needs it is INCONCLUSIVE.
The verdict is in the bundle also where the gate cannot show it."""
AFTER_KILL: dict[str, Expected] = {
    "seed_users": NOT_SET_UP,
    "warm_cache": NOT_SET_UP,
    "run_profile": Expected(INCONCLUSIVE, "generator_died"),
}
"""What differs where the process itself is gone: nobody could note the fault, so what is missing tells it."""


@dataclass(frozen=True)
class Case:
    """One run with a fault. `around`: what is done to the environment meanwhile, in place of a planted fault."""

    claim: str
    expected: Expected
    fault: Fault | None = None
    around: Callable[[Environment, Say], AbstractContextManager[None]] = lambda _environment, _say: nullcontext()
    duration_s: int = DURATION_S


def case(stage: str, kind: Any) -> Case:
    """A fault of that kind in every try of that stage, at its worst point."""
    expected = EXPECTED[stage] if kind != "kill" else AFTER_KILL.get(stage, EXPECTED[stage])
    fault = Fault.worst(stage, kind)
    where = "the middle of" if fault.point == "within" else "the place of"
    removed = "; the next seeding removes the users" if expected.users else ""
    return Case(f"{TEXTS[kind]} in {where} {stage}, on every try{removed}", expected, fault)


@dataclass
class Group:
    """Cases one after the other, then a healthy run that has to pass; the claims come when it has ended."""

    name: str
    environment: Environment
    say: Say
    _open: list["_Finding"] = field(default_factory=list)

    def claims(self, cases: Sequence[Case]) -> Iterator[Claim]:
        """Run all; users that a case left must be gone after the next run's seeding."""
        for number, one in enumerate(cases, 1):
            self.say(f"{number} of {len(cases)}: {one.claim}")
            self._open.append(self._try(one))
            self.say(self._open[-1].measured())
        self.say("a healthy run after them")
        healthy = self._healthy()
        self.say(f"healthy: {healthy.text()}")
        for finding in self._open:
            yield finding.claim(self.name, healthy)
        self._open.clear()

    def _try(self, one: Case) -> "_Finding":
        plant(self.environment.faults, one.fault)
        try:
            with one.around(self.environment, self.say):
                ran = self._run(one.duration_s)
                kept = _kept(ran.bundle)  # before a disk that was full is taken away
        finally:
            times = fired(self.environment.faults)
            plant(self.environment.faults, None)
        found = self._aftermath(ran)
        self._note_removed(ran.bundle)
        happened = one.fault is None or times > 0
        return _Finding(one, kept(found), ran.seconds, happened, ran.output)

    def _healthy(self) -> Aftermath:
        plant(self.environment.faults, None)
        ran = self._run(DURATION_S)
        found = self._aftermath(ran)
        self._note_removed(ran.bundle)
        return found

    def _run(self, duration_s: int) -> Ran:
        profile = short_profile(self.environment.folder / "smoke.yaml")
        return self.environment.run(profile, USERS=str(USERS), DURATION_S=str(duration_s))

    def _aftermath(self, ran: Ran) -> Aftermath:
        environment = self.environment
        return aftermath(ran.bundle, environment.database_url, environment.history_url, environment.folder, ran.shown)

    def _note_removed(self, bundle: Path | None) -> None:
        """How many users of the last case this run's seeding has removed."""
        seed = document(bundle, "manifest.json").get("seed") or {}
        waiting = [finding for finding in self._open if finding.found.users and finding.removed is None]
        for finding in waiting:
            finding.removed = (seed.get("left_over") or {}).get("users")


@dataclass
class _Finding:
    case: Case
    found: Aftermath
    seconds: float
    happened: bool
    output: str
    removed: int | None = None

    def measured(self) -> str:
        """Everything that was seen after this case."""
        removed = f", removed by the next seeding={self.removed}" if self.found.users else ""
        missed = "" if self.happened else ", the fault did NOT happen"
        return f"{self.found.text()}{removed}{missed}, {self.seconds:.0f} s"

    def claim(self, name: str, healthy: Aftermath) -> Claim:
        """Its line, with the healthy run that came after its group."""
        expected = self.case.expected
        removed = not self.found.users or self.removed == self.found.users
        ok = expected.met_by(self.found) and removed and self.happened and Expected(GREEN).met_by(healthy)
        text = f"{expected.text()}, next={' or '.join(GREEN)}"
        return Claim(name, self.case.claim, text, f"{self.measured()}, next={healthy.shown}", ok)


def _kept(bundle: Path | None) -> Callable[[Aftermath], Aftermath]:
    """What a bundle holds now, put in place of what is found there when its folder may have gone."""
    if bundle is None:
        return lambda found: found
    verdict = document(bundle, "verdict.json")
    values: dict[str, Any] = {
        "verdict": str(verdict.get("verdict", NONE)),
        "reasons": tuple(dict.fromkeys(reason["code"] for reason in verdict.get("reasons", ()))),
        "samples": sample_rows(bundle),
        "report": any(bundle.glob("load_test_summary_*.md")),
    }
    return lambda found: replace(found, **values)


def short_profile(path: Path) -> Path:
    """The committed smoke profile with time-outs that make a hang short."""
    data = yaml.safe_load((PROFILES_DIR / "smoke.yaml").read_text(encoding="utf-8"))
    data["warm_up"]["max_s"] = WARM_UP_MAX_S
    data["stage_timeouts_s"] = STAGE_TIMEOUTS_S
    path.write_text(yaml.safe_dump(data, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return path


def load_of(environment: Environment, before: set[Path], limit_s: float = 240.0) -> Path | None:
    """Wait until a new run has written its first samples; its bundle, None where that does not come."""
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        for bundle in environment.bundles() - before:
            if any((bundle / "samples").glob("*.parquet")):
                return bundle
        time.sleep(0.2)
    return None
