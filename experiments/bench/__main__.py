"""`make bench`: a line for each measure. A missed goal is printed as missed; exit code 1 where nothing was measured."""

import logging
import sys
import traceback
from importlib import import_module
from typing import cast

from experiments.bench.measure import Module
from experiments.bench.sizes import sizes
from experiments.claims import Progress, Say, run_program, wanted
from include.loadtest.errors import LoadTestError

MODULES = ("recording", "k6", "memory", "workers", "analysis", "verdict", "graph", "parse", "monitors")
"""Each is a module of this package, imported when its turn comes: the imports of one are no load on another."""
HEAD = "name | measured | peer | ratio | goal | ok"
BAD_INPUT, FAILED = 2, 1


def main(only: str) -> int:
    """Measure what is wanted; returns the exit code, which a missed goal does not change."""
    say = Progress()
    try:
        names = wanted(only, MODULES, MODULES)
        sizes()
    except LoadTestError as error:
        sys.stderr.write(f"{error}\n")
        return BAD_INPUT
    # Airflow, once imported, logs to standard output, which is for the measures.
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, force=True)
    print(HEAD, flush=True)
    made = [_made(name, say) for name in names]
    return 0 if all(made) else FAILED


def _made(name: str, say: Say) -> bool:
    """Print a module's measures; False where one could not be made, which standard error explains."""
    say(f"bench {name}")
    try:
        module = cast("Module", import_module(f"experiments.bench.{name}"))
        for measure in module.measures(say):
            print(measure.line(), flush=True)
    except Exception as error:  # noqa: BLE001 - one that cannot be measured must not hide the others
        traceback.print_exc()
        say(f"bench {name} could not be measured: {type(error).__name__}: {error}")
        return False
    return True


if __name__ == "__main__":
    run_program(main)
