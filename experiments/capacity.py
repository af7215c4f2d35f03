"""The sustained maximum, predicted from steps below 70 % of it; no word beyond what was tested; growth by hand.

Each configuration of the demo target is first driven into saturation, which tells its maximum. Then a load in steps
that end below 70 % of it is judged by the capacity analysis, which gets that bundle and nothing else. A run report does
not state a maximum of more than 1.5 times the tested load (67 %): the line's own figure is compared, and the claim says
whether a report would state it.
"""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.capacity_loads import CONFIGURATIONS, GROWTH_PCT, TRIES, USERS, Configuration, Runs
from experiments.claims import Claim, Say
from experiments.in_process import Bench, bench
from include.loadtest import run
from include.loadtest.analysis.capacity import capacity_of
from include.loadtest.analysis.capacity.document import resources_of
from include.loadtest.analysis.capacity.steps import steps_of
from include.loadtest.bundle import Bundle
from include.loadtest.profile import Profile

NAME = "capacity"
MOST_SHARE, WANTED_SHARE, LEAST_SHARE = 0.70, 0.685, 0.60
"""The highest step's share of the maximum: at most 70 %, and a report states nothing of more than 1.5 times it.

Below the least one the think time was guessed wrong, and the load is sent again.
"""
WITHIN = 0.15
LOW_STEPS = 3
"""Steps that are left for the prediction that has to be refused: about 40 % of the maximum."""


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
        if LEAST_SHARE <= tested_rpm / measured_rpm <= MOST_SHARE:
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
