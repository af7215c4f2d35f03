"""The pages of the load tests inside Airflow: a FastAPI app behind Airflow's own login and permissions."""
