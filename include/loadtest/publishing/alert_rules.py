"""`python -m include.loadtest.publishing.alert_rules --out DIR`: Prometheus' and Alertmanager's files, generated.

DIR gets rules.yml (recording and alert rules of include/profiles/thresholds.yaml), prometheus.yml (scrapes the
exporter) and alertmanager.yml. Alerts go to Slack, by a webhook's URL in a file that Alertmanager reads itself, or to
any webhook, whose URL is read from a file: alertmanager.yml then holds it, for its owner only (Alertmanager reads a
webhook's URL from a file from 0.26 on, Debian 12 has 0.25). What is for information only, figures of a shared host, is
sent to nobody.
"""

import argparse
import logging
import os
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from include.loadtest.errors import ConfigError
from include.loadtest.live.readings import LEVELS
from include.loadtest.live.watch import HOST_PREFIX
from include.loadtest.profile.thresholds import (
    SILENCE,
    THRESHOLDS_FILE,
    Severity,
    Threshold,
    Thresholds,
    load_thresholds,
)
from include.loadtest.publishing import EXPORTER_ADDRESS, EXPORTER_VARIABLE
from include.loadtest.publishing.alertmanager import (
    SLACK_CHANNEL,
    SLACK_FILE,
    Receiver,
    alertmanager,
    require_secret,
    slack_receiver,
    webhook_receiver,
    webhook_url,
)
from include.loadtest.publishing.expressions import SERVER, expression
from include.loadtest.publishing.history_page import CONFIGURATION_OK, HISTORY_UP
from include.loadtest.reporting.markdown import figure

LOG = logging.getLogger("loadtest.alert_rules")
ALERTMANAGER_FILE = "alertmanager.yml"
SCRAPE_S = 5
HISTORY_RULES_S = 60
_SHOWN = {
    "ratio": "{{ $value | humanizePercentage }}",
    "bytes": "{{ $value | humanize1024 }}B",
    "ms": '{{ printf "%.0f" $value }} ms',
}
"""A value in its unit, as Alertmanager's receivers show it."""
_HEAD = "# Generated from include/profiles/thresholds.yaml by include.loadtest.publishing.alert_rules; do not edit\n"


@dataclass(frozen=True)
class Guard:
    """An alert about what keeps the weekly silence from being known: no figure with a limit."""

    id: str
    condition: str
    severity: Severity
    summary: str

    @property
    def page(self) -> str:
        """What to do then."""
        return f"docs/alerts/{self.id}.md"


GUARDS = (
    Guard(
        "history_away",
        f"min({HISTORY_UP}) == 0 or absent({HISTORY_UP})",
        "critical",
        "the history cannot be asked, or the exporter is gone: verdicts are not known",
    ),
    Guard(
        "configuration_faulty",
        f"min({CONFIGURATION_OK}) == 0",
        "warning",
        "calendar or target file are faulty: when the next weekly verdict is due is not known",
    ),
)
GUARD_FOR_S = 600


def rules(thresholds: Thresholds) -> dict[str, Any]:
    """rules.yml: a recording rule for each metric, an alert for each threshold, and the guards of the weekly one."""
    silence = [threshold for threshold in thresholds.thresholds if threshold.metric == SILENCE]
    groups = [
        ("loadtest", SCRAPE_S, _rules(thresholds.live, thresholds.window_s)),
        ("loadtest-history", HISTORY_RULES_S, [*_rules(silence, thresholds.window_s), *map(_guard, GUARDS)]),
    ]
    return {"groups": [{"name": name, "interval": f"{every_s}s", "rules": own} for name, every_s, own in groups]}


def _rules(thresholds: Iterable[Threshold], window_s: int) -> list[dict[str, Any]]:
    found = tuple(thresholds)
    metrics = dict.fromkeys(threshold.metric for threshold in found)
    recorded = [{"record": _record(name), "expr": expression(name, f"{window_s}s")} for name in metrics]
    return [*recorded, *(_alert(threshold) for threshold in found)]


def _guard(guard: Guard) -> dict[str, Any]:
    return {
        "alert": alert_name(guard.id),
        "expr": guard.condition,
        "for": f"{GUARD_FOR_S}s",
        "labels": {"severity": str(guard.severity), "threshold": guard.id},
        "annotations": {"summary": guard.summary, "page": guard.page},
    }


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
    if threshold.metric in LEVELS:
        about += f"{{{{ with $labels.{SERVER} }}}} on {{{{ . }}}}{{{{ end }}}}"
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


def write(directory: Path, files: Mapping[str, Mapping[str, Any]], private: Collection[str] = ()) -> None:
    """Write the files as YAML, each with where it comes from; those in `private` are for their owner only."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        text = yaml.safe_dump(dict(content), sort_keys=False, allow_unicode=True, width=1000)
        path = directory / name
        path.unlink(missing_ok=True)  # an older one may be open to everybody
        path.touch(mode=0o600 if name in private else 0o666)
        path.write_text(_HEAD + text, encoding="utf-8")


def _receiver(out: Path, options: argparse.Namespace) -> Receiver:
    """As the command line wants it. Raises ConfigError."""
    if options.webhook_url_file is None:
        require_secret(out / options.slack_url_file)
        return slack_receiver(options.slack_url_file, options.slack_channel)
    require_secret(options.webhook_url_file)
    return webhook_receiver(webhook_url(options.webhook_url_file))


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    # No abbreviations: `--webhook URL` would put a secret into the list of processes.
    parser = argparse.ArgumentParser(
        prog="python -m include.loadtest.publishing.alert_rules", description=__doc__, allow_abbrev=False
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for the files")
    parser.add_argument("--thresholds", type=Path, default=THRESHOLDS_FILE, help="another file of thresholds")
    parser.add_argument("--exporter", default=os.environ.get(EXPORTER_VARIABLE) or EXPORTER_ADDRESS, help="host:port")
    parser.add_argument("--alertmanager", default="127.0.0.1:9093", help="host:port")
    parser.add_argument("--slack-url-file", default=SLACK_FILE, help="file with the URL of Slack's webhook, mode 0600")
    parser.add_argument("--slack-channel", default=SLACK_CHANNEL)
    parser.add_argument(
        "--webhook-url-file", type=Path, help="send alerts to the address in this file, mode 0600, instead of Slack"
    )
    parser.add_argument(
        "--group-wait-s", type=int, default=10, help="how long the first message waits for further alerts"
    )
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the files; exit code 2 for bad input."""
    options = _options(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        thresholds = load_thresholds(options.thresholds)
        receiver = _receiver(options.out, options)
    except ConfigError as error:
        LOG.error("%s", error)
        return 2
    files = {
        "rules.yml": rules(thresholds),
        "prometheus.yml": prometheus(options.exporter, options.alertmanager),
        ALERTMANAGER_FILE: alertmanager(receiver, options.group_wait_s),
    }
    write(options.out, files, () if options.webhook_url_file is None else (ALERTMANAGER_FILE,))
    LOG.info("written to %s: %s", options.out, ", ".join(files))
    return 0


if __name__ == "__main__":
    sys.exit(main())
