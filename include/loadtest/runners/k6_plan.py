"""What k6 is told: every number, text and expected value of the load, from the profile and the scenarios' own modules.

Nothing of it stands in the script. `write_script_plan` puts it beside the generator's plan.
"""

import json
import zlib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from include.loadtest.profile import Profile, Slo, Stage
from include.loadtest.run import (
    HEADER_PHASE,
    HEADER_RUN_ID,
    PLAIN_BODIES,
    SESSION_MAX_AGE_S,
    TEST_USER_EMAIL,
    TEST_USER_PASSWORD,
)
from include.loadtest.runners.generator import LoadRequest
from include.loadtest.runners.process import DRAIN_S
from include.loadtest.scenarios.checks import ERROR_SENTENCE, MAX_ERROR_TEXT_CHARS, MIN_ANSWER_CHARS
from include.loadtest.scenarios.documents import DOCUMENT_KINDS, UPLOAD_QUESTION, multipart
from include.loadtest.scenarios.draws import Zipf
from include.loadtest.scenarios.taxes import LEAST_HUNDREDS, MOST_HUNDREDS, TAX_KINDS, TOLERANCE_EUR, tax_case
from include.loadtest.scenarios.texts import NEW_QUESTION, RESULTS_WANTED, question_pool, search_pool

RENEWAL_TIMEOUT = "60s"
HELD_UP_S = 60
"""A script that was held up for longer sends nothing more: the lease of its target may be over."""
SUMMARY_FILE = "k6-summary.json"
_AMOUNTS = range(100 * LEAST_HUNDREDS, 100 * MOST_HUNDREDS + 1, 100)
_PERCENTILE_OF = {"latency_p50_ms": 50, "latency_p90_ms": 90, "latency_p95_ms": 95, "latency_p99_ms": 99}
_STATS = ["min", "med", "avg", "p(90)", "p(95)", "p(99)", "max", "count"]


def write_script_plan(request: LoadRequest) -> Path:
    """Write the script's plan and the files that it names into the work directory; returns its path."""
    folder = request.work_dir
    profile = request.profile
    numbers = request.user_numbers[: profile.users]
    plan = {
        "base_url": request.base_url,
        "api_prefix": request.api_prefix,
        "caps": request.caps,
        "user_numbers": numbers,
        "user_spans": user_spans(profile.stages(), len(numbers)),
        "sessions_file": str(request.sessions_file.resolve()),
        "run_id": request.bundle.run_id,
        "run_key": zlib.crc32(request.bundle.run_id.encode()),
        "headers": {HEADER_RUN_ID: request.bundle.run_id, HEADER_PHASE: "load", **PLAIN_BODIES},
        "summary_file": str((folder / SUMMARY_FILE).resolve()),
        "options": {**script_options(profile, len(numbers)), **hosts_option(request)},
        "held_up_s": HELD_UP_S,
        "renewal": _renewal(request.bundle.run_id),
        "documents": _documents(folder),
        "taxes": _taxes(request.caps, folder),
        **_of_profile(profile),
    }
    path = folder / "k6-plan.json"
    path.write_text(json.dumps(plan), encoding="utf-8")
    return path


def _of_profile(profile: Profile) -> dict[str, Any]:
    wanted = profile.questions
    deck = profile.deck()
    return {
        "seed": profile.seed,
        "load_s": profile.load_s,
        "think_time_s": profile.think_time_s.model_dump(),
        "deck": [name for name, count in deck.items() for _ in range(count)],
        "timeouts": {name: timeout(profile, name) for name, cards in deck.items() if cards},
        "questions": {
            "pools": {
                "simple_query": question_pool("simple_query", wanted.pool_size),
                "complex_query": question_pool("complex_query", wanted.pool_size),
            },
            "cumulative": Zipf(wanted.pool_size, wanted.zipf_exponent).cumulative,
            "new_share": wanted.new_share,
            "new_form": NEW_QUESTION,
        },
        "searches": search_pool(),
        "search_results": RESULTS_WANTED,
        "checks": {
            "error_sentence": ERROR_SENTENCE,
            "min_answer_chars": MIN_ANSWER_CHARS,
            "tolerance_eur": TOLERANCE_EUR,
            "error_chars": MAX_ERROR_TEXT_CHARS,
        },
    }


def timeout(profile: Profile, scenario: str) -> str:
    """The patience of one request, as k6 reads it."""
    return f"{profile.request_timeout_s(scenario) * 1000:.0f}ms"


def script_options(profile: Profile, users: int) -> dict[str, Any]:
    """k6's own options: as many users as the load has, for as long; thresholds for its page, never for a verdict."""
    load = {
        "executor": "constant-vus",
        "vus": users,
        "duration": f"{profile.load_s * 1000:.0f}ms",
        "gracefulStop": f"{DRAIN_S}s",
    }
    return {
        "scenarios": {"load": load},
        "thresholds": thresholds(profile),
        "systemTags": ["name"],
        "summaryTrendStats": _STATS,
        "maxRedirects": 0,
    }


