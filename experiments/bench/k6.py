"""What k6 costs with its samples: the engine with the process beside it, and bare k6 with the same script."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

from experiments.bench.loads import Load, bare_k6, bench_profile, load_request, own_load
from experiments.bench.measure import Measure, at_most, in_turn
from experiments.bench.target import bench_target
from experiments.claims import Say
from include.loadtest.runners.generator import LoadRequest

NAME = "k6"
ROUNDS, WARM_UP, WINDOW_S = 5, 200, 8.0
USERS, THINK_S, LIMIT = 20, (0.05, 0.1), 1.2


def measures(say: Say) -> Iterator[Measure]:
    """The mix of the committed profiles."""
    say(f"  k6 with samples: {ROUNDS} rounds")
    pairs = in_turn(ROUNDS, partial(_cpu_us, own_load), partial(_cpu_us, bare_k6))
    yield Measure(
        "k6 with samples",
        f"{pairs.our_median:.0f} µs of CPU a request: k6 and the process that writes samples ({pairs.spread()})",
        f"{pairs.peer_median:.0f} µs: bare k6, the same script, no output",
        pairs.ratio,
        f"<= {LIMIT:g}",
        at_most(LIMIT, pairs.ratio),
    )


def _cpu_us(load: Callable[[LoadRequest, int], AbstractContextManager[Load]]) -> float:
    profile = bench_profile(USERS, THINK_S).model_copy(update={"engine": "k6"})
    with (
        tempfile.TemporaryDirectory(prefix="loadtest-bench-", ignore_cleanup_errors=True) as folder,
        bench_target() as port,
        load(load_request(profile, port, Path(folder)), port) as running,
    ):
        return running.cpu_us(WARM_UP, WINDOW_S)
