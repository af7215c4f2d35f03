"""The Markdown summary: every figure with its n and limit, hostile text harmless."""

import pytest

from include.loadtest.reporting.report import build_report
from include.loadtest.reporting.summary import figure, plain, summary_markdown
from tests.loadtest.reporting.conftest import HOSTILE

pytestmark = pytest.mark.unit


def test_limits_show_observed_interval_n_limit_and_outcome(bundle) -> None:
    """An open end of an interval is shown as open, a lower bound as ≥."""
    text = summary_markdown(build_report(bundle))
    assert (
        "| latency_p95_ms | all | critical | 4,100 ms | 3,900 ms – … | 100 | < 4,000 ms | ❌ missed (close) |" in text
    )
    assert "≥ 4,100 ms" in text
    assert "- not measured: cache_hit_rate" in text


def test_text_of_the_target_is_harmless(bundle) -> None:
    """No tag, no table break, no link, no mention, no control character."""
    text = summary_markdown(build_report(bundle))
    assert "<script" not in text
    assert "\x1b" not in text
    assert "[x](" not in text.replace("\\[x](", "")
    assert "@everyone" not in text
    assert len(plain("x" * 10_000)) == 300
    assert "\n" not in plain(HOSTILE + "\n# heading")


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.0123, "ratio", "1.23 %"),
        (1234.5, "ms", "1,234 ms"),
        (3 * 2**20, "bytes", "3.0 MiB"),
        (None, "ms", "not measured"),
    ],
)
def test_figures_carry_their_unit(value, unit, text) -> None:
    """Ratios become per cent; nothing becomes zero."""
    assert figure(value, unit) == text
