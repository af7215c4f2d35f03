"""A generator's life: loops beside the users, an order to stop, a parent that is gone, and the account of its end."""

import logging
import os
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

import gevent
import psutil
from locust.env import Environment

from include.loadtest.run import READING_INTERVAL_S
from include.locustfiles.measuring import Measuring
from include.locustfiles.readings import FLUSH_INTERVAL_S, PROGRESS_INTERVAL_S

LOG = logging.getLogger("loadtest.generator")
STOP_DRAIN_S = 2.0
"""Running requests may finish that long after an order to stop: who ordered it kills after five seconds."""


@dataclass(frozen=True)
class Lifecycle:
    """What a locustfile adds: how its load is stopped, what it says of its progress, and of its load in the end.

    `progress` gives a line for people who wait, or None for nothing new; `account` further keys of the state file.
    `orphaned` is called before this process ends because nobody watches it.
    """

    measuring: Measuring
    stop: Callable[[], None]
    progress: Callable[[int], str | None]
    account: Callable[[], Mapping[str, object]]
    orphaned: Callable[[], None] = lambda: None
    process: psutil.Process = field(default_factory=psutil.Process)

    def start(self, environment: Environment) -> None:
        """Start the loops beside the users; from now on SIGTERM ends the load in order."""
        # Locust handles SIGTERM only when the shape has ended: before, it would die with its last samples.
        gevent.signal_handler(signal.SIGTERM, self._stop_soon, environment)
        self.process.cpu_percent()

        def watch_parent() -> None:
            if os.getppid() != self.measuring.plan.starter_pid and environment.runner is not None:
                LOG.error("the process that started this generator is gone: the load ends now")
                self.orphaned()
                self.measuring.flush()
                gevent.get_hub().threadpool.join()
                self._write_state(environment, time.perf_counter_ns(), completed=False)
                os._exit(3)

        self.measuring.every(FLUSH_INTERVAL_S, self.measuring.flush)
        self.measuring.every(READING_INTERVAL_S, lambda: self._read(environment))
        self.measuring.every(PROGRESS_INTERVAL_S, lambda: _say(self.progress(users_of(environment))))
        self.measuring.every(1.0, watch_parent)
        gevent.spawn(self.measuring.probe_lag)

    def finish(self, environment: Environment, *, completed: bool, ended_ns: int | None = None) -> None:
        """Close the open part and say how the load ended; it ended at `ended_ns` (of `perf_counter_ns`), or now."""
        now = time.perf_counter_ns() if ended_ns is None else ended_ns
        self._read(environment)
        for _attempt in range(2):  # what could not be written before is tried once more
            self.measuring.flush()
            gevent.get_hub().threadpool.join()
        self._write_state(environment, now, completed=completed)

    def _stop_soon(self, environment: Environment) -> None:
        environment.stop_timeout = STOP_DRAIN_S
        self.measuring.stopping.order()
        self.stop()

    def _read(self, environment: Environment) -> None:
        self.measuring.read_generator(users_of(environment), self.process)

    def _write_state(self, environment: Environment, now: int, *, completed: bool) -> None:
        """How the load ended, at `now` (of `perf_counter_ns`), for whoever watches this process or looks after it."""
        measuring, started_ns = self.measuring, self.measuring.clock.load_started_ns
        measuring.write_state(
            started_ns=None if started_ns is None else measuring.clock.wall_ns(started_ns),
            ended_ns=measuring.clock.wall_ns(now),
            completed=completed,
            lost_samples=measuring.lost_samples,
            max_users=max(measuring.max_users, users_of(environment)),
            **measuring.stopping.account(),
            **self.account(),
        )


def users_of(environment: Environment) -> int:
    """Users that are at work now."""
    return environment.runner.user_count if environment.runner else 0


def _say(line: str | None) -> None:
    if line is not None:
        with suppress(OSError):  # nobody reads it any more: whoever watches the parent ends the load
            print(line, flush=True)
