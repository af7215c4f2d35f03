"""Sends what a run concluded to where people read it. Concludes nothing itself."""

SLACK_CONNECTION = "loadtest_slack"
"""Airflow connection with the way to Slack; it stands here, since DAG files are parsed without slack-sdk."""

HISTORY_VARIABLE = "LOADTEST_HISTORY_URL"
RESULTS_VARIABLE = "LOADTEST_RESULTS_URI"
DEFAULT_TARGET_VARIABLE = "LOADTEST_DEFAULT_TARGET"
"""Environment variables that Airflow's tasks and the exporter read alike."""
RESULTS_FOLDER = "load_test_results"
"""Below the checkout: where bundles are kept if nothing else is set."""
EXPORTER_VARIABLE, EXPORTER_ADDRESS = "LOADTEST_EXPORTER_ADDRESS", "127.0.0.1:9646"
"""Where the exporter listens."""
