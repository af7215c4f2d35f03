"""Loads on a demo target that is set up in one way: one beyond what it carries, and others in steps below it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import yaml

from experiments.claims import Say
from experiments.in_process import Bench
from include.loadtest import run
from include.loadtest.analysis.capacity.steps import steps_of
from include.loadtest.analysis.capacity.usage import kinds, used_resources
from include.loadtest.analysis.readings import all_answers, read_answers, read_readings
from include.loadtest.bundle import Bundle
from include.loadtest.orchestration import pipeline
from include.loadtest.orchestration.context import RunContext
from include.loadtest.orchestration.settings import work_root
from include.loadtest.profile import PROFILES_DIR, Profile

USERS = 45
SATURATING_THINK_S = 0.1
SATURATED_S, STEP_S, STEPS = 45, 30, 5
TRIES = 2
"""Of each load that did not become what it was meant to be."""
LEAST_OWN_SHARE = 0.85
"""Of a machine's CPU that is used up, by the load itself: with less of it other work held the target back."""
USED_UP_SHARE = 0.9
"""Of what should end first, in the saturated load: else its throughput is not the target's maximum."""
GROWTH_PCT = 5
BREAKING_POINT = {"p95_limit_ms": 8000, "error_rate_limit": 0.05, "least_user_throughput_share": 0.8}
RECOVERY = {"duration_s": 30, "window_s": 5, "windows": 3, "p95_limit_ms": 3000}


@dataclass(frozen=True)
class Configuration:
    """Start options and faults of a demo target, and what should end first in it.

    `answer_s`: about how long an answer takes in the highest step, for the first guess of the think time.
    """

    name: str
    options: tuple[str, ...]
    ends_first: frozenset[str]
    answer_s: float
    faults: Mapping[str, Any] = field(default_factory=dict)


CPU = frozenset({"application_process", "host_cpu"})
POOL = frozenset({"database_pool"})
CONFIGURATIONS = (
    Configuration("pool-3", ("--pool-size", "3"), POOL, 0.2, {"query_added_ms": 60}),
    Configuration(
        "pool-6-slow-llm", ("--pool-size", "6", "--llm-first-token-ms", "800"), POOL, 0.35, {"query_added_ms": 100}
    ),
    Configuration("cpu-30ms", ("--cpu-ms-per-request", "30"), CPU, 0.25),
    Configuration("cpu-60ms", ("--cpu-ms-per-request", "60"), CPU, 2.0),
    Configuration("two-workers-40ms", ("--workers", "2", "--cpu-ms-per-request", "40"), CPU, 0.25),
)


@dataclass
class Runs:
    """Loads on one target, with the same users and sessions."""

    servers: Bench
    configuration: Configuration
    say: Say
    _seed: dict[str, Any] | None = None

    def saturated_rpm(self) -> float:
        """Ok answers a minute with more users than it carries. Again where other work on the machine held it back."""
        shape = {"users": USERS, "ramp_up_s": 5, "duration_s": SATURATED_S}
        for number in range(TRIES):
            bundle, profile = self._run(f"saturated-{number}", shape, SATURATING_THINK_S)
            if is_used_up(bundle, profile, self.configuration.ends_first):
                break
            self.say("  what should end first was not used up: other work on the machine?")
        rows = bundle.read(run.METRICS)["metrics"]
        return next(
            float(row["value"])
            for row in rows
            if (row["metric"], row["scope"], row["phase"]) == ("throughput_rpm", "all", "hold")
        )

    def stepped(self, number: int, think_s: float) -> tuple[Bundle, Profile]:
        """A load in steps."""
        steps = {
            "kind": "steps",
            "steps": STEPS,
            "probe_users": 1,
            "breaking_point": BREAKING_POINT,
            "recovery": RECOVERY,
        }
        shape = {"users": USERS, "ramp_up_s": STEP_S * (STEPS - 1), "duration_s": STEP_S, "shape": steps}
        return self._run(f"steps-{number}", shape, think_s)

    def _run(self, name: str, shape: Mapping[str, Any], think_s: float) -> tuple[Bundle, Profile]:
        text = profile_yaml(shape, think_s)
        run_id = f"{self.configuration.name}-{name}"
        context = self._context(run_id, text)
        with self.servers.demo.client() as client:
            client.delete("/admin/faults").raise_for_status()
        pipeline.run_stage(context, "preflight")
        if self._seed is None:
            pipeline.run_stage(context, "seed_users")
            self._seed = context.manifest()["seed"]
        context.bundle.update_manifest(seed=self._seed)
        pipeline.run_stage(context, "warm_cache")
        with self.servers.demo.client() as client:
            client.put("/admin/faults", json=dict(self.configuration.faults)).raise_for_status()
        pipeline.run_stage(context, "run_profile")
        pipeline.run_stage(context, "collect_metrics")
        return context.bundle, context.profile()

    def _context(self, run_id: str, text: str) -> RunContext:
        """One owner and one folder of work for all loads: they share lease, users and sessions."""
        given = self.servers.context(run_id, text)
        work = f"prove-capacity-{self.configuration.name}"
        return replace(given, work_dir=work_root() / work, owner=f"prove/{work}")


def is_used_up(bundle: Bundle, profile: Profile, names: Collection[str]) -> bool:
    """Whether one of these resources was used up in the last step, the machine's CPU by the target itself."""
    steps = steps_of(profile, bundle.read(run.MANIFEST), bundle.read(run.METRICS))
    readings = read_readings(bundle.resources_dir, kinds().__contains__)
    for used in used_resources(steps, readings, all_answers(read_answers(bundle.samples_dir))):
        use = used.uses[-1]
        own = use.busy if use.own_busy is None else use.own_busy / LEAST_OWN_SHARE
        if used.resource.name in names and used.servers and min(use.busy, own) >= USED_UP_SHARE * used.servers:
            return True
    return False


def profile_yaml(shape: Mapping[str, Any], think_s: float) -> str:
    """The committed smoke profile with a shape and a think time, little to warm up, and a plan of growth."""
    data = yaml.safe_load((PROFILES_DIR / "smoke.yaml").read_text(encoding="utf-8"))
    half = min(0.5, think_s)
    data |= {
        "name": "capacity_proof",
        "think_time_s": {"min": round(think_s - half, 3), "max": round(think_s + half, 3)},
        "questions": {"pool_size": 30, "zipf_exponent": 1.1, "new_share": 0.15},
        "warm_up": {"settled_within": 0.02, "max_s": 12},
        "timeout_s": 60,
        "plan": {"normal_users": 10, "peak_factor": 2, "growth_pct_a_month": GROWTH_PCT},
        "slos": [{"metric": "ungraceful_error_rate", "comparator": "<=", "limit": 0.05}],
        **shape,
    }
    return str(yaml.safe_dump(data, sort_keys=False, allow_unicode=True))
