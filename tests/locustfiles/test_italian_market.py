"""A real Locust checks each requirement against the real demo target, and notes what it found."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from include.loadtest import run
from include.loadtest.bundle import Bundle
from include.loadtest.metrics.engine import compute_metrics
from include.loadtest.profile import Profile, find_profile, load_profile_text
from include.loadtest.profile.vocabulary import REQUIREMENT_METRICS, REQUIREMENTS, SCENARIOS
from include.loadtest.runners.generator import LoadRequest, LoadResult, load_reasons, phase_spans
from include.loadtest.runners.locust import run_locust
from include.loadtest.target.sessions import ensure_sessions
from include.loadtest.target.settings import Target, TargetFile, load_target_file
from include.loadtest.target.users import seed_users
from include.loadtest.validation.evidence import read_evidence
from include.loadtest.validation.validity import validity_reasons
from tests.helpers.demo import DemoTarget, demo_target

pytestmark = pytest.mark.integration
RUN_ID = "italian-test-1"
AT_ONCE = 2
USERS = AT_ONCE + 1


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoTarget]:
    with demo_target(tmp_path_factory.mktemp("demo")) as target:
        yield target


@pytest.fixture
def faults(demo: DemoTarget) -> Iterator[Callable[..., None]]:
    with demo.client() as client:
        yield lambda **values: client.put("/admin/faults", json=values).raise_for_status()
        client.delete("/admin/faults").raise_for_status()


@pytest.fixture(scope="module")
def sessions(demo: DemoTarget, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuple[int, ...]]:
    """Sessions of the seeded users: the file, and their numbers."""
    target = Target.checked(load_target_file("demo"), demo.base_url, demo.database_url, demo.redis_url)
    numbers = seed_users(target, RUN_ID).usable[:USERS]
    path = tmp_path_factory.mktemp("work") / "sessions.json"
    ensure_sessions(target, numbers, path, RUN_ID)
    return path, numbers


@pytest.fixture
def load_request(demo: DemoTarget, sessions: tuple[Path, tuple[int, ...]], tmp_path: Path) -> LoadRequest:
    path, numbers = sessions
    file: TargetFile = load_target_file("demo")
    return LoadRequest(
        bundle=Bundle(tmp_path / RUN_ID),
        profile=short_profile(),
        base_url=demo.base_url,
        api_prefix="/api/v1",
        forwarded_for=False,
        sessions_file=path,
        user_numbers=numbers,
        work_dir=tmp_path,
        caps=("20121", "10121"),
        check_paths=file.check_paths.model_dump(),
    )


def short_profile() -> Profile:
    """The committed profile with one attempt of nearly each requirement, small documents, and two at once."""
    data = yaml.safe_load(find_profile("italian_market").read_text(encoding="utf-8"))
    data["users"] = USERS
    data["checks"] |= {
        "repeats": {"simple_search": 3, "gdpr_export": 2},
        "scenario_repeats": 1,
        "bulk_items": 10,
        "documents_at_once": AT_ONCE,
        "document_bytes": {"small": 100_000, "medium": 1_100_000, "large": 5_500_000},
    }
    for slo in data["slos"]:
        slo["limit"] = AT_ONCE if slo["metric"] == "documents_at_once" else slo["limit"]
    return load_profile_text(yaml.safe_dump(data, allow_unicode=True), "short.yaml")


def checked(request: LoadRequest, lines: list[str] | None = None) -> tuple[LoadResult, dict[str, dict[str, Any]]]:
    """The load's end, and the row of each requirement."""
    result = run_locust(request, print if lines is None else lines.append)
    spans = phase_spans(request.profile.stages(), result)
    request.bundle.update_manifest(load=result.document(), phases=spans)
    document = compute_metrics(request.bundle, request.profile)
    return result, {row["metric"]: row for row in document["metrics"] if row["metric"] in REQUIREMENT_METRICS}


def test_each_requirement_is_measured_and_the_load_ends_when_all_are(
    demo: DemoTarget, load_request: LoadRequest
) -> None:
    """Every request is a sample, the test is valid, and a client's data are really gone from the database."""
    lines: list[str] = []
    result, rows = checked(load_request, lines)
    log = (load_request.bundle.path / "generator.log").read_text()
    assert result.completed, log
    assert {metric: row["n"] for metric, row in rows.items() if row["value"] is None} == {}, log
    assert rows["simple_search_s"]["n"] == 3
    assert (rows["documents_at_once"]["value"], rows["documents_lost"]["value"]) == (USERS, 0)
    assert 0.5 < rows["index_update_s"]["value"] < 10
    samples = duckdb.sql(f"SELECT scenario, outcome FROM '{load_request.bundle.samples_dir}/*.parquet'").fetchall()
    with demo.client() as client:
        counted = client.get("/admin/requests", params={"run_id": RUN_ID}).json()["load"]
    assert len(samples) == counted
    assert {outcome for _, outcome in samples} == {"ok"}, log
    assert {scenario for scenario, _ in samples} == {*REQUIREMENTS, *SCENARIOS}
    assert all(any(line.startswith(f"{name}: ") for line in lines) for name in REQUIREMENTS)
    manifest = load_request.bundle.read(run.MANIFEST)
    assert [span["name"] for span in manifest["phases"]] == ["hold"]
    assert load_reasons(load_request.profile, result.document()) == []
    evidence = read_evidence(load_request.bundle, manifest)
    reasons = [reason.code for reason in validity_reasons(load_request.profile, manifest, evidence, ())]
    assert set(reasons) <= {"generator_starved"}  # which says of this machine that others use it too
    assert demo.sql("SELECT nome, codice_fiscale FROM clients ORDER BY id DESC LIMIT 1") == [("ANONIMIZZATO",) * 2]


