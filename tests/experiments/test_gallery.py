"""The pictures of docs/messages.md: each is there and small, and their markup is read as the services read it."""

import re
from pathlib import Path

import pytest
from PIL import Image

from experiments.gallery.github_html import box, issue
from experiments.gallery.real_alarms import fault, self_test
from experiments.gallery.runs import in_words, reworded, told_runs
from experiments.gallery.slack_html import mrkdwn, posts, thread
from include.loadtest.bundle import Bundle
from tests.helpers.block_kit import faults
from tests.helpers.slack_messages import HOSTILE, MET, document, message, slo, texts

pytestmark = pytest.mark.unit
DOCUMENT = Path(__file__).parents[2] / "docs" / "messages.md"
PICTURES = DOCUMENT.parent / "pictures" / "messages"
MAX_BYTES, MAX_WIDTH_PX = 60_000, 900


def test_the_document_shows_each_picture_and_each_picture_is_small() -> None:
    """Nothing is shown that is not there; nothing lies there unseen."""
    shown = set(re.findall(r"\]\(pictures/messages/([a-z-]+\.png)\)", DOCUMENT.read_text(encoding="utf-8")))
    assert shown == {path.name for path in PICTURES.iterdir()}
    for name in shown:
        with Image.open(PICTURES / name) as picture:
            assert picture.width <= MAX_WIDTH_PX, name
        assert (PICTURES / name).stat().st_size <= MAX_BYTES, name


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("*P95* is `a*b*`", "<b>P95</b> is <code>a*b*</code>"),
        ("<https://a.example/?a=1&amp;b=2|run>", "<a>run</a>"),
        ("<@U012> <!subteam^S012>", '<span class="call">@U012</span> <span class="call">@S012</span>'),
        ("a &lt;b&gt;\n  → c", "a &lt;b&gt;<br>&nbsp;&nbsp;→ c"),
    ],
)
def test_marks_of_slack_become_html(text: str, html: str) -> None:
    """Bold, code, links and mentions; a code's stars are text, entities stay as they are."""
    assert mrkdwn(text) == html


def test_hostile_text_of_a_message_is_no_markup_on_its_picture() -> None:
    """What Slack shows as text is shown as text."""
    shown = posts([message(document(MET), title=HOSTILE, target=HOSTILE)])
    assert "<script" not in shown
    assert "@U123<" not in shown.replace("\u200b", "")
    assert thread([]) == ""


def test_an_issue_has_its_number_state_labels_and_tables() -> None:
    """As GitHub shows it; its title is text."""
    payload = {"title": "<b>x</b>", "labels": ["load-test"], "body": "| a |\n| --- |\n| 1 |"}
    shown = issue(7, payload, state="open")
    for part in ("&lt;b&gt;x&lt;/b&gt; <span>#7</span>", ">Open<", ">load-test<", "<td>1</td>"):
        assert part in shown
    assert "<strong>Gone</strong>" in box("**Gone**")


def test_a_run_with_a_cause_and_alerts_tells_more_than_one_without(tmp_path) -> None:
    """Runs without a manifest are left out."""
    for name, cause in (("smoke-2", None), ("smoke-1", "locks"), ("smoke-3", None)):
        bundle = Bundle(tmp_path / name)
        bundle.write("verdict.json", document(MET, run_id=name))
        if name != "smoke-3":
            bundle.update_manifest(profile={"name": "smoke"}, target={"name": "demo"})
        else:
            bundle.update_manifest(load={})
        if cause:
            bundle.write("diagnosis.json", {"state": "bottleneck", "causes": [{"cause": cause}]})
    assert [told.bundle.run_id for told in told_runs([tmp_path])] == ["smoke-1", "smoke-2"]


def test_a_recorded_verdict_is_told_in_todays_words() -> None:
    """Limits as people read them, a bound as one, the baseline by its name; the rest as it was."""
    missed = [slo("latency_p99_ms", "missed", 12_004, 6_000), slo("error_rate", "missed", 0.03687, 0.01)]
    old = [
        {"code": "slo_missed", "text": "latency_p99_ms of all in hold: 1.2e+04 ms, limit < 6000 ms, n=217"},
        {"code": "slo_missed", "text": "error_rate of all in hold: 0.03687 ratio, limit < 0.01 ratio, n=217"},
        {"code": "operator", "text": "the load was stopped"},
    ]
    bound = {"metric": "latency_p99_ms", "scope": "all", "phase": "hold", "lower_bound": True}
    new = reworded(old, document(missed)["slos"], [bound])
    assert [reason["text"] for reason in new] == [
        "latency_p99_ms of all in hold: ≥ 12,004 ms, limit < 6,000 ms, n=900",
        "error_rate of all in hold: 3.687 %, limit < 1 %, n=900",
        "the load was stopped",
    ]
    assert in_words("no change (recent)") == "no change (baseline: the latest comparable runs)"
    assert in_words("3 comparable runs are there (recent)") == "3 comparable runs are there"


def test_the_fault_is_a_clean_up_whose_database_is_away() -> None:
    """Made by the failure callback of what was raised, without the password."""
    shown = fault()
    assert "Task *cleanup_users* failed" in texts(shown)[1]
    assert "Connection refused" in texts(shown)[1]
    assert "s3cret" not in repr(shown)
    assert faults(shown.payload()) == []


def test_the_self_tests_message_is_the_one_that_it_sends(tmp_path) -> None:
    """Of its recorded bad run, and of no target that there is."""
    shown = self_test(tmp_path)
    assert texts(shown)[:2] == [
        "[TEST] ❌ SLA_BREACH: Smoke",
        "At least one critical limit was missed. Target: *alarm-selftest*",
    ]
    assert faults(shown.payload()) == []
