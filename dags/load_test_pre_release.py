"""A release candidate before its release, started by hand: an Airflow DAG.

The target profile's limits, and the candidate in turns with the current release. A WARN waits for a person's approval.
"""

from include.loadtest.orchestration.factory import pre_release_dag

dag = pre_release_dag("load_test_pre_release", doc_md=__doc__)