def test_what_is_missing_lost_or_failing_is_told_apart(load_request: LoadRequest, faults: Callable[..., None]) -> None:
    """A route that is not there, a path that nobody knows, a document that is not kept, and an answer 500."""
    faults(
        hidden=["documents_search"],
        error_share={"data_rights_erase": 1.0},
        document_slots=2,
        lose_queued=True,
        kind_added_ms={"document_small": 500},
    )
    paths = {**load_request.check_paths, "audit_query": None}
    result, rows = checked(replace(load_request, check_paths=paths))
    assert result.completed
    assert "GET /documents/search?q=" in rows["index_update_s"]["not_exposed"]
    assert "check_paths.audit_query" in rows["audit_query_s"]["not_exposed"]
    assert (rows["documents_at_once"]["value"], rows["documents_lost"]["value"]) == (AT_ONCE, 1)
    assert (rows["gdpr_deletion_s"]["value"], rows["gdpr_deletion_s"]["failed"]) == (None, 1)
    others = set(rows) - {"index_update_s", "audit_query_s", "gdpr_deletion_s"}
    assert all(rows[metric]["value"] is not None for metric in others)


def test_an_answer_that_only_looks_like_one_is_a_miss(
    demo: DemoTarget, load_request: LoadRequest, faults: Callable[..., None]
) -> None:
    """Data that are kept, a log that is not written, a chat that fails; searches without a hit are noted."""
    quick = load_request.profile.model_copy(
        update={
            "slos": tuple(
                slo.model_copy(update={"limit": 3}) if slo.metric == "gdpr_deletion_s" else slo
                for slo in load_request.profile.slos
            )
        }
    )
    demo.sql("DELETE FROM audit_events")  # what earlier tests did with the same user
    faults(
        erase_ignored=True,
        audit_stopped=True,
        search_empty=True,
        hidden=["documents_get"],
        error_share={"chat_stream": 1.0},
    )
    result, rows = checked(replace(load_request, profile=quick))
    assert result.completed
    assert (rows["gdpr_deletion_s"]["lower_bound"], rows["gdpr_deletion_s"]["value"] >= 6) == (True, True)
    assert (rows["audit_query_s"]["failed"], rows["compliance_report_s"]["failed"]) == (1, 0)
    assert rows["simple_search_s"]["hits"] == [0, 0, 0]
    assert "GET /documents/{id}: HTTP 404" in rows["documents_lost"]["not_exposed"]
    assert rows["documents_at_once"]["value"] == USERS
    rates = {row["scope"]: row["value"] for row in load_request.bundle.read(run.METRICS)["metrics"] if is_rate(row)}
    assert {scope for scope, rate in rates.items() if rate} == {"scenario:simple_query", "scenario:complex_query"}


def is_rate(row: dict[str, Any]) -> bool:
    return row["metric"] == "error_rate" and row["scope"].partition(":")[2] in SCENARIOS


def test_a_failed_upload_is_a_missed_requirement(load_request: LoadRequest, faults: Callable[..., None]) -> None:
    """Also that of the index, whose limit is longer than an upload may take."""
    faults(error_share={"documents_upload": 1.0})
    result, rows = checked(load_request)
    assert result.completed
    failed = {metric for metric, row in rows.items() if row["failed"]}
    assert failed == {"small_document_s", "medium_document_s", "large_document_s", "index_update_s"}
    assert (rows["documents_at_once"]["value"], rows["documents_lost"]["value"]) == (0, USERS)


def test_an_error_of_the_checks_own_ends_the_load(load_request: LoadRequest) -> None:
    """A note that cannot be written, as on a full disk: the list is not begun again, and the load not complete."""
    (load_request.bundle.path / "checks.tmp").mkdir(parents=True)
    result = run_locust(load_request, print)
    assert (result.completed, result.stopped_by) == (False, "scenario_failed")
    log = (load_request.bundle.path / "generator.log").read_text()
    assert log.count("the checks broke off") == 1, log


def test_a_stop_ends_it_in_order_and_what_was_not_reached_has_no_figure(
    load_request: LoadRequest, faults: Callable[..., None]
) -> None:
    """The generator is gone within seconds, and says that it is not complete."""
    faults(latency_added_ms={"documents_upload": 60_000})
    began_s: list[float] = []

    def stop() -> bool:
        if not began_s and (load_request.bundle.path / "generator-w0.json").exists():
            began_s.append(time.monotonic())
        return bool(began_s) and time.monotonic() - began_s[0] > 1

    result = run_locust(load_request, print, stop)
    assert (result.completed, result.stopped_by) == (False, "operator")
    assert time.monotonic() - began_s[0] < 15
    notes = load_request.bundle.path / run.CHECKS
    done = json.loads(notes.read_text())["requirements"] if notes.exists() else {}
    assert "compliance_report" not in done
