"""The thresholds are the document's, each with its page of response, and a wrong file is one line that says where."""

from pathlib import Path

import pytest

from include.loadtest.errors import ConfigError
from include.loadtest.profile import find_profile, profile_names
from include.loadtest.profile.thresholds import THRESHOLDS_FILE, load_thresholds
from include.loadtest.publishing.alert_rules import GUARDS

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.unit

# "Alert Thresholds" of the load-testing document, and the weekly verdict, by hand.
DOCUMENT = {
    "host_cpu_pct": (">", 80, "%"),
    "host_memory_pct": (">", 90, "%"),
    "postgres_connections": (">", 80, "connections"),
    "slow_queries_per_min": (">", 10, "queries/min"),
    "latency_p95_ms": (">", 5000, "ms"),
    "error_rate": (">", 0.01, "ratio"),
    "cache_hit_rate": ("<", 0.70, "ratio"),
    "redis_memory_bytes": (">", 4 * 1024**3, "bytes"),
    "weekly_silence_days": (">", 8, "days"),
}


def test_the_committed_thresholds_are_the_documents() -> None:
    """Each once, none beside them."""
    found = load_thresholds().thresholds
    assert {own.metric: (own.comparator, own.limit, own.unit) for own in found} == DOCUMENT
    assert len(found) == len(DOCUMENT)


def test_the_silence_is_for_the_housekeeping_and_no_figure_of_a_load() -> None:
    """The dead man's switch takes its days from here."""
    thresholds = load_thresholds()
    assert thresholds.silence_days == 8
    assert {own.metric for own in thresholds.live} == set(DOCUMENT) - {"weekly_silence_days"}


def test_each_threshold_has_its_page_and_each_page_its_threshold() -> None:
    """A page says what it means, where to look first and what to do, under the alert's own name."""
    found = load_thresholds().thresholds
    pages = {f"docs/alerts/{path.name}" for path in (ROOT / "docs" / "alerts").glob("*.md")}
    assert {own.page for own in (*found, *GUARDS)} == pages
    for own in (*found, *GUARDS):
        text = (ROOT / own.page).read_text(encoding="utf-8")
        assert text.startswith(f"# {own.id}: ")
        assert all(part in text for part in ("**What it means.**", "**First look**", "**What to do**")), own.page


@pytest.mark.parametrize(("value", "crossed"), [(79.9, False), (80.0, False), (80.1, True)])
def test_a_limit_itself_is_not_crossed(value: float, crossed: bool) -> None:
    """The document's sign is "more than"."""
    (cpu,) = (own for own in load_thresholds().thresholds if own.metric == "host_cpu_pct")
    assert cpu.is_crossed(value) is crossed


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("metric: host_memory_pct", "metric: host_memry_pct", "did you mean host_memory_pct?"),
        ("limit: 80\n", "limt: 80\n", "unknown key; did you mean limit?"),
        ("unit: ms", "unit: s", "latency_p95_ms is in ms: write its limit in that unit"),
        ("limit: 8 ", "limit: 7 ", "8 or more"),
        ("id: error_rate_high", "id: host_cpu_high", "host_cpu_high stands twice"),
        ("severity: warning", "severity: info", "'critical' or 'warning'"),
        ("page: docs/alerts/error_rate_high.md", "page: ../secret.md", "string should match pattern"),
        ("window_s: 60", "window_s: 1", "greater than or equal to 10"),
    ],
)
def test_a_wrong_file_is_one_line_that_says_where(tmp_path: Path, old: str, new: str, message: str) -> None:
    """File, line, key, what is wrong; never a trace."""
    text = THRESHOLDS_FILE.read_text(encoding="utf-8")
    assert old in text
    file = tmp_path / "thresholds.yaml"
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_thresholds(file)
    assert str(caught.value).startswith(f"{file}:")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_empty_file_and_one_without_the_silence_are_refused(tmp_path: Path) -> None:
    """The housekeeping does without no number silently."""
    file = tmp_path / "thresholds.yaml"
    file.write_text("", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"start from include/profiles/thresholds\.yaml"):
        load_thresholds(file)
    text = THRESHOLDS_FILE.read_text(encoding="utf-8")
    file.write_text(text[: text.index("  - id: weekly_verdict_missing")], encoding="utf-8")
    with pytest.raises(ConfigError, match="no threshold for weekly_silence_days"):
        load_thresholds(file).silence_days  # noqa: B018 - it is a property that raises


def test_the_file_is_no_profile() -> None:
    """It lies beside them, and nobody can start it."""
    assert "thresholds" not in profile_names()
    with pytest.raises(ConfigError, match="unknown profile 'thresholds'"):
        find_profile("thresholds")
