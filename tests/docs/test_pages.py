"""Tables that list things of the code equal it, and everything that needs a page has one."""

import re

import pytest

from include.loadtest import run
from include.loadtest.analysis.columns import COMMON_SPREAD
from include.loadtest.analysis.spread import BORROWED_RUNS
from include.loadtest.causes import CAUSES
from include.loadtest.orchestration import settings
from include.loadtest.profile import profile_names
from include.loadtest.profile.reference import requirements
from include.loadtest.profile.thresholds import load_thresholds
from include.loadtest.profile.vocabulary import PERCENTILES
from include.loadtest.reasons import REASON_CODES
from include.loadtest.target.settings import ENVIRONMENT_VARIABLES, connection_id
from include.loadtest.verdict import Verdict
from tests.helpers.documents import DOCS, ROOT, RUNBOOKS, first_cells, section
from tests.helpers.profile_fields import profile_keys

pytestmark = pytest.mark.unit
OPERATING = DOCS / "operating.md"
SPEC_PARTS = {
    "High response times": ("high-response-times.md", "# High response times"),
    "High error rates": ("high-error-rates.md", "# High error rates"),
    "Cache performance issues": ("cache.md", "# Cache performance"),
    "Setup failures": ("setup.md", "# Setup failures"),
    "Setup failures: test user creation": ("setup.md", "## Test users"),
    "Setup failures: environment": ("setup.md", "## Environment"),
    "Test execution failures": ("generator.md", "# The load generator failed"),
    "Test execution failures: Locust": ("generator.md", "## Locust"),
    "Test execution failures: k6": ("generator.md", "## k6"),
    "Results analysis failures: missing results files": ("results.md", "# Results are missing"),
    "Results analysis failures: metric collection": ("metric-collection.md", "# Readings are missing"),
    "Production load exceeds capacity": ("emergency.md", "# Emergency: production load exceeds capacity"),
    "Immediate actions (0-15 minutes)": ("emergency.md", "## 0 to 15 minutes"),
    "Short-term actions (15 minutes - 1 hour)": ("emergency.md", "## 15 minutes to 1 hour"),
    "Long-term actions (1+ hours)": ("emergency.md", "## After 1 hour"),
    "High CPU alert": ("cpu.md", "# High CPU"),
    "Database connection exhaustion": ("database-connections.md", "# Database connections are used up"),
    "Memory exhaustion": ("memory.md", "# Memory is used up"),
}
"""Troubleshooting, emergency procedures and alert response of PratikoAI's load-testing document, by their headings."""
REVIEWS = ("Weekly", "Monthly", "Quarterly", "Before a release")


@pytest.mark.parametrize("part", SPEC_PARTS)
def test_every_part_of_the_requirements_has_its_runbook(part: str) -> None:
    """With a heading of its own, steps or a table of them, and a place in the list of symptoms."""
    page, heading = SPEC_PARTS[part]
    text = (RUNBOOKS / page).read_text(encoding="utf-8")
    assert f"{heading}\n" in text
    assert re.search(r"^(1\. |\| )", text.partition(heading)[2], re.MULTILINE)
    assert f"]({page})" in (RUNBOOKS / "README.md").read_text(encoding="utf-8")


def test_every_reason_has_a_page_that_names_it() -> None:
    """A link that a message gives leads to words about that reason."""
    for code in REASON_CODES.values():
        text = (DOCS / code.page).read_text(encoding="utf-8")
        assert f"`{code.code}`" in text or code.code.replace("_", " ") in text.lower(), code.code


def test_every_cause_has_a_page_that_names_it() -> None:
    """In the words of the reports."""
    for cause in CAUSES.values():
        opening = (DOCS / cause.page).read_text(encoding="utf-8").lower()
        assert all(word in opening for word in cause.title.lower().split()), cause.cause


def test_every_alert_has_a_page_and_every_page_an_alert() -> None:
    """Those of thresholds.yaml, and the ones of the exporter itself."""
    of_exporter = {"history_away", "configuration_faulty"}
    alerts = {one.id: one.page for one in load_thresholds().thresholds}
    assert all((ROOT / page).exists() for page in alerts.values())
    assert {path.stem for path in (DOCS / "alerts").glob("*.md")} == {*alerts, *of_exporter}


