"""Whole diagnoses of hand-made runs: the cause before what follows from it, silence on healthy ones."""

from typing import Any

import pytest

from include.loadtest.analysis import bottleneck
from include.loadtest.analysis.bottleneck import diagnosis_of, limits
from include.loadtest.analysis.bottleneck.model import Candidate, Evidence, Symptom
from include.loadtest.analysis.bottleneck.ranking import ranked
from include.loadtest.causes import CAUSES
from include.loadtest.profile.thresholds import load_thresholds
from tests.helpers.made_cases import LOAD, Value, after, counted, made_case, made_requests, missed, moment, requests_of

pytestmark = pytest.mark.unit
CORES = ("process", "app_busiest_process_cpu_cores")
WAIT = ("llm", "llm_wait_seconds_sum")
POOL_WAIT = ("app", "db_pool_wait_seconds_sum")
LOCKS: dict[tuple[str, str], Value] = {
    ("postgres", "lock_waits"): after(30, 3.0),
    ("postgres", 'waiting_backends{type="Lock"}'): after(30, 3.0),
    ("postgres", "lock_wait_longest_s"): lambda at_s: max(0.0, at_s - 30),
}
LATE = made_requests(lambda at_s, _, ms: ms + (600 if at_s >= 30 else 0))


def _causes(document: dict[str, Any]) -> list[str]:
    return [one["cause"] for one in document["causes"]]


def test_healthy_runs_have_no_bottleneck() -> None:
    """Fifty loads, with the usual noise of a machine that is shared."""
    for seed in range(50):
        noise: dict[tuple[str, str], Value] = {
            ("host", "cpu_pct"): lambda at_s, seed=seed: 40 + (at_s * 7 + seed * 13) % 60,  # type: ignore[misc]
            ("app", "metrics_page_ms"): lambda at_s, seed=seed: 10 + (at_s * 11 + seed * 17) % 90,  # type: ignore[misc]
            ("redis", "ping_ms"): lambda at_s, seed=seed: (at_s * 5 + seed * 3) % 20,  # type: ignore[misc]
        }
        document = diagnosis_of(made_case(noise, requests=made_requests(seed=seed)))
        assert (document["state"], document["causes"], document["symptoms"]) == ("no_bottleneck", [], [])


def test_a_lock_comes_before_the_connections_that_it_uses_up() -> None:
    """Both are there; the pool waits because statements wait."""
    figures = {**LOCKS, POOL_WAIT: counted(after(30, 4.0))}
    found = diagnosis_of(made_case(figures, requests=LATE))["causes"]
    assert [(one["cause"], one["explained_by"]) for one in found] == [
        ("locks", None),
        ("database_connections", "locks"),
    ]


def test_a_statement_that_waits_for_a_lock_is_not_slow_besides() -> None:
    """It takes long for its waiting; another statement that is slow by itself stays."""
    exec_ms: dict[tuple[str, str], Value] = {("postgres", 'statement_exec_ms{queryid="7"}'): counted(after(30, 900.0))}
    seen = [
        {"kind": "lock_wait", "ts": moment(40), "statement": "UPDATE counter SET n = ? WHERE id = ?"},
        {"kind": "statement", "ts": moment(0), "queryid": "7", "text": "UPDATE counter SET n = $1 WHERE id = $2"},
    ]
    assert _causes(diagnosis_of(made_case({**LOCKS, **exec_ms}, requests=LATE, observations=seen))) == ["locks"]
    seen[1]["text"] = "SELECT everything"
    both = _causes(diagnosis_of(made_case({**LOCKS, **exec_ms}, requests=LATE, observations=seen)))
    assert both == ["locks", "slow_queries"]
    running: dict[tuple[str, str], Value] = {**LOCKS, ("postgres", "slow_queries_running"): after(30, 3.0)}
    assert _causes(diagnosis_of(made_case(running, requests=LATE, observations=seen[:1]))) == ["locks"]


def test_a_slow_llm_comes_before_the_connections_that_are_held_meanwhile() -> None:
    """Whoever waits for the LLM with a connection in hand makes others wait for one."""
    figures: dict[tuple[str, str], Value] = {WAIT: counted(after(30, 6.0, 1.0)), POOL_WAIT: counted(after(30, 4.0))}
    assert _causes(diagnosis_of(made_case(figures, requests=LATE))) == ["llm_slow", "database_connections"]


def test_a_pool_that_is_used_up_beside_a_usual_llm_is_the_connections() -> None:
    """Held for as long as ever, but too few."""
    assert _causes(diagnosis_of(made_case({POOL_WAIT: counted(after(30, 4.0))}, requests=LATE))) == [
        "database_connections"
    ]


def test_a_busy_core_explains_a_late_loop_and_on_one_machine_a_late_generator() -> None:
    """The loop is named by no candidate of its own, the generator as the second."""
    figures: dict[tuple[str, str], Value] = {
        CORES: after(30, 0.95, 0.1),
        ("app", "event_loop_lag_ms"): after(30, 400.0, 3.0),
        ("generator", "run_queue_wait_ms_per_s"): after(30, 600.0, 10.0),
    }
    assert _causes(diagnosis_of(made_case(figures, requests=LATE))) == ["cpu", "generator"]


