"""Every profile, one after the other: the weekly suite, an Airflow DAG.

What it runs, when and how long stands in include/profiles/suites/weekly.yaml. A breach does not stop the next run.
"""

from include.loadtest.orchestration.factory import suite_dag

dag = suite_dag("weekly", doc_md=__doc__)
