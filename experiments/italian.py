"""Each requirement of the Italian market is found broken when it is, and no other with it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from experiments.aftermath import document
from experiments.claims import Claim, Say
from experiments.in_process import Bench, bench
from include.loadtest.profile import PROFILES_DIR
from include.loadtest.profile.vocabulary import REQUIREMENT_METRICS, SCENARIOS

NAME = "italian"
SHORTENED_BY = 10
"""Limits of ten seconds and more, but that of 100 calculations, are divided by this: a fault has to outlast them."""
KEPT = ("bulk_calculation_s",)
LEAST_SHORTENED_S = 10
INDEX_WAIT_S = 33
SCENARIO_REPEATS = 2


@dataclass(frozen=True)
class Case:
    """A fault of the target, and the one requirement that it breaks (None: none is broken).

    `failing`: scenarios whose requests all fail; then their error limit is missed, and their time is not known.
    `is_empty`: searches find nothing.
    """

    claim: str
    metric: str | None = None
    fault: Mapping[str, Any] = field(default_factory=dict)
    not_exposed: tuple[str, ...] = ()
    failing: tuple[str, ...] = ()
    is_empty: bool = False

    @property
    def missed(self) -> list[str]:
        """The limits that it breaks, in the profile's order."""
        own = [self.metric] if self.metric else []
        return own + [f"error_rate of scenario:{name}" for name in SCENARIOS if name in self.failing]


def _slow(metric: str, what: str, fault: Mapping[str, Any]) -> Case:
    return Case(f"slow: {what}", metric, fault)


CASES = (
    Case("nothing is broken"),
    Case(
        "the chat answers 500",
        fault={"error_share": {"chat_stream": 1.0}},
        failing=("simple_query", "complex_query"),
    ),
    Case("an erasure is answered as done, and the data are kept", "gdpr_deletion_s", {"erase_ignored": True}),
    Case("nothing more is written to the audit log", "audit_query_s", {"audit_stopped": True}),
    Case("searches find nothing", fault={"search_empty": True}, is_empty=True),
    Case("documents cannot be read back", None, {"hidden": ["documents_get"]}, ("documents_lost",)),
    _slow("simple_calculation_s", "income tax takes 1.05 s more", {"kind_added_ms": {"tax_irpef": 1050}}),
    _slow(
        "complex_calculation_s",
        "a region's surcharges take 1.05 s more",
        {"latency_added_ms": {"tax_irpef_addizionali": 1050}},
    ),
    _slow(
        "bulk_calculation_s",
        "every calculation takes 0.33 s more",
        {
            "latency_added_ms": {"tax_imu": 330, "tax_irpef_addizionali": 330},
            "kind_added_ms": {"tax_iva": 330, "tax_irpef": 330},
        },
    ),
    _slow("small_document_s", "documents up to 1 MB take 1.2 s more", {"kind_added_ms": {"document_small": 1200}}),
    _slow("medium_document_s", "documents of 1 to 5 MB take 3.2 s more", {"kind_added_ms": {"document_medium": 3200}}),
    _slow("large_document_s", "documents above 5 MB take 6.3 s more", {"kind_added_ms": {"document_large": 6300}}),
    Case(
        "ten documents are processed at once, the others refused",
        "documents_at_once",
        {"document_slots": 10, "refuse_queued": True, "kind_added_ms": {"document_small": 500}},
    ),
    Case(
        "a document that has to wait is taken and not kept",
        "documents_lost",
        {"lose_queued": True, "kind_added_ms": {"document_small": 500}},
    ),
    _slow("simple_search_s", "searches of one word take 1.1 s more", {"kind_added_ms": {"search_simple": 1100}}),
    _slow("complex_search_s", "searches of a subject take 3.1 s more", {"kind_added_ms": {"search_complex": 3100}}),
    _slow("full_text_search_s", "searches of words take 2.1 s more", {"kind_added_ms": {"search_full_text": 2100}}),
    Case("new documents are never indexed", "index_update_s", {"index_stopped": True}),
    _slow("gdpr_export_s", "an export takes 6.3 s more", {"latency_added_ms": {"data_rights_export": 6300}}),
    _slow("gdpr_deletion_s", "an erasure takes 3.2 s more", {"latency_added_ms": {"data_rights_erase": 3200}}),
    Case("an erasure answers 500", "gdpr_deletion_s", {"error_share": {"data_rights_erase": 1.0}}),
    _slow("audit_query_s", "the audit log takes 5.1 s more", {"latency_added_ms": {"audit_log": 5100}}),
    _slow("compliance_report_s", "the report takes 12.3 s more", {"latency_added_ms": {"gdpr_audit": 12_300}}),
    Case(
        "the audit log and the search of documents are switched off",
        None,
        {"hidden": ["audit_log", "documents_search"]},
        ("audit_query_s", "index_update_s"),
    ),
)


