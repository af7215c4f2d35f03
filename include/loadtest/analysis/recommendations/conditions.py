"""The measured conditions of optimisations.yaml: each gives what it found, or None where it does not hold. Pure."""

from collections.abc import Callable

from include.loadtest.analysis.bottleneck.limits import BUSY_CORE
from include.loadtest.analysis.recommendations.case import Case, Detail, Row, evidence_text, shown, trigger_text
from include.loadtest.analysis.recommendations.database import (
    idle_in_transaction,
    no_sequential_scan,
    plan_not_known,
    pool_full,
    repeated_statement,
    sequential_scan,
    server_full,
)
from include.loadtest.analysis.recommendations.improvement import layer_share
from include.loadtest.analysis.recommendations.processors import cores_left, cores_used_up
from include.loadtest.profile.optimisations import Condition

ELSEWHERE_SHARE = 0.5
"""Of a request's time, in none of the measured layers: then nobody can see what takes it."""

Test = Callable[[Case, Row | None], Detail | None]


def _keys_expire(case: Case, cause: Row | None) -> Detail | None:
    expired = case.facts.get("keys_expired")
    if cause is None or not _has_lookups(case) or not expired or case.facts.get("cache_flushes"):
        return None
    current = f"{expired:.0f} keys expired in these {case.facts.seconds:.0f} s"
    return Detail(current, "answers that stay right are then found again", trigger_text(cause))


def _has_lookups(case: Case) -> bool:
    hits, misses = case.facts.get("cache_hits"), case.facts.get("cache_misses")
    return hits is not None and misses is not None and hits + misses > 0


def _cache_flushed(case: Case, cause: Row | None) -> Detail | None:
    if cause is None or not case.facts.get("cache_flushes"):
        return None
    recommended = (
        "first find out who empties the cache (FLUSHALL or FLUSHDB: a deployment, a job?), then fill it again each time"
    )
    return Detail(evidence_text(cause), recommended, trigger_text(cause))


def _keys_evicted(case: Case, cause: Row | None) -> Detail | None:
    evicted, limit, used, keys = (
        case.facts.get(name) for name in ("keys_evicted", "cache_limit_bytes", "cache_used_bytes", "cache_keys")
    )
    if cause is None or not evicted:
        return None
    room = "the cache's limit is not known" if limit is None else f"the cache's limit is {_mib(limit)}"
    in_use = "" if used is None else f", {_mib(used)} were used at most"
    recommended = "the keys that were thrown away have to fit"
    if used is not None and keys:
        # At most, since what the server needs for itself is in it, and a key may have been thrown away several times.
        each, seconds = used / keys, case.facts.seconds
        recommended += f", which takes at most {_mib(evicted * each)} for those of these {seconds:.0f} s"
        recommended += f" ({each / 1024:.1f} KiB a key)"
    return Detail(room + in_use, recommended, trigger_text(cause))


def _mib(size_bytes: float) -> str:
    return f"{size_bytes / 2**20:,.{0 if size_bytes >= 10 * 2**20 else 1}f} MiB"


def _misses_not_explained(case: Case, cause: Row | None) -> Detail | None:
    explained = [case.facts.get(name) for name in ("keys_expired", "cache_flushes", "keys_evicted")]
    if cause is None or not _has_lookups(case) or any(explained) or explained[0] is None:
        return None
    current = "no key expired, was evicted or flushed: what is asked was not stored"
    return Detail(
        current, "which questions are asked once only, and whether keys are too specific", trigger_text(cause)
    )


def _redis_cpu_used_up(case: Case, cause: Row | None) -> Detail | None:
    cores = case.facts.get("redis_cpu_cores")
    if cause is None or cores is None or cores < BUSY_CORE:
        return None
    current = f"the cache's server uses {cores:.2f} cores, and executes its commands on one"
    return Detail(current, "so that its keys have several cores", trigger_text(cause))


def _cause_not_known(case: Case, _: Row | None) -> Detail | None:
    symptoms = case.diagnosis.get("symptoms") or ()
    if case.diagnosis["state"] != "not_known" or not symptoms:
        return None
    missing = case.diagnosis.get("not_measured") or ()
    current = "not measured: " + "; ".join(shown(one) for one in missing) if missing else "no figure shows the cause"
    return Detail(current, "so that the next run names the cause", shown(symptoms[0]["text"]))


def _time_elsewhere(case: Case, _: Row | None) -> Detail | None:
    share = layer_share(case.budget, "elsewhere")
    if share is None or share < ELSEWHERE_SHARE or case.diagnosis["state"] != "not_known":
        return None
    current = f"{100 * share:.0f} % of a request's time lies in none of the measured layers"
    return Detail(current, "through the application's parts", current)


def _memory_not_measured(case: Case, _: Row | None) -> Detail | None:
    row = case.hold_row("host_memory_pct")
    if row is None or row["value"] is not None or case.diagnosis["state"] != "not_known":
        return None
    current = "the memory of the target's machine was not measured"
    recommended = "by a Prometheus server in the target file, or collectors on the machine"
    return Detail(current, recommended, "the bottleneck is not known, and may be the memory")


CONDITIONS: dict[Condition, Test] = {
    "sequential_scan": sequential_scan,
    "no_sequential_scan": no_sequential_scan,
    "plan_not_known": plan_not_known,
    "server_full": server_full,
    "pool_full": pool_full,
    "idle_in_transaction": idle_in_transaction,
    "repeated_statement": repeated_statement,
    "keys_expire": _keys_expire,
    "cache_flushed": _cache_flushed,
    "keys_evicted": _keys_evicted,
    "misses_not_explained": _misses_not_explained,
    "redis_cpu_used_up": _redis_cpu_used_up,
    "cores_left": cores_left,
    "cores_used_up": cores_used_up,
    "cause_not_known": _cause_not_known,
    "time_elsewhere": _time_elsewhere,
    "memory_not_measured": _memory_not_measured,
}
