"""Who is told of an alert: the end of a run's alert is nobody's news, the end of others is."""

import pytest

from include.loadtest.publishing.alertmanager import alertmanager, slack_receiver, webhook_receiver

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("receiver", [slack_receiver("url", "#ops"), webhook_receiver("http://127.0.0.1:9/hook")])
def test_the_end_is_told_of_alerts_that_outlive_a_load_only(receiver: dict[str, dict[str, str]]) -> None:
    """When a load is over its series are gone, whatever its target is like."""
    content = alertmanager(receiver)
    (kind,) = receiver
    told = {own["name"]: own[kind][0]["send_resolved"] for own in content["receivers"] if kind in own}
    assert told == {"people": True, "people-of-a-run": False}
    by_run = [route["receiver"] for route in content["route"]["routes"] if 'run_id=~".+"' in route["matchers"]]
    assert by_run == ["people-of-a-run"]
    assert content["route"]["receiver"] == "people"