def claims(say: Say) -> Iterator[Claim]:
    """A healthy run, then one for each fault."""
    with bench(say) as servers:
        for number, case in enumerate(CASES, 1):
            say(f"{number} of {len(CASES)}: {case.claim}")
            claim = _try(servers, case, f"italian-{number}")
            say(f"  {claim.measured}")
            yield claim


def short_profile() -> str:
    """The committed profile as a text, with long limits shortened and the scenarios tried twice."""
    data = yaml.safe_load((PROFILES_DIR / "italian_market.yaml").read_text(encoding="utf-8"))
    for slo in data["slos"]:
        if slo["metric"].endswith("_s") and slo["metric"] not in KEPT and slo["limit"] >= LEAST_SHORTENED_S:
            slo["limit"] /= SHORTENED_BY
    data["checks"] |= {"index_wait_s": INDEX_WAIT_S, "scenario_repeats": SCENARIO_REPEATS}
    return str(yaml.safe_dump(data, sort_keys=False, allow_unicode=True))


def _try(servers: Bench, case: Case, run_id: str) -> Claim:
    context = servers.context(run_id, short_profile())
    with servers.demo.client() as client:
        client.put("/admin/faults", json=dict(case.fault)).raise_for_status()
        try:
            servers.run(context)
        finally:
            client.delete("/admin/faults").raise_for_status()
    verdict = document(context.bundle.path, "verdict.json")
    expected = _expected(case)
    measured = _measured(verdict)
    return Claim(NAME, _claim_of(case), expected, f"{measured}{_value(case, verdict)}", measured == expected)


def _claim_of(case: Case) -> str:
    return f"{case.claim} (limits of {LEAST_SHORTENED_S} s and more a tenth, but bulk's)"


def _expected(case: Case) -> str:
    verdict = "SLA_BREACH" if case.missed else "WARN" if case.not_exposed or case.is_empty else "PASS"
    limits = len(REQUIREMENT_METRICS) + 2 * len(SCENARIOS)
    met = limits - len(case.missed) - len(case.failing) - len(case.not_exposed)
    return _text(verdict, case.missed, case.not_exposed, met, is_empty=case.is_empty)


def _measured(verdict: Mapping[str, Any]) -> str:
    own = [
        slo
        for slo in verdict.get("slos", ())
        if slo["metric"] in REQUIREMENT_METRICS or slo["scope"].startswith("scenario:")
    ]
    missed = [f"{slo['metric']}{_scope(slo)}" for slo in own if slo["outcome"] == "missed"]
    exposed_not = {reason["metric"] for reason in verdict.get("reasons", ()) if reason["code"] == "not_exposed"}
    unjudged = [slo["metric"] for slo in own if slo["outcome"] == "not_judged" and slo["metric"] in exposed_not]
    met = sum(slo["outcome"] == "met" for slo in own)
    is_empty = any(reason["code"] == "nothing_found" for reason in verdict.get("reasons", ()))
    return _text(verdict.get("verdict", "none"), missed, tuple(sorted(unjudged)), met, is_empty=is_empty)


def _scope(slo: Mapping[str, Any]) -> str:
    return "" if slo["scope"] == "all" else f" of {slo['scope']}"


def _text(verdict: str, missed: list[str], not_exposed: tuple[str, ...], met: int, *, is_empty: bool) -> str:
    shown = f"missed: {', '.join(missed) or 'none'}; met: {met}"
    hidden = f"; not exposed: {', '.join(not_exposed)}" if not_exposed else ""
    empty = "; nothing found" if is_empty else ""
    return f"verdict={verdict}; {shown}{hidden}{empty}"


def _value(case: Case, verdict: Mapping[str, Any]) -> str:
    found = next((slo for slo in verdict.get("slos", ()) if slo["metric"] == case.metric), None)
    if found is None:
        return ""
    observed = "failed" if found["observed"] is None else f"{found['observed']:.3g} {found['unit']}"
    return f" ({found['metric']} {observed}, limit {found['comparator']} {found['limit']:g})"
