"""Lists baselines, proposes, pins and retires them, and marks intended changes: an Airflow DAG, started by hand.

How it is used stands in docs/operating.md, "Baselines and intended changes".
"""

from include.loadtest.orchestration.baselines_dag import baselines_dag

dag = baselines_dag("load_test_baselines", doc_md=__doc__)
