"""Whatever the documents name exists: commands, modules, DAGs, profiles, variables, files, links."""

import importlib.util
import re
from pathlib import Path

import pytest

from include.loadtest.profile import profile_names
from include.loadtest.profile.suites import suite_names
from include.loadtest.target.settings import target_names
from tests.helpers.documents import DOCS, ROOT, anchors, code_of, documents, links

pytestmark = pytest.mark.unit
PAGES = {str(path.relative_to(ROOT)): path for path in documents()}
GOALS = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
DAGS = {path.stem for path in (ROOT / "dags").glob("*.py")}
FILES_LIKE_DAGS = {"load_test_results", "load_test_report", "load_test_summary", "load_test_review", "load_test_plot"}
MADE_UP = {"my_profile", "plan_usage"}
"""Examples of what a reader writes."""
FOREIGN = {
    "RATELIMIT_ENABLED": "PratikoAI's own",
    "AIRFLOW_TOKEN": "of docs/runbooks/tools.sh",
    "AIRFLOW_PASSWORD": "of docs/runbooks/tools.sh",
    "ALERTMANAGER_URL": "an example",
}
MADE_BY_A_READER = ("include/locustfiles/plan_us", "include/profiles/mine.yaml", "include/profiles/my_")
OF_A_SERIES = re.compile(r"_(count|sum|bucket)$")
SUFFIXES = {".py", ".js", ".yaml", ".yml", ".sh", ".sql"}
WHERE_CODE_IS = ("include", "dags", "plugins", "experiments", "deploy", ".github", ".ci")


@pytest.fixture(scope="module")
def code() -> str:
    """All code and settings, to look names up in."""
    files = [path for folder in WHERE_CODE_IS for path in (ROOT / folder).rglob("*") if path.suffix in SUFFIXES]
    own = [ROOT / "Makefile", ROOT / "docker-compose.yaml", ROOT / "pyproject.toml", DOCS / "runbooks" / "tools.sh"]
    return "\n".join(path.read_text(encoding="utf-8", errors="replace") for path in [*files, *own])


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_to_files_and_headings_that_exist(page: str) -> None:
    """Relative ones, with their anchors; others are addresses of the web."""
    path = PAGES[page]
    for target in links(path):
        if re.match(r"https?://|mailto:", target):
            continue
        file, _, anchor = target.partition("#")
        found = (path.parent / file).resolve() if file else path
        assert found.exists(), target
        assert not anchor or anchor in anchors(found), target


@pytest.mark.parametrize("page", PAGES)
def test_commands_name_goals_modules_and_inputs_that_exist(page: str) -> None:
    """`make` goals, `python -m` modules, profiles, suites and targets."""
    text = code_of(PAGES[page])
    assert set(re.findall(r"(?:^|&& |; )make ([a-z][a-z-]*)", text, re.MULTILINE)) <= GOALS
    for module in re.findall(r"python -m ((?:include|experiments)[\w.]*)", text):
        assert importlib.util.find_spec(module), module
    for name, known in (("PROFILE", profile_names()), ("SUITE", suite_names()), ("TARGET", target_names())):
        given = set(re.findall(rf"\b{name}=([a-z_]+)(?![\w.])", text))
        assert given <= {*known, *MADE_UP}, name


@pytest.mark.parametrize("page", PAGES)
def test_dags_are_those_of_the_dags_folder(page: str) -> None:
    """Whatever looks like the name of one."""
    named = set(re.findall(r"(?<![\w/])load_test_[a-z_]+[a-z]", PAGES[page].read_text(encoding="utf-8")))
    assert named <= DAGS | FILES_LIKE_DAGS


@pytest.mark.parametrize("page", PAGES)
def test_variables_are_known_to_the_code(page: str, code: str) -> None:
    """Whatever looks like an environment variable, and the connections and variables of Airflow."""
    text = code_of(PAGES[page])
    named = set(re.findall(r"(?<![\w-])[A-Z][A-Z0-9]+(?:_[A-Z0-9]+)+(?![\w-])", text))
    of_airflow = {one for one in named if one.startswith("AIRFLOW_CONN_")}
    assert not {one for one in named - of_airflow - set(FOREIGN) if not re.search(rf"\b{one}\b", code)}
    connections = set(re.findall(r"\bloadtest_[a-z_]+[a-z]\b", text))
    connections |= {one.removeprefix("AIRFLOW_CONN_").lower() for one in of_airflow}
    assert not {one for one in connections if OF_A_SERIES.sub("", one) not in code}


@pytest.mark.parametrize("page", PAGES)
def test_files_of_the_project_exist(page: str) -> None:
    """Paths in code; `*` and NAME stand for any."""
    known = "include|dags|plugins|tests|experiments|docs|\\.github"
    for name in re.findall(rf"(?<![\w/.-])(?:{known})/[\w./*-]*[\w*/]", code_of(PAGES[page])):
        if not name.startswith(MADE_BY_A_READER):
            assert any(ROOT.glob(name.replace("NAME", "*").rstrip("/"))), name


def test_the_readme_stays_on_one_screen() -> None:
    """75 lines."""
    assert len(Path(ROOT / "README.md").read_text().splitlines()) <= 75
