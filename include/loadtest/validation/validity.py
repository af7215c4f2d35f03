"""Whether a test says anything about its target. Pure: from the manifest and the evidence to reasons, with the repair.

What the target does to itself is never held against the test: few answers from all planned users are a breach.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from include.loadtest.auto_stop import FIGURE_UNITS, starved_figures
from include.loadtest.profile import Profile
from include.loadtest.profile.vocabulary import READINGS_OF
from include.loadtest.run import READING_INTERVAL_S
from include.loadtest.validation.evidence import FIRST, PROCESS_START, USER_REQUESTS, Evidence, Reading, Span
from include.loadtest.verdict import Reason, SloResult, shown

CUT_TOLERANCE_S = 1.0
SETTLE_S = 3.0
"""A stage's users are looked at from so long after its start: starting them takes a moment."""
ANSWER_S = 1.0
"""A metrics page's counter may be as much younger than the time at which the page was asked for."""
LEAST_FOREIGN = 10
"""Fewer unknown requests are within the error of counting."""
LEAST_STARVED = 2
"""A single reading of several is a hiccup: loop lag is the largest delay of five seconds."""
COVERED_S = 1.3 * READING_INTERVAL_S
OF_A_GENERATOR = frozenset({"users", "loop_lag_ms"})
"""Only a generator gives these; k6 has no loop, and says how late its requests began where there were some."""
NOT_KNOWN = "not known"


@dataclass(frozen=True)
class ForeignLoad:
    """Requests that the target counted between two of its readings in the hold, and how many were the run's own."""

    counted: int
    own: int

    @property
    def foreign(self) -> int:
        """Requests of somebody else."""
        return max(0, self.counted - self.own)

    @property
    def share(self) -> float:
        """Of all that the target counted."""
        return self.foreign / self.counted if self.counted else 0.0


def validity_reasons(
    profile: Profile, manifest: Mapping[str, Any], evidence: Evidence, results: Sequence[SloResult]
) -> list[Reason]:
    """Why the test is not valid; [] where nothing says so, and for a run whose load has no account.

    A load that was stopped, or cut short, is not asked for the users and the monitors of what it did not send.
    """
    load = manifest.get("load")
    if not load or load["started"] is None:
        return []
    reasons = [*_starved(profile, evidence), *_clock(profile, evidence), *_clocks_apart(profile, manifest)]
    reasons += _samples_missing(manifest, evidence)
    if (load["completed"] or load.get("stopped_by")) and not load.get("lost_samples"):
        reasons += _overlap(profile, evidence)  # else it is not known what the run itself sent
    if load.get("stopped_by"):
        return reasons
    reasons += _cut(profile, evidence, is_complete=load["completed"])
    if load["completed"]:
        reasons += [*_idle(manifest), *_users(profile, evidence), *_arrivals(profile, load)]
        reasons += _silent(profile, evidence, results)
    return reasons


def _starved(profile: Profile, evidence: Evidence) -> list[Reason]:
    """Too many readings of the generator in a judged phase say that it was held back; or there is none."""
    judged = dict.fromkeys(["hold", *(slo.phase for slo in profile.slos)])
    found = (_starved_in(profile, phase, evidence) for phase in judged if evidence.of_phase(phase))
    return next((reasons for reasons in found if reasons), [])


def _starved_in(profile: Profile, phase: str, evidence: Evidence) -> list[Reason]:
    """Each of several generators is judged by itself: one that was held back spoils what its users felt."""
    ticks = _ticks(evidence, phase)
    if profile.generators == 1:
        return _starved_one(profile, phase, "the generator", [one for own in ticks.values() for one in own])
    found = (
        _starved_one(profile, phase, f"generator {worker}", ticks.get(worker, []))
        for worker in (f"w{number}" for number in range(1, profile.generators + 1))
    )
    return next((reasons for reasons in found if reasons), [])