def test_a_starved_generator_is_not_blamed_on_an_idle_target() -> None:
    """A busy machine is not the target's CPU, and its late loop is the machine's."""
    figures: dict[tuple[str, str], Value] = {
        ("generator", "run_queue_wait_ms_per_s"): after(30, 600.0, 10.0),
        ("generator", "loop_lag_ms"): after(30, 300.0, 5.0),
        ("host", "cpu_pct"): after(30, 100.0, 30.0),
        ("app", "event_loop_lag_ms"): after(30, 250.0, 3.0),
    }
    assert _causes(diagnosis_of(made_case(figures, requests=LATE)))[0] == "generator"


def test_two_faults_at_once_are_both_named() -> None:
    """Independent ones, in the order of what they cost."""
    requests = made_requests(lambda _, __, ms: ms + (2600 if ms > 500 else 60))
    figures: dict[tuple[str, str], Value] = {CORES: 0.95, WAIT: counted(5.0)}
    assert set(_causes(diagnosis_of(made_case(figures, requests=requests)))) == {"llm_slow", "cpu"}
    figures = {("redis", "flush_commands"): after(30, 1.0), **LOCKS}
    assert set(_causes(diagnosis_of(made_case(figures, requests=LATE)))) == {"locks", "cache_misses"}


def test_what_began_after_the_symptom_did_not_bring_it_about() -> None:
    """It stays, behind what did."""
    figures: dict[tuple[str, str], Value] = {
        CORES: after(45, 0.95, 0.1),
        POOL_WAIT: counted(after(20, 3.0)),
    }
    early = made_requests(lambda at_s, _, ms: ms + (600 if at_s >= 20 else 0))
    assert _causes(diagnosis_of(made_case(figures, requests=early))) == ["database_connections", "cpu"]


def test_a_symptom_without_a_cause_is_not_known_with_its_place() -> None:
    """Errors, or a delay, of one endpoint with nothing saturated: no guess."""
    errors = made_requests(outcome=lambda _, name: "http_error" if name == "legal_search" else "ok")
    document = diagnosis_of(made_case(requests=errors))
    assert (document["state"], document["causes"]) == ("not_known", [])
    assert "100.0 % of the requests to legal_search fail (http error 500)" in document["sentence"]
    late = made_requests(lambda at_s, name, ms: ms + (900 if name == "tax_iva" and at_s > 25 else 0))
    document = diagnosis_of(made_case(requests=late))
    assert document["state"] == "not_known"
    assert "requests to tax_iva take" in document["sentence"]
    assert "08:00:2" in document["sentence"]
    assert document["next_step"].startswith("Trace one such request (tax_iva) in the application")


def test_missing_sources_are_named_and_nothing_is_guessed() -> None:
    """A shift with hardly a source: not known, and what was not looked at."""
    sources = ["postgres", "redis", "app", "llm", "process", "host", "generator"]
    document = diagnosis_of(made_case(without=sources, requests=LATE, reasons=[missed()]))
    assert document["state"] == "not_known"
    assert "may be in the application, PostgreSQL, the cache, the load generator or the LLM" in document["sentence"]
    assert document["next_step"].startswith(
        "Get readings of the application, PostgreSQL, the cache, the load generator"
    )
    assert len(document["not_measured"]) >= 4


def test_the_application_is_blamed_for_time_that_is_nowhere_else_only() -> None:
    """All of its servers were measured, and hold less than half of the time; a missing one may be the place."""
    late = made_requests(lambda _, __, ms: ms + 3000)
    document = diagnosis_of(made_case(requests=late, reasons=[missed()]))
    assert "of the requests' time is spent in the application outside of its servers" in document["sentence"]
    blind = diagnosis_of(made_case(without=["postgres"], requests=late, reasons=[missed()]))
    assert "the cause may be in PostgreSQL, which was not measured" in blind["sentence"]
    assert "application" not in blind["sentence"] + blind["next_step"]
    calm = diagnosis_of(made_case(without=["postgres"]))
    assert calm["state"] == "no_bottleneck"
    assert calm["sentence"].endswith("; not measured: PostgreSQL.")


def test_a_load_without_a_request_is_no_healthy_one() -> None:
    """Nothing is known of it."""
    document = diagnosis_of(made_case(requests=requests_of([])))
    assert document["state"] == "not_known"
    assert "not one request was recorded" in document["sentence"]


def _raising(_: object) -> list[Any]:
    raise KeyError("odd\x1b[31m")


