#!/bin/bash
# Writes what Prometheus, Alertmanager and Grafana read. The URL for Slack stays in the secret that Alertmanager reads.
set -euo pipefail
cd /var/lib/loadtest/monitoring
python -m include.loadtest.publishing.alert_rules --out . --exporter exporter:9646 --alertmanager alertmanager:9093 \
    --slack-url-file /run/secrets/alerts_slack_url
python -m include.loadtest.publishing.dashboards dashboards --airflow-url "$LOADTEST_AIRFLOW_URL"
