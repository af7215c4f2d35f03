"""How long Airflow takes to read the DAG files, beside the smallest DAG that there can be."""

from collections.abc import Iterator

from experiments.bench.measure import Measure, at_most
from experiments.claims import Say
from experiments.parse import MOST, read_all

NAME = "parse"


def measures(say: Say) -> Iterator[Measure]:
    """A measure for the slowest of the files; CPU time, the least of several readings of each."""
    found = read_all(say)
    slowest = max(found.files, key=lambda file: found.cpu_s[file])
    least_s = found.cpu_s[found.trivial]
    ratio = found.cpu_s[slowest] / least_s
    yield Measure(
        f"reading the slowest of {len(found.files)} DAG files, {slowest.stem}, as a process of its own",
        f"{found.cpu_s[slowest]:.2f} s of CPU",
        f"the smallest DAG: {least_s:.2f} s",
        ratio,
        f"<= {MOST:g} times",
        at_most(MOST, ratio),
    )
