"""The quarter's review of baselines: what is pinned or waits, and what has none."""

import pytest

from include.loadtest.reporting.baseline_review import baselines_document, baselines_section
from include.loadtest.reporting.decision import Standing
from tests.helpers.planted_review import KEY, drawn_trends, nothing_open, open_things

pytestmark = pytest.mark.unit


def test_each_baseline_has_its_state_age_and_reason() -> None:
    """Since when, by whom, of how many runs; the users of its series."""
    found = baselines_document(open_things(), drawn_trends().document)
    assert [(row["id"], row["status"], row["age_days"], row["users"]) for row in found["rows"]] == [
        (7, "proposed", 5, 50), (3, "pinned", 5, 50),
    ]  # fmt: skip
    text = baselines_section(found)
    assert "| peak_hours | 50 | 7 | proposed, waits for a person | 8 | 2027-02-24 04:05:06 UTC (5 days) |" in text
    assert "<script>" not in text


def test_a_series_without_a_pinned_baseline_is_named() -> None:
    """A proposal is none."""
    proposed = [one for one in open_things().document["baselines"] if one["status"] == "proposed"]  # type: ignore[index]
    found = baselines_document(open_things(baselines=proposed), drawn_trends().document)
    assert {row["comparability_key"] for row in found["without"]} == {KEY}
    assert "none: compared with the latest valid runs" in baselines_section(found)
    assert baselines_document(open_things(), drawn_trends().document)["without"] == []


def test_without_any_or_without_a_history_it_is_said() -> None:
    """An empty history is another thing than none."""
    assert "The history has no baseline" in baselines_section(baselines_document(nothing_open(), None))
    down = baselines_document(Standing(None, "the history gave no answer"), None)
    assert "Not known: the history gave no answer" in baselines_section(down)
    assert baselines_section(None) == ""