def _starved_one(profile: Profile, phase: str, name: str, ticks: Sequence[Mapping[str, float]]) -> list[Reason]:
    limits, most = profile.validity.starvation, profile.validity.max_starved_share
    if not ticks:
        text = f"{name} left no reading in {phase}, so nobody knows whether it was held back; see generator.log"
        return [Reason("generator_starved", text)]
    starved = [figures for tick in ticks if (figures := starved_figures(tick, limits))]
    share = len(starved) / len(ticks)
    if share <= most or len(starved) < min(LEAST_STARVED, len(ticks)):
        return []
    worst = {name: max(tick.get(name, 0.0) for tick in starved) for name in FIGURE_UNITS}
    named = ", ".join(
        f"{name} up to {shown(value)} {FIGURE_UNITS[name]} (limit {getattr(limits, name):g})"
        for name, value in worst.items()
        if any(name in tick for tick in starved)
    )
    text = (
        f"{len(starved)} of {len(ticks)} readings of {name} in {phase} show that it was held back: {named}; "
        "move it to a machine of its own, or stop what runs beside it"
    )
    return [Reason("generator_starved", text, observed=share, limit=most, unit="ratio")]


def _ticks(evidence: Evidence, phase: str) -> dict[str, list[dict[str, float]]]:
    """By generator its readings that lie in a phase, each with its machine's steal; else those that overlap it."""
    processes = {reading.instance for reading in evidence.readings if reading.metric in OF_A_GENERATOR}
    by_tick: dict[tuple[str, float], dict[str, float]] = {}
    steals: list[Reading] = []
    for reading in evidence.readings:
        if reading.metric == "cpu_steal_pct":
            steals.append(reading)
        elif reading.source == "generator" and reading.instance in processes and reading.metric in FIGURE_UNITS:
            by_tick.setdefault((reading.instance, reading.at_s), {})[reading.metric] = reading.value
    spans = evidence.of_phase(phase)
    found: dict[str, list[dict[str, float]]] = {}
    for late_s in (0.0, READING_INTERVAL_S):
        lying: dict[str, list[dict[str, float]]] = {}
        for (instance, at_s), figures in by_tick.items():
            if any(span.start_s <= at_s < span.end_s + late_s for span in spans):
                lying.setdefault(instance, []).append(figures | _steal_before(at_s, steals))
        found = lying | found
    return found


def _steal_before(at_s: float, steals: Sequence[Reading]) -> dict[str, float]:
    values = [reading.value for reading in steals if at_s - READING_INTERVAL_S < reading.at_s <= at_s]
    return {"cpu_steal_pct": max(values)} if values else {}


def _clock(profile: Profile, evidence: Evidence) -> list[Reason]:
    """The wall clock was set during the load: readings of others lie at other times than the samples say."""
    limit_ms = profile.validity.max_clock_step_ms
    largest = max((abs(reading.value) for reading in evidence.readings if reading.metric == "clock_step_ms"), default=0)
    if largest <= limit_ms:
        return []
    text = (
        f"the generator's wall clock was set by {largest:,.0f} ms during the load; "
        "let its clock be slewed, not stepped, and start the run again"
    )
    return [Reason("clock_trouble", text, observed=largest, limit=limit_ms, unit="ms")]


def _clocks_apart(profile: Profile, manifest: Mapping[str, Any]) -> list[Reason]:
    """Times of several generators are the master's; how far they may be off is half a round trip, and what came later.

    Within the profile's tolerance of a clock it does not matter: phases last minutes.
    """
    limit_ms = profile.validity.max_clock_step_ms
    for one in manifest.get("generators") or ():
        off_ms = (one.get("round_trip_ms") or 0.0) / 2 + abs(one.get("clock_drift_ms") or 0.0)
        if off_ms > limit_ms:
            text = (
                f"the times of generator {one['worker']} on {one.get('host')} may be {off_ms:,.0f} ms off: a question "
                "for the time takes too long, or its clock runs at another speed; look at the network between it and "
                "the master, and at the time service of both machines"
            )
            return [Reason("clock_trouble", text, observed=off_ms, limit=limit_ms, unit="ms")]
    return []


