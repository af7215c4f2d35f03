"""Every question of the generated Grafana dashboards has data while a real load is sent, and after it."""

import csv
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pyarrow.parquet as pq
import yaml

from experiments.claims import Claim, Say
from experiments.in_process import Bench, bench
from experiments.monitoring import Monitoring, monitoring
from experiments.profiles import faults_in_the_load
from include.loadtest.errors import LoadTestError
from include.loadtest.profile import PROFILES_DIR
from include.loadtest.profile.thresholds import load_thresholds
from include.loadtest.publishing.dashboards import least_step_s
from include.loadtest.publishing.dashboards import main as write_dashboards
from tests.helpers.dashboard_questions import READINGS, Question, answer, questions

NAME = "dashboards"
RUN_ID, USERS, LOAD_S = "dashboards", 15, 58
FAILING = {"error_share": {"all": 0.05}}
"""So that an alert fires: there is nothing to show of one on a healthy target."""
AFTER_S, EVERY_S, SPAN_S = 60.0, 2.0, 300
NOTHING_HERE = frozenset({"loadtest-history: Alerts that fire now A", "loadtest-history: Cost of the LLM A"})
"""The tests make alerts of no run, and a price of a call: here the history is well, and the demo target has none."""


def claims(say: Say) -> Iterator[Claim]:
    """One load with faults against one demo target, exporter and Prometheus beside it as they are generated."""
    with bench(say) as servers:
        boards = _boards(servers.folder / "boards")
        with monitoring(servers.folder / "monitoring", servers.folder / "results", servers.history_url) as prometheus:
            say(f"a load of {LOAD_S} s with failures, and every question of {len(boards)} dashboards")
            asking = _Asking(prometheus, [question for board in boards for question in _questions(board)])
            asking.start()
            bundle = _run(servers)
            asking.wait(AFTER_S)
        yield from (_claim(board, asking) for board in boards)
        yield _readings_claim(bundle)


def _boards(folder: Path) -> list[dict[str, Any]]:
    if write_dashboards([str(folder)]) != 0:
        raise LoadTestError("the dashboards were not written")
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.iterdir())]


def _questions(board: dict[str, Any]) -> list[Question]:
    """As Grafana asks them of one run with all choices open."""
    rate = f"{4 * least_step_s(load_thresholds())}s"
    values = {"target": ".+", "profile": ".+", "run_id": ".+", "__rate_interval": rate, "__range": "1h"}
    return [question for question in questions(board, values) if question.place not in NOTHING_HERE]


class _Asking:
    """Asks each question every few seconds until it has been answered, from now to the end."""

    def __init__(self, prometheus: Monitoring, wanted: list[Question]) -> None:
        self.open = wanted
        self.faults: list[str] = []
        self._url = f"http://{prometheus.prometheus}"
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._ask, daemon=True)

    def start(self) -> None:
        """In the background, since the load is sent meanwhile."""
        self._thread.start()

    def wait(self, seconds: float) -> None:
        """Until all are answered, no longer than that."""
        deadline = time.monotonic() + seconds
        while self.open and time.monotonic() < deadline:
            time.sleep(0.2)
        self._ended.set()
        self._thread.join(30)

    def _ask(self) -> None:
        with httpx.Client(base_url=self._url, trust_env=False, timeout=20) as client:
            while self.open and not self._ended.wait(EVERY_S):
                try:
                    self.open = [question for question in self.open if not answer(client, question, SPAN_S)]
                except (AssertionError, httpx.HTTPError) as error:
                    self.faults.append(str(error))


def _run(servers: Bench) -> Path:
    profile = yaml.safe_load((PROFILES_DIR / "peak_hours.yaml").read_text(encoding="utf-8"))
    changes = {"users": USERS, "ramp_up_s": 0, "duration_s": LOAD_S, "think_time_s": {"min": 0.2, "max": 0.4}}
    context = servers.context(RUN_ID, yaml.safe_dump(profile | changes, sort_keys=False))
    with faults_in_the_load(servers.demo, context.bundle.path, **FAILING):
        servers.run(context)
    return context.bundle.path


def _claim(board: dict[str, Any], asking: _Asking) -> Claim:
    asked = _questions(board)
    places = {question.place for question in asking.open}
    missing = [question.place for question in asked if question.place in places]
    measured = f"{len(asked) - len(missing)} of {len(asked)}"
    return Claim(
        NAME,
        f"{board['uid']}: queries of panels, events and variables that a real Prometheus answers with data",
        f"{len(asked)} of {len(asked)}",
        ", ".join([measured, *missing[:5], *asking.faults[:1]]),
        not missing and not asking.faults,
    )


def _readings_claim(bundle: Path) -> Claim:
    """The tests' list of readings is what this run's collectors gave."""
    columns = ["source", "metric", "unit"]
    parts = [pq.read_table(part, columns=columns).to_pylist() for part in (bundle / "resources").glob("*.parquet")]
    given = {(row["source"], row["metric"].partition("{")[0], row["unit"]) for rows in parts for row in rows}
    with READINGS.open(encoding="utf-8") as file:
        listed = {(row["source"], row["metric"], row["unit"]) for row in csv.DictReader(file)}
    odd = [" ".join(row) for row in sorted(listed - given)]
    return Claim(
        NAME,
        "readings that the tests take for real ones are given by the collectors of a real run",
        f"{len(listed)} of {len(listed)}",
        ", ".join([f"{len(listed & given)} of {len(listed)}", *odd[:5]]),
        not odd,
    )
