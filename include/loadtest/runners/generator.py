"""What every engine is given, and what it says of the load it sent."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from include.loadtest.bundle import Bundle
from include.loadtest.profile import Profile, Stage
from include.loadtest.run import utc_text
from include.loadtest.verdict import Reason

FIRST = "w0"
LOOPBACK = "127.0.0.1"
ORDERLY_EXITS: dict[str, frozenset[int]] = {"locust": frozenset({0, 1}), "k6": frozenset({0, 99, 105})}
"""Exit codes with which a generator that ended before its time did not die: it was ended. By engine."""
_EXIT_MEANINGS: dict[str, dict[int, str]] = {
    "locust": {0: "no request failed", 1: "a request failed"},
    "k6": {
        0: "k6's own thresholds were met",
        99: "one of k6's own thresholds was crossed",
        104: "k6 was configured wrongly",
        105: "k6 was told to end by a signal",
        107: "the script raised an error",
        108: "the script ended the load",
        109: "k6 itself failed",
    },
}


def exit_meaning(engine: str, exit_code: int) -> str:
    """An exit code with what it says, for people: it is no verdict, whatever it is."""
    signal = -exit_code if exit_code < 0 else exit_code - 128
    meaning = _EXIT_MEANINGS[engine].get(exit_code) or (f"ended by signal {signal}" if 0 < signal < 65 else None)
    return f"exit code {exit_code} ({meaning})" if meaning else f"exit code {exit_code}"


def tell_nobody(_address: str) -> None:
    """Where only one generator is, nobody waits for its address."""


@dataclass(frozen=True)
class LoadRequest:
    """One load: who sends it where. `user_numbers` have a session in `sessions_file`; `caps`: postal codes.

    `check_paths`: those of the target file. `lease_file`: without a valid lease in it nothing is sent; None: the target
    is this load's alone. `addresses`: the IP addresses of the host that were checked, to which alone load goes; none
    where the host is one itself. `worker`: the name in the samples, w0 for the only generator or the master of several,
    w1, w2, … for those. A master listens on `master_host`, and `on_listening` is told where; a generator that it leads
    finds it at `master` (host:port).
    """

    bundle: Bundle
    profile: Profile
    base_url: str
    api_prefix: str
    forwarded_for: bool
    sessions_file: Path
    user_numbers: tuple[int, ...]
    work_dir: Path
    caps: tuple[str, ...]
    check_paths: Mapping[str, str | None] = field(default_factory=dict)
    lease_file: Path | None = None
    addresses: tuple[str, ...] = ()
    worker: str = FIRST
    master_host: str = LOOPBACK
    master: str | None = None
    on_listening: Callable[[str], None] = tell_nobody

    @property
    def is_led(self) -> bool:
        """Whether it is the part of one of several generators, which a master leads."""
        return self.worker != FIRST


@dataclass(frozen=True)
class LoadResult:
    """How a load ended. `started` is the first intended start, None where none came; `completed`: all stages ran.

    `lost_samples`: requests whose samples could not be written. `stopped_by`: reason code of what ended it early on
    purpose, with its `stop_text`; None where nothing did. `planned_arrivals`, `sent_arrivals`: of an open load, those
    of its schedule and those that the generator released in time, whoever was free to serve them; None in a closed one
    or where the generator left no account. `generators`: where several shared the load, what is known of each.
    """

    engine: str
    started: datetime | None
    ended: datetime
    completed: bool
    exit_code: int
    planned_users: int
    reached_users: int
    stopped_by: str | None = None
    stop_text: str | None = None
    lost_samples: int = 0
    planned_arrivals: int | None = None
    sent_arrivals: int | None = None
    generators: tuple[Mapping[str, Any], ...] = ()

    def document(self) -> dict[str, Any]:
        """For the manifest."""
        return {
            "engine": self.engine,
            "started": utc_text(self.started) if self.started else None,
            "ended": utc_text(self.ended),
            "completed": self.completed,
            "exit_code": self.exit_code,
            "planned_users": self.planned_users,
            "reached_users": self.reached_users,
            "stopped_by": self.stopped_by,
            "stop_text": self.stop_text,
            "lost_samples": self.lost_samples,
            "planned_arrivals": self.planned_arrivals,
            "sent_arrivals": self.sent_arrivals,
        }


def phase_spans(stages: Sequence[Stage], result: LoadResult) -> list[dict[str, str]]:
    """The phases as they happened, for the manifest: without stages that never began, a cut one ends at the cut."""
    if result.started is None:
        return []
    start_s = result.started.timestamp()
    end_s = result.ended.timestamp()
    return [
        {
            "name": stage.phase,
            "stage": stage.name,
            "start": utc_text(datetime.fromtimestamp(start_s + stage.start_s, UTC)),
            "end": utc_text(datetime.fromtimestamp(min(start_s + stage.end_s, end_s), UTC)),
        }
        for stage in stages
        if start_s + stage.start_s < end_s
    ]


def load_reasons(profile: Profile, load: dict[str, Any] | None) -> list[Reason]:
    """What the manifest's account of the load says against the validity of the test."""
    if load is None:
        return []
    if load.get("stopped_by"):
        at = f" at {datetime.fromisoformat(load['ended']):%Y-%m-%d %H:%M:%S} UTC" if load["ended"] else ""
        text = f"the load was stopped{at}, before its planned end"
        cause = load.get("stop_text")
        return [Reason(load["stopped_by"], f"{text}: {cause}" if cause else text)]
    if load["started"] is None or (not load["completed"] and load["exit_code"] not in ORDERLY_EXITS[load["engine"]]):
        meaning = exit_meaning(load["engine"], load["exit_code"])
        text = f"the generator ended with {meaning} at {load['ended']}, before the load was complete"
        return [Reason("generator_died", text)]
    if load.get("lost_samples"):
        text = f"the samples of {load['lost_samples']} requests could not be written; generator.log says why"
        return [Reason("samples_unreadable", text)]
    least = profile.validity.min_users_share * load["planned_users"]
    if load["reached_users"] < least:
        text = f"{load['reached_users']} of {load['planned_users']} planned users ran"
        return [Reason("load_not_achieved", text, observed=load["reached_users"], limit=least, unit="users")]
    return []
