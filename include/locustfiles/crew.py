"""Several generators of one load: what master and generators say to each other, and what each knows. No Locust here.

The master holds the shape and the rules; each generator drives its share of the users and writes its own samples. Every
message is one of Locust's, of a kind named here; its data are plain values.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from include.loadtest.errors import printable

PING, PONG = "loadtest_ping", "loadtest_pong"
JOIN, JOINED, REFUSED = "loadtest_join", "loadtest_joined", "loadtest_refused"
BEGIN, PULSE, NEWS = "loadtest_begin", "loadtest_pulse", "loadtest_news"
END, DONE = "loadtest_end", "loadtest_done"
PULSE_S = 1.0
"""Master and generators give each other a sign of life so often."""
LOST_AFTER_S = 4.0
"""Whoever has been silent for so long is lost: a load that goes on without it would be another load."""
BEGINNING_S, LOST_AT_THE_BEGINNING_AFTER_S = 10.0, 10.0
"""So long after its begin a load gives that much patience: the first users cost each generator CPU, all at once."""
LOST_AT_THE_END_AFTER_S = 10.0
"""As much patience has who waits for the accounts: a disk that is slow at the last part loses nobody's load."""
_LATE_S = 0.5
LOST = "generator_died"
"""Reason code of a load that lost a generator, or never had all of them."""
PINGS = 10
_HOST_CHARS = 80


def member_id(number: int, run_id: str) -> str:
    """What Locust calls the generator with that number, from 1: its dispatcher takes them in the order of these names.

    The number has two digits, since 10 would come before 2. Locust reads what stands before `_` as the name of a
    machine, and would give all users of one machine in turns: here each generator counts as a machine of its own.
    """
    return f"w{number:02d}_{run_id}"


@dataclass(frozen=True)
class Exchange:
    """One question for the master's time, by the asking machine's own clock: its middle, in ns since the epoch."""

    own_wall_ns: int
    master_wall_ns: int
    round_trip_ns: int

    @property
    def offset_ns(self) -> int:
        """What has to be added to the own clock to read the master's; off by half a round trip at most."""
        return self.master_wall_ns - self.own_wall_ns


def closest(exchanges: Sequence[Exchange]) -> Exchange:
    """The one that knows most: the quickest. Raises ValueError without any."""
    return min(exchanges, key=lambda one: one.round_trip_ns)


def patience_s(offset_s: float) -> float:
    """How long one may be silent, at that time since the load's begin, below 0 before it."""
    return LOST_AFTER_S if offset_s > BEGINNING_S else LOST_AT_THE_BEGINNING_AFTER_S


class Awake:
    """Whether whoever looks at others' signs of life has been awake itself: else they wait for it, unread.

    `look` is called every `every_s`; after a look that came late the others are given time to be heard.
    """

    def __init__(self, every_s: float) -> None:
        self._every_ns = int(every_s * 1e9)
        self._looked_ns = time.perf_counter_ns()
        self._trusted_from_ns = self._looked_ns

    def look(self, now_ns: int) -> bool:
        """Whether what is known now is what there is."""
        late_ns, self._looked_ns = now_ns - self._looked_ns - self._every_ns, now_ns
        if late_ns > _LATE_S * 1e9:
            self._trusted_from_ns = now_ns + int(PULSE_S * 1e9)
        return now_ns >= self._trusted_from_ns


@dataclass
class Member:
    """A generator as the master knows it. `seen_ns`: its last sign of life, by `perf_counter_ns`.

    `left`: why it ended before it was told to; `account`: what it said when it was done.
    """

    worker: str
    seen_ns: int
    joined: dict[str, Any] = field(default_factory=dict)
    users: int = 0
    left: str | None = None
    account: dict[str, Any] | None = None

    @property
    def name(self) -> str:
        """For people: which one, and where."""
        host = printable(str(self.joined.get("host") or "an unknown machine"), _HOST_CHARS)
        return f"generator {self.worker} on {host}"

    def silent_s(self, now_ns: int) -> float:
        """Seconds since its last sign of life."""
        return (now_ns - self.seen_ns) / 1e9

    def document(self) -> dict[str, Any]:
        """For the manifest; what it did not live to say is null."""
        said = self.account or {}
        return {
            "worker": self.worker,
            **{key: self.joined.get(key) for key in _JOINED},
            **{key: said.get(key) for key in _SAID},
        }


_JOINED = ("host", "cpu_count", "versions", "users", "clock_offset_ms", "round_trip_ms")
_SAID = ("requests", "lost_samples", "clock_drift_ms")


class Roll:
    """Who has joined the load of `run_id`, of the `generators` that belong to it."""

    def __init__(self, run_id: str, generators: int) -> None:
        self._run_id = run_id
        self._workers = {member_id(number, run_id): f"w{number}" for number in range(1, generators + 1)}
        self.members: dict[str, Member] = {}

    def worker_of(self, client_id: str) -> str | None:
        """The generator that calls itself so; None for one of another load."""
        return self._workers.get(client_id)

    def join(self, client_id: str, said: dict[str, Any]) -> str | None:
        """Take it in; returns why not, or None."""
        worker = self.worker_of(client_id)
        if worker is None or said.get("run_id") != self._run_id:
            return f"this master sends the load of run {self._run_id} and knows no such generator"
        if client_id not in self.members:
            self.members[client_id] = Member(worker, time.perf_counter_ns(), joined=dict(said))
        return None

    def seen(self, client_id: str) -> Member | None:
        """It gave a sign of life."""
        member = self.members.get(client_id)
        if member is not None:
            member.seen_ns = time.perf_counter_ns()
        return member

    @property
    def missing(self) -> list[str]:
        """Generators that have not joined."""
        return [worker for client_id, worker in self._workers.items() if client_id not in self.members]

    @property
    def is_complete(self) -> bool:
        """Whether all have joined."""
        return not self.missing

    def is_done(self, now_ns: int) -> bool:
        """Whether nobody is waited for: all have given their account, have left, or give no sign of life any more."""
        return all(
            one.account is not None or one.left is not None or one.silent_s(now_ns) > LOST_AT_THE_END_AFTER_S
            for one in self.members.values()
        )

    def documents(self) -> list[dict[str, Any]]:
        """What is known of each, in order; of one that never came only its name."""
        joined = {one.worker: one.document() for one in self.members.values()}
        return [joined.get(worker) or Member(worker, 0).document() for worker in self._workers.values()]
