"""Pages of this documentation: where a reader of a message, a log or a report finds them. Pure."""

import re
from urllib.parse import quote

DOCS_FOLDER = "docs/"
AIRFLOW_PLACE = "/loadtest/docs/"
"""Below Airflow's address; `orchestration.web` serves the folder there."""
_DAG_RUNS = "/dags/"
_ADDRESS = re.compile(r"https?://[!-;=?-~]+")
"""Without spaces, and without the signs that would end a link in Markdown or in a message."""


def page_path(page: str) -> str:
    """The file of a page in the repository; `page` is below `docs/`, or a path that begins with it already.

    >>> page_path("runbooks/cpu.md"), page_path("docs/alerts/host_cpu_high.md")
    ('docs/runbooks/cpu.md', 'docs/alerts/host_cpu_high.md')
    """
    return DOCS_FOLDER + page.removeprefix(DOCS_FOLDER)


def page_address(dag_run: str | None, page: str) -> str | None:
    """Where Airflow shows the page; `dag_run`: address of any DAG run there. None where it is not known, or no address.

    >>> page_address("https://airflow.example/af/dags/load_test_manual/runs/x", "runbooks/cpu.md")
    'https://airflow.example/af/loadtest/docs/runbooks/cpu'
    """
    base, found, _ = (dag_run or "").partition(_DAG_RUNS)
    if not found or not _ADDRESS.fullmatch(base):
        return None
    return f"{base}{AIRFLOW_PLACE}{quote(page.removeprefix(DOCS_FOLDER).removesuffix('.md'))}"


def page_place(dag_run: str | None, page: str) -> str:
    """The page's address, or its file where Airflow's address is not known: for a line of text."""
    return page_address(dag_run, page) or page_path(page)
