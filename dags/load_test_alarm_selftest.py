"""Every Monday: recorded bad runs go the way of every alarm, and red names the broken link: an Airflow DAG.

What it looks at, and what to do when it is red, stands in docs/self-test.md.
"""

from include.loadtest.orchestration.selftest_dag import selftest_dag

dag = selftest_dag("load_test_alarm_selftest", doc_md=__doc__)