def hosts_option(request: LoadRequest) -> dict[str, Any]:
    """k6 looks the target's name up nowhere else: it knows one address, the one that it would have preferred itself."""
    host = urlsplit(request.base_url).hostname
    if host is None or not request.addresses or host in request.addresses:
        return {}
    by_version = sorted(request.addresses, key=lambda address: ":" in address)
    return {"hosts": {host: by_version[0]}}


def thresholds(profile: Profile) -> dict[str, list[str]]:
    """The profile's limits on latency and errors as k6 knows such limits: over all phases together."""
    found: dict[str, list[str]] = {}
    for slo in profile.slos:
        name, expression = _threshold(slo)
        if expression is not None and expression not in found.setdefault(name, []):
            found[name].append(expression)
    return {name: expressions for name, expressions in found.items() if expressions}


def _threshold(slo: Slo) -> tuple[str, str | None]:
    scenario = slo.scope.partition(":")[2]
    selector = f"{{user_scenario:{scenario}}}" if scenario else ""
    if slo.metric in _PERCENTILE_OF:
        return f"http_req_duration{selector}", f"p({_PERCENTILE_OF[slo.metric]}){slo.comparator}{slo.limit:g}"
    if slo.metric == "error_rate":
        return f"http_req_failed{selector}", f"rate{slo.comparator}{slo.limit:g}"
    return "", None


def user_spans(stages: tuple[Stage, ...], users: int) -> list[list[tuple[float, float]]]:
    """For each user, from the first: when it is wanted, in seconds of the load, so that `users_at` are there."""
    return [list(_joined(_wanted(stages, before))) for before in range(users)]


def _wanted(stages: tuple[Stage, ...], before: int) -> Iterator[tuple[float, float]]:
    """The parts of each stage in which more than `before` users are planned."""
    for stage in stages:
        low, high = sorted((stage.users_from, stage.users_to))
        if before < low:
            yield stage.start_s, stage.end_s
        elif before < high:
            share = (before - stage.users_from) / (stage.users_to - stage.users_from)
            turn_s = stage.start_s + share * (stage.end_s - stage.start_s)
            rises = stage.users_to > stage.users_from
            yield (turn_s, stage.end_s) if rises else (stage.start_s, turn_s)


def _joined(spans: Iterator[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    parts = list(spans)
    if not parts:
        return
    starts = [parts[0][0], *(after[0] for before, after in pairwise(parts) if before[1] < after[0])]
    ends = [*(before[1] for before, after in pairwise(parts) if before[1] < after[0]), parts[-1][1]]
    yield from zip(starts, ends, strict=True)


def _renewal(run_id: str) -> dict[str, Any]:
    return {
        "max_age_s": SESSION_MAX_AGE_S,
        "timeout": RENEWAL_TIMEOUT,
        "headers": {HEADER_RUN_ID: run_id, HEADER_PHASE: "login", **PLAIN_BODIES},
        "username": TEST_USER_EMAIL,
        "password": TEST_USER_PASSWORD,
    }


def _documents(folder: Path) -> list[dict[str, str]]:
    """The bodies of the uploads, byte for byte those of the other engine."""
    documents = []
    for kind in DOCUMENT_KINDS:
        body, content_type = multipart(kind, UPLOAD_QUESTION)
        path = folder / f"k6-upload-{kind}.bin"
        path.write_bytes(body)
        documents.append({"file": str(path.resolve()), "content_type": content_type})
    return documents


def _taxes(caps: tuple[str, ...], folder: Path) -> dict[str, Any]:
    """Each kind of calculation for each postal code, and the tax that each amount must give, in a file of its own."""
    expected: list[float | None] = []
    cases: dict[str, dict[str, Any]] = {}
    for kind in TAX_KINDS:
        for cap in caps:
            case = tax_case(kind, _AMOUNTS[0], cap)
            key = next(name for name, value in case.body.items() if value == _AMOUNTS[0])
            cases.setdefault(kind, {})[cap] = {
                "endpoint": case.endpoint,
                "path": case.path,
                "body": case.body,
                "amount_key": key,
                "first": len(expected),
            }
            expected += [tax_case(kind, amount, cap).expected_eur for amount in _AMOUNTS]
    path = folder / "k6-taxes.json"
    path.write_text(json.dumps(expected), encoding="utf-8")
    return {
        "kinds": TAX_KINDS,
        "cases": cases,
        "amounts_eur": {"least": _AMOUNTS.start, "step": _AMOUNTS.step, "count": len(_AMOUNTS)},
        "expected_file": str(path.resolve()),
    }
