"""How long a DAG file takes to read, as a process of its own, beside the smallest DAG that there can be."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from experiments.claims import Claim, Say
from include.embedded.state import CHECKOUT

NAME = "parse"
ROUNDS = 7
MOST = 1.2
HEAVY = ("great_expectations", "pandas", "locust")
TRIVIAL = '''"""The smallest Airflow DAG."""
from datetime import UTC, datetime
from airflow.sdk import DAG, task
with DAG("trivial", schedule=None, start_date=datetime(2024, 12, 1, tzinfo=UTC)) as dag:
    @task
    def one() -> None:
        """Does nothing."""
    one()
'''
READ = """
import runpy, sys
runpy.run_path(sys.argv[1])
print(sorted({name.partition(".")[0] for name in sys.modules} & set(sys.argv[2:])))
"""


@dataclass(frozen=True)
class Read:
    """The least time and CPU time in s of reading each file, several times over, and what heavy it imported."""

    trivial: Path
    files: Sequence[Path]
    seconds: Mapping[Path, float]
    cpu_s: Mapping[Path, float]
    heavy: Mapping[Path, str]


def claims(say: Say) -> Iterator[Claim]:
    """Each file in turn, several times over; the shortest time of each counts, as other work only adds to it."""
    found = read_all(say)
    least_s = found.seconds[found.trivial]
    for file in found.files:
        ratio = found.seconds[file] / least_s
        measured = (
            f"{ratio:.2f} ({found.seconds[file]:.2f} s, trivial {least_s:.2f} s), imports {found.heavy[file]}"
        )
        claim = f"{file.stem}: time to read, as a ratio to a trivial DAG; none of {', '.join(HEAVY)} imported"
        yield Claim(NAME, claim, f"<= {MOST:g}, []", measured, ratio <= MOST and found.heavy[file] == "[]")


def read_all(say: Say) -> Read:
    """Read all DAG files and the smallest one, in turn."""
    with tempfile.TemporaryDirectory(prefix="loadtest-parse-") as folder:
        trivial = Path(folder) / "trivial.py"
        trivial.write_text(TRIVIAL, encoding="utf-8")
        files = sorted((CHECKOUT / "dags").glob("*.py"))
        taken: dict[Path, list[tuple[float, float]]] = {file: [] for file in (trivial, *files)}
        heavy: dict[Path, str] = {}
        for number in range(ROUNDS):
            say(f"round {number + 1} of {ROUNDS}")
            for file, times in taken.items():
                began_s, began_cpu_s = time.perf_counter(), _children_cpu_s()
                heavy[file] = _read(file, Path(folder))
                times.append((time.perf_counter() - began_s, _children_cpu_s() - began_cpu_s))
    seconds, cpu_s = ({file: min(one[place] for one in times) for file, times in taken.items()} for place in (0, 1))
    return Read(trivial, files, seconds, cpu_s, heavy)


def _children_cpu_s() -> float:
    """CPU time of the processes that this one started and that have ended."""
    used = os.times()
    return used.children_user + used.children_system


def _read(file: Path, home: Path) -> str:
    environment = {"PATH": os.environ["PATH"], "AIRFLOW_HOME": str(home), "PYTHONPATH": str(CHECKOUT)}
    command = [sys.executable, "-c", READ, str(file), *HEAVY]
    done = subprocess.run(command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[-1]
