"""What to buy, from the cost file: only where the first cause asks for it and its trigger was crossed. Pure."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from include.loadtest.analysis.recommendations.case import Case, Detail
from include.loadtest.analysis.recommendations.conditions import CONDITIONS
from include.loadtest.analysis.recommendations.improvement import NONE, Improvement, with_more
from include.loadtest.causes import CAUSES
from include.loadtest.profile.costs import Scaling, Trigger
from include.loadtest.profile.optimisations import Evidence

_OF_THE_HOST = "host_"
"""Metrics of the machine as a whole: where the generator runs on it too, they say nothing about the target."""
_SAME_SHARE = 0.15
"""A machine sold with 4 GB shows a little less, and GB or GiB may be meant."""
_NUMBER = re.compile(r"^\d+(\.\d+)?")

Purchase = Literal["now", "not_now"]


@dataclass(frozen=True)
class Measured:
    """What there is of a part: how much in the file's unit, the words for so much, and its trigger's metric."""

    amount: float
    unit: str
    metric: str

    def words(self, amount: float) -> str:
        """So much of it."""
        return f"{amount:.0f} {self.unit}"


def scaling_of(case: Case, component: str) -> Scaling | None:
    """The cost file's part for a component; None where ops have removed it."""
    return next((one for one in case.costs.scaling if one.component == component), None)


def scaled(case: Case, scaling: Scaling, evidence: Evidence) -> tuple[Purchase, Detail] | None:
    """Whether to buy a part, with its words; None where no trigger was crossed.

    Now, where the diagnosis' first cause is one of the entry's and its condition holds. Without that a crossed trigger
    is told, and that there is nothing to buy now.
    """
    crossed = [text for trigger in scaling.triggers if (text := _crossed(case, trigger)) is not None]
    if not crossed:
        return None
    trigger = "; ".join(crossed)
    measured = _measured(case, scaling)
    current = f"{scaling.current} (as in costs.yaml)" if measured is None else measured.words(measured.amount)
    why_not = _why_not(case, evidence)
    if why_not is not None:
        return "not_now", Detail(current, f"nothing to buy now: {why_not}", trigger)
    recommended, factor = _recommended(case, scaling, measured)
    return "now", Detail(current, recommended, trigger, _improvement(case, scaling.component, factor))


def is_the_files(case: Case, scaling: Scaling) -> bool:
    """Whether the part's price is for this machine: as large as the file's, or of unknown size."""
    measured = _measured(case, scaling)
    return measured is None or _is_same(measured, scaling)


def _crossed(case: Case, trigger: Trigger) -> str | None:
    row = case.hold_row(trigger.metric)
    is_foreign = trigger.metric.startswith(_OF_THE_HOST) and case.facts.shares_host
    if row is None or row["value"] is None or is_foreign or row["value"] <= trigger.above:
        return None
    return f"{trigger.metric} {row['value']:.4g} {trigger.unit} on average over the hold, more than {trigger.above:g}"


def _why_not(case: Case, evidence: Evidence) -> str | None:
    """Why the part would not help; None where it does."""
    first = case.first_cause
    if first is None:
        return "no bottleneck was seen" if case.diagnosis["state"] == "no_bottleneck" else "the cause is not known"
    if first["cause"] not in evidence.causes:
        return f"the bottleneck is another ({CAUSES[first['cause']].title})"
    if evidence.condition is not None and CONDITIONS[evidence.condition](case, first) is None:
        return _UNMET.get(evidence.condition, "what it takes was not measured")
    return None


_UNMET = {
    "no_sequential_scan": "first look at the slow statement, its plan and an index for it",
    "cores_used_up": "the application is one process, which cannot use another core; first more processes",
}


def _measured(case: Case, scaling: Scaling) -> Measured | None:
    cores, memory = case.facts.get("host_cores"), case.facts.get("host_memory_bytes")
    if scaling.component == "CPU" and cores:
        return Measured(cores, "cores" if round(cores) != 1 else "core", "host_cpu_pct")
    if scaling.component == "Memory" and memory:
        return Measured(memory / 2**30, "GiB RAM", "host_memory_pct")
    return None


def _is_same(measured: Measured, scaling: Scaling) -> bool:
    """Whether the measured machine is the file's."""
    found = _NUMBER.match(scaling.current)
    return found is not None and abs(measured.amount / float(found[0]) - 1) <= _SAME_SHARE


def _recommended(case: Case, scaling: Scaling, measured: Measured | None) -> tuple[str, float | None]:
    """The file's part where the machine is the file's, else as much as brings the same use below the trigger."""
    old, new = (_NUMBER.match(text) for text in (scaling.current, scaling.recommended))
    if measured is None or _is_same(measured, scaling):
        return scaling.recommended, float(new[0]) / float(old[0]) if old and new else None
    row, above = case.hold_row(measured.metric), _limit(scaling.triggers, measured.metric)
    if row is None or above is None or row["value"] is None:
        return f"more than {measured.words(measured.amount)}", None
    needed = math.ceil(measured.amount * row["value"] / above)
    text = f"at least {needed} {measured.unit.removesuffix('s') if needed == 1 else measured.unit}"
    return f"{text}, of which the same work uses less than {above:g} %", needed / measured.amount


def _limit(triggers: Sequence[Trigger], metric: str) -> float | None:
    return next((one.above for one in triggers if one.metric == metric), None)


def _improvement(case: Case, component: str, factor: float | None) -> Improvement:
    """By the utilisation law, where a stepped load was measured."""
    if component != "CPU" or factor is None:
        return NONE
    return with_more(case.diagnosis.get("capacity"), "host_cpu", factor)
