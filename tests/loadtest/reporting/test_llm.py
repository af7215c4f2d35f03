"""The LLM in the summary: each figure with its n, what is not exposed by name, and the calls of the whole run."""

from typing import Any

import pytest

from include.loadtest.profile.vocabulary import METRICS, NOT_EXPOSED
from include.loadtest.reporting.llm import llm_section
from include.loadtest.reporting.report import build_report
from include.loadtest.reporting.summary import summary_markdown
from tests.loadtest.reporting.conftest import HOSTILE, ROW

pytestmark = pytest.mark.unit


def row(metric: str, value: float | None, n: int, why: str | None = None, **more: Any) -> dict[str, Any]:
    return ROW | {"metric": metric, "value": value, "n": n, "unit": METRICS[metric].unit, "why": why} | more


def report(*rows: dict[str, Any], **llm: Any) -> dict[str, Any]:
    return {"metrics": rows, "manifest": {"llm": llm}}


def test_figures_have_their_n_and_what_it_counts() -> None:
    """A lower bound is shown as one; other phases are not shown."""
    text = llm_section(
        report(
            row("llm_calls", 312.4, 12, lower_bound=True),
            row("own_time_mean_ms", 41.25, 280),
            row("llm_calls", 5, 1) | {"phase": "ramp_up"},
        )
    )
    assert "| calls (`llm_calls`) | ≥ 312.4 calls | 12 readings |" in text
    assert "| the target's own time an answer, mean (`own_time_mean_ms`) | 41.25 ms | 280 answers |" in text
    assert text.count("llm_calls") == 1


def test_what_the_target_lacks_is_not_exposed_and_no_gap(bundle: Any) -> None:
    """It stands in one line, and not among what was not measured."""
    bundle.write("metrics.json", {"schema": 1, "metrics": [row("own_time_mean_ms", None, 0, NOT_EXPOSED)]})
    built = build_report(bundle)
    assert built["not_measured"] == []
    said = "Not exposed by this target or its LLM: the target's own time an answer, mean."
    assert said in summary_markdown(built)


def test_another_cause_of_a_missing_figure_is_told(bundle: Any) -> None:
    """Beside the figure, and among the gaps."""
    bundle.write("metrics.json", {"schema": 1, "metrics": [row("llm_calls", None, 1, "fewer than two readings")]})
    built = build_report(bundle)
    assert built["not_measured"] == ["llm_calls"]
    assert "| not measured: fewer than two readings | 1 readings |" in summary_markdown(built)


def test_the_calls_of_the_whole_run_with_their_price_and_cap() -> None:
    """Counted at the LLM they are everybody's."""
    said = "From the warm-up to the end: 1,250 calls, counted by the LLM's side, whoever made them"
    assert llm_section(report(calls=1250, source="llm")).endswith(f"{said}.")
    text = llm_section(report(calls=1250, source="llm", price_eur_a_call=0.02, cap_calls=2000))
    assert text.endswith(f"{said}, 25 EUR at 0.02 EUR a call; the cap is 2,000 calls.")


def test_why_a_run_has_no_count_is_harmless_text() -> None:
    """It may hold what a target said."""
    text = llm_section(report(calls=None, why=HOSTILE))
    assert text.startswith("## LLM in the hold\n\nCalls of the whole run: not known (")
    assert "<script" not in text


def test_a_run_that_knows_nothing_of_an_llm_has_no_section() -> None:
    """As those of earlier releases."""
    assert llm_section({"metrics": [], "manifest": None}) == ""
