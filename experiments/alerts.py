"""Slow answers reach a person while the load runs: by the run's own watch, and through a real Prometheus."""

import logging
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pyarrow.parquet as pq

from experiments.aftermath import document
from experiments.claims import Claim, Say
from experiments.freeze import profile_yaml
from experiments.in_process import Bench, bench
from experiments.monitoring import Monitoring, monitoring
from experiments.profiles import faults_in_the_load
from include.embedded.state import CHECKOUT
from include.loadtest.profile.thresholds import THRESHOLDS_FILE, Threshold, load_thresholds
from include.loadtest.publishing.alert_rules import alert_name
from include.loadtest.publishing.alert_rules import main as write_rules
from include.loadtest.publishing.services import Services
from include.loadtest.publishing.slack import SlackSettings
from tests.helpers.slack_service import TOKEN, SlackService, slack_service

NAME = "alerts"
USERS, HEALTHY_S, SLOW_S = 20, 45, 75
ADDED_MS = 6000
ALERT = "latency_p95_high"
WATCH_WITHIN_S, CHAIN_WITHIN_S = 15.0, 30.0
"""On top of the threshold's own time: parts close every 3 s, are looked at every 2 s; scrape and rule take 5 s each."""
BY_HAND = "alert_rules_test.yml"


@dataclass
class _Told(logging.Handler):
    """When the run's own watch has logged the alert; seconds since the epoch."""

    moments: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(logging.WARNING)

    def emit(self, record: logging.LogRecord) -> None:
        if record.getMessage().startswith(f"alert {ALERT}: "):
            self.moments.append(record.created)

    __hash__ = logging.Handler.__hash__


def claims(say: Say) -> Iterator[Claim]:
    """Two slow loads and a healthy one against one demo target, the rules with a wrong number."""
    yield from _rules_claims()
    with bench(say) as servers, slack_service() as slack:
        yield from _watch_claims(servers, slack)
        with monitoring(servers.folder / "monitoring", servers.folder / "results", servers.history_url) as prometheus:
            yield _healthy_claim(servers, prometheus)
            yield from _chain_claims(servers, prometheus)


def _rules_claims() -> Iterator[Claim]:
    """Each threshold wrong by itself, in the file that all are read from."""
    text = THRESHOLDS_FILE.read_text(encoding="utf-8")
    code = _promtool(text)
    yield Claim(NAME, "the generated rules pass the tests by hand", "promtool: 0", f"promtool: {code}", code == 0)
    thresholds = load_thresholds().thresholds
    lines = [line for line in text.splitlines() if line.startswith("    limit: ")]
    failed = []
    for threshold, line in zip(thresholds, lines, strict=True):
        key, _, number = line.partition(": ")
        wrong = f"{key}: {1.1 * float(number.split()[0])!r}"
        start = text.index(f"id: {threshold.id}")
        failed.append(_promtool(text[:start] + text[start:].replace(line, wrong, 1)) != 0)
    yield Claim(
        NAME,
        "with any one threshold 10 % higher they fail",
        f"{len(thresholds)} of {len(thresholds)}",
        f"{sum(failed)} of {len(failed)}",
        all(failed),
    )


def _promtool(thresholds: str) -> int:
    program = shutil.which("promtool")
    if program is None:
        raise RuntimeError("promtool is not on this machine: `make system-deps` as root installs it")
    with tempfile.TemporaryDirectory(prefix="loadtest-rules-") as name:
        folder = Path(name)
        (folder / "thresholds.yaml").write_text(thresholds, encoding="utf-8")
        if write_rules(["--out", name, "--thresholds", str(folder / "thresholds.yaml")]) != 0:
            raise RuntimeError("a changed file of thresholds was refused")
        shutil.copy(CHECKOUT / "tests" / "data" / BY_HAND, folder)
        return subprocess.run(
            [program, "test", "rules", BY_HAND], cwd=folder, capture_output=True, check=False
        ).returncode


def _watch_claims(servers: Bench, slack: SlackService) -> Iterator[Claim]:
    servers.say(f"slow answers (+{ADDED_MS} ms), no Prometheus")
    told = _Told()
    logging.getLogger("loadtest").addHandler(told)
    settings = SlackSettings.checked(channel="#load-tests", token=TOKEN, base_url=slack.base_url)
    try:
        bundle = _slow_run(servers, "alerts-watch", settings)
    finally:
        logging.getLogger("loadtest").removeHandler(told)
    crossed_s, for_s = crossing_s(bundle), _threshold().for_s
    delay_s = told.moments[0] - crossed_s if told.moments and crossed_s else None
    yield _delay_claim("the run's own watch logs the alert, without any Prometheus", delay_s, for_s, WATCH_WITHIN_S)
    found = [alert for alert in document(bundle, "alerts.json").get("alerts", ()) if alert["id"] == ALERT]
    page = found[0]["page"] if found else "-"
    sent = [post.text for post in slack.posts if ALERT in post.text]
    yield Claim(
        NAME,
        "it stands in alerts.json and in Slack",
        "1 alert with its page, 1 message or more, no fault of form",
        f"{len(found)} alert, page {page}, {len(sent)} messages, {len(slack.faults)} faults",
        len(found) == 1 and bool(found[0]["page"]) and bool(sent) and not slack.faults,
    )


