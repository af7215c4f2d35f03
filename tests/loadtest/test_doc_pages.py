"""Pages of the documentation are found from a message, a log or a report."""

import pytest

from include.loadtest.causes import CAUSES, cause_page
from include.loadtest.doc_pages import page_address, page_path, page_place

pytestmark = pytest.mark.unit
RUN = "https://airflow.example/af/dags/load_test_manual/runs/manual__1?x=1"


def test_a_page_lies_beside_the_dag_runs_of_its_airflow() -> None:
    """Below the same address, also where Airflow has a path of its own; an alert's page as well."""
    assert page_address(RUN, "runbooks/cpu.md") == "https://airflow.example/af/loadtest/docs/runbooks/cpu"
    assert page_place(RUN, "docs/alerts/host_cpu_high.md").endswith("/af/loadtest/docs/alerts/host_cpu_high")


@pytest.mark.parametrize("dag_run", [None, "", "/dags/x", "https://e/", "javascript:/dags/x", "https://e/> b/dags/x"])
def test_what_is_no_address_of_airflow_gives_the_file(dag_run: str | None) -> None:
    """A path that a person finds in the repository."""
    assert page_address(dag_run, "runbooks/cpu.md") is None
    assert page_place(dag_run, "runbooks/cpu.md") == page_path("docs/runbooks/cpu.md") == "docs/runbooks/cpu.md"


def test_only_a_bottleneck_that_was_found_has_a_page() -> None:
    """That of its first cause; a cause of a later release has none here."""
    found = {"state": "bottleneck", "causes": [{"cause": "locks"}, {"cause": "cpu"}]}
    assert cause_page(found) == CAUSES["locks"].page
    assert cause_page(None) is cause_page(found | {"state": "not_known"}) is None
    assert cause_page(found | {"causes": [{"cause": "of tomorrow"}]}) is cause_page(found | {"causes": []}) is None
