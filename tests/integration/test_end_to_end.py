"""The commands as a person gives them, through the real Airflow scheduler: a green run, red runs, bad input.

Slack and GitHub are set up for all of it, with secrets that must appear nowhere.
"""

import json
import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import psycopg2
import pytest

from include.embedded.airflow import admin_password
from include.embedded.postgres import running_postgres
from include.embedded.state import Layout
from tests.helpers.browser import chromium, logged_in
from tests.helpers.commands import ROOT, left_over, make, verdict_of
from tests.helpers.github_service import Trouble
from tests.helpers.operator import (
    LOCUSTFILE,
    airflow_url,
    forget_switch,
    generators,
    mark_load_failed,
    runbook,
    switch,
)
from tests.helpers.planted import DATABASES, PAGES, Places, Planted, planted

SHORT = {"PROFILE": "smoke", "USERS": "5", "DURATION_S": "15", "TARGET": "demo"}
TAGGED = """SELECT count(*) FROM "user" WHERE account_code LIKE 'LT-%'"""
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def told(tmp_path_factory) -> Iterator[Planted]:
    with planted(tmp_path_factory.mktemp("planted")) as found:
        yield found


@pytest.fixture(scope="module")
def environment(told) -> Iterator[dict]:
    """The embedded environment; one that a person keeps running is started anew, and left running."""
    was_running = (ROOT / ".embedded" / "environment.json").exists()
    if was_running:
        assert make("down").returncode == 0  # its processes know other connections, or none
    with told.passwords(Layout().airflow_home):
        started = make("up", **told.connections())
        assert started.returncode == 0, started.stdout + started.stderr
        yield json.loads((ROOT / ".embedded" / "demo_target" / "ready.json").read_text())
    if was_running:
        assert make("down").returncode == 0
        assert make("up").returncode == 0
        return
    stopped = make("down")
    assert stopped.returncode == 0, stopped.stdout + stopped.stderr
    assert left_over() == []


def tagged_users(environment: dict) -> int:
    connection = psycopg2.connect(environment["database_url"])
    try:
        with connection.cursor() as cursor:
            cursor.execute(TAGGED)
            return cursor.fetchone()[0]
    finally:
        connection.close()


@pytest.fixture(scope="module")
def healthy(environment) -> subprocess.CompletedProcess[str]:  # noqa: ARG001 - it is where the run takes place
    """A run that is as it should be."""
    return make("run", **SHORT)


def test_a_healthy_run_is_green_and_shows_its_progress(environment, healthy, told) -> None:
    """Exit code 0, a progress line, the bundle's verdict, no user left; Slack has its message and Pages the report."""
    verdict, bundle = verdict_of(healthy)
    assert (healthy.returncode, verdict) == (0, "PASS"), healthy.stdout + healthy.stderr
    assert "elapsed" in healthy.stdout
    assert json.loads((bundle / "verdict.json").read_text())["verdict"] == "PASS"
    assert tagged_users(environment) == 0
    message, *thread = told.slack.posts
    assert ("PASS" in message.text, len(thread) >= 2, told.slack.faults) == (True, True, [])
    assert f"load-tests/{bundle.name}/index.html" in told.github.git.content(PAGES)


def test_its_pages_are_behind_airflows_login(healthy) -> None:
    """Refused, then by Airflow's form to the run's page with its report; Airflow's own page of the run has the tab."""
    airflow = airflow_url()
    dag_run = re.search(r"run (make_run__\w+):", healthy.stdout)
    assert dag_run is not None
    with chromium() as browser:
        context = browser.new_context()
        address = f"{airflow}/loadtest/runs/{verdict_of(healthy)[1].name}"
        page = logged_in(context, address, "admin", admin_password(Layout()))
        assert "PASS" in page.locator("main").inner_text()
        assert "Release?" in page.frame_locator("iframe").locator("body").inner_text()
        page.goto(f"{airflow}/dags/load_test_manual/runs/{dag_run[1]}/plugin/load-test")
        inside = page.frame_locator("iframe").locator("main")
        inside.get_by_text("PASS").first.wait_for()
        context.close()