def test_a_check_that_fails_takes_no_other_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is named; causes that others see are told, and without any the answer is that it is not known."""
    broken = tuple((cause, _raising if cause == "locks" else detect) for cause, detect in bottleneck.DETECTORS)
    monkeypatch.setattr(bottleneck, "DETECTORS", broken)
    document = diagnosis_of(made_case({CORES: 0.95}))
    assert _causes(document) == ["cpu"]
    (said,) = document["not_measured"]
    assert said.startswith("the check for locks failed: KeyError")
    assert said.isprintable()
    calm = diagnosis_of(made_case())
    assert calm["state"] == "not_known"
    assert "the check for locks failed" in calm["sentence"]


@pytest.mark.parametrize("name", ["symptoms", "ranked", "time_budget", "not_measured", "with_correlation", "place"])
def test_no_part_of_the_diagnosis_ends_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever raises: there is a document that names it, and what failed is never taken for health."""
    monkeypatch.setattr(bottleneck, name, lambda *_: _raising(None))
    for figures in ({}, {CORES: 0.95}):
        for requests in (made_requests(), made_requests(lambda _, __, ms: ms + 9000)):
            document = diagnosis_of(made_case(figures, requests=requests, reasons=[missed()]))
            assert document["state"] in ("bottleneck", "not_known")
            assert name in ("place", "with_correlation") or "failed: KeyError" in document["not_measured"][-1]


def _candidate(cause: str, weight: float | None, **changes: Any) -> Candidate:
    given = {"strength": "strong", "facts": "", "next_step": "", "plain": True, **changes}
    evidence = (Evidence("postgres", "", given.pop("metric", "x"), 1.0, "", LOAD, ""),)
    return Candidate(cause, evidence=evidence, weight=weight, **given)


@pytest.mark.parametrize(("weight", "first"), [(0.01, "slow_queries"), (0.19, "slow_queries"), (0.9, "locks")])
def test_a_cause_explains_only_what_it_is_large_enough_for(weight: float, first: str) -> None:
    """A wait of a second in one reading is not why a statement takes nearly half of the time."""
    found = [_candidate("locks", weight), _candidate("slow_queries", 0.45, statement="SELECT 1")]
    assert ranked(made_case(), found, [])[0].cause == first
    large = [_candidate("locks", 0.25), _candidate("slow_queries", 0.8, statement="SELECT 1")]
    assert ranked(made_case(), large, [])[0].cause == "slow_queries"


def test_few_waits_for_a_lock_do_not_hide_a_slow_statement() -> None:
    """Nor where only its running is known: the statement that waits is left out where its waits take the time."""
    both = [_candidate("locks", 0.02, statement="UPDATE a"), _candidate("slow_queries", 0.5, statement="UPDATE a")]
    assert [one.cause for one in ranked(made_case(), both, [])] == ["slow_queries", "locks"]
    both[0] = _candidate("locks", 0.6, statement="UPDATE a")
    assert [one.cause for one in ranked(made_case(), both, [])] == ["locks"]


def test_a_flush_is_never_explained_by_evictions() -> None:
    """Keys that somebody took away were not thrown away for want of room."""
    evicted = _candidate("cache_evictions", 0.6)
    flushed = _candidate("cache_misses", 0.8, metric="flush_commands")
    assert [one.cause for one in ranked(made_case(), [evicted, flushed], [])] == ["cache_misses", "cache_evictions"]
    missed_keys = _candidate("cache_misses", 0.8, metric="keyspace_hits")
    assert ranked(made_case(), [evicted, missed_keys], [])[0].cause == "cache_evictions"


def test_an_unknown_share_stands_behind_known_ones_of_the_same_strength() -> None:
    """But before what is only concluded; what is thin and no finding of its own is left out."""
    found = [
        _candidate("memory", None),
        _candidate("network", 0.9, strength="moderate"),
        _candidate("llm_errors", 0.3),
        _candidate("disk", 0.01, plain=False),
    ]
    seen = [Symptom("slo_missed", "too slow")]
    assert [one.cause for one in ranked(made_case(), found, seen)] == ["llm_errors", "memory", "network"]


def test_alerts_as_delivered_begin_where_the_specification_does() -> None:
    """One table of the specification, two decisions: they may part at an operator's, not in what is delivered."""
    alerts = {one.metric: one.limit for one in load_thresholds().thresholds}
    assert alerts["host_cpu_pct"] == 100 * limits.BUSY_SHARE
    assert alerts["cache_hit_rate"] == limits.HIT_RATE
    assert alerts["slow_queries_per_min"] == limits.SLOW_STATEMENTS_PER_MIN
    assert alerts["error_rate"] == limits.ERROR_SHARE


def test_a_document_names_known_causes_with_their_evidence() -> None:
    """Ids of the list, times in UTC, and every piece of evidence with its window."""
    document = diagnosis_of(made_case({**LOCKS, CORES: 0.9}, requests=LATE, reasons=[missed()]))
    assert document["schema"] == 1
    assert document["sentence"] == document["causes"][0]["sentence"]
    for cause in document["causes"]:
        assert cause["component"] == CAUSES[cause["cause"]].component
        assert cause["evidence"]
        assert all(one["from"] < one["to"] and one["to"].endswith("Z") for one in cause["evidence"])
