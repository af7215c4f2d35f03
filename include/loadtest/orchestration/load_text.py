"""What a load means, in words: for the trigger form, for preflight's log and for `make run`. Pure; no heavy imports.

Every number is made from the profile and the target's file, so that a form never says something else than what runs.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from include.loadtest.errors import ConfigError
from include.loadtest.orchestration.llm_cap import WITHOUT_LLM, cap_of
from include.loadtest.profile import Profile
from include.loadtest.profile.suites import Suite
from include.loadtest.profile.vocabulary import METRICS, SCOPE_ALL
from include.loadtest.target.settings import TargetFile
from include.loadtest.verdict import figure

_ASKED = ("simple_query", "complex_query")
"""Scenarios that ask questions of the profile's pool, of which a known answer may come from the cache."""
_MAIN = frozenset(
    {"latency_p95_ms", "latency_p99_ms", "error_rate", "ungraceful_error_rate", "throughput_rpm", "cache_hit_rate"}
)
"""Metrics whose limits are named; of the others it is said how many there are."""


@dataclass(frozen=True)
class Estimate:
    """How many requests a load sends, and a user starts a minute; `most` None: nothing bounds it but the answers.

    `rests_on` says where the lower number comes from; `keeps_minimum`: from the profile's own minimum throughput.
    """

    least: float
    most: float | None
    least_a_user_rpm: float
    most_a_user_rpm: float | None
    rests_on: str
    keeps_minimum: bool = False


def estimate_of(profile: Profile) -> Estimate | None:
    """The estimate of a load; None for checks, which end when they are done.

    At most: every answer comes at once, so that only the think time passes. At least: the profile's own minimum
    throughput, as if the ramps kept it too; without one, as if every answer took its whole time-out. Arrivals on a
    schedule come as planned, whoever is there.
    """
    if profile.checks is not None:
        return None
    user_minutes = sum((one.users_from + one.users_to) / 2 * (one.end_s - one.start_s) for one in profile.stages()) / 60
    if profile.arrival is not None:
        planned, a_user = profile.arrival.rate_rpm * profile.load_s / 60, profile.arrival.rate_rpm / profile.users
        return Estimate(planned, planned, a_user, a_user, "its schedule of arrivals")
    mean_s = profile.think_time_s.mean_s
    most_rpm = 60 / mean_s if mean_s else None
    most = None if most_rpm is None else most_rpm * user_minutes
    minimum_rpm = _minimum_rpm(profile)
    if minimum_rpm is not None:
        least_rpm, rests_on = minimum_rpm / profile.users, f"its own minimum of {minimum_rpm:g} requests a minute"
    else:
        patience_s = sum(pct / 100 * profile.request_timeout_s(name) for name, pct in profile.mix_pct.items())
        least_rpm, rests_on = 60 / (mean_s + patience_s), "every answer taking its whole time-out"
    return Estimate(least_rpm * user_minutes, most, least_rpm, most_rpm, rests_on, minimum_rpm is not None)


def _minimum_rpm(profile: Profile) -> float | None:
    """The required throughput of all requests in the hold; None where there is none."""
    wanted = ("throughput_rpm", SCOPE_ALL, "hold", "critical")
    found = (slo.limit for slo in profile.slos if (slo.metric, slo.scope, slo.phase, slo.level) == wanted)
    return next(found, None)


def load_sentence(profile: Profile, file: TargetFile | None = None) -> str:
    """The load of a profile in a few sentences: users and minutes, requests, what is judged, calls of the LLM.

    `file`: the target, where it is known. Never raises: a cap that cannot be kept is preflight's business.
    """
    parts = [f"{profile.name}: {users_text(profile)}; {_phases(profile)}.", _requests(profile), _judged(profile)]
    return " ".join([*parts, _llm(profile, file)])


def users_text(profile: Profile) -> str:
    """The users of a profile, and how many generators share them where it is more than one."""
    users = "1 user" if profile.users == 1 else f"{profile.users} users"
    return users if profile.generators == 1 else f"{users} from {profile.generators} generators"


def _phases(profile: Profile) -> str:
    """The phases in order with their seconds, and the users of those in which they stay the same."""
    if profile.checks is not None:
        return f"one requirement after the other, at most {time_text(profile.load_s)}"
    lasting: dict[str, float] = {}
    users: dict[str, set[int]] = {}
    for stage in profile.stages():
        lasting[stage.phase] = lasting.get(stage.phase, 0.0) + stage.end_s - stage.start_s
        users.setdefault(stage.phase, set()).update((stage.users_from, stage.users_to))
    listed = [_phase(name, seconds, users[name], profile.users) for name, seconds in lasting.items()]
    return f"{', '.join(listed)}: {time_text(profile.load_s)} of load, users and warm-up before it and reports after it"


def _phase(name: str, seconds: float, users: set[int], most: int) -> str:
    fewer = f" with {min(users)}" if len(users) == 1 and users != {most} else ""
    return f"{name.replace('_', '-')} {time_text(seconds)}{fewer}"


def time_text(seconds: float) -> str:
    """Seconds, from a minute on minutes."""
    return f"{seconds:g} s" if seconds < 60 else f"{seconds / 60:.3g} min"


