"""A generator among several: joins its master, reads the master's clock, tells what ended, and ends when it is told."""

import logging
import os
import platform
import socket
import time
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import gevent
import locust.env
import locust.runners
import psutil
from gevent.event import Event
from locust.env import Environment
from locust.runners import WorkerRunner

from include.locustfiles import crew
from include.locustfiles.measuring import Measuring

LOG = logging.getLogger("loadtest.generator")
_PONG_WITHIN_S = 1.0
_JOIN_WITHIN_S = 30.0
"""The master has listened before this process was started."""
_PINGS_AT_THE_END = 3
_ASK_AGAIN_S = 0.5
_SENT_S = 0.2
"""A message goes out within that time; the process may end then."""
LEAVE_DRAIN_S = 2.0
"""Running requests may finish that long after the master is gone, or somebody ended this generator."""
Finish = Callable[[], None]
"""Closes the open parts and writes this generator's own account."""


class Member:
    """What a locustfile asks of the other generators, as one of them."""

    def __init__(self, measuring: Measuring, number: int) -> None:
        self._measuring, plan = measuring, measuring.plan
        self._id = crew.member_id(number, plan.run_id)
        self._environment: Environment | None = None
        self._finish: Finish = lambda: None
        self._exchanges: list[crew.Exchange] = []
        self._ponged, self._joined = Event(), Event()
        self._heard_ns: int | None = None
        self._awake = crew.Awake(crew.PULSE_S)
        self._adopted: crew.Exchange | None = None
        self._is_over = self._is_finished = self._is_told = False
        _named(self._id)

    def start(self, environment: Environment, finish: Finish) -> None:
        """Join the load; `finish` is called once, when it is over."""
        self._environment, self._finish = environment, finish
        for kind, listener in (
            (crew.PONG, self._pong), (crew.JOINED, self._welcomed), (crew.REFUSED, self._refused),
            (crew.BEGIN, self._begin), (crew.PULSE, self._pulse), (crew.END, self._end)
        ):  # fmt: skip
            self._runner.register_message(kind, listener)
        gevent.spawn(self._join)
        self._measuring.every(crew.PULSE_S, self._tell_news)

    def leave(self, why: str) -> None:
        """End now, without being told to by the master."""
        if not self._is_over:
            self._measuring.stopping.order()
            gevent.spawn(self._end_in_order, LEAVE_DRAIN_S, why)

    def farewell(self, why: str) -> None:
        """Say that this process ends in this moment."""
        self._runner.send_message(crew.DONE, {**self._said(), "why": why})
        gevent.sleep(_SENT_S)

    def may_finish(self) -> bool:
        """True once: this generator's account is written at its end, and not a second time when Locust quits."""
        before, self._is_finished = self._is_finished, True
        return not before

    @property
    def _runner(self) -> WorkerRunner:
        runner = self._environment.runner if self._environment else None
        assert isinstance(runner, WorkerRunner)  # noqa: S101 - it was started with --worker
        return runner

    def _join(self) -> None:
        """Ask for the time, then join. A master that answers nothing for long has gone."""
        deadline_s = time.monotonic() + _JOIN_WITHIN_S
        while len(self._exchanges) < crew.PINGS and not self._is_over:
            if time.monotonic() > deadline_s:
                self.leave("the master did not answer")
                return
            self._ask()
        if not self._exchanges:
            return
        self._adopted = crew.closest(self._exchanges)
        self._measuring.clock.adopt(self._adopted.offset_ns)
        while not (self._joined.is_set() or self._is_over):
            if time.monotonic() > deadline_s:
                self.leave("the master was silent")
            self._runner.send_message(crew.JOIN, self._introduction())
            self._joined.wait(_ASK_AGAIN_S)

    def _ask(self) -> None:
        self._ponged.clear()
        self._runner.send_message(crew.PING, {"asked_ns": time.perf_counter_ns()})
        self._ponged.wait(_PONG_WITHIN_S)

    def _introduction(self) -> dict[str, Any]:
        assert self._adopted is not None  # noqa: S101 - the time was asked for first
        return {
            "run_id": self._measuring.plan.run_id,
            "host": socket.gethostname(),
            "cpu_count": psutil.cpu_count(),
            "versions": {"python": platform.python_version(), "locust": version("locust")},
            "users": len(self._measuring.plan.user_numbers),
            "clock_offset_ms": self._adopted.offset_ns / 1e6,
            "round_trip_ms": self._adopted.round_trip_ns / 1e6,
        }

    def _pong(self, msg: Any, **_: Any) -> None:
        now_ns, asked_ns = time.perf_counter_ns(), int(msg.data["asked_ns"])
        own_wall_ns = self._measuring.clock.own_wall_ns((asked_ns + now_ns) // 2)
        self._exchanges.append(crew.Exchange(own_wall_ns, int(msg.data["wall_ns"]), now_ns - asked_ns))
        self._heard_ns = now_ns
        self._ponged.set()

    def _welcomed(self, **_: Any) -> None:
        self._heard_ns = time.perf_counter_ns()
        self._joined.set()

    def _refused(self, msg: Any, **_: Any) -> None:
        LOG.error("the master has refused this generator: %s", msg.data["text"])
        os._exit(4)

    def _begin(self, msg: Any, **_: Any) -> None:
        """The load's clock starts here too; never in the future, or the first users would find no stage."""
        clock = self._measuring.clock
        clock.load_started_ns = min(time.perf_counter_ns(), clock.monotonic_ns(int(msg.data["wall_ns"])))
        self._measuring.write_state(started_ns=int(msg.data["wall_ns"]), completed=False)

    def _pulse(self, **_: Any) -> None:
        self._heard_ns = time.perf_counter_ns()

    def _end(self, msg: Any, **_: Any) -> None:
        if not self._is_over:
            if not msg.data["is_over"]:
                self._measuring.stopping.order()
            gevent.spawn(self._end_in_order, float(msg.data["drain_s"]), None, is_over=bool(msg.data["is_over"]))

    def _tell_news(self) -> None:
        """What ended since the last second, and whether this generator's own rules end the load.

        While it drains and writes too, or its master would take it for lost; nothing ends a load that is over.
        """
        measuring, now_ns = self._measuring, time.perf_counter_ns()
        is_awake = self._awake.look(now_ns)
        ended = measuring.stopping.take_ended()
        stop = measuring.stopping.decide(measuring.clock.offset_s(now_ns))
        if not self._joined.is_set() or self._is_told:
            return
        if self._is_over:
            stop = None
        elif is_awake and self._is_silent(now_ns):
            LOG.error("the master has been silent for too long: this generator ends")
            self.leave("the master was silent")
            return
        self._runner.send_message(
            crew.NEWS,
            {"ended": ended, "users": self._runner.user_count, "stop": [stop.code, stop.text] if stop else None},
        )

    def _is_silent(self, now_ns: int) -> bool:
        patience_s = crew.patience_s(self._measuring.clock.offset_s(now_ns))
        return self._heard_ns is not None and (now_ns - self._heard_ns) / 1e9 > patience_s

    def _end_in_order(self, drain_s: float, why: str | None, *, is_over: bool = False) -> None:
        """Let running requests finish, write what is left, say so, and end this process."""
        if self._is_over or self._environment is None:
            return
        self._is_over = True
        self._environment.stop_timeout = drain_s
        runner = self._runner
        runner.stop()
        drift_ms = self._drift_ms() if is_over else None  # who is ordered to end asks nobody
        self._finish()
        runner._send_stats()  # for Locust's own page
        self._is_told = True
        runner.send_message(crew.DONE, {**self._said(), "clock_drift_ms": drift_ms, "why": why})
        gevent.sleep(_SENT_S)
        runner.greenlet.kill(block=True)

    def _said(self) -> dict[str, Any]:
        return {"requests": self._measuring.samples, "lost_samples": self._measuring.lost_samples}

    def _drift_ms(self) -> float | None:
        """By how much the two clocks went apart since the start; None where the master does not answer any more."""
        if self._adopted is None:
            return None
        self._exchanges.clear()
        for _ in range(_PINGS_AT_THE_END):
            self._ask()
        found = crew.closest(self._exchanges) if self._exchanges else None
        return (found.offset_ns - self._adopted.offset_ns) / 1e6 if found else None


def _named(client_id: str) -> None:
    """Make Locust call this generator so; by itself it draws a name, whose order would deal the users by chance."""

    class NamedWorker(WorkerRunner):
        """Has a name that was given to it."""

        @property
        def client_id(self) -> str:
            """Its name among the generators."""
            return client_id

        @client_id.setter
        def client_id(self, _drawn: str) -> None:
            pass

    locust.env.WorkerRunner = NamedWorker  # type: ignore[attr-defined]
    locust.runners.CONNECT_RETRY_COUNT = round(_JOIN_WITHIN_S / locust.runners.CONNECT_TIMEOUT)  # else five minutes
