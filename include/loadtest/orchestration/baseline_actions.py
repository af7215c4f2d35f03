"""What an operator does with baselines, in plain Python: parameters in, lines for the log out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from include.loadtest.errors import ConfigError, nearest
from include.loadtest.profile import find_profile, load_profile
from include.loadtest.profile.reference import requirements

if TYPE_CHECKING:
    from sqlalchemy import Engine

ACTIONS = ("list", "propose", "pin", "retire", "mark_intended_change")


@dataclass(frozen=True)
class BaselineOrder:
    """One action. `run_ids` empty and `baseline_id`, `profile`, `since` None: not given."""

    action: str
    target: str
    profile: str | None = None
    run_ids: tuple[str, ...] = ()
    baseline_id: int | None = None
    reason: str = ""
    accept_regression: bool = False
    since: datetime | None = None

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> "BaselineOrder":
        """From a DAG run's parameters. Raises ConfigError where they are not what the form would let pass."""
        if params["action"] not in ACTIONS:
            raise ConfigError(f"action: {nearest(params['action'], ACTIONS)}")
        return cls(
            action=str(params["action"]),
            target=str(params["target"]),
            profile=params.get("profile") or None,
            run_ids=_names(params.get("run_ids") or ()),
            baseline_id=params.get("baseline_id"),
            reason=str(params.get("reason") or ""),
            accept_regression=params.get("accept_regression") is True,
            since=_moment(params.get("since")),
        )


def _names(value: str | Sequence[str]) -> tuple[str, ...]:
    names = value.replace("\n", ",").split(",") if isinstance(value, str) else value
    return tuple(name.strip() for name in names if name.strip())


