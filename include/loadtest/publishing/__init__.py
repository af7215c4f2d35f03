"""Sends what a run concluded to where people read it. Concludes nothing itself."""

SLACK_CONNECTION = "loadtest_slack"
"""Airflow connection with the way to Slack; it stands here, since DAG files are parsed without slack-sdk."""
