"""One load test by hand, with any profile, number of users and target: the Airflow DAG behind `make run`."""

from include.loadtest.orchestration.factory import load_test_dag
from include.loadtest.orchestration.params import manual_params

dag = load_test_dag(
    "load_test_manual",
    description="One load test, started by a person",
    doc_md=__doc__,
    params=manual_params(),
)
