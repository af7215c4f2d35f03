"""Two short runs that show within minutes that a suite works: an Airflow DAG, started by hand.

What it runs stands in include/profiles/suites/quick.yaml.
"""

from include.loadtest.orchestration.factory import suite_dag

dag = suite_dag("quick", doc_md=__doc__)
