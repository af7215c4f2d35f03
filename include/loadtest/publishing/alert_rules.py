"""`python -m include.loadtest.publishing.alert_rules --out DIR`: Prometheus' and Alertmanager's files, generated.

DIR gets rules.yml (recording and alert rules of include/profiles/thresholds.yaml), prometheus.yml (scrapes the
exporter) and alertmanager.yml. Alerts go to Slack, by a webhook's URL in a file that Alertmanager reads itself, or to
any webhook: no secret is written. What is for information only, figures of a shared host, is sent to nobody.
"""

import argparse
import logging
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from include.loadtest.errors import ConfigError
from include.loadtest.live.readings import HITS, LEVELS, MIN_LOOKUPS, MISSES, SLOW_QUERIES, Kind
from include.loadtest.live.requests import MIN_REQUESTS, P95_SHARE
from include.loadtest.live.watch import HOST_PREFIX
from include.loadtest.profile.thresholds import SILENCE, THRESHOLDS_FILE, Threshold, Thresholds, load_thresholds
from include.loadtest.publishing import EXPORTER_ADDRESS, EXPORTER_VARIABLE
from include.loadtest.publishing.history_page import SILENCE as SILENCE_SERIES
from include.loadtest.publishing.live_page import DURATION, READING, REQUESTS
from include.loadtest.reporting.markdown import figure

LOG = logging.getLogger("loadtest.alert_rules")
SCRAPE_S = 5
RUN = "run_id, profile, target"
MESSAGE_TITLE = "{{ .CommonLabels.alertname }} on {{ .CommonLabels.target }}"
MESSAGE = (
    "{{ range .Alerts }}{{ .Annotations.summary }} ({{ .Status }}); what to do: {{ .Annotations.page }}\n{{ end }}"
)
_SHOWN = {
    "ratio": "{{ $value | humanizePercentage }}",
    "bytes": "{{ $value | humanize1024 }}B",
    "ms": '{{ printf "%.0f" $value }} ms',
}
"""A value in its unit, as Alertmanager's receivers show it."""
SLACK_FILE, SLACK_CHANNEL = "slack_webhook_url", "#load-tests"
_HEAD = "# Generated from include/profiles/thresholds.yaml by include.loadtest.publishing.alert_rules; do not edit\n"


def expression(metric: str, window_s: int) -> str:
    """PromQL of a metric's figure, the same that the live watch computes; labels run_id, profile and target."""
    if metric in LEVELS:
        return " or ".join(_level(kind, metric, window_s) for kind in LEVELS[metric])
    return {
        "latency_p95_ms": _latency,
        "error_rate": _error_rate,
        "cache_hit_rate": _hit_rate,
        "slow_queries_per_min": _slow_per_min,
        SILENCE: _silence_days,
    }[metric](window_s)


def _level(kind: Kind, metric: str, window_s: int) -> str:
    labels = f"{RUN}, shared_host" if metric.startswith(HOST_PREFIX) else RUN
    return f"max by ({labels}) (avg_over_time({_reading(kind)}[{window_s}s]))"


def _reading(kind: Kind) -> str:
    source, metric = kind
    return f'{READING}{{source="{source}",metric="{metric}"}}'


def _latency(window_s: int) -> str:
    buckets = f"sum by ({RUN}, le) (rate({DURATION}_bucket[{window_s}s]))"
    return (
        f"1000 * histogram_quantile({P95_SHARE}, {buckets}) and {_enough(f'{DURATION}_count', window_s, MIN_REQUESTS)}"
    )


def _error_rate(window_s: int) -> str:
    failed = f'sum by ({RUN}) (increase({REQUESTS}{{outcome!~"ok|censored"}}[{window_s}s]))'
    judged = f'{REQUESTS}{{outcome!="censored"}}'
    share = f"{failed} / sum by ({RUN}) (increase({judged}[{window_s}s]))"
    return f"{share} and {_enough(judged, window_s, MIN_REQUESTS)}"


def _hit_rate(window_s: int) -> str:
    hits, misses = (f"sum by ({RUN}) (increase({_reading(kind)}[{window_s}s]))" for kind in (HITS, MISSES))
    return f"{hits} / ({hits} + {misses}) and {hits} + {misses} >= {MIN_LOOKUPS}"


def _slow_per_min(window_s: int) -> str:
    return f"60 * sum by ({RUN}) (rate({_reading(SLOW_QUERIES)}[{window_s}s]))"


def _silence_days(_window_s: int) -> str:
    return f"max by (target) ({SILENCE_SERIES}) / 86400"


def _enough(series: str, window_s: int, least: int) -> str:
    return f"sum by ({RUN}) (increase({series}[{window_s}s])) >= {least}"


def rules(thresholds: Thresholds) -> dict[str, Any]:
    """rules.yml: a recording rule for each metric, an alert for each threshold."""
    metrics = dict.fromkeys(threshold.metric for threshold in thresholds.thresholds)
    recorded = [{"record": _record(name), "expr": expression(name, thresholds.window_s)} for name in metrics]
    alerts = [_alert(threshold) for threshold in thresholds.thresholds]
    return {"groups": [{"name": "loadtest", "interval": f"{SCRAPE_S}s", "rules": [*recorded, *alerts]}]}


