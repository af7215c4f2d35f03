"""The alarm self-test without Airflow: recorded runs, what has to be said of them, and where it has to arrive."""
