"""The small picture of a profile's runs says the same in words, and shows verdicts by shape and colour."""

from datetime import UTC, datetime

import pytest

from include.loadtest.history.overview import PastRun
from include.loadtest.orchestration.web.picture import runs_picture

pytestmark = pytest.mark.unit
NOW = datetime(2026, 11, 20, tzinfo=UTC)


def _runs(*pairs: tuple[str, float | None]) -> list[PastRun]:
    return [
        PastRun(f"smoke-{place}", verdict, NOW, None, p95_ms, "", NOW) for place, (verdict, p95_ms) in enumerate(pairs)
    ]


def test_a_gap_where_nothing_was_measured() -> None:
    """The line is broken there, and the run's mark stands at the bottom."""
    picture = runs_picture(_runs(("PASS", 100.0), ("WARN", 200.0), ("ABORTED", None), ("PASS", 150.0)))
    line = picture.split('class="runs-line" d="')[1].split('"')[0]
    assert line.count("M") == 2
    assert picture.count('class="mark ') == 4
    assert "Last 4 runs: 2 PASS, 1 WARN, 1 ABORTED; P95 from 100 to 200 ms, last 150 ms" in picture
    assert "smoke-2: ABORTED, P95 not measured" in picture


def test_one_run_and_none_measured() -> None:
    """Neither divides by nothing."""
    assert "Last 1 runs: 1 PASS; P95 from 0 to 0 ms" in runs_picture(_runs(("PASS", 0.0)))
    assert "no P95 measured" in runs_picture(_runs(("INCONCLUSIVE", None)))


def test_nothing_of_a_name_is_markup() -> None:
    """A verdict or an id from a damaged history is text."""
    evil = '"><script>'
    picture = runs_picture([PastRun(evil, evil, NOW, None, 1.0, "", NOW)])
    assert "<script>" not in picture
