"""The master of several generators: gathers them, begins and ends the load for all, and sees who is lost.

It has no users and no samples of its own. Locust's own answer to a lost generator, to give its users to the others, is
off: the load would go on as another one, and nobody would know.
"""

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import gevent
import locust.env
from locust.dispatch import UsersDispatcher
from locust.env import Environment
from locust.runners import MasterRunner, WorkerNode

from include.loadtest.profile.model import GATHER_S
from include.loadtest.run import utc_text
from include.locustfiles import crew
from include.locustfiles.lifecycle import STOP_DRAIN_S
from include.locustfiles.measuring import Measuring
from include.locustfiles.stopping import Ended

LOG = logging.getLogger("loadtest.generator")
LISTENING = "listening: "
"""What the line begins with that says where generators reach this master."""
_LOOK_S = 0.25
_DONE_LOOK_S = 0.05
_ORDERED_DONE_WITHIN_S, _DONE_WITHIN_S = 4.0, 20.0
"""After the last request a generator writes its last part and says so; who has ordered the end kills soon."""
ORDERED_SOON_S = 1.0
"""Who ends a generator from outside ends the master too, a moment sooner or later: its order is the reason then."""


class FixedShares(UsersDispatcher):
    """Deals the users to the generators that were there at the start, whatever becomes of them."""

    def add_worker(self, worker_node: WorkerNode) -> None:
        """Nobody comes later."""

    def remove_worker(self, worker_node: WorkerNode) -> None:
        """Nobody else takes over the users of one that is gone."""


