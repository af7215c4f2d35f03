"""Every profile with its full duration, started by hand before something important: an Airflow DAG.

What it runs stands in include/profiles/suites/full_suite.yaml. A breach does not stop the next run.
"""

from include.loadtest.orchestration.factory import suite_dag

dag = suite_dag("full_suite", doc_md=__doc__)
