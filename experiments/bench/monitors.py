"""What the monitors cost beside a load: all sources that a target can have, at their normal interval."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil

from experiments.bench.measure import Measure
from experiments.claims import Say
from experiments.collectors import GREATEST_CPU_PCT, SOURCES, USERS, collecting, monitored_target
from experiments.servers_own import load, prometheus_server
from include.loadtest.run import READING_INTERVAL_S
from tests.helpers.demo import demo_target

NAME = "monitors"
LOAD_S = 60.0
ROUNDS = 3
_SETTLED_S = 12.0


def measures(say: Say) -> Iterator[Measure]:
    """Over some minutes of a real load: CPU time of the collectors' process, and of Prometheus' server meanwhile."""
    with ExitStack() as stack:
        name = tempfile.TemporaryDirectory(prefix="loadtest-bench-", ignore_cleanup_errors=True)
        folder = Path(stack.enter_context(name))
        demo = stack.enter_context(demo_target(folder / "demo"))
        prometheus = stack.enter_context(prometheus_server(folder / "prometheus", demo.base_url))
        target = monitored_target(demo, prometheus)
        _, collectors = stack.enter_context(collecting(folder / "bundle", target))
        stack.enter_context(load(demo, USERS))
        time.sleep(_SETTLED_S)
        ours, peer = [], []
        for number in range(ROUNDS):
            say(f"{number + 1} of {ROUNDS}: {USERS} users for {LOAD_S:.0f} s")
            before = _cpu_s([collectors.pid]), _cpu_s(_prometheus())
            began_s = time.monotonic()
            time.sleep(LOAD_S)
            passed_s = time.monotonic() - began_s
            ours.append(100 * (_cpu_s([collectors.pid]) - before[0]) / passed_s)
            peer.append(100 * (_cpu_s(_prometheus()) - before[1]) / passed_s)
    worst, peer_pct = max(ours), min(peer)
    yield Measure(
        f"CPU of all monitors ({', '.join(SOURCES if prometheus else SOURCES[:-1])}) every {READING_INTERVAL_S:g} s, "
        f"beside {USERS} users",
        f"{worst:.2f} % of a core (the worst of {ROUNDS} minutes)",
        f"Prometheus' server, one page of the target every second: {peer_pct:.2f} %" if prometheus else "not installed",
        worst / peer_pct if prometheus and peer_pct else None,
        f"< {GREATEST_CPU_PCT:g} % of a core",
        worst < GREATEST_CPU_PCT,
    )


def _prometheus() -> list[int]:
    """Process numbers of the Prometheus servers that this process has started."""
    return [child.pid for child in psutil.Process().children() if child.name() == "prometheus"]


def _cpu_s(pids: list[int]) -> float:
    return sum(sum(psutil.Process(pid).cpu_times()[:4]) for pid in pids)
