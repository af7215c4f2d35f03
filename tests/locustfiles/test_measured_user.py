"""What a user sends with its requests."""

import subprocess
import sys
from pathlib import Path

import pytest

from include.loadtest.run import trace_id

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.unit
# Locust patches sockets, so it is imported in a process of its own.
PROBE = """
from types import SimpleNamespace
from include.locustfiles.measured_user import MeasuredUser
user = SimpleNamespace(team=SimpleNamespace(plan=SimpleNamespace(run_id="smoke-1")), number=17, iteration=0)
for user.iteration in (0, 0, 1):
    print(MeasuredUser._trace_parent(user))
"""


def test_requests_of_an_iteration_have_its_trace_and_a_span_each() -> None:
    """The id in `traceparent` is what a sample's user and iteration give; the span is another for every request."""
    ended = subprocess.run([sys.executable, "-c", PROBE], cwd=ROOT, capture_output=True, text=True, check=True)
    sent = [line.split("-") for line in ended.stdout.splitlines()]
    assert [trace for _, trace, _, _ in sent] == [trace_id("smoke-1", 17, iteration) for iteration in (0, 0, 1)]
    assert {(version, flags) for version, _, _, flags in sent} == {("00", "01")}
    assert len({span for _, _, span, _ in sent}) == 3
    assert {len(span) for _, _, span, _ in sent} == {16}
