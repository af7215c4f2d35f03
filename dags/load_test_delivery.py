"""What Slack or GitHub did not take at once, tried again every ten minutes as its back-off allows: an Airflow DAG."""

from include.loadtest.orchestration.delivery_dag import delivery_dag

dag = delivery_dag("load_test_delivery", doc_md=__doc__)