def test_every_runbook_is_in_the_list_of_symptoms() -> None:
    """Nobody finds another one."""
    listed = set(re.findall(r"\]\(([a-z-]+\.md)\)", (RUNBOOKS / "README.md").read_text(encoding="utf-8")))
    assert listed == {path.name for path in RUNBOOKS.glob("*.md")} - {"README.md"}


def test_the_verdicts_page_links_the_page_of_each_reason() -> None:
    """The same that messages link."""
    text = (DOCS / "verdicts.md").read_text(encoding="utf-8")
    for code in REASON_CODES.values():
        assert f"| {code.action} | [{code.page[len('runbooks/') : -len('.md')]}]({code.page}) |" in text, code.code


def test_profiles_dags_and_verdicts_are_listed_as_they_are() -> None:
    """A new one needs its row, one that has gone loses it."""
    assert set(first_cells(section(OPERATING, "Profiles and suites"))) == set(profile_names())
    assert set(first_cells(section(OPERATING, "The DAGs"))) == {path.stem for path in (ROOT / "dags").glob("*.py")}
    verdicts = re.findall(r"^\| ([A-Z_]+) \|", (DOCS / "verdicts.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert verdicts == [str(verdict) for verdict in Verdict]


def test_connections_are_listed_with_their_variables() -> None:
    """All that the settings read, and no other."""
    text = section(OPERATING, "Connections")
    parts = [connection_id("pratikoai", part) for part in ENVIRONMENT_VARIABLES]
    named = {one for one in first_cells(text) if one.startswith("loadtest_")}
    assert named == {*parts, *settings.OPTIONAL_CONNECTIONS, settings.HISTORY_CONNECTION}
    assert all(f"`{variable}`" in text for variable in [*ENVIRONMENT_VARIABLES.values(), "LOADTEST_HISTORY_URL"])


def test_the_quick_start_names_files_that_a_bundle_has() -> None:
    """And all those of figures and conclusions."""
    named = set(first_cells(section(DOCS / "quick-start.md", "2. Read it")))
    conclusions = {run.VERDICT, run.METRICS, run.COMPARISON, run.DIAGNOSIS, run.ERRORS, run.ALERTS, run.MANIFEST}
    others = {"report.html", "load_test_summary_<UTC>.md", "samples/", "resources/", "generator.log", "collectors.log"}
    assert named == conclusions | others


def test_every_key_of_a_profile_is_explained_with_its_default() -> None:
    """docs/writing-a-profile.md has each once, with the default of the code."""
    text = (DOCS / "writing-a-profile.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([\w.]+)` \| [^|]+ \| ([^|]+) \| [^|]+ \|$", text, re.MULTILINE)
    assert len(rows) == len(dict(rows))
    assert dict(rows) == profile_keys()


def test_statistics_and_verdicts_state_the_numbers_of_the_code() -> None:
    """Those that decide: baseline, suspicion, confirmation, sizes of samples."""
    rules = requirements().change_test
    text = " ".join((DOCS / "statistics.md").read_text(encoding="utf-8").split())
    stated = (
        f"The latest {rules.window_runs} comparable runs",
        f"fewer than {rules.min_runs} runs nothing is tested",
        f"(`confirmations`, {rules.confirmations})",
        f"p < {100 * rules.suspicion_rate:g} % over all endpoints",
        f"p < {100 * rules.false_alarm_rate:g} % over all endpoints",
        f"more than the relevant {100 * rules.relevant_change:g} %",
        f"weight of {BORROWED_RUNS} runs",
        f"(plus {100 * COMMON_SPREAD:g} %)",
    )
    assert [one for one in stated if one not in text] == []
    verdicts = " ".join((DOCS / "verdicts.md").read_text(encoding="utf-8").split())
    p95, p99 = (PERCENTILES[f"latency_{name}_ms"][1] for name in ("p95", "p99"))
    assert f"P95 needs {p95} requests, a P99 {p99}" in verdicts


def test_each_review_says_who_what_and_where_it_is_recorded() -> None:
    """For each cadence."""
    for heading in REVIEWS:
        text = section(DOCS / "reviews.md", heading)
        assert "**Who:**" in text, heading
        assert "Recorded in" in text or heading == "Before a release"
