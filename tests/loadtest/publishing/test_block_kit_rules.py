"""The checker that all messages are held to refuses what breaks a rule of Slack, and nothing else."""

from typing import Any

import pytest

from tests.helpers.block_kit import faults

pytestmark = pytest.mark.unit


def text(content: Any, kind: str = "mrkdwn", **more: Any) -> dict[str, Any]:
    return {"type": kind, "text": content, **more}


def header(content: Any, kind: str = "plain_text", **more: Any) -> dict[str, Any]:
    return {"type": "header", "text": text(content, kind), **more}


def context(*elements: Any, **more: Any) -> dict[str, Any]:
    return {"type": "context", "elements": list(elements), **more}


def fields(*texts: Any) -> dict[str, Any]:
    return {"type": "section", "fields": list(texts)}


SECTION = {"type": "section", "text": text("x", verbatim=True)}


def payload(*blocks: Any, **more: Any) -> dict[str, Any]:
    return {"channel": "C0123456789", "text": "fallback", "blocks": list(blocks), **more}


VALID = payload(
    header("❌ SLA_BREACH: Smoke", block_id="head"),
    {"type": "section", "block_id": "calls", "text": text("<@U0123456789> <!subteam^S0123456789>", verbatim=True)},
    fields(text("*P95*\n3,456 ms (limit &lt; 2,500 ms)", verbatim=True), text("*Errors*\n0 &amp; none")),
    {"type": "divider"},
    context(text("<https://airflow.example/a?b=1&amp;c=2|Open the run>"), text("run `smoke-1`")),
    context(text("plain", "plain_text", emoji=False)),
    metadata={"event_type": "load_test_delivery", "event_payload": {"key": "slack/run/smoke-1"}},
    thread_ts="1700000000.000001",
    parse="none",
    link_names=False,
    unfurl_links=False,
    unfurl_media=False,
)

