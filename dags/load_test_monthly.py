"""How much load the system carries, once a month: an Airflow DAG with an extended stress test, then a review.

What it runs, when and how long stands in include/profiles/suites/monthly.yaml.
"""

from include.loadtest.orchestration.factory import suite_dag

dag = suite_dag("monthly", doc_md=__doc__)