def _healthy_claim(servers: Bench, prometheus: Monitoring) -> Claim:
    servers.say("a healthy load, with Prometheus and Alertmanager")
    run_id = "alerts-healthy"
    context = servers.context(run_id, profile_yaml(users=USERS, duration_s=HEALTHY_S))
    servers.run(context)
    told = sum(one.labels.get("run_id") == run_id for one in prometheus.received)
    watched = document(context.bundle.path, "alerts.json").get("alerts")
    own = None if watched is None else sum(alert["severity"] != "info" for alert in watched)
    return Claim(
        NAME,
        f"a healthy load of {HEALTHY_S} s alerts nobody",
        "0 messages, 0 alerts of the watch",
        f"{told} messages, {'no watch' if own is None else own} alerts of the watch",
        told == 0 and own == 0,
    )


def _chain_claims(servers: Bench, prometheus: Monitoring) -> Iterator[Claim]:
    servers.say(f"slow answers (+{ADDED_MS} ms), exporter -> Prometheus -> Alertmanager -> webhook")
    run_id, pages = "alerts-chain", list[str]()
    timer = threading.Timer(1, _await_page, args=(prometheus, run_id, pages))
    timer.daemon = True
    timer.start()
    bundle = _slow_run(servers, run_id, None)
    found, crossed_s = prometheus.first(alert_name(ALERT), run_id), crossing_s(bundle)
    delay_s = found.at_s - crossed_s if found and crossed_s else None
    yield _delay_claim(
        "the message arrives through Prometheus and Alertmanager", delay_s, _threshold().for_s, CHAIN_WITHIN_S
    )
    page = "-" if found is None else found.annotations.get("page", "-")
    yield Claim(
        NAME,
        "it names run, target and the page of response",
        f"{run_id}, demo, {_threshold().page}",
        "no message" if found is None else f"{run_id}, {found.labels.get('target')}, {page}",
        found is not None and (found.labels.get("target"), page) == ("demo", _threshold().page),
    )
    program = shutil.which("promtool") or "promtool"
    checks = [
        subprocess.run([program, "check", "metrics"], input=text, text=True, capture_output=True, check=False)
        for text in (*pages[:1], prometheus.page())
    ]
    yield Claim(
        NAME,
        "the exporter's page is clean while the load runs, and after it",
        "promtool check metrics: 0, 0",
        f"promtool check metrics: {', '.join(str(done.returncode) for done in checks)}",
        [done.returncode for done in checks] == [0, 0] and not any(done.stdout + done.stderr for done in checks),
    )


def _await_page(prometheus: Monitoring, run_id: str, pages: list[str]) -> None:
    """The page once it tells of the run's requests."""
    deadline = time.monotonic() + 300
    while not pages and time.monotonic() < deadline:
        text = prometheus.page()
        if f'loadtest_requests_total{{run_id="{run_id}"' in text:
            pages.append(text)
        time.sleep(1)


def _delay_claim(claim: str, delay_s: float | None, for_s: int, within_s: float) -> Claim:
    return Claim(
        NAME,
        f"{claim} (P95 over 5 s for {for_s} s)",
        f"{for_s} to {for_s + within_s:g} s after the crossing",
        "no alert" if delay_s is None else f"{delay_s:.1f} s after the crossing",
        delay_s is not None and for_s <= delay_s <= for_s + within_s,
    )


def _threshold() -> Threshold:
    return next(own for own in load_thresholds().thresholds if own.id == ALERT)


def crossing_s(bundle: Path) -> float | None:
    """When more than one in twenty of the last minute's requests, twenty or more, had taken over 5 s; None: never.

    From the samples, exactly: seconds since the epoch.
    """
    limit_us, window_s = 1000 * _threshold().limit, load_thresholds().window_s
    table = pq.read_table(bundle / "samples", columns=["intended_start", "latency_us"])
    starts = table["intended_start"].cast("int64").to_pylist()
    latencies = table["latency_us"].to_pylist()
    ended: list[tuple[float, int]] = sorted(
        (start / 1e9 + us / 1e6, us) for start, us in zip(starts, latencies, strict=True)
    )
    for number, (now_s, _) in enumerate(ended, 1):
        window = [us for end_s, us in ended[:number] if end_s > now_s - window_s]
        if len(window) >= 20 and sum(us > limit_us for us in window) > 0.05 * len(window):
            return now_s
    return None


def _slow_run(servers: Bench, run_id: str, slack: SlackSettings | None) -> Path:
    context = servers.context(run_id, profile_yaml(users=USERS, duration_s=SLOW_S))
    context = replace(context, find_services=lambda: Services(slack))
    with faults_in_the_load(servers.demo, context.bundle.path, latency_added_ms={"all": ADDED_MS}):
        servers.run(context)
    return context.bundle.path
