"""The check of a pull request, started over the REST API: an Airflow DAG that ends within five minutes."""

from include.loadtest.orchestration.factory import pull_request_dag

dag = pull_request_dag("load_test_pull_request", doc_md=__doc__)