def _requests(profile: Profile) -> str:
    estimate = estimate_of(profile)
    if estimate is None:
        return "It sends what the requirements need, mostly one request at a time."
    if profile.arrival is not None:
        return f"About {about(estimate.least)} requests, by {estimate.rests_on}."
    think = f"no waiting for answers, think time {profile.think_time_s.min:g} to {profile.think_time_s.max:g} s"
    most = "as many as the target answers" if estimate.most is None else about(estimate.most)
    return (
        f"Requests: about {about(estimate.least)} ({estimate.rests_on}) to {most} ({think}); {rate_text([estimate])}."
    )


def rate_text(estimates: Iterable[Estimate]) -> str:
    """How many requests a user starts a minute, over all of these."""
    known = list(estimates)
    least = min(one.least_a_user_rpm for one in known)
    bounds = [one.most_a_user_rpm for one in known]
    most = "as many as are answered" if None in bounds else about(max(bound for bound in bounds if bound is not None))
    return f"each user starts about {about(least)} to {most} requests a minute"


def about(count: float) -> str:
    """A number of two digits: an estimate has no more."""
    if count < 1:
        return f"{count:.1g}"
    digits = max(0, math.floor(math.log10(count)) - 1)
    return f"{round(count, -digits):,.0f}"


def _judged(profile: Profile) -> str:
    critical = [slo for slo in profile.slos if slo.level == "critical"]
    if not critical:
        return "No limit is judged."
    main = [slo for slo in critical if slo.metric in _MAIN and slo.scope == SCOPE_ALL and slo.phase == "hold"]
    named = [f"{slo.metric} {slo.comparator} {figure(slo.limit, METRICS[slo.metric].unit)}" for slo in main]
    others, warnings = len(critical) - len(main), len(profile.slos) - len(critical)
    named += [f"{others} further critical {'limit' if others == 1 else 'limits'}"] if others else []
    named += [f"{warnings} that only warn"] if warnings else []
    return f"Judged: {', '.join(named)}."


def _llm(profile: Profile, file: TargetFile | None) -> str:
    calls = llm_calls(profile, file)
    said = [] if calls is None else [_calls_text(profile, calls, file)]
    return " ".join([*said, _cap_text(profile, file)])


def llm_calls(profile: Profile, file: TargetFile | None) -> tuple[float, float | None] | None:
    """Calls of the LLM that the load causes, without warm-up: least and most (None: not bounded); None for checks.

    At least the questions that nobody has asked before; at most as if no cache held anything.
    """
    estimate = estimate_of(profile)
    if estimate is None:
        return None
    shares = profile.scenario_shares
    asked = sum(shares.get(name, 0) for name in _ASKED) / 100
    may_ask = sum(pct for name, pct in shares.items() if name not in WITHOUT_LLM) / 100
    a_question = file.llm_calls_a_question if file else 1
    most = None if estimate.most is None else estimate.most * may_ask * a_question
    return estimate.least * asked * profile.questions.new_share, most


def _calls_text(profile: Profile, calls: tuple[float, float | None], file: TargetFile | None) -> str:
    least, most = calls
    a_question = file.llm_calls_a_question if file else 1
    each = f"up to {a_question} calls a question" if a_question > 1 else "a call a question"
    upper = "no bound" if most is None else about(most)
    text = (
        f"Calls of the LLM: about {about(least)} (only the {100 * profile.questions.new_share:.3g} % new questions) to "
        f"{upper} (nothing from the cache, {each}), the warm-up on top"
    )
    price_eur = file.llm_price_eur_a_call if file else None
    if price_eur is None or most is None:
        return f"{text}; what a call costs is not stated." if price_eur is None else f"{text}."
    return f"{text}: {least * price_eur:.2f} to {most * price_eur:.2f} EUR at {price_eur:g} EUR a call."


def _cap_text(profile: Profile, file: TargetFile | None) -> str:
    wanted = profile.llm
    if wanted is None:
        return "The calls and the cost of the LLM are not capped."
    if file is not None:
        try:
            cap = cap_of(profile, file)
        except ConfigError as error:
            return f"Its cap cannot be kept: {error}."
        if cap is not None:
            return f"It is ended before the LLM is asked more than {cap.text}."
    caps = [f"{wanted.max_calls:,} calls"] if wanted.max_calls is not None else []
    caps += [f"{wanted.max_cost_eur:g} EUR"] if wanted.max_cost_eur is not None else []
    return f"It is ended before the LLM is asked for more than {' or '.join(caps)}."


def suite_sentence(suite: Suite, profiles: Sequence[Profile] | None = None) -> str:
    """The load of a suite in a sentence; `profiles`: its complete ones, where they are there already.

    Raises ConfigError for a wrong profile.
    """
    profiles = suite.profiles() if profiles is None else profiles
    known = [one for one in map(estimate_of, profiles) if one is not None]
    runs, users = "1 run" if len(profiles) == 1 else f"{len(profiles)} runs", max(one.users for one in profiles)
    text = f"{suite.name}: {runs}, {time_text(sum(one.load_s for one in profiles))} of load, up to {users} users"
    if not known:
        return f"{text}."
    most = [one.most for one in known]
    upper = "as many as are answered" if None in most else about(sum(one for one in most if one is not None))
    return f"{text}, about {about(sum(one.least for one in known))} to {upper} requests."
