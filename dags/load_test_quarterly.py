"""Everything in full at the end of a quarter: an Airflow DAG that ends with a plan and the proposal of new baselines.

What it runs, when and how long stands in include/profiles/suites/quarterly.yaml. The target is free again before a
person is asked about the baselines.
"""

from include.loadtest.orchestration.factory import suite_dag

dag = suite_dag("quarterly", doc_md=__doc__)
