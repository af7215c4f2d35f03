"""The only code that knows Airflow: DAG factory, tasks, parameters, connections."""
