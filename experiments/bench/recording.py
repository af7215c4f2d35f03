"""What a recorded request costs: this project's locustfile beside Locust users that only send the same requests."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

from experiments.bench.loads import Load, bench_profile, load_request, own_load, peer_load
from experiments.bench.measure import Measure, at_most, in_turn
from experiments.bench.target import bench_target
from experiments.claims import Say
from include.loadtest.profile import Profile

NAME = "recording"
ROUNDS, WARM_UP, WINDOW_S = 5, 200, 6.0
USERS, THINK_S = 20, (0.05, 0.1)
READS = {"user_operations": 100}
"""Small answers only, in JSON: nothing else hides what a request costs beside its answer."""


def measures(say: Say) -> Iterator[Measure]:
    """The mix of the committed profiles, whose chats' answers are streams of 100 KB; and small requests alone."""
    mix, small = bench_profile(USERS, THINK_S), bench_profile(USERS, THINK_S, mix_pct=READS)
    yield _measure(say, "recording", mix, "BareFast", 1.15)
    yield _measure(say, "recording, small answers only", small, "BareFast", 1.15)
    yield _measure(say, "the whole locustfile", mix, "BareHttp", 0.4)


def _measure(say: Say, name: str, profile: Profile, peer: str, limit: float) -> Measure:
    say(f"  {name}: {ROUNDS} rounds")
    pairs = in_turn(ROUNDS, partial(_cpu_us, profile, own), partial(_cpu_us, profile, partial(bare, peer)))
    library = {"BareFast": "FastHttpUser", "BareHttp": "HttpUser"}[peer]
    return Measure(
        name,
        f"{pairs.our_median:.0f} µs of CPU a request: sent, checked and recorded by the locustfile ({pairs.spread()})",
        f"{pairs.peer_median:.0f} µs: bare {library}, the same requests prepared, answers read whole, no checks",
        pairs.ratio,
        f"<= {limit:g}",
        at_most(limit, pairs.ratio),
    )


def own(profile: Profile, port: int, folder: Path) -> AbstractContextManager[Load]:
    """This project's load."""
    return own_load(load_request(profile, port, folder), port)


def bare(user_class: str, profile: Profile, port: int, folder: Path) -> AbstractContextManager[Load]:
    """A peer's load."""
    return peer_load(user_class, profile, port, folder)


def _cpu_us(profile: Profile, load: Callable[[Profile, int, Path], AbstractContextManager[Load]]) -> float:
    with (
        tempfile.TemporaryDirectory(prefix="loadtest-bench-", ignore_cleanup_errors=True) as folder,
        bench_target() as port,
        load(profile, port, Path(folder)) as running,
    ):
        return running.cpu_us(WARM_UP, WINDOW_S)