def _samples_missing(manifest: Mapping[str, Any], evidence: Evidence) -> list[Reason]:
    """The bundle holds fewer samples of a generator than requests that it sent, beside those that it could not write.

    One that gave no account at its end is not asked: its load has another reason already.
    """
    alone = {**evidence.account, "worker": FIRST, "requests": evidence.account.get("samples")}
    for one in manifest.get("generators") or [alone]:
        worker, sent = one["worker"], one.get("requests")
        lost, rows = one.get("lost_samples") or 0, evidence.rows.get(worker, 0)
        if sent is not None and rows < sent - lost:
            text = (
                f"generator {worker} sent {sent:,} requests, and the bundle has samples of {rows:,} of them"
                f"{f' ({lost:,} could not be written)' if lost else ''}: files {worker}-….parquet are missing in its "
                f"folder samples; look whether the task that sent the load could write all of them to the results"
            )
            return [Reason("samples_unreadable", text, observed=rows, limit=sent - lost, unit="requests")]
    return []


def _idle(manifest: Mapping[str, Any]) -> list[Reason]:
    """One of several generators that sent nothing, or did not say what it sent."""
    for one in manifest.get("generators") or ():
        if not one.get("requests"):
            said = "no request" if one.get("requests") == 0 else "nobody knows what: it gave no account at its end"
            text = f"generator {one['worker']} on {one.get('host')} sent {said}; generator-{one['worker']}.log says why"
            return [Reason("generator_died", text)]
    return []


def foreign_load(evidence: Evidence) -> ForeignLoad | None:
    """What the target counted in the hold beside the run's own requests.

    None where that is not known: it exposes no counter, gave fewer than two readings, or its counter began anew.
    """
    counts, starts = _in_hold(evidence, USER_REQUESTS), _in_hold(evidence, PROCESS_START)
    values = [reading.value for reading in counts]
    restarted = len({round(reading.value) for reading in starts}) > 1 or values != sorted(values)
    if len(counts) < 2 or restarted or len({reading.instance for reading in counts}) > 1:
        return None
    own = evidence.requests_in_work(counts[0].at_s, counts[-1].at_s + ANSWER_S)
    return ForeignLoad(round(values[-1] - values[0]), own)


def _in_hold(evidence: Evidence, metric: str) -> list[Reading]:
    hold = evidence.of_phase("hold")
    return [
        reading
        for reading in evidence.readings
        if (reading.source, reading.metric) == ("app", metric)
        and any(span.start_s <= reading.at_s < span.end_s for span in hold)
    ]


def _overlap(profile: Profile, evidence: Evidence) -> list[Reason]:
    found, most = foreign_load(evidence), profile.validity.max_foreign_share
    if found is None or found.foreign < LEAST_FOREIGN or found.share <= most:
        return []
    text = (
        f"{found.foreign} of the {found.counted} requests that the target counted in the hold were not this run's; "
        "find who else sends requests to it, and start the run again when it has ended"
    )
    return [Reason("overlap", text, observed=found.share, limit=most, unit="ratio")]


def _cut(profile: Profile, evidence: Evidence, *, is_complete: bool) -> list[Reason]:
    """A planned stage that did not run, or not to its end; checks end when they are done."""
    if profile.checks is not None and is_complete:
        return []
    ran = {span.stage: span.seconds for span in evidence.spans}
    missing = {stage.name: stage.end_s - stage.start_s - ran.get(stage.name, 0.0) for stage in profile.stages()}
    short = [f"{name} by {missing_s:.0f} s" for name, missing_s in missing.items() if missing_s > CUT_TOLERANCE_S]
    if not short:
        return []
    text = f"the load ended before its time, and nobody ordered it: cut short {', '.join(short)}; see generator.log"
    return [Reason("phases_cut", text)]


