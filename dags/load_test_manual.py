"""A load test by hand: any profile, number of users and target, or a whole suite.

It is the Airflow DAG behind `make run`.
"""

from include.loadtest.orchestration.factory import manual_dag

dag = manual_dag("load_test_manual", doc_md=__doc__)