BROKEN: dict[str, dict[str, Any]] = {
    "51 blocks": payload(*[SECTION] * 51),
    "no blocks": payload(),
    "blocks as a text": {**VALID, "blocks": "[]"},
    "a block that is a text": payload("x"),
    "a block without type": payload({"text": text("x")}),
    "a block of an unknown type": payload({"type": "chart", "text": text("x")}),
    "a block id used twice": payload({**SECTION, "block_id": "a"}, {**SECTION, "block_id": "a"}),
    "a block id of 256 characters": payload({**SECTION, "block_id": "x" * 256}),
    "an empty block id": payload({**SECTION, "block_id": ""}),
    "a block id that is a number": payload({**SECTION, "block_id": 5}),
    "an unknown key of a block": payload({**SECTION, "colour": "red"}),
    "an unknown key of a header": payload(header("x", level=2)),
    "a header of 151 characters": payload(header("x" * 151)),
    "a header in mrkdwn": payload(header("x", "mrkdwn")),
    "an empty header": payload(header("")),
    "a header of spaces": payload(header("  ")),
    "a header without text": payload({"type": "header"}),
    "a header whose text is bare": payload({"type": "header", "text": "x"}),
    "a section of 3,001 characters": payload({"type": "section", "text": text("x" * 3001)}),
    "an empty section": payload({"type": "section"}),
    "a section of an empty text": payload({"type": "section", "text": text("")}),
    "a section whose text is bare": payload({"type": "section", "text": "x"}),
    "a section whose text is a number": payload({"type": "section", "text": text(5)}),
    "a text of type markdown": payload({"type": "section", "text": text("x", "markdown")}),
    "a text without type": payload({"type": "section", "text": {"text": "x"}}),
    "a text without text": payload({"type": "section", "text": {"type": "mrkdwn"}}),
    "emoji on mrkdwn": payload({"type": "section", "text": text("x", emoji=True)}),
    "verbatim on plain_text": payload({"type": "section", "text": text("x", "plain_text", verbatim=True)}),
    "an emoji switch that is a text": payload(header("x", emoji="yes")),
    "a verbatim switch that is a text": payload({"type": "section", "text": text("x", verbatim="yes")}),
    "a verbatim switch that is a number": payload(context(text("x", verbatim=1))),
    "an expand switch that is a text": payload({**SECTION, "expand": "yes"}),
    "a preview switch that is a text": payload(SECTION, unfurl_links="no"),
    "a names switch that is a text": payload(SECTION, link_names="no"),
    "a way to parse that there is not": payload(SECTION, parse="some"),
    "half of a surrogate pair": payload(context(text("a\ud800b"))),
    "half of a surrogate pair in the fallback": payload(SECTION, text="\udfff"),
    "12,001 characters in all": payload(*[{"type": "section", "text": text("x" * 3000)}] * 4, context(text("x"))),
    "an unknown key of a text": payload({"type": "section", "text": text("x", size=3)}),
    "no fields": payload(fields()),
    "11 fields": payload(fields(*[text("x")] * 11)),
    "a field of 2,001 characters": payload(fields(text("x" * 2001))),
    "an empty field": payload(fields(text("x"), text(""))),
    "a field that is bare": payload(fields("x")),
    "a context without elements": payload(context()),
    "a context with no key elements": payload({"type": "context"}),
    "11 elements": payload(context(*[text("x")] * 11)),
    "an element of 3,001 characters": payload(context(text("x" * 3001))),
    "a section in a context": payload(context(SECTION)),
    "a divider with a text": payload({"type": "divider", "text": text("x")}),
    "a mention of all that nobody meant": payload({"type": "section", "text": text("<!here>")}),
    "an open angle bracket": payload(context(text("1 < 2"))),
    "an ampersand": payload(fields(text("a & b"))),
    "a link with a script": payload(context(text("<javascript:x|y>"))),
    "a mention in the fallback that nobody meant": payload(SECTION, text="<!channel>"),
    "no fallback": payload(SECTION, text=""),
    "a fallback of 4,001 characters": payload(SECTION, text="x" * 4001),
    "a fallback that is a number": payload(SECTION, text=5),
    "no channel": {name: value for name, value in VALID.items() if name != "channel"},
    "a channel with spaces": payload(SECTION, channel="my channel!"),
    "a channel in capitals": payload(SECTION, channel="#Load-Tests"),
    "a channel that is too long": payload(SECTION, channel="x" * 82),
    "an unknown argument": payload(SECTION, colour="red"),
    "a thread that is no time stamp": payload(SECTION, thread_ts="yesterday"),
    "a thread that is a number": payload(SECTION, thread_ts=1700000000.000001),
    "metadata without a payload": payload(SECTION, metadata={"event_type": "a"}),
    "metadata with spaces in its type": payload(SECTION, metadata={"event_type": "a b", "event_payload": {}}),
    "metadata of 9,000 bytes": payload(SECTION, metadata={"event_type": "a", "event_payload": {"key": "x" * 9000}}),
    "metadata of 8,000 bytes that grows as JSON": payload(
        SECTION, metadata={"event_type": "a", "event_payload": {"key": '"' * 4000}}
    ),
}


def test_a_message_within_the_rules_is_accepted() -> None:
    """With every kind of block and every argument that is used."""
    assert faults(VALID, "chat.postMessage") == []


@pytest.mark.parametrize("channel", ["C0123456789", "G0123456789", "load-tests", "#load_tests-2", "größe", "性能"])
def test_ids_and_names_are_channels(channel: str) -> None:
    """Names are in any language."""
    assert faults(payload(SECTION, channel=channel), "chat.postMessage") == []


@pytest.mark.parametrize("name", BROKEN)
def test_a_planted_fault_is_refused(name: str) -> None:
    """One rule broken at a time."""
    assert faults(BROKEN[name], "chat.postMessage")


def test_enough_faults_are_planted() -> None:
    """At least 35 different ones."""
    assert len({repr(one) for one in BROKEN.values()}) >= 35


@pytest.mark.parametrize("name", ["channel", "thread_ts", "metadata", "parse"])
def test_a_webhook_takes_less(name: str) -> None:
    """It has its channel already, and knows neither threads nor metadata."""
    bare = {"text": "fallback", "blocks": VALID["blocks"]}
    assert faults(bare, "webhook") == []
    assert any(name in fault for fault in faults(bare | {name: VALID[name]}, "webhook"))


def test_an_edit_names_its_message() -> None:
    """By channel and time stamp; it has no previews to suppress."""
    edit = {"channel": "C0123456789", "ts": "1700000000.000001", "text": "x", "blocks": [SECTION]}
    assert faults(edit, "chat.update") == []
    assert faults(edit | {"unfurl_links": False}, "chat.update") == ["unfurl_links: unknown argument"]
    assert faults({name: edit[name] for name in ("channel", "text", "blocks")}, "chat.update") == ["ts: required"]
