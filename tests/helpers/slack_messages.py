"""Verdicts and figures as a run leaves them, and the message that they make."""

from dataclasses import replace
from typing import Any

from include.loadtest.publishing.message_parts import Message
from include.loadtest.publishing.run_message import run_message
from include.loadtest.verdict import Reason, SloResult, slo_reasons, verdict_document

HOSTILE = "<!here> <@U123> <https://evil.example|ok> @channel & *bold* `code` :tada:\n\x1b[31m\u202e <!everyone>"
LINK = "http://127.0.0.1:8080/dags/load_test_manual/runs/manual__1?a=1&b=2"


def slo(metric: str, outcome: str, observed: float | None, limit: float, **changes: Any) -> SloResult:
    units = {"error_rate": ("ratio", "<"), "throughput_rpm": ("req/min", ">"), "cache_hit_rate": ("ratio", ">")}
    unit, comparator = units.get(metric, ("ms", "<"))
    result = SloResult(
        metric, "all", "hold", "critical", True, comparator, observed, 900, None, None, limit, unit, outcome, False
    )
    return replace(result, **changes)


def row(metric: str, value: float | None, unit: str, **changes: Any) -> dict[str, Any]:
    return {"metric": metric, "scope": "all", "phase": "hold", "value": value, "unit": unit, "n": 900, **changes}


MET = [slo("latency_p95_ms", "met", 1234, 3000), slo("error_rate", "met", 0.002, 0.01)]


METRICS = {
    "metrics": [
        row("latency_p95_ms", 1234, "ms", lower_bound=False),
        row("error_rate", 0.002, "ratio"),
        row("throughput_rpm", 1512, "req/min"),
        row("latency_p95_ms", 7, "ms", scope="scenario:simple_query"),
    ]
}


def document(slos: list[SloResult], *reasons: Reason, run_id: str = "smoke-1") -> dict[str, Any]:
    return verdict_document(
        run_id=run_id, suite=None, profile="smoke", engine="locust", reasons=[*slo_reasons(slos), *reasons], slos=slos
    )


def message(verdict: dict[str, Any], metrics: dict[str, Any] | None = METRICS, **changes: Any) -> Message:
    words = {"title": "Smoke", "link": LINK, "bundle_uri": "s3://results/smoke-1", "target": "pratikoai", **changes}
    return run_message(verdict, metrics, **words)


def texts(shown: Message) -> list[str]:
    """Every text of the blocks, in the order in which a person reads them."""
    found = []
    for block in shown.blocks:
        parts = [block.get("text"), *block.get("fields", []), *block.get("elements", [])]
        found += [part["text"] for part in parts if part]
    return found
