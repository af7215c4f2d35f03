"""A whole run without Airflow: real target, real Locust, real databases; and the same with faults."""

import threading
import time
from dataclasses import replace

import psycopg2
import pytest

from include.loadtest.errors import ConfigError
from include.loadtest.orchestration.load_text import load_sentence
from include.loadtest.orchestration.pipeline import run_stage
from include.loadtest.orchestration.target_use import leave_target
from include.loadtest.target.settings import Target, load_target_file
from tests.helpers.demo import await_ready, demo_target, launch, stop, stop_servers
from tests.loadtest.orchestration.conftest import context_of, run_all

pytestmark = pytest.mark.integration
TAGGED = """SELECT count(*) FROM "user" WHERE account_code LIKE 'LT-%%'"""


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    with demo_target(tmp_path_factory.mktemp("demo")) as target:
        yield target


@pytest.fixture(scope="module")
def finished(demo, history_url, tmp_path_factory):
    """A healthy run that has ended, and its verdict: what several tests look at is measured once."""
    context = context_of(demo, history_url, tmp_path_factory.mktemp("run"), "smoke-healthy", users=5, duration_s=12)
    return context, run_all(context)


def codes(verdict) -> list[str]:
    return [reason["code"] for reason in verdict["reasons"]]


def causes(context) -> list[str]:
    return [cause["cause"] for cause in context.bundle.read("diagnosis.json")["causes"]]


def locks(url: str) -> int:
    connection = psycopg2.connect(url)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM loadtest.target_lock")
            return cursor.fetchone()[0]
    finally:
        connection.close()


def test_a_healthy_run_passes_with_all_its_files_and_leaves_nothing_behind(demo, finished, history_url) -> None:
    """PASS, samples equal the target's count, the documented files, no user, no lock, no token."""
    context, verdict = finished
    assert verdict["verdict"] == "PASS", verdict["reasons"]
    critical = {slo["metric"]: slo for slo in verdict["slos"] if slo["level"] == "critical"}
    judged = {name: slo for name, slo in critical.items() if not name.startswith("host_")}
    assert {"latency_p95_ms", "latency_p99_ms", "error_rate", "throughput_rpm"} <= judged.keys()
    assert all(slo["outcome"] == "met" and slo["n"] > 0 for slo in judged.values())
    shared_host = {critical[name]["outcome"] for name in ("host_cpu_pct", "host_memory_pct")}
    assert shared_host == {"not_judged"}, "the demo target's host is the generator's"
    with demo.client() as client:
        counted = client.get("/admin/requests", params={"run_id": "smoke-healthy"}).json()
    manifest = context.bundle.read("manifest.json")
    assert (manifest["restart"]["kind"], manifest["gaps"]) == ("same", [])
    assert manifest["sizes"]["after_load"]["row_counts"]["user"] == 200
    assert manifest["sizes"]["after_cleanup"]["row_counts"]["user"] == 0
    assert manifest["growth"]["bundle_bytes"] > 0
    metrics = context.bundle.read("metrics.json")
    requests = sum(sum(outcomes.values()) for outcomes in metrics["outcomes"].values())
    assert requests == counted["load"] > 30
    names = {path.name for path in context.bundle.path.iterdir()}
    assert {
        "manifest.json", "samples", "resources", "errors.json", "metrics.json", "validation.json", "comparison.json",
        "verdict.json", "locust_results.html", "performance_snapshots.json", "diagnosis.json",
    } <= names  # fmt: skip
    diagnosis = context.bundle.read("diagnosis.json")
    assert (diagnosis["state"], diagnosis["causes"]) == ("no_bottleneck", []), diagnosis["sentence"]
    assert any(name.startswith("load_test_report_") for name in names)
    assert any(name.startswith("load_test_summary_") for name in names)
    assert demo.sql(TAGGED) == [(0,)]
    assert demo.sql("SELECT count(*) FROM documents")[0] == (0,)
    assert locks(history_url) == 0
    assert not context.work_dir.exists()


def test_the_other_engine_gives_the_same_bundle_and_verdict(demo, new_run) -> None:
    """ENGINE=k6: PASS by the same metrics and limits, samples equal the target's count, its own page, its version."""
    context = new_run(demo, "smoke-k6")
    order = replace(context.order, overrides=replace(context.order.overrides, engine="k6"))
    verdict = run_all(replace(context, order=order))
    assert (verdict["verdict"], verdict["engine"]) == ("PASS", "k6"), verdict["reasons"]
    critical = [slo for slo in verdict["slos"] if slo["level"] == "critical" and not slo["metric"].startswith("host_")]
    assert {"latency_p95_ms", "latency_p99_ms", "error_rate", "throughput_rpm"} <= {slo["metric"] for slo in critical}
    assert {slo["outcome"] for slo in critical} == {"met"}
    with demo.client() as client:
        counted = client.get("/admin/requests", params={"run_id": "smoke-k6"}).json()
    metrics = context.bundle.read("metrics.json")
    assert sum(sum(outcomes.values()) for outcomes in metrics["outcomes"].values()) == counted["load"] > 30
    first_tokens = [row["value"] for row in metrics["metrics"] if row["metric"] == "ttft_p95_ms"]
    assert set(first_tokens) <= {None}, "k6 does not measure the first token"
    assert context.bundle.read("manifest.json")["tools"]["k6"].startswith("v")
    names = {path.name for path in context.bundle.path.iterdir()}
    assert {"samples", "resources", "metrics.json", "validation.json", "verdict.json", "k6_summary.html"} <= names
    assert any(name.startswith("load_test_summary_") for name in names)