@pytest.fixture(scope="module")
def breach(environment, told) -> subprocess.CompletedProcess[str]:
    """A run with an LLM that gives no answers, behind a warm cache; Slack refuses the token and GitHub fails."""
    faults = environment["base_url"] + "/admin/faults"
    httpx.put(faults, json={"llm_down": True}, timeout=30).raise_for_status()
    told.slack.token, told.github.troubles["*"] = "another", Trouble(status=500)
    try:
        return make("run", **SHORT)
    finally:
        httpx.delete(faults, timeout=30).raise_for_status()
        told.slack.token = told.secrets["Slack"]
        told.github.troubles.clear()


def test_a_breach_is_red(environment, breach) -> None:
    """Exit code 1, SLA_BREACH, no user left."""
    assert (breach.returncode, verdict_of(breach)[0]) == (1, "SLA_BREACH"), breach.stdout
    assert tagged_users(environment) == 0


def test_no_secret_is_written_anywhere(breach, told) -> None:
    """Not with the errors of both services either; where one is written on purpose, it is found."""
    server = running_postgres(Layout().postgres)
    assert server is not None
    places = Places(told, server, Layout().logs, verdict_of(breach)[1])
    found = re.search(r"run (make_run__\w+):", breach.stdout)
    assert found is not None
    own = "".join(file.read_text() for file in Layout().logs.glob(f"tasks/*/run_id={found[1]}/*/attempt=*.log"))
    assert ("Slack refuses: invalid_auth" in own, "GitHub has failed: HTTP 500" in own) == (True, True)
    assert told.with_password() == set(DATABASES)
    assert places.with_secrets() == []
    assert told.in_text("commands", breach.stdout + breach.stderr) == []
    with places.secrets_written() as written:
        assert places.with_secrets() == written


@pytest.mark.long
def test_a_killed_generator_is_inconclusive_and_keeps_its_samples(environment) -> None:
    """kill -9 of Locust in the middle of the load."""

    def kill() -> None:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            for process in psutil.process_iter(["cmdline"]):
                command = process.info["cmdline"] or ()
                if LOCUSTFILE in command and any("load_test_results" in part for part in command):
                    time.sleep(12)
                    process.kill()
                    return
            time.sleep(0.2)

    killer = threading.Thread(target=kill)
    killer.start()
    finished = make("run", **{**SHORT, "DURATION_S": "40"})
    killer.join()
    verdict, bundle = verdict_of(finished)
    assert (finished.returncode, verdict) == (1, "INCONCLUSIVE"), finished.stdout
    reasons = json.loads((bundle / "verdict.json").read_text())["reasons"]
    assert reasons[0]["code"] == "generator_died"
    assert list((bundle / "samples").glob("*.parquet"))
    assert tagged_users(environment) == 0


@pytest.mark.long
def test_a_suite_makes_its_runs_and_has_their_worst_verdict(environment) -> None:
    """Two runs of one DAG run share their users; suite.json says what each came to."""
    finished = make("run", SUITE="quick", TARGET="demo")
    verdict, bundle = verdict_of(finished)
    assert (finished.returncode, verdict) == (0, "PASS"), finished.stdout + finished.stderr
    suite = json.loads((bundle / "suite.json").read_text())
    assert [run["profile"] for run in suite["runs"]] == ["baseline", "smoke"]
    for run in suite["runs"]:
        assert json.loads((bundle.parent / run["run_id"] / "verdict.json").read_text())["verdict"] == "PASS"
    assert (bundle.parent / suite["runs"][0]["run_id"] / "performance_baseline.json").exists()
    assert tagged_users(environment) == 0


