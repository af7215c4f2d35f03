"""The sustained maximum, predicted from steps below 70 % of it; no word beyond what was tested; growth by hand.

Each configuration of the demo target is first driven into saturation, which tells its maximum. Then a load in steps
that end below 70 % of it is judged by the capacity analysis, which gets that bundle and nothing else. A run report does
not state a maximum of more than 1.5 times the tested load (67 %): the line's own figure is compared, and the claim says
whether a report would state it.
"""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from experiments.claims import Claim, Say
from experiments.in_process import Bench, bench
from include.loadtest import run
from include.loadtest.analysis.capacity import capacity_of
from include.loadtest.analysis.capacity.document import resources_of
from include.loadtest.analysis.capacity.steps import steps_of
from include.loadtest.bundle import Bundle
from include.loadtest.orchestration import pipeline
from include.loadtest.orchestration.context import RunContext
from include.loadtest.orchestration.settings import work_root
from include.loadtest.profile import PROFILES_DIR, Profile

NAME = "capacity"
USERS = 45
SATURATING_THINK_S = 0.1
SATURATED_S, STEP_S, STEPS = 45, 30, 5
MOST_SHARE, WANTED_SHARE = 0.70, 0.685
"""The highest step's share of the maximum: at most 70 %, and a report states nothing of more than 1.5 times it."""
TRIES = 2
WITHIN = 0.15
LOW_STEPS = 3
"""Steps that are left for the prediction that has to be refused: about 40 % of the maximum."""
GROWTH_PCT = 5
BREAKING_POINT = {"p95_limit_ms": 8000, "error_rate_limit": 0.05, "least_user_throughput_share": 0.8}
RECOVERY = {"duration_s": 30, "window_s": 5, "windows": 3, "p95_limit_ms": 3000}


@dataclass(frozen=True)
class Configuration:
    """Start options and faults of a demo target, and what should end first in it.

    `answer_s`: about how long an answer takes unloaded, for the first guess of the think time.
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
    Configuration("cpu-60ms", ("--cpu-ms-per-request", "60"), CPU, 0.35),
    Configuration("two-workers-40ms", ("--workers", "2", "--cpu-ms-per-request", "40"), CPU, 0.25),
)


@dataclass(frozen=True)
class Result:
    """What was measured and predicted of a configuration, in req/min. `low`: what the lower steps alone say."""

    configuration: Configuration
    measured_rpm: float
    tested_rpm: float
    first: Mapping[str, Any]
    found: Mapping[str, Any]
    low: Mapping[str, Any]

    @property
    def error(self) -> float | None:
        """Predicted ÷ measured − 1, of the resource that ends first; None without a prediction."""
        return None if self.first["max_rpm"] is None else self.first["max_rpm"] / self.measured_rpm - 1

    @property
    def is_stated(self) -> bool:
        """Whether a report states it."""
        return bool(self.found["maximum"]["state"] == "predicted")

    @property
    def share(self) -> float:
        """The highest step's share of the maximum."""
        return self.tested_rpm / self.measured_rpm


def claims(say: Say) -> Iterator[Claim]:
    """Each configuration by itself, then all of them, the refusals, and the growth."""
    results = []
    for configuration in CONFIGURATIONS:
        with bench(say, *configuration.options) as servers:
            result = _result(servers, configuration, say)
        results.append(result)
        yield _predicted(result)
    yield _all_within(results)
    yield _refused(results)
    yield _growth(results)


def _result(servers: Bench, configuration: Configuration, say: Say) -> Result:
    runs = Runs(servers, configuration, say)
    measured_rpm = runs.saturated_rpm()
    say(f"  {configuration.name}: at most {measured_rpm:.0f} req/min")
    think_s = USERS * 60 / (WANTED_SHARE * measured_rpm) - configuration.answer_s
    for number in range(TRIES):
        bundle, profile = runs.stepped(number, max(0.2, think_s))
        found = _capacity(bundle, profile)
        tested_rpm = found["steps"][-1]["throughput_rpm"]
        say(f"  steps up to {100 * tested_rpm / measured_rpm:.0f} % of it: {found['maximum']['text']}")
        if tested_rpm <= MOST_SHARE * measured_rpm:
            break
        # A user's cycle by Little's law, without the think time, is the answer; aim again with it.
        think_s = USERS * 60 / (WANTED_SHARE * measured_rpm) - (USERS * 60 / tested_rpm - think_s)
    return result_of(configuration, measured_rpm, bundle, profile)


def result_of(configuration: Configuration, measured_rpm: float, bundle: Bundle, profile: Profile) -> Result:
    """What the analysis says of a stepped load, of all its steps and of the lower ones alone."""
    found, low = _capacity(bundle, profile), _capacity(*_lower_steps(bundle, profile))
    steps = steps_of(profile, bundle.read(run.MANIFEST), bundle.read(run.METRICS))
    return Result(
        configuration,
        measured_rpm,
        found["steps"][-1]["throughput_rpm"],
        resources_of(bundle, steps)[0],
        found,
        low,
    )