def test_a_second_run_is_shown_beside_the_first(demo, finished, new_run) -> None:
    """Differences to the last comparable run are listed, and decide nothing."""
    context = new_run(demo, "smoke-second")
    assert run_all(context)["verdict"] == "PASS"
    assert context.bundle.read("comparison.json")["previous_run_id"] == finished[0].bundle.run_id


def test_a_load_is_sent_once(finished) -> None:
    """The same run cannot be sent again; what it measured stays."""
    context, verdict = finished
    for name in ("preflight", "run_profile"):
        with pytest.raises(ConfigError, match="ended or sent its load already"):
            run_stage(context, name)
    assert run_all(context) == verdict, "a cleared DAG run keeps what it found"


def test_judging_needs_the_bundle_and_nothing_else(finished) -> None:
    """A target whose addresses cannot be had any more changes no verdict."""

    def gone(name: str) -> Target:
        raise ConfigError(f"target {name}: no address")

    context, verdict = finished
    for name in ("validate_sla", "diff_history", "diagnose"):
        run_stage(replace(context, load_target=gone), name)
    assert context.bundle.read("verdict.json") == verdict


def test_an_llm_that_gives_no_answers_is_a_breach(demo, new_run) -> None:
    """Status 200 throughout, and a cache that is still warm: the new questions prove it."""
    context = new_run(demo, "smoke-llm-down")
    with demo.client() as client:
        client.put("/admin/faults", json={"llm_down": True}).raise_for_status()
        try:
            verdict = run_all(context)
        finally:
            client.delete("/admin/faults").raise_for_status()
    assert verdict["verdict"] == "SLA_BREACH"
    assert any(slo["metric"] == "error_rate" and slo["outcome"] == "missed" for slo in verdict["slos"])
    assert causes(context)[0] == "llm_errors"
    assert demo.sql(TAGGED) == [(0,)]


def test_a_limiter_of_one_address_is_named_and_no_load_is_sent(demo, new_run, history_url) -> None:
    """The test would have measured the limiter."""
    context = new_run(demo, "smoke-limited")
    with demo.client() as client:
        client.put("/admin/faults", json={"rate_limits": True}).raise_for_status()
        try:
            verdict = run_all(context)
        finally:
            client.delete("/admin/faults").raise_for_status()
        counted = client.get("/admin/requests", params={"run_id": "smoke-limited"}).json()
    assert (verdict["verdict"], codes(verdict)) == ("INCONCLUSIVE", ["rate_limiter"])
    assert "RATELIMIT_ENABLED=false" in verdict["reasons"][0]["text"]
    assert counted["load"] == 0
    assert causes(context) == ["rate_limiter"]
    assert locks(history_url) == 0


def test_a_target_that_dies_half_way_is_a_breach(new_run, tmp_path) -> None:
    """The samples are valid and prove it, though the monitors died with the target."""
    process = launch(tmp_path / "demo")
    try:
        demo = await_ready(process, tmp_path / "demo")
        context = new_run(demo, "smoke-target-dies", duration_s=15)

        def kill() -> None:
            deadline = time.monotonic() + 90
            while time.monotonic() < deadline and len(list(context.bundle.samples_dir.glob("*.parquet"))) < 3:
                time.sleep(0.2)
            process.kill()

        killer = threading.Thread(target=kill)
        killer.start()
        verdict = run_all(context)
        killer.join()
    finally:
        stop(process)
        stop_servers(tmp_path / "demo")
    assert verdict["verdict"] == "SLA_BREACH", verdict["reasons"]
    outcomes = context.bundle.read("metrics.json")["outcomes"]["hold"]
    assert outcomes["ok"] > 0
    assert outcomes["connection_error"] > 0
    assert any(reason["code"] == "target_restarted" for reason in verdict["reasons"])


def test_a_target_that_is_down_gets_no_load(demo, new_run, history_url) -> None:
    """INCONCLUSIVE with the address and what to do; the report is written all the same."""
    context = new_run(replace(demo, base_url="http://127.0.0.1:9"), "smoke-down")
    verdict = run_all(context)
    assert (verdict["verdict"], codes(verdict)) == ("INCONCLUSIVE", ["target_unreachable"])
    assert any(path.name.startswith("load_test_summary_") for path in context.bundle.path.iterdir())
    assert locks(history_url) == 0


def test_an_address_outside_the_allow_list_gets_no_load(demo, new_run, history_url) -> None:
    """INCONCLUSIVE with one line that names the address and where it would be allowed; nothing was asked of it."""
    elsewhere = new_run(replace(demo, base_url="http://203.0.113.9:8000"), "smoke-not-allowed")
    verdict = run_all(elsewhere)
    assert (verdict["verdict"], codes(verdict)[0]) == ("INCONCLUSIVE", "stage_failed")
    assert (
        "http://203.0.113.9:8000 is not allowed; add 203.0.113.9 in include/profiles/targets/demo.yaml"
        in (verdict["reasons"][0]["text"])
    )
    assert "\n" not in verdict["reasons"][0]["text"]
    assert "environment" not in elsewhere.manifest()
    assert locks(history_url) == 0


def test_preflight_says_what_is_going_to_be_sent(demo, new_run, caplog) -> None:
    """The sentence of the form, for the run's own users and minutes and the chosen target."""
    context = new_run(demo, "smoke-told", users=3)
    with caplog.at_level("INFO", "loadtest"):
        run_stage(context, "preflight")
    leave_target(context)
    assert load_sentence(context.order.load_profile(), load_target_file("demo")) in caplog.messages
