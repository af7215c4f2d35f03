"""Every question of the generated dashboards is answered with data by a real Prometheus that scrapes the exporter."""

import csv
import json
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from include.embedded.postgres import ensure_database, start_postgres, stop_postgres
from include.embedded.servers import free_port, log_tail, wait_until
from include.loadtest.bundle import Bundle
from include.loadtest.history.store import RunRecord, connect, record_run, upgrade
from include.loadtest.profile.thresholds import load_thresholds
from include.loadtest.profile.vocabulary import LOWER_BOUND_OUTCOMES, METRICS, OUTCOMES, SCENARIOS
from include.loadtest.publishing.alert_rules import main as write_rules
from include.loadtest.publishing.dashboards import main as write_dashboards
from include.loadtest.publishing.exporter import Exporter, server
from include.loadtest.recorder import RESOURCE_SCHEMA, SAMPLE_SCHEMA, Reading, Sample, write_part
from include.loadtest.verdict import Verdict
from tests.helpers.dashboard_questions import READINGS, Question, answer, questions
from tests.helpers.programs import program

pytestmark = pytest.mark.integration
RUN_ID, PROFILE = "peak_hours-1", "peak_hours"
EVERY_S, SPAN_S, WITHIN_S = 0.5, 20, 60
ANYTHING = {"target": ".+", "profile": ".+", "run_id": ".+", "__rate_interval": "4s", "__range": "1h"}
CHOSEN = {**ANYTHING, "target": "demo", "profile": PROFILE, "run_id": RUN_ID}
NOT_THERE = {**ANYTHING, "target": "nowhere", "profile": "none", "run_id": "none-1"}
Board = dict[str, Any]
ALARM_WITHOUT_A_RUN = "LoadTestWeeklyVerdictMissing"


class Load:
    """A run whose load goes on: requests with every outcome, and every reading that collectors give, all growing."""

    def __init__(self, results: Path) -> None:
        self.bundle = Bundle(results / RUN_ID)
        target = {"name": "demo", "shares_host": True}
        self.bundle.write("manifest.json", {"profile": {"name": PROFILE}, "target": target})
        self.bundle.samples_dir.mkdir()
        self.bundle.resources_dir.mkdir()
        self._parts = 0
        with READINGS.open(encoding="utf-8") as file:
            self._readings = [(row["source"], row["metric"], row["unit"]) for row in csv.DictReader(file)]

    def go_on(self) -> None:
        """One part of each."""
        self._parts += 1
        now = time.time_ns()
        samples = [self._sample(now, scenario, number) for scenario in SCENARIOS for number in range(60)]
        rows = [Reading(now, source, "s", metric, 10 * self._parts, unit) for source, metric, unit in self._readings]
        write_part(samples, SAMPLE_SCHEMA, self.bundle.samples_dir / f"w0-{self._parts:06}.parquet")
        write_part(rows, RESOURCE_SCHEMA, self.bundle.resources_dir / f"all-1-{self._parts:06}.parquet")

    @staticmethod
    def _sample(now: int, scenario: str, number: int) -> Sample:
        outcome = OUTCOMES[number] if number < len(OUTCOMES) else "ok"
        latency_us = 1000 * (30_000 if outcome in LOWER_BOUND_OUTCOMES else 100 + 30 * number)
        start = now - 1000 * latency_us
        answered = (None, 200, 9, None) if outcome == "ok" else ("x", None, None, None)
        return Sample(start, start, latency_us, None, scenario, "chat", 0, "hold", "hold", outcome, *answered, "w0", 1)


def write_history(url: str) -> None:
    """One run of each verdict, each of a profile of its own; each with every figure of the whole hold."""
    upgrade(url)
    engine = connect(url)
    ended = datetime.now(UTC) - timedelta(seconds=5)
    profiles = (PROFILE, "baseline", "tax_deadline", "stress_test", "spike_test", "normal_day")
    for verdict, profile in zip(Verdict, profiles, strict=True):
        record = RunRecord(f"{profile}-0", profile, "locust", "demo", verdict, ended, ended, {}, {}, "/x")
        rows = [
            {"metric": name, "scope": "all", "phase": "hold", "value": 0.5, "unit": metric.unit, "n": 100}
            | {"ci_low": None, "ci_high": None, "direction": metric.direction}
            for name, metric in METRICS.items()
        ]
        record_run(engine, record, rows)