def alert_name(threshold_id: str) -> str:
    """The alert of a threshold.

    >>> alert_name("host_cpu_high")
    'LoadTestHostCpuHigh'
    """
    return "LoadTest" + "".join(part.capitalize() for part in threshold_id.split("_"))


def _record(metric: str) -> str:
    return f"loadtest:{metric}"


def _alert(threshold: Threshold) -> dict[str, Any]:
    severity, note = str(threshold.severity), ""
    if threshold.metric.startswith(HOST_PREFIX):
        severity = f'{{{{ if eq $labels.shared_host "yes" }}}}info{{{{ else }}}}{threshold.severity}{{{{ end }}}}'
        note = '{{ if eq $labels.shared_host "yes" }} (shared host: the load generator runs on it too){{ end }}'
    about = "target {{ $labels.target }}" if threshold.metric == SILENCE else "run {{ $labels.run_id }}"
    limit = f"alert: {threshold.comparator} {figure(threshold.limit, threshold.unit)} for {threshold.for_s} s"
    value = _SHOWN.get(threshold.unit, f'{{{{ printf "%.4g" $value }}}} {threshold.unit}')
    return {
        "alert": alert_name(threshold.id),
        "expr": f"{_record(threshold.metric)} {threshold.comparator} {_plain(threshold.limit)}",
        "for": f"{threshold.for_s}s",
        "labels": {"severity": severity, "threshold": threshold.id},
        "annotations": {
            "summary": f"{threshold.metric} of {about} is {value} ({limit}){note}",
            "page": threshold.page,
        },
    }


def _plain(value: float) -> str:
    """As it was written, without an exponent or a needless `.0`."""
    return str(int(value)) if value.is_integer() else repr(value)


def prometheus(exporter: str, alertmanager: str) -> dict[str, Any]:
    """prometheus.yml: scrapes the exporter, evaluates the rules beside it, tells Alertmanager. Both as host:port."""
    return {
        "global": {"scrape_interval": f"{SCRAPE_S}s", "evaluation_interval": f"{SCRAPE_S}s"},
        "rule_files": ["rules.yml"],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [alertmanager]}]}]},
        "scrape_configs": [{"job_name": "loadtest", "static_configs": [{"targets": [exporter]}]}],
    }


def alertmanager(receiver: Mapping[str, Any], group_wait_s: int = 10) -> dict[str, Any]:
    """alertmanager.yml: one message for the alerts of a run; `receiver`: see `slack_receiver`, `webhook_receiver`."""
    return {
        "route": {
            "receiver": "people",
            "group_by": ["run_id", "target"],
            "group_wait": f"{group_wait_s}s",
            "group_interval": "1m",
            "repeat_interval": "12h",
            "routes": [{"receiver": "nobody", "matchers": ['severity="info"']}],
        },
        "receivers": [{"name": "people", **receiver}, {"name": "nobody"}],
    }


def slack_receiver(url_file: str, channel: str) -> dict[str, Any]:
    """Messages to Slack; `url_file` holds the webhook's URL, a relative one lies beside alertmanager.yml."""
    message = {"api_url_file": url_file, "channel": channel, "send_resolved": True}
    return {"slack_configs": [{**message, "title": MESSAGE_TITLE, "text": MESSAGE}]}


def webhook_receiver(url: str) -> dict[str, Any]:
    """Alertmanager's own JSON to any address."""
    return {"webhook_configs": [{"url": url, "send_resolved": True}]}


def write(directory: Path, files: Mapping[str, Mapping[str, Any]]) -> None:
    """Write the files as YAML, each with where it comes from."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        text = yaml.safe_dump(dict(content), sort_keys=False, allow_unicode=True, width=1000)
        (directory / name).write_text(_HEAD + text, encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the files; exit code 2 for bad input."""
    parser = argparse.ArgumentParser(prog="python -m include.loadtest.publishing.alert_rules", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder for the files")
    parser.add_argument("--thresholds", type=Path, default=THRESHOLDS_FILE, help="another file of thresholds")
    parser.add_argument("--exporter", default=os.environ.get(EXPORTER_VARIABLE) or EXPORTER_ADDRESS, help="host:port")
    parser.add_argument("--alertmanager", default="127.0.0.1:9093", help="host:port")
    parser.add_argument("--slack-url-file", default=SLACK_FILE, help="file with the URL of Slack's webhook")
    parser.add_argument("--slack-channel", default=SLACK_CHANNEL)
    parser.add_argument("--webhook", help="send alerts to this address instead of Slack")
    parser.add_argument(
        "--group-wait-s", type=int, default=10, help="how long the first message waits for further alerts"
    )
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        thresholds = load_thresholds(options.thresholds)
    except ConfigError as error:
        LOG.error("%s", error)
        return 2
    slack = slack_receiver(options.slack_url_file, options.slack_channel)
    receiver = webhook_receiver(options.webhook) if options.webhook else slack
    files = {
        "rules.yml": rules(thresholds),
        "prometheus.yml": prometheus(options.exporter, options.alertmanager),
        "alertmanager.yml": alertmanager(receiver, options.group_wait_s),
    }
    write(options.out, files)
    LOG.info("written to %s: %s", options.out, ", ".join(files))
    return 0


if __name__ == "__main__":
    sys.exit(main())
