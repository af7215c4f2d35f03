"""How long a DAG file takes to read, as a process of its own, beside the smallest DAG that there can be."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
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


def claims(say: Say) -> Iterator[Claim]:
    """Each file in turn, several times over; the shortest time of each counts, as other work only adds to it."""
    with tempfile.TemporaryDirectory(prefix="loadtest-parse-") as folder:
        trivial = Path(folder) / "trivial.py"
        trivial.write_text(TRIVIAL, encoding="utf-8")
        files = [trivial, *sorted((CHECKOUT / "dags").glob("*.py"))]
        taken: dict[Path, list[float]] = {file: [] for file in files}
        heavy: dict[Path, str] = {}
        for number in range(ROUNDS):
            say(f"round {number + 1} of {ROUNDS}")
            for file in files:
                began_s = time.perf_counter()
                heavy[file] = _read(file, Path(folder))
                taken[file].append(time.perf_counter() - began_s)
    least_s = min(taken[trivial])
    for file in files[1:]:
        ratio = min(taken[file]) / least_s
        measured = f"{ratio:.2f} ({min(taken[file]):.2f} s, trivial {least_s:.2f} s), imports {heavy[file]}"
        claim = f"{file.stem}: time to read, as a ratio to a trivial DAG; none of {', '.join(HEAVY)} imported"
        yield Claim(NAME, claim, f"<= {MOST:g}, []", measured, ratio <= MOST and heavy[file] == "[]")


def _read(file: Path, home: Path) -> str:
    environment = {"PATH": os.environ["PATH"], "AIRFLOW_HOME": str(home), "PYTHONPATH": str(CHECKOUT)}
    command = [sys.executable, "-c", READ, str(file), *HEAVY]
    done = subprocess.run(command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[-1]