@dataclass
class Runs:
    """Loads on one target, with the same users and sessions."""

    servers: Bench
    configuration: Configuration
    say: Say
    _seed: dict[str, Any] | None = None

    def saturated_rpm(self) -> float:
        """Ok answers a minute with more users than it carries."""
        shape = {"users": USERS, "ramp_up_s": 5, "duration_s": SATURATED_S}
        bundle, _ = self._run("saturated", shape, SATURATING_THINK_S)
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


def _capacity(bundle: Bundle, profile: Profile) -> dict[str, Any]:
    found = capacity_of(bundle, profile)
    if found is None:
        raise RuntimeError(f"{bundle.run_id}: the stepped load has no capacity")
    return found


def _lower_steps(bundle: Bundle, profile: Profile) -> tuple[Bundle, Profile]:
    """The same run as if its load had ended with its lower steps."""
    lower = Bundle(Path(f"{bundle.path}-lower"))
    metrics = bundle.read(run.METRICS)
    lower.write(run.METRICS, {**metrics, "stages": metrics["stages"][:LOW_STEPS]})
    lower.write(run.MANIFEST, bundle.read(run.MANIFEST))
    for own, other in ((bundle.samples_dir, lower.samples_dir), (bundle.resources_dir, lower.resources_dir)):
        if not other.exists():
            other.symlink_to(own)
    return lower, profile


def _predicted(result: Result) -> Claim:
    error, row = result.error, result.first
    ends = " or ".join(sorted(result.configuration.ends_first))
    shown = "no prediction" if error is None else f"{row['max_rpm']:.0f} ({100 * error:+.0f} %)"
    measured = (
        f"measured {result.measured_rpm:.0f} req/min, predicted {shown} from {100 * result.share:.0f} %, "
        f"95 % {_end(row['max_low_rpm'])} to {_end(row['max_high_rpm'])}, ends first: {row['resource']}, "
        f"{'stated' if result.is_stated else 'refused as more than 1.5 x'} in a report"
    )
    ok = error is not None and abs(error) <= WITHIN and result.share <= MOST_SHARE
    ok = ok and row["resource"] in result.configuration.ends_first
    options = " ".join(result.configuration.options)
    expected = f"±{100 * WITHIN:.0f} % from at most 70 %, ends first: {ends}"
    return Claim(NAME, f"the sustained maximum of a target with {options} is predicted", expected, measured, ok)


def _end(rpm: float | None) -> str:
    return "open" if rpm is None else f"{rpm:.0f}"


def _all_within(results: Sequence[Result]) -> Claim:
    errors = [result.error for result in results]
    within = sum(error is not None and abs(error) <= WITHIN for error in errors)
    below = sum(result.share <= MOST_SHARE for result in results)
    sizes = [abs(error) for error in errors if error is not None]
    middle = f"{100 * statistics.median(sizes):.0f} %" if sizes else "none"
    measured = f"{within} of {len(results)} within, {below} of {len(results)} from at most 70 %, median error {middle}"
    ok = within == below == len(results)
    return Claim(
        NAME, "all configurations are predicted within ±15 %", f"{len(results)} of {len(results)}", measured, ok
    )


def _refused(results: Sequence[Result]) -> Claim:
    """From the lower steps the maximum is further away than may be said."""
    texts = [result.low["maximum"]["text"] for result in results]
    refused = [text for text in texts if text.startswith("not predicted: more than 1.5 x what was tested; test up to ")]
    figures = [result.low["maximum"]["rpm"] for result in results if result.low["maximum"]["rpm"] is not None]
    ok = len(refused) == len(results) and not figures
    shares = [result.low["tested"]["rpm"] / result.measured_rpm for result in results]
    span = f"{100 * min(shares):.0f} to {100 * max(shares):.0f} %"
    measured = f"{len(refused)} of {len(results)} refused from {span} of the maximum; e.g. {texts[0]}"
    return Claim(
        NAME, "extrapolation beyond 1.5 times the tested load is refused", "all refused, no figure", measured, ok
    )


def _growth(results: Sequence[Result]) -> Claim:
    """The months of each plan against a loop that adds 5 % a month."""
    pairs = []
    for result in results:
        plan = result.found["plan"]
        for load in plan["loads"].values():
            pairs += [
                (load[f"{name}_months"], _months_by_hand(load["users_now"], plan["limit_users"][end]))
                for name, end in (("earliest", "low"), ("latest", "high"))
            ]
    equal = sum(found == by_hand for found, by_hand in pairs)
    known = [found for found, _ in pairs if found]
    measured = f"{equal} of {len(pairs)} equal, {len(known)} of them later than now"
    ok = equal == len(pairs) and bool(known)
    return Claim(
        NAME, f"growth of {GROWTH_PCT} % a month meets the limit as calculated by hand", "all equal", measured, ok
    )


def _months_by_hand(users: float, limit: float | None) -> int | None:
    if limit is None:
        return None
    months = 0
    while users < limit:
        users *= 1 + GROWTH_PCT / 100
        months += 1
    return months
