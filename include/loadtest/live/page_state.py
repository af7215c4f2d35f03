"""What the live page says of a run in words: which stage works, whether it lives, what to do, what happened. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from include.loadtest.profile.vocabulary import StageName

STAGE_WORDS: Mapping[str, str] = dict[StageName, str](
    preflight="checks the order and the target",
    seed_users="makes the test users",
    warm_cache="opens the users' sessions and warms the cache",
    run_profile="sends the load",
    collect_metrics="computes the metrics",
    validate_sla="judges the limits",
    diff_history="compares with earlier runs",
    diagnose="looks for the bottleneck",
    confirm="repeats what is suspected, before anything is final",
    publish="writes the report and tells people",
    cleanup_users="removes the test users",
    gate="closes the run",
)
"""What each stage does, for people."""
SILENT_S = 20
"""A stage gives a sign of life every 5 s, and every 2 s while it sends load."""
PAUSE_S = 90
"""Between two stages lie some seconds, after a killed one half a minute until Airflow knows of it."""
MAX_LOG = 100
PUBLISH, CLEAN_UP = "publish", "cleanup_users"
NOTHING_KNOWN = "Nothing is known of this run's progress: no stage of it has begun, or an earlier release made it."
AFTER_SILENCE = (
    "If the task's process died, Airflow notices within a minute and goes on with what was measured. If nothing "
    "changes here for two minutes, open the DAG run in Airflow: is the task still running, and is the scheduler alive? "
    "A run whose DAG run has failed gets no verdict any more: start a new one."
)
AFTER_PAUSE = (
    "Airflow starts the next stage within seconds if its scheduler is alive and has a free slot: look at the health of "
    "its scheduler, and at the DAG run. If the DAG run has failed, no verdict comes any more: start a new run."
)
AFTER_WAITING = (
    "Open the DAG run in Airflow: if its preflight is deferred, look at the health of the triggerer; if it is queued, "
    "it is about to begin. If the DAG run has failed or is not there any more, start a new run."
)

Kind = Literal["working", "waiting", "between", "silent", "unknown"]
Row = Mapping[str, Any]


@dataclass(frozen=True)
class PageState:
    """`text`: one sentence; `todo`: what to do, where that is not to wait; `age_s`: of the last sign of life."""

    kind: Kind
    text: str
    todo: str | None
    age_s: float | None


@dataclass(frozen=True)
class Line:
    """What those say of a run who keep the line before its target.

    `place`: from 1, None: it does not wait there (any more); `holder`: who has the target, None: nobody has it.
    """

    place: int | None
    holder: str | None


def state_of(live: Row | None, now: datetime, line: Line | None = None) -> PageState:
    """What is true of a run at `now`; `live`: its live.json, None where it has none.

    `line`: of a run that waits, None where nobody could be asked: then it is said when the run itself last saw it.
    """
    stages = (live or {}).get("stages") or []
    if live is None or not stages:
        return PageState("unknown", NOTHING_KNOWN, None, None)
    stage, age_s = stages[-1], _age_s(live["at"], now)
    name = stage["name"]
    if stage["state"] == "running":
        if age_s <= SILENT_S:
            return PageState(
                "working", f"{name} {STAGE_WORDS.get(name, 'works')}, since {_clock(stage['began'])}.", None, age_s
            )
        silent = f"No sign of life from {name} for {age_s:.0f} s: its process has ended, or cannot write its signs."
        return PageState("silent", silent, AFTER_SILENCE, age_s)
    if stage["state"] == "waiting":
        return _waiting(stage, age_s, line)
    how = "ended" if stage["state"] == "ended" else f"failed ({stage['text']})"
    if age_s <= PAUSE_S:
        return PageState("between", f"{name} {how} {age_s:.0f} s ago; the next stage is about to begin.", None, age_s)
    return PageState("silent", f"{name} {how}, and no stage has begun for {age_s:.0f} s.", AFTER_PAUSE, age_s)


def _waiting(stage: Row, age_s: float, line: Line | None) -> PageState:
    since = _clock(stage["ended"])
    if line is None:
        seen = f"It waits for its target since {since}; who has it now is not known. As of then: {stage['text']}."
        return PageState("waiting", seen, None, age_s)
    has_it = f"{line.holder} has it" if line.holder else "nobody has it"
    if line.place is None:
        gone = f"It waited for its target from {since}, and gives no sign of that any more; of the target: {has_it}."
        return PageState("silent", gone, AFTER_WAITING, age_s)
    text = f"It waits for its target since {since}, as number {line.place} of those who wait; of the target: {has_it}."
    return PageState("waiting", text, None, age_s)


def is_at_its_end(live: Row | None, now: datetime) -> bool:
    """Whether a run's own stages, up to `publish`, are over; the clean-up after it changes no verdict.

    One that failed is followed by a further attempt within PAUSE_S, or by none. `live` None: an earlier release, which
    wrote none, made the run.
    """
    if live is None:
        return True
    stages = live.get("stages") or []
    judging = [stage for stage in stages if stage["name"] != CLEAN_UP]
    if not judging:
        return False
    if judging[-1]["name"] == PUBLISH and judging[-1]["state"] == "ended":
        return True
    last = stages[-1]
    if last["name"] not in (PUBLISH, CLEAN_UP):
        return False
    return last["state"] == "ended" or (last["state"] == "failed" and _age_s(live["at"], now) > PAUSE_S)


def was_repeated(live: Row | None) -> bool:
    """Whether a run's repeats have begun, for all that its stages say."""
    return any(stage["name"] == "confirm" for stage in (live or {}).get("stages") or ())