def _moment(value: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(value) if value else None
    except ValueError as error:
        raise ConfigError(f"since: {value!r} is no moment; write 2026-03-01T09:00:00Z") from error


def change_baselines(history_url: str, order: BaselineOrder, by: str) -> list[str]:
    """Do what is asked; returns what was done and then all baselines and marks, as lines.

    Raises ConfigError, one line, where it cannot be done; then nothing has changed.
    """
    from include.loadtest.history.store import connect, upgrade

    upgrade(history_url)
    engine = connect(history_url)
    actions: dict[str, Callable[[Engine, BaselineOrder, str], str]] = {
        "propose": _propose,
        "pin": _pin,
        "retire": _retire,
        "mark_intended_change": _mark,
    }
    done = [] if order.action == "list" else [actions[order.action](engine, order, by)]
    return [*done, *_listed(engine)]


def propose_suite(engine: "Engine", suite: str, target: str, by: str) -> tuple[list[int], list[str]]:
    """Propose the latest valid runs of each profile of a suite; returns the proposals' numbers, and a line a profile.

    A profile with fewer such runs than a proposal needs is left out, and its line says so.
    """
    from include.loadtest.history import baselines
    from include.loadtest.history.runs import keys_of_suite

    numbers, lines = [], []
    for profile, key in sorted(keys_of_suite(engine, suite, target).items()):
        try:
            number = baselines.propose_latest(
                *(engine, key, baselines.MIN_PROPOSED_RUNS, by, f"the latest runs of {suite}"), suite=suite
            )
        except ConfigError as error:
            lines.append(f"{profile}: not proposed: {error}")
            continue
        numbers.append(number)
        lines.append(f"{profile}: baseline {number} proposed, the latest {baselines.MIN_PROPOSED_RUNS} runs of {suite}")
    return numbers, lines or [f"the history has no valid run of the suite {suite} on {target}"]


def decide_proposals(engine: "Engine", numbers: Sequence[int], *, accepted: bool, by: str, reason: str) -> list[str]:
    """Pin or retire proposals; returns a line each. One that cannot be, as another was pinned meanwhile, says why."""
    from include.loadtest.history import baselines

    profiles = {entry["id"]: entry["profile"] for entry in baselines.list_baselines(engine)}
    lines = []
    for number in numbers:
        try:
            if accepted:
                baselines.pin_proposal(engine, number, by, reason, least=_min_runs(profiles.get(number)))
            else:
                baselines.retire_baseline(engine, number, by, reason)
            lines.append(f"baseline {number} ({profiles.get(number)}): {'pinned' if accepted else 'rejected'} by {by}")
        except ConfigError as error:
            lines.append(f"baseline {number}: left as it is: {error}")
    return lines


def _propose(engine: "Engine", order: BaselineOrder, by: str) -> str:
    from include.loadtest.history import baselines

    if order.run_ids:
        key, _ = _key_of_runs(engine, order)
        number = baselines.propose_baseline(engine, key, order.run_ids, by, order.reason)
    elif order.profile:
        key = baselines.key_of_latest(engine, order.profile, order.target)
        number = baselines.propose_latest(engine, key, baselines.MIN_PROPOSED_RUNS, by, order.reason)
    else:
        raise ConfigError("propose: give profile (its latest valid runs are taken) or run_ids")
    return f"proposed: baseline {number}; pin it with action pin and baseline_id {number}"


def _pin(engine: "Engine", order: BaselineOrder, by: str) -> str:
    from include.loadtest.history import baselines

    if bool(order.run_ids) == (order.baseline_id is not None):
        raise ConfigError("pin: give either baseline_id, of a proposal, or run_ids")
    if order.baseline_id is not None:
        profiles = {entry["id"]: entry["profile"] for entry in baselines.list_baselines(engine)}
        least = _min_runs(profiles.get(order.baseline_id))
        number = baselines.pin_proposal(
            engine, order.baseline_id, by, order.reason, least=least, accept_regression=order.accept_regression
        )
    else:
        key, profile = _key_of_runs(engine, order)
        number = baselines.pin_baseline(
            *(engine, key, order.run_ids, by, order.reason),
            least=_min_runs(profile),
            accept_regression=order.accept_regression,
        )
    return f"pinned: baseline {number}"


def _retire(engine: "Engine", order: BaselineOrder, by: str) -> str:
    from include.loadtest.history.baselines import retire_baseline

    if order.baseline_id is None:
        raise ConfigError("retire: give baseline_id; action list shows them")
    retire_baseline(engine, order.baseline_id, by, order.reason)
    return f"retired: baseline {order.baseline_id}"


def _mark(engine: "Engine", order: BaselineOrder, by: str) -> str:
    from include.loadtest.history.baselines import mark_intended_change

    since = order.since or datetime.now(UTC)
    number = mark_intended_change(engine, order.target, order.profile, since, by=by, reason=order.reason)
    return f"marked: intended change {number}; comparisons start anew at {_shown(since)}"


def _key_of_runs(engine: "Engine", order: BaselineOrder) -> tuple[str, str]:
    """Key and profile of the runs that are named; a profile that is named as well has to be theirs."""
    from include.loadtest.history.baselines import find_run

    run = find_run(engine, order.run_ids[0])
    if order.profile not in (None, run["profile"]):
        raise ConfigError(f"run {run['run_id']} is one of {run['profile']}, not of {order.profile}")
    return str(run["comparability_key"]), str(run["profile"])


def _min_runs(profile: str | None) -> int:
    """The fewest runs that the profile's change test works with; the shared number for one that is not committed."""
    try:
        return load_profile(find_profile(profile or "")).change_test.min_runs
    except ConfigError:
        return requirements().change_test.min_runs


def _listed(engine: "Engine") -> list[str]:
    from include.loadtest.history.baselines import list_baselines, list_intended_changes

    sets, marks = list_baselines(engine), list_intended_changes(engine)
    return [
        f"baselines: {len(sets)}",
        *(line for entry in sets for line in _set_lines(entry)),
        f"intended changes: {len(marks)}",
        *(
            f"  {mark['id']:>4}  {mark['target']}, {mark['profile'] or 'all profiles'}, since {_shown(mark['since'])}: "
            f"marked {_shown(mark['marked_at'])} by {mark['marked_by']}: {mark['reason']}"
            for mark in marks
        ),
    ]


def _set_lines(entry: Mapping[str, Any]) -> list[str]:
    steps = [
        f"        {step} {_shown(entry[f'{step}_at'])} by {entry[f'{step}_by']}: {entry[f'{step}_reason']}"
        for step in ("proposed", "pinned", "retired")
        if entry[f"{step}_at"]
    ]
    head = f"  {entry['id']:>4}  {entry['status']:<8}  {entry['profile']} on {entry['target']}"
    runs = f"        {len(entry['run_ids'])} runs: {', '.join(entry['run_ids'])}"
    return [f"{head}, key {entry['comparability_key'][:12]}", *steps, runs]


def _shown(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
