"""Documents say what the code does."""

import re
from pathlib import Path

import pytest

from include.loadtest.causes import CAUSES
from include.loadtest.reasons import REASON_CODES
from include.loadtest.reporting.limits import DOCUMENT, with_generated_part
from include.loadtest.verdict import Verdict

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.unit


def test_every_reason_code_is_documented_with_its_trigger_and_repair() -> None:
    """docs/verdicts.md lists exactly the codes of the code, in its words."""
    text = (ROOT / "docs" / "verdicts.md").read_text()
    assert set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)) == set(REASON_CODES)
    for code in REASON_CODES.values():
        assert f"| {code.trigger} | {code.action} |" in text, code.code
    assert all(f"| {verdict} |" in text for verdict in Verdict)


def test_every_cause_of_a_diagnosis_is_documented_with_its_evidence() -> None:
    """docs/diagnosis.md has each in a row, under the title that reports give it."""
    text = (ROOT / "docs" / "diagnosis.md").read_text()
    titles = [
        title
        for row in re.findall(r"^\| ([^|]+) \| [^|]+ \| [^|]+ \|$", text, re.MULTILINE)
        for title in row.split(", ")
    ]
    assert {cause.title for cause in CAUSES.values()} <= set(titles)


def test_the_documented_limits_are_those_of_the_profiles() -> None:
    """docs/limits.md holds what is generated; `python -m include.loadtest.reporting.limits` writes it anew."""
    text = DOCUMENT.read_text(encoding="utf-8")
    assert text == with_generated_part(text), "run: python -m include.loadtest.reporting.limits"


def test_the_readme_names_commands_and_files_that_exist() -> None:
    """Every `make` goal of the README is one of the Makefile; every link leads to a file."""
    text = (ROOT / "README.md").read_text()
    goals = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?:^    |`|&& )make ([a-z-]+)", text, re.MULTILINE)) <= goals
    assert all((ROOT / link.partition("#")[0]).exists() for link in re.findall(r"\]\(([^)]+)\)", text))


def test_no_file_names_a_folder_that_a_clone_does_not_have() -> None:
    """Paths of one machine do not work on another."""
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "include").rglob("*.py")]:
        assert str(ROOT) + "/" not in path.read_text(), path