def log_of(live: Row | None) -> list[dict[str, Any]]:
    """What has happened so far, in order of time; an entry of an alert has its `page`, and the `alert`'s id.

    An alert's text tells its worst value so far, so it changes while the entry stays the same.
    """
    if live is None:
        return []
    load = live.get("load") or {}
    found = [*_of_stages(live.get("stages") or []), *_of_load(load), *_of_alerts(load)]
    return sorted(found, key=lambda entry: entry["at"])[-MAX_LOG:]


def _of_stages(stages: list[Row]) -> Iterator[dict[str, Any]]:
    for stage in stages:
        name = stage["name"]
        yield _entry(stage["began"], "stage", f"{name} {STAGE_WORDS.get(name, 'begins')}")
        if stage["state"] == "failed":
            yield _entry(stage["ended"], "fault", f"{name} failed: {stage['text']}")
        if stage["state"] == "waiting":
            yield _entry(stage["ended"], "stage", f"{name} waits: {stage['text']}")


def _of_load(load: Row) -> Iterator[dict[str, Any]]:
    """A phase that was to begin after the load's last sign of life has not been seen to begin."""
    seen = load.get("ended") or load.get("at")
    for phase in load.get("phases") or []:
        if seen and datetime.fromisoformat(phase["start"]) <= datetime.fromisoformat(seen):
            stage = "" if phase["stage"] == phase["name"] else f" ({phase['stage']})"
            yield _entry(phase["start"], "load", f"{phase['name'].replace('_', ' ')}{stage} begins")
    if load.get("ended"):
        yield _entry(load["ended"], "load", "the load has ended")


def _of_alerts(load: Row) -> Iterator[dict[str, Any]]:
    for alert in load.get("alerts") or []:
        of = {"page": alert["page"], "alert": alert["id"]}
        yield _entry(alert["since"], "alert", f"alert {alert['id']}: {alert['text']}") | of
        if alert["until"]:
            yield _entry(alert["until"], "over", f"alert {alert['id']} is over") | of


def _entry(at: str, kind: str, text: str) -> dict[str, Any]:
    return {"at": at, "kind": kind, "text": text, "page": None}


def _age_s(at: str, now: datetime) -> float:
    return max(0.0, (now - datetime.fromisoformat(at)).total_seconds())


def _clock(at: str) -> str:
    return f"{datetime.fromisoformat(at):%H:%M:%S} UTC"