def test_the_switch_stops_the_load_and_lets_none_begin(environment) -> None:
    """ABORTED by the operator within seconds; the next run ends before it touches the target. As the runbook has it."""
    known = set(ROOT.glob("load_test_results/*"))

    def switch_on() -> None:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            bundles = set(ROOT.glob("load_test_results/*")) - known
            if any(list(bundle.glob("samples/*.parquet")) for bundle in bundles):
                runbook("stop_load")
                return
            time.sleep(0.2)

    switcher = threading.Thread(target=switch_on)
    switcher.start()
    try:
        finished = make("run", **{**SHORT, "DURATION_S": "90"})
        switcher.join()
        refused = make("run", **SHORT)
        runbook("resume_load")
        assert switch() == "0"
    finally:
        forget_switch()
    verdict, bundle = verdict_of(finished)
    assert (finished.returncode, verdict) == (1, "ABORTED"), finished.stdout
    assert json.loads((bundle / "verdict.json").read_text())["reasons"][0]["code"] == "operator"
    assert json.loads((bundle / "manifest.json").read_text())["load"]["completed"] is False
    assert verdict_of(refused)[0] == "ABORTED"
    assert not (verdict_of(refused)[1] / "samples").exists()
    assert tagged_users(environment) == 0


@pytest.mark.long
def test_a_load_whose_task_is_marked_failed_ends_within_ten_seconds(environment) -> None:
    """ABORTED by the operator, with what was measured until then; the users are removed."""
    known = set(ROOT.glob("load_test_results/*"))
    went_on_s: list[float] = []

    def mark() -> None:
        deadline = time.monotonic() + 120
        loaded: list[Path] = []
        while time.monotonic() < deadline and not loaded:
            bundles = set(ROOT.glob("load_test_results/*")) - known
            loaded = [bundle for bundle in bundles if len(list(bundle.glob("samples/*.parquet"))) >= 2]
            time.sleep(0.2)
        mark_load_failed()
        marked_s = time.monotonic()
        while generators(loaded[0]):
            time.sleep(0.1)
        went_on_s.append(time.monotonic() - marked_s)

    marker = threading.Thread(target=mark)
    marker.start()
    finished = make("run", **{**SHORT, "DURATION_S": "90"})
    marker.join()
    verdict, bundle = verdict_of(finished)
    assert (finished.returncode, verdict) == (1, "ABORTED"), finished.stdout
    reason = json.loads((bundle / "verdict.json").read_text())["reasons"][0]
    assert (reason["code"], "ended from outside" in reason["text"]) == ("operator", True)
    manifest = json.loads((bundle / "manifest.json").read_text())
    assert (manifest["load"]["stopped_by"], manifest["phases"][-1]["name"]) == ("operator", "hold")
    assert list((bundle / "samples").glob("*.parquet"))
    assert went_on_s[0] < 10
    assert tagged_users(environment) == 0


def test_a_target_that_is_gone_gets_no_load(environment) -> None:
    """Killed before the start: INCONCLUSIVE, the address is named, no request was sent."""
    os.kill(environment["pid"], signal.SIGKILL)
    finished = make("run", **SHORT)
    verdict, bundle = verdict_of(finished)
    assert (finished.returncode, verdict) == (1, "INCONCLUSIVE"), finished.stdout
    reasons = json.loads((bundle / "verdict.json").read_text())["reasons"]
    assert reasons[0]["code"] == "target_unreachable"
    assert environment["base_url"] in reasons[0]["text"]
    assert not (bundle / "samples").exists()


@pytest.mark.parametrize(
    ("inputs", "line"),
    [
        ({"PROFILE": "peak_huors"}, "unknown profile 'peak_huors'; did you mean peak_hours?"),
        ({"PROFILE": "smoke", "USERS": "many"}, "USERS: "),
        ({"PROFILE": "smoke", "USERS": "201"}, "users: 201 is outside 1 to 200"),
        ({"PROFILE": "smoke", "TARGET": "dmeo"}, "did you mean demo?"),
        ({"PROFILE": "$(touch hacked)`touch hacked`"}, "unknown profile"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(inputs: dict[str, str], line: str) -> None:
    """One line of ours on standard error (make adds its own), nothing started."""
    finished = make("run", **inputs)
    own = [text for text in finished.stderr.splitlines() if not text.startswith("make")]
    assert finished.returncode == 2
    assert len(own) == 1
    assert line in own[0]
    assert not (ROOT / "hacked").exists()