def _users(profile: Profile, evidence: Evidence) -> list[Reason]:
    """In a judged phase the mean number of users lies below the plan. All users belong to the generators."""
    if profile.load_model == "open":
        return []
    least = profile.validity.min_users_share
    judged = {"hold", *(slo.phase for slo in profile.slos)}
    planned = {stage.name: stage for stage in profile.stages() if stage.users_from == stage.users_to}
    for span in evidence.spans:
        stage = planned.get(span.stage)
        if stage is None or span.phase not in judged:
            continue
        ran = _users_in(span, evidence.readings)
        if ran is not None and ran < least * stage.users_to:
            text = f"{ran:.1f} of {stage.users_to} planned users ran in {stage.name}, by the mean of its readings"
            return [Reason("load_not_achieved", text, observed=ran, limit=least * stage.users_to, unit="users")]
    return []


def _users_in(span: Span, readings: Iterable[Reading]) -> float | None:
    """The mean number of users, summed over generators; None without a reading."""
    values: dict[str, list[float]] = {}
    for reading in readings:
        if reading.metric == "users" and span.start_s + SETTLE_S <= reading.at_s < span.end_s:
            values.setdefault(reading.instance, []).append(reading.value)
    return sum(map(fmean, values.values())) if values else None


def _arrivals(profile: Profile, load: Mapping[str, Any]) -> list[Reason]:
    planned, sent = load.get("planned_arrivals"), load.get("sent_arrivals")
    least = profile.validity.min_arrivals_share
    if not planned or sent is None or sent >= least * planned:
        return []
    text = f"the generator made {sent} of {planned} planned arrivals"
    return [Reason("load_not_achieved", text, observed=sent, limit=least * planned, unit="requests")]


def _silent(profile: Profile, evidence: Evidence, results: Sequence[SloResult]) -> list[Reason]:
    """A source that a required limit needs gave readings for a part of the phase only.

    One without any reading is `source_missing`, as its limit could not be judged.
    """
    most = profile.validity.max_silence_share
    reasons: dict[tuple[str, str], Reason] = {}
    for result in results:
        kind = _kind_of(result.metric, evidence) if result.required else None
        if kind is None or (kind[0], result.phase) in reasons:
            continue
        share = silence_share(kind, evidence.of_phase(result.phase), evidence.readings)
        if share is not None and share > most:
            text = (
                f"{kind[0]} gave no readings for {100 * share:.0f} % of {result.phase}, and {result.metric} "
                "needs them: collectors.log and the gaps in the manifest say why"
            )
            reasons[kind[0], result.phase] = Reason(
                "source_silent", text, result.metric, result.scope, share, most, "ratio"
            )
    return list(reasons.values())


def _kind_of(metric: str, evidence: Evidence) -> tuple[str, str] | None:
    read = {(reading.source, reading.metric) for reading in evidence.readings}
    return next((kind for kind in READINGS_OF.get(metric, ()) if kind in read), None)


def silence_share(kind: tuple[str, str], spans: Sequence[Span], readings: Iterable[Reading]) -> float | None:
    """The share of the spans that no reading of this source and name covers; None without a reading in them.

    A reading covers the interval before it, and its own and a third more: who answers slowly is late, not silent.
    """
    times = [reading.at_s for reading in readings if (reading.source, reading.metric) == kind]
    length_s = sum(span.seconds for span in spans)
    if length_s <= 0 or not any(span.start_s <= at_s < span.end_s for span in spans for at_s in times):
        return None
    return 1 - sum(_covered_s(span, times) for span in spans) / length_s


def _covered_s(span: Span, times: Sequence[float]) -> float:
    covered_s, until_s = 0.0, span.start_s
    for at_s in times:
        begin_s, end_s = max(at_s - READING_INTERVAL_S, until_s), min(at_s + COVERED_S, span.end_s)
        if end_s > begin_s:
            covered_s += end_s - begin_s
            until_s = end_s
    return covered_s
