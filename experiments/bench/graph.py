"""What the graph itself costs, beside as many tasks that do nothing."""

from collections.abc import Iterator

from experiments.bench.graph_runs import CHAIN, GraphRun, Graphs
from experiments.bench.measure import Measure, Pairs, at_most
from experiments.claims import Say
from experiments.environment import temporary_environment

NAME = "graph"
ROUNDS = 3
MOST = 1.5


def measures(say: Say) -> Iterator[Measure]:
    """Real and empty runs in turn; about a minute each."""
    with temporary_environment(say) as environment:
        graphs = Graphs(environment)
        real: list[GraphRun] = []
        empty: list[GraphRun] = []
        for number in range(ROUNDS):
            say(f"round {number + 1} of {ROUNDS}")
            for is_real in (True, False) if number % 2 == 0 else (False, True):
                (real if is_real else empty).append(graphs.real() if is_real else graphs.empty())
    pairs = Pairs(tuple(one.own_s for one in real), tuple(one.own_s for one in empty))
    yield Measure(
        f"the graph of a run without seeding, warming and load, {len(CHAIN)} tasks",
        f"{pairs.our_median:.1f} s, most of it {real[-1].longest()}",
        f"as many tasks that do nothing, in the same order: {pairs.peer_median:.1f} s ({pairs.spread()})",
        pairs.ratio,
        f"<= {MOST:g} times",
        at_most(MOST, pairs.ratio),
    )
