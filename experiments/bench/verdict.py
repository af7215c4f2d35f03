"""How long after the load's end a run has its verdict, through the real scheduler."""

from collections.abc import Iterator
from statistics import median

from experiments.bench.graph_runs import CHAIN, Graphs
from experiments.bench.measure import Measure
from experiments.claims import Say
from experiments.environment import temporary_environment

NAME = "verdict"
ROUNDS = 2
MOST_S = 60.0
JUDGED, CLOSED = "validate_sla", "gate"


def measures(say: Say) -> Iterator[Measure]:
    """From the end of the last phase to verdict.json, and to the end of the gate, reports and clean-up included."""
    with temporary_environment(say) as environment:
        graphs = Graphs(environment)
        runs = [graphs.real() for _ in range(ROUNDS)]
        empty = graphs.empty()
    for task_id, what in ((JUDGED, "verdict.json is written"), (CLOSED, "the gate has said it")):
        own_s = median(one.after_load_s(task_id) for one in runs)
        after = CHAIN.index("run_profile") + 1
        names = CHAIN[after : CHAIN.index(task_id) + 1]
        # From the end of the empty load: what Airflow itself takes for as many tasks.
        before, last = empty.task("run_profile").end, empty.task(task_id).end
        peer_s = (last - before).total_seconds() if before and last else 0.0
        yield Measure(
            f"from the load's end until {what}",
            f"{own_s:.1f} s",
            f"{len(names)} tasks that do nothing: {peer_s:.1f} s",
            own_s / peer_s if peer_s else None,
            f"<= {MOST_S:g} s",
            own_s <= MOST_S,
        )
