"""The page is valid Prometheus text, also with text from anywhere in its labels."""

import math
import subprocess

import pytest

from include.loadtest.exposition import series_of
from include.loadtest.publishing.exposition_page import Family, Line, bucket_lines, page
from tests.helpers.programs import program

HOSTILE = 'a "quoted" \\ back\nline } 1\n# TYPE evil counter\x1b[31m'


@pytest.mark.unit
def test_a_page_is_help_type_and_series() -> None:
    """Whole numbers as such, others exactly; a family without series is left out."""
    families = [
        Family("loadtest_users", "gauge", "Users.", [Line({"run_id": "a"}, 12.0), Line({}, 0.1)]),
        Family("loadtest_none", "gauge", "Nothing.", []),
    ]
    assert page(families) == (
        '# HELP loadtest_users Users.\n# TYPE loadtest_users gauge\nloadtest_users{run_id="a"} 12\nloadtest_users 0.1\n'
    )


@pytest.mark.unit
def test_a_histogram_is_cumulated_and_ends_with_all() -> None:
    """The last bucket is the count."""
    lines = bucket_lines({"scenario": "a"}, (0.5, 5.0), (3, 2, 1), 12.5)
    assert [(line.suffix, line.labels.get("le"), line.value) for line in lines] == [
        ("_bucket", "0.5", 3),
        ("_bucket", "5", 5),
        ("_bucket", "+Inf", 6),
        ("_sum", None, 12.5),
        ("_count", None, 6),
    ]


@pytest.mark.integration
def test_promtool_takes_a_page_with_hostile_labels() -> None:
    """One line a series: no text can begin another."""
    families = [
        Family("loadtest_requests_total", "counter", "Requests.", [Line({"scenario": HOSTILE}, 3)]),
        Family("loadtest_reading", "gauge", "Readings.", [Line({"instance": HOSTILE * 50}, -math.pi)]),
        Family("loadtest_request_duration_seconds", "histogram", "Latency.", bucket_lines({}, (1.0,), (1, 0), 0.2)),
    ]
    text = page(families)
    done = subprocess.run(
        [program("promtool"), "check", "metrics"], input=text, capture_output=True, text=True, check=False, timeout=30
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    names = [own.name for own in series_of(text)]
    assert "evil" not in text.split("\n# TYPE ")[0].splitlines()[0]
    assert names.count("loadtest_requests_total") == 1
