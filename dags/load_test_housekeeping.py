"""Every day: removes old samples and what dead runs left, watches the disk and the weekly suite: an Airflow DAG.

By hand it also lists, proposes, pins and retires baselines, and marks intended changes (field action of its form).
Its numbers stand in include/profiles/housekeeping.yaml; how it is used, in docs/operating.md.
"""

from include.loadtest.orchestration.housekeeping_dag import housekeeping_dag

dag = housekeeping_dag("load_test_housekeeping", doc_md=__doc__)