@contextmanager
def exporting(folder: Path, history_url: str) -> Iterator[str]:
    """The exporter's address; it tells of a load that goes on, and of the history."""
    load, ends = Load(folder / "results"), threading.Event()
    exporter = Exporter(folder / "results", load_thresholds(), history_url, "demo")
    exporter.poll_history()

    def go_on() -> None:
        while not ends.wait(EVERY_S):
            load.go_on()
            exporter.poll_live()
            exporter.poll_history()

    thread = threading.Thread(target=go_on, daemon=True)
    listening = server(exporter, ("127.0.0.1", 0))
    threading.Thread(target=listening.serve_forever, args=(0.05,), daemon=True).start()
    thread.start()
    try:
        yield f"127.0.0.1:{listening.server_address[1]}"
    finally:
        ends.set()
        thread.join(30)
        listening.shutdown()
        listening.server_close()


def write_config(folder: Path, exporter: str) -> None:
    """Prometheus' generated files, in a hurry: each second, alerts at once, and one that fires without a run."""
    assert write_rules(["--out", str(folder), "--exporter", exporter, "--alertmanager", "127.0.0.1:9"]) == 0
    content = yaml.safe_load((folder / "prometheus.yml").read_text(encoding="utf-8"))
    content["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    del content["alerting"]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(content), encoding="utf-8")
    rules = yaml.safe_load((folder / "rules.yml").read_text(encoding="utf-8"))
    for group in rules["groups"]:
        group["interval"] = "1s"
        for rule in group["rules"]:
            if "alert" in rule:
                rule["for"] = "0s"
            if rule.get("alert") == ALARM_WITHOUT_A_RUN:
                rule["expr"] = f"{rule['expr'].split()[0]} > -1"
    (folder / "rules.yml").write_text(yaml.safe_dump(rules), encoding="utf-8")


@contextmanager
def prometheus(folder: Path) -> Iterator[httpx.Client]:
    """A real one on a free port, with what a test may ask it."""
    address, log = f"127.0.0.1:{free_port()}", folder / "prometheus.log"
    options = [f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/tsdb"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [program("prometheus"), *options, f"--web.listen-address={address}"], stdout=output, stderr=output
        )
    try:
        with httpx.Client(base_url=f"http://{address}", trust_env=False, timeout=20) as client:
            assert wait_until(lambda: is_ready(client), WITHIN_S), log_tail(log)
            yield client
    finally:
        process.terminate()
        process.wait(30)


def is_ready(client: httpx.Client) -> bool:
    try:
        return client.get("/-/ready").status_code == 200
    except httpx.TransportError:
        return False


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A Prometheus that scrapes a running load and a history of runs."""
    folder = tmp_path_factory.mktemp("dashboards")
    (folder / "results").mkdir()
    postgres = start_postgres(folder / "pg", settings={"fsync": "off"})
    with ExitStack() as stack:
        stack.callback(stop_postgres, postgres)
        ensure_database(postgres, "loadtest_history")
        write_history(postgres.url("loadtest_history"))
        exporter = stack.enter_context(exporting(folder, postgres.url("loadtest_history")))
        write_config(folder, exporter)
        yield stack.enter_context(prometheus(folder))


@pytest.fixture(scope="module")
def boards(tmp_path_factory: pytest.TempPathFactory) -> list[Board]:
    folder = tmp_path_factory.mktemp("boards")
    assert write_dashboards([str(folder)]) == 0
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.iterdir())]


@pytest.mark.parametrize("values", [ANYTHING, CHOSEN], ids=["all runs", "one run"])
def test_every_question_is_answered_with_data(asked: httpx.Client, boards: list[Board], values: dict[str, str]) -> None:
    """Of panels, events and variables; each series has the labels that legends and links name."""
    wanted = [question for board in boards for question in questions(board, values)]
    assert len(wanted) > 90
    assert unanswered(asked, wanted) == []


def test_what_is_not_there_has_no_data(asked: httpx.Client, boards: list[Board]) -> None:
    """No question makes up a figure: of a target, profile and run that are unknown there is none, and no 0."""
    of_no_run = ("History answers", "Calendar and target file", "variable target", "event Alerts")
    for board in boards:
        wanted = [one for one in questions(board, NOT_THERE) if not any(title in one.place for title in of_no_run)]
        there = [one for one in questions(board, ANYTHING) if one.place in {own.place for own in wanted}]
        assert unanswered(asked, there) == []
        assert [one.place for one in wanted if answer(asked, one, SPAN_S)] == []


def unanswered(client: httpx.Client, wanted: list[Question]) -> list[str]:
    """Questions that had no answer within the time; each is asked until it has one."""
    deadline = time.monotonic() + WITHIN_S
    while (wanted := [question for question in wanted if not is_answered(client, question)]) and (
        time.monotonic() < deadline
    ):
        time.sleep(0.2)
    return [f"{question.place}: {question.expr}" for question in wanted]


def is_answered(client: httpx.Client, question: Question) -> bool:
    found = answer(client, question, SPAN_S)
    for labels in found:
        assert question.labels <= labels.keys(), (question, labels)
    return bool(found)
