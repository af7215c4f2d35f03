"""The part `capacity` of diagnosis.json."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from include.loadtest import run
from include.loadtest.analysis.capacity.breaking import breaking_point, saturated_from
from include.loadtest.analysis.capacity.growth import plan_document
from include.loadtest.analysis.capacity.limits import limits_of, users_within
from include.loadtest.analysis.capacity.maximum import REACH, maximum_of, resource_rows, within_reach
from include.loadtest.analysis.capacity.steps import Step, gains, steps_of
from include.loadtest.analysis.capacity.usage import kinds, used_resources
from include.loadtest.analysis.capacity.usl import usl_peak
from include.loadtest.analysis.readings import all_answers, read_answers, read_readings
from include.loadtest.bundle import Bundle
from include.loadtest.profile import Profile
from include.loadtest.profile.shape import Steps

Row = Mapping[str, Any]
EXPECTED = ("application_process", "host_cpu", "database_pool", "database_server")
"""Resources that any of these runs should know; the others belong to some targets only."""


def capacity_of(bundle: Bundle, profile: Profile) -> dict[str, Any] | None:
    """What a stepped load says of the target's capacity; None for another load, or one without metrics or phases.

    `{"tested", "steps", "breaking_point", "resources", "bottleneck", "maximum", "usl", "limits", "plan",
    "not_measured", "sentence"}`: see the modules of this package. Null is what is not known.
    """
    if not isinstance(profile.shape, Steps) or not (bundle.has(run.METRICS) and bundle.has(run.MANIFEST)):
        return None
    metrics, manifest = bundle.read(run.METRICS), bundle.read(run.MANIFEST)
    steps = steps_of(profile, manifest, metrics)
    saturated = saturated_from(steps)
    found = resources_of(bundle, steps, below_users=saturated)
    maximum = maximum_of(steps, found, saturated)
    tested = _tested(steps)
    broken = breaking_point(steps, metrics["metrics"])
    document: dict[str, Any] = {
        "tested": tested,
        "steps": [_step(place, steps) for place in range(len(steps))],
        "breaking_point": broken,
        "resources": within_reach(found, tested["rpm"]),
        "bottleneck": maximum["resource"],
        "maximum": maximum,
        "usl": _usl(steps),
        "limits": [users_within(limit, steps) for limit in limits_of(profile)],
        "plan": _plan(profile, broken, maximum, manifest),
        "not_measured": [name for name in EXPECTED if name not in {row["resource"] for row in found}],
    }
    return document | {"sentence": _sentence(document)}


def resources_of(bundle: Bundle, steps: Sequence[Step], *, below_users: int | None = None) -> list[dict[str, Any]]:
    """A row of each resource that was read in the steps (see `maximum.resource_rows`), however far its end lies."""
    readings = read_readings(bundle.resources_dir, kinds().__contains__)
    used = list(used_resources(steps, readings, all_answers(read_answers(bundle.samples_dir))))
    return resource_rows(used, below_users=below_users)


def _tested(steps: Sequence[Step]) -> dict[str, Any]:
    best = max((step.throughput_rpm or 0.0 for step in steps), default=None)
    return {"users": steps[-1].users if steps else None, "rpm": best or None}


def _step(place: int, steps: Sequence[Step]) -> dict[str, Any]:
    step = steps[place]
    low, high = step.throughput_interval_rpm or (None, None)
    return {
        "users": step.users,
        "n": step.n,
        "throughput_rpm": step.throughput_rpm,
        "ci_low": low,
        "ci_high": high,
        "gains": gains(steps[place - 1], step) if place else None,
    }


def _usl(steps: Sequence[Step]) -> dict[str, Any] | None:
    points = [(float(step.users), step.throughput_rpm) for step in steps if step.throughput_rpm]
    return usl_peak(points, REACH * steps[-1].users) if points else None


def _plan(profile: Profile, broken: Row, maximum: Row, manifest: Row) -> dict[str, Any] | None:
    """The limit lies above the last step that did not break, and at most where one did, or where a resource ends."""
    started = (manifest.get("load") or {}).get("started") or manifest.get("started")
    if profile.plan is None or not started:
        return None
    high = broken["at_users"] if broken["at_users"] is not None else maximum["users_high"]
    day = datetime.fromisoformat(started).astimezone(UTC).date()
    return plan_document(profile.plan, broken["above_users"], high, day)


def _ended(document: Row) -> str:
    row = next((row for row in document["resources"] if row["resource"] == document["bottleneck"]), None)
    if row is None:
        return "What ended is not known: no resource that was measured was nearly used up."
    return f"What ended is {row['title']} ({100 * row['busy_share_at_top']:.0f} % used in the highest step)."


def _sentence(document: Row) -> str:
    """The answer in a few sentences: where it breaks, the highest throughput, when growth meets it."""
    parts = [f"Breaking point {document['breaking_point']['text']}."]
    parts.append(f"Highest throughput {document['maximum']['text']}.")
    if document["maximum"]["state"] == "measured":
        parts.append(_ended(document))
    if document["not_measured"] and document["maximum"]["state"] == "predicted":
        missing = ", ".join(name.replace("_", " ") for name in document["not_measured"])
        parts.append(f"Not measured, so it may end earlier: {missing}.")
    if document["plan"] is not None:
        parts.append(document["plan"]["sentence"])
    return " ".join(parts)