class Master:
    """What a locustfile asks of the other generators, as their master.

    `ended_ns`: when all had ended, by `perf_counter_ns`; None before.
    """

    def __init__(self, measuring: Measuring) -> None:
        self._measuring, plan = measuring, measuring.plan
        self.roll = crew.Roll(plan.run_id, plan.profile.generators)
        self._runner: MasterRunner | None = None
        self._end_by_s: float | None = None
        self._awake = crew.Awake(_LOOK_S)
        self.ended_ns: int | None = None
        _take_only(self.roll, self._left)

    def start(self, environment: Environment, is_stopped: Callable[[], bool]) -> None:
        """Listen, and wait until all generators are there; otherwise the load is over before it began."""
        runner = environment.runner
        assert isinstance(runner, MasterRunner)  # noqa: S101 - it was started with --master
        self._runner, environment.dispatcher_class = runner, FixedShares
        for kind, listener in (
            (crew.PING, self._pinged), (crew.JOIN, self._joined), (crew.NEWS, self._news), (crew.DONE, self._done)
        ):  # fmt: skip
            runner.register_message(kind, listener)
        self._measuring.every(crew.PULSE_S, lambda: self._tell(crew.PULSE))
        print(f"{LISTENING}{runner.server.port}", flush=True)
        self._gather(is_stopped)
        self._measuring.every(_LOOK_S, self._look_for_lost)
        if environment.parsed_options is not None:
            environment.parsed_options.expect_workers = 0  # they are here, or the load is over

    def begin(self, wall_ns: int) -> None:
        """The load's clock has started, at that time."""
        self._tell(crew.BEGIN, {"wall_ns": wall_ns})

    def end(self, *, is_over: bool) -> None:
        """Tell all to end, once, and wait until they have; requests that run may finish. `is_over`: all stages ran."""
        if self._runner is None:
            return
        if self._end_by_s is None:
            drain_s = float(self._runner.environment.stop_timeout)
            self._end_by_s = time.monotonic() + drain_s + _DONE_WITHIN_S
            self._tell(crew.END, {"drain_s": drain_s, "is_over": is_over})
        if self._measuring.stopping.is_ordered:  # also of a load that is just ending
            self._end_by_s = min(self._end_by_s, time.monotonic() + STOP_DRAIN_S + _ORDERED_DONE_WITHIN_S)
        self._await_accounts()
        self.ended_ns = self.ended_ns or time.perf_counter_ns()

    def _await_accounts(self) -> None:
        awake = crew.Awake(_DONE_LOOK_S)
        while self._end_by_s is not None and time.monotonic() < self._end_by_s:
            now_ns = time.perf_counter_ns()
            if awake.look(now_ns) and self.roll.is_done(now_ns):
                return
            gevent.sleep(_DONE_LOOK_S)

    def order(self) -> None:
        """Somebody has ordered the end: all are told now, and nobody waits for the shape's next tick."""
        gevent.spawn(self._end_now)

    def progress(self) -> str | None:
        """For people who wait for the load to begin; None once it has."""
        if self._measuring.clock.load_started_ns is not None:
            return None
        wanted = self._measuring.plan.profile.generators
        return f"progress: {wanted - len(self.roll.missing)} of {wanted} generators are here, the load has not begun"

    def account(self) -> dict[str, Any]:
        """For the generator's state file."""
        return {"generators": self.roll.documents()}

    def _end_now(self) -> None:
        self.end(is_over=False)
        if self._runner is not None and self._measuring.clock.load_started_ns is not None:
            self._runner.quit()

    def _gather(self, is_stopped: Callable[[], bool]) -> None:
        began_s = time.monotonic()
        while not (self.roll.is_complete or is_stopped() or self._measuring.stopping.decide(-1.0)):
            if time.monotonic() - began_s > GATHER_S:
                self._measuring.stopping.end(crew.LOST, self._too_few())
                return
            gevent.sleep(_LOOK_S)

    def _too_few(self) -> str:
        wanted, missing = self._measuring.plan.profile.generators, self.roll.missing
        return (
            f"{wanted - len(missing)} of {wanted} generators came within {GATHER_S} s (missing: {', '.join(missing)}), "
            "so no load was sent: each needs a free slot of one of Airflow's workers for the task generators; are "
            f"there enough on its queue? With compose: docker compose up --scale locust-worker={wanted}"
        )

    def _pinged(self, msg: Any, **_: Any) -> None:
        self.roll.seen(msg.node_id)
        wall_ns = self._measuring.clock.wall_ns(time.perf_counter_ns())
        self._tell(crew.PONG, {"asked_ns": msg.data["asked_ns"], "wall_ns": wall_ns}, msg.node_id)

    def _joined(self, msg: Any, **_: Any) -> None:
        refusal = self.roll.join(msg.node_id, msg.data)
        if refusal is None:
            member = self.roll.members[msg.node_id]
            users, offset_ms, trip_ms = (member.joined[name] for name in ("users", "clock_offset_ms", "round_trip_ms"))
            LOG.info("%s: %s users, its clock is %+.1f ms off (± %.1f)", member.name, users, offset_ms, trip_ms / 2)
            self._tell(crew.JOINED, None, msg.node_id)
        else:
            self._tell(crew.REFUSED, {"text": refusal}, msg.node_id)

    def _news(self, msg: Any, **_: Any) -> None:
        member = self.roll.seen(msg.node_id)
        if member is None:
            return
        member.users = msg.data["users"]
        self._measuring.max_users = max(self._measuring.max_users, sum(one.users for one in self.roll.members.values()))
        for ended in msg.data["ended"]:
            self._measuring.note_ended(Ended(*ended))
        if msg.data["stop"] is not None:
            code, text = msg.data["stop"]
            self._measuring.stopping.end(code, f"{member.name}: {text}")

    def _done(self, msg: Any, **_: Any) -> None:
        member = self.roll.seen(msg.node_id)
        if member is None:
            return
        member.account = dict(msg.data)
        if self._end_by_s is None:
            self._left(msg.node_id, str(msg.data.get("why") or "it ended"))

    def _left(self, client_id: str, why: str) -> None:
        """A generator has ended without being told to."""
        member = self.roll.members.get(client_id)
        if member is None or member.left is not None or self._end_by_s is not None:
            return
        member.left = f"{why} at {_now()}"
        gevent.spawn_later(ORDERED_SOON_S, self._measuring.stopping.end_unless_ordered, crew.LOST,
                           f"{member.name} left the load: {member.left}")  # fmt: skip

    def _look_for_lost(self) -> None:
        now_ns = time.perf_counter_ns()
        if not self._awake.look(now_ns) or self._end_by_s is not None:
            return
        patience_s = crew.patience_s(self._measuring.clock.offset_s(now_ns))
        for member in self.roll.members.values():
            silent_s = member.silent_s(now_ns)
            if silent_s > patience_s and member.account is None and member.left is None:
                last = utc_text(datetime.fromtimestamp(self._measuring.clock.wall_ns(member.seen_ns) / 1e9, UTC))
                member.left = f"no sign of life since {last}"
                self._measuring.stopping.end(
                    crew.LOST, f"{member.name} is lost: its last sign of life came at {last}, {silent_s:.1f} s before"
                )

    def _tell(self, kind: str, data: dict[str, Any] | None = None, client_id: str | None = None) -> None:
        if self._runner is None:
            return
        for own in [client_id] if client_id else list(self.roll.members):
            self._runner.send_message(kind, data, own)


def _take_only(roll: crew.Roll, left: Callable[[str, str], None]) -> None:
    """Make Locust's master hear only this load's generators, and leave what one that goes means to `Master`."""

    class OwnMaster(MasterRunner):
        """Hears nobody else."""

        def handle_message(self, client_id: str, msg: Any) -> None:
            """One message."""
            if roll.worker_of(client_id) is None:
                self.send_message(crew.REFUSED, {"text": "this master does not know it"}, client_id)
            elif msg.type in ("quit", "client_stopped"):
                left(client_id, "its process ended")
            else:
                super().handle_message(client_id, msg)

        def quit(self) -> None:
            """At once: all generators have been told before, and have given their accounts."""
            self.stop(send_stop_to_client=False)
            self.greenlet.kill(block=True)

        def heartbeat_worker(self) -> None:  # type: ignore[override]
            """Who is lost is seen by `Master`."""

    locust.env.MasterRunner = OwnMaster  # type: ignore[attr-defined]


def _now() -> str:
    return utc_text(datetime.now(UTC))
