"""Names of a run and of the files of its bundle."""

import hashlib
import re
from datetime import UTC, datetime

RUN_ID_PATTERN = re.compile(r"^[a-z0-9_-]+$")

MANIFEST = "manifest.json"
SAMPLES = "samples"
RESOURCES = "resources"
ERRORS = "errors.json"
METRICS = "metrics.json"
VALIDATION = "validation.json"
COMPARISON = "comparison.json"
DIAGNOSIS = "diagnosis.json"
VERDICT = "verdict.json"
ALERTS = "alerts.json"
"""Thresholds that were crossed while the load was sent; absent where nothing watched it."""
LIVE = "live.json"
"""What the run does now, and what its load shows: for the live page, see `orchestration.live_file`."""
CHECKS = "checks.json"
"""Of a profile with `checks`: what its generator found out that no single request says."""
PLOT = "load_test_plot.png"
"""The load over time, see `reporting.plot`; absent for a run without samples."""
REPORT_PAGE = "report.html"
"""All of the run for people, in one file that asks nobody for anything."""
LOCUST_HTML = "locust_results.html"
K6_HTML = "k6_summary.html"
SAMPLES_REMOVED = "samples_removed"
"""Key of the manifest: when the samples and readings of an old run were removed."""
TRACE_IDS = "trace_ids"
"""Key of the manifest: how the ids of the load's traces are made; absent where an earlier release sent random ones."""
TRACE_IDS_OF_ITERATIONS = "sha256 of run_id/user/iteration"
"""Its value for the ids that `trace_id` computes."""

HEADER_RUN_ID = "X-Load-Test-Run-Id"
HEADER_PHASE = "X-Load-Test-Phase"
REQUEST_PHASES = ("login", "warm_up", "load")
"""Values of HEADER_PHASE: only `load` requests are samples."""
PLAIN_BODIES = {"Accept-Encoding": "identity"}
"""Asks for bodies as they are: every engine counts and reads the same bytes, and unpacks none within a latency."""

TEST_USER_EMAIL = "loadtest_user_{}@pratikoai.it"
"""Address of a test user, by its number."""
TEST_USER_PASSWORD = "TestPassword123!"  # noqa: S105 - of users that exist during a test only, known to everybody

READING_INTERVAL_S = 5.0
"""Readings of servers, machines and the generator are this far apart."""

NO_USER = 0
"""Whose draws arrivals on a schedule follow, and whose those samples are that nobody served: they have no trace."""

SESSION_MAX_AGE_S = 90 * 60
"""Tokens are valid for 2 h; older sessions are renewed during the load, outside the samples."""


def run_id_for(profile_name: str, started: datetime, owner: str) -> str:
    """Id of a run: profile, UTC time, short hash of `owner` (what started it): equal inputs give equal ids."""
    return f"{profile_name}-{started.astimezone(UTC):%Y%m%d-%H%M%S}-{owner_digest(owner)}"


def owner_digest(owner: str) -> str:
    """What the id of each run ends with that `owner` started; two owners may have the same."""
    return hashlib.sha256(owner.encode()).hexdigest()[:6]


def trace_id(run_id: str, user: int, iteration: int) -> str:
    """Id of the trace (W3C trace context) of an iteration's requests, so that a sample leads to its trace."""
    return hashlib.sha256(f"{run_id}/{user}/{iteration}".encode()).hexdigest()[:32]


def utc_text(moment: datetime) -> str:
    """ISO 8601 in UTC with microseconds, as all files of a bundle have it."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def report_stamp(moment: datetime) -> str:
    """The `YYYYMMDD_HHMMSS` of the report files' names, UTC."""
    return f"{moment.astimezone(UTC):%Y%m%d_%H%M%S}"
