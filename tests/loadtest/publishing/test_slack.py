import copy
import json
import logging
import re
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from slack_sdk.models.blocks import Block

from include.loadtest.errors import ConfigError, InfrastructureError
from include.loadtest.publishing.message import Message, run_message
from include.loadtest.publishing.slack import SlackSettings, send, settings_from
from include.loadtest.verdict import Reason, SloResult, slo_reasons, verdict_document
from tests.helpers.slack_service import TOKEN, WEBHOOK_PATH, Canned, SlackService, faults, slack_service, too_many

pytestmark = pytest.mark.unit

HOSTILE = "<!here> <@U123> <https://evil.example|ok> @channel & *bold* `code` :tada:\n\x1b[31m\u202e <!everyone>"
LINK = "http://127.0.0.1:8080/dags/load_test_manual/runs/manual__1?a=1&b=2"
SECRET_PARTS = (TOKEN, WEBHOOK_PATH, "not-a-real")


def slo(metric: str, outcome: str, observed: float | None, limit: float, **changes: Any) -> SloResult:
    units = {"error_rate": ("ratio", "<"), "throughput_rpm": ("req/min", ">"), "cache_hit_rate": ("ratio", ">")}
    unit, comparator = units.get(metric, ("ms", "<"))
    result = SloResult(
        metric, "all", "hold", "critical", True, comparator, observed, 900, None, None, limit, unit, outcome, False
    )
    return replace(result, **changes)


def row(metric: str, value: float | None, unit: str, **changes: Any) -> dict[str, Any]:
    return {"metric": metric, "scope": "all", "phase": "hold", "value": value, "unit": unit, "n": 900, **changes}


MET = [slo("latency_p95_ms", "met", 1234, 3000), slo("error_rate", "met", 0.002, 0.01)]
METRICS = {
    "metrics": [
        row("latency_p95_ms", 1234, "ms", lower_bound=False),
        row("error_rate", 0.002, "ratio"),
        row("throughput_rpm", 1512, "req/min"),
        row("latency_p95_ms", 7, "ms", scope="scenario:simple_query"),
    ]
}


def document(slos: list[SloResult], *reasons: Reason, run_id: str = "smoke-1") -> dict[str, Any]:
    return verdict_document(
        run_id=run_id, suite=None, profile="smoke", engine="locust", reasons=[*slo_reasons(slos), *reasons], slos=slos
    )


def message(verdict: dict[str, Any], metrics: dict[str, Any] | None = METRICS, **changes: Any) -> Message:
    words = {"title": "Smoke", "link": LINK, "bundle_uri": "s3://results/smoke-1", "target": "pratikoai", **changes}
    return run_message(verdict, metrics, **words)


def texts(shown: Message) -> list[str]:
    """Every text of the blocks, in the order in which a person reads them."""
    found = []
    for block in shown.blocks:
        parts = [block.get("text"), *block.get("fields", []), *block.get("elements", [])]
        found += [part["text"] for part in parts if part]
    return found


def figures(shown: Message) -> list[str]:
    return next([text["text"] for text in block["fields"]] for block in shown.blocks if "fields" in block)


def test_a_passed_run_says_so_first_and_shows_three_figures_with_their_limits() -> None:
    """Verdict as a word, no reasons, P95, error rate and throughput, link and bundle."""
    shown = message(document(MET))
    header, what, *_ = texts(shown)
    assert header == "✅ PASS: Smoke"
    assert what == "All limits held and the test was valid. Target: *pratikoai*"
    assert figures(shown) == [
        "*P95*\n1,234 ms (limit &lt; 3,000 ms: *met*)",
        "*Error rate*\n0.2 % (limit &lt; 1 %: *met*)",
        "*Throughput*\n1,512 req/min (no limit)",
    ]
    assert not any("*Why*" in text for text in texts(shown))
    assert texts(shown)[-3:] == [
        "<http://127.0.0.1:8080/dags/load_test_manual/runs/manual__1?a=1&amp;b=2|Open the run>",
        "run `smoke-1` · profile `smoke` · engine `locust`",
        "bundle `s3://results/smoke-1`",
    ]
    assert shown.text == "✅ PASS: Smoke on pratikoai. All limits held and the test was valid."


def test_a_breach_names_its_reason_what_to_do_and_its_figure_first() -> None:
    """The missed limit of one scenario comes before the usual figures; what to do stands once for a code."""
    scenario = {"scope": "scenario:simple_query", "phase": "spike"}
    slos = [
        *MET,
        slo("latency_p99_ms", "missed", 9100, 8000),
        slo("latency_p95_ms", "missed", 3456, 2500, **scenario),
    ]
    shown = message(document(slos))
    header, _, why, *_ = texts(shown)
    assert header == "❌ SLA_BREACH: Smoke"
    assert why.splitlines() == [
        "*Why*",
        "• *slo_missed*: latency_p99_ms of all in hold: 9,100 ms, limit &lt; 8000 ms, n=900",
        "      → Read the SLO table of the summary; compare with the last good run.",
        "• *slo_missed*: latency_p95_ms of scenario:simple_query in spike: 3,456 ms, limit &lt; 2500 ms, n=900",
    ]
    assert figures(shown) == [
        "*P99*\n9,100 ms (limit &lt; 8,000 ms: *missed*)",
        "*P95 of scenario:simple_query in spike*\n3,456 ms (limit &lt; 2,500 ms: *missed*)",
        "*P95*\n1,234 ms (limit &lt; 3,000 ms: *met*)",
    ]
    assert "latency_p99_ms of all in hold: 9,100 ms" in shown.text


def test_a_run_without_metrics_claims_no_figure() -> None:
    """A dead target: INCONCLUSIVE, the reason, and "not measured" three times; no number is made up."""
    reason = Reason("target_unreachable", "connection refused on 127.0.0.1:8000")
    shown = message(document([], reason), metrics=None)
    assert texts(shown)[0] == "❌ INCONCLUSIVE: Smoke"
    assert "• *target_unreachable*: connection refused on 127.0.0.1:8000" in texts(shown)[2]
    assert "→ Start the target" in texts(shown)[2]
    assert figures(shown) == [
        "*P95*\nnot measured (no limit)",
        "*Error rate*\nnot measured (no limit)",
        "*Throughput*\nnot measured (no limit)",
    ]


def test_a_figure_whose_source_is_missing_is_said_to_be_not_measured() -> None:
    """The limit that could not be judged comes first, since it is the reason."""
    slos = [*MET, slo("cache_hit_rate", "not_judged", None, 0.6, n=0)]
    shown = message(document(slos), {"metrics": [*METRICS["metrics"], row("cache_hit_rate", None, "ratio")]})
    assert figures(shown)[0] == "*Cache hit rate*\nnot measured (limit &gt; 60 %: *not judged*)"


def test_a_percentile_that_is_a_lower_bound_is_shown_as_one() -> None:
    """Time-outs hide how slow it was."""
    bound = {"metrics": [row("latency_p95_ms", 30000, "ms", lower_bound=True)]}
    assert figures(message(document([]), bound))[0] == "*P95*\n≥ 30,000 ms (no limit)"


def test_a_judged_figure_without_a_point_value_is_shown_as_it_was_judged() -> None:
    """Too few rows for a percentile: metrics.json has none, the limit was judged by what verdict.json holds."""
    slos = [slo("latency_p95_ms", "met", 12, 3000, n=5)]
    shown = message(document(slos), {"metrics": [row("latency_p95_ms", None, "ms")]})
    assert figures(shown)[0] == "*P95*\n≤ 12 ms (limit &lt; 3,000 ms: *met*)"
    missed = message(
        document([slo("latency_p95_ms", "missed", 3100, 3000, n=5)]), {"metrics": [row("latency_p95_ms", None, "ms")]}
    )
    assert figures(missed)[0] == "*P95*\n≥ 3,100 ms (limit &lt; 3,000 ms: *missed*)"


def test_the_critical_limit_is_shown_rather_than_a_warning_one() -> None:
    """A figure may have two limits; a warning limit alone is called one."""
    warning = slo("error_rate", "met", 0.002, 0.005, level="warning")
    assert figures(message(document([warning, *MET])))[1] == "*Error rate*\n0.2 % (limit &lt; 1 %: *met*)"
    assert figures(message(document([warning])))[1] == "*Error rate*\n0.2 % (warning limit &lt; 0.5 %: *met*)"


def test_more_than_five_reasons_are_counted() -> None:
    """The message stays readable and says that there is more."""
    reasons = [Reason("stage_failed", f"stage {number}") for number in range(8)]
    why = texts(message(document([], *reasons)))[2]
    assert why.count("•") == 5
    assert why.endswith("… and 3 more in the report")


def test_hostile_text_mentions_nobody_and_marks_up_nothing() -> None:
    """The only "<" that Slack sees begins the link; no mention, markup, emoji, line break or control sign survives."""
    document_ = document([], *[Reason("stage_failed", HOSTILE)] * 3, run_id=HOSTILE)
    shown = message(document_, title=HOSTILE, bundle_uri=HOSTILE, target=HOSTILE)
    everything = [shown.text, *texts(shown)]
    assert faults({"text": shown.text, "blocks": list(shown.blocks)}) == []
    assert [re.findall(r"<[^|]*", text) for text in everything[1:] if "<http://127" in text] == [
        ["<" + LINK.replace("&", "&amp;")]
    ]
    for text in [text for text in everything[2:] if not text.startswith("<http://127")] + [shown.text]:
        assert "<" not in text
        assert re.search(r"&(?!amp;|lt;|gt;)", text) is None
        assert "\x1b" not in text
        assert "\u202e" not in text
    for text in [shown.text, *texts(shown)[:3]]:
        assert "@c" not in text
        assert "*bold*" not in text
        assert "`code`" not in text
        assert ":tada:" not in text
    assert "&lt;!here&gt;" in shown.text
    assert texts(shown)[2].count("\n") == 4
    # In a header nothing is parsed, so an entity would be read as it stands.
    assert shown.blocks[0]["text"]["type"] == "plain_text"
    assert texts(shown)[0].startswith("❌ INCONCLUSIVE: <!here>")
    markdown = [part for block in shown.blocks[1:] for part in [block.get("text"), *block.get("fields", [])] if part]
    assert all(part["verbatim"] is True for part in markdown)


@pytest.mark.parametrize("sign", ["x", "&", "<", "😀", "@", ":a:", "`", " y"])
def test_however_long_its_parts_a_message_keeps_slacks_limits(sign: str) -> None:
    """Escapes count, a cut is visible and cuts no entity, and Slack's own models read the blocks back unchanged."""
    long = sign * 20_000
    reasons = [Reason("stage_failed", long, f"metric{number}{long}", long) for number in range(60)]
    document_ = document([], *reasons, run_id=long) | {"suite": long, "profile": long, "engine": long}
    shown = message(document_, title=long, target=long, bundle_uri=long, link=f"https://e/{'&' * 400}")
    assert faults({"text": shown.text, "blocks": list(shown.blocks)}) == []
    for text in [shown.text, *texts(shown)]:
        assert re.search(r"&(?!amp;|lt;|gt;)", text) is None or text == texts(shown)[0]
        assert "…" in text or text.startswith(("<https://e/", "All", "The test"))
    for block in shown.blocks:
        assert Block.parse(copy.deepcopy(block)).to_dict() == block


@pytest.mark.parametrize("sign", ["", "\ud800", "\u200b\x00\n"])
def test_parts_without_a_printable_sign_make_no_empty_text(sign: str) -> None:
    """Slack refuses an empty text, and half of a surrogate pair."""
    shown = message(document([], Reason("stage_failed", sign), run_id=sign), title=sign, target=sign, bundle_uri=sign)
    assert faults({"text": shown.text, "blocks": list(shown.blocks)}) == []
    assert texts(shown)[-1] == "bundle `unknown`"
    assert "".join([shown.text, *texts(shown)]).encode()


@pytest.mark.parametrize(
    "link", [None, "", "javascript:alert(1)", "http://e/|x>", "http://e/ x", "http://e/\n", "https://e/" + "x" * 9000]
)
def test_what_is_no_web_address_is_no_link(link: str | None) -> None:
    """The message goes without it; the bundle's address is still there."""
    shown = message(document(MET), link=link)
    assert not any("<" in text for text in texts(shown))
    assert texts(shown)[-1] == "bundle `s3://results/smoke-1`"


def test_a_password_in_the_bundles_address_is_not_sent() -> None:
    """The user part may be the name of a connection and stays."""
    assert texts(message(document(MET), bundle_uri="s3://key:hunter2@b/r"))[-1] == "bundle `s3://key:***@b/r`"
    assert texts(message(document(MET), bundle_uri="s3://conn@b/r"))[-1] == "bundle `s3://conn@b/r`"


@pytest.fixture
def slack(monkeypatch) -> Iterator[SlackService]:
    """A stand-in that no proxy of this machine stands before."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with slack_service() as service:
        yield service


def by_token(service: SlackService, **changes: Any) -> SlackSettings:
    fields = {"channel": "#load-tests", "token": TOKEN, "base_url": service.base_url, **changes}
    return SlackSettings.checked(**fields)


def by_webhook(service: SlackService) -> SlackSettings:
    return SlackSettings.checked(webhook_url=service.webhook_url)


Way = Callable[[SlackService], SlackSettings]
BOTH_WAYS = pytest.mark.parametrize("way", [by_token, by_webhook])


@BOTH_WAYS
def test_a_message_arrives_whole(slack, way: Way) -> None:
    """Over HTTP, with blocks and fallback, and without previews of addresses in a target's text."""
    sent = message(document([slo("latency_p95_ms", "missed", 3456, 2500)]), title=HOSTILE)
    send(way(slack), sent)
    assert slack.faults == []
    (taken,) = slack.messages
    assert (taken["text"], taken["blocks"]) == (sent.text, list(sent.blocks))
    assert (taken["unfurl_links"], taken["unfurl_media"]) == (False, False)


def test_a_token_is_preferred_to_a_webhook(slack) -> None:
    """With both set, the message goes into the channel of the settings."""
    send(by_token(slack, webhook_url="https://hooks.slack.com/services/none"), message(document(MET)))
    assert [taken["channel"] for taken in slack.messages] == ["#load-tests"]


@pytest.mark.parametrize(
    ("blocks", "way"),
    [([{"type": "divider"}] * 51, by_token), ([{"type": "chart"}], by_token), ([{"type": "section"}], by_webhook)],
)
def test_a_message_against_the_rules_is_refused(slack, blocks: list[dict[str, Any]], way: Way) -> None:
    """So the stand-in's consent to the other messages means something."""
    with pytest.raises(InfrastructureError, match=r"invalid_(blocks|payload); the message breaks Slack's rules"):
        send(way(slack), Message("text", tuple(blocks)))
    assert slack.messages == []


REFUSALS = [
    (lambda service: by_token(service, token="xoxb-not-a-real-other"), "invalid_auth; put a valid bot token in"),
    (lambda service: by_token(service, channel="#nowhere"), "channel_not_found; check the channel in the extra"),
    (
        lambda service: SlackSettings.checked(webhook_url=service.webhook_url + "-gone"),
        "no_service; make a new webhook in Slack",
    ),
]


@pytest.mark.parametrize(("way", "text"), REFUSALS)
def test_slacks_refusal_is_named_with_what_to_do(slack, way: Way, text: str) -> None:
    """One line, and no second attempt: it would be refused too."""
    with pytest.raises(InfrastructureError) as raised:
        send(way(slack), message(document(MET)))
    assert text in str(raised.value)
    assert "\n" not in str(raised.value)
    assert slack.seen == 1


CANNED = [
    (Canned(200, '{"ok":false,"error":"not_in_channel"}'), "not_in_channel; invite the bot"),
    (Canned(200, '{"ok":false,"error":"a_code_of_tomorrow"}'), "a_code_of_tomorrow; look at"),
    (Canned(200, "<html>log in to the network</html>"), "HTTP 200; look at"),
    (Canned(200, "[]"), "HTTP 200; look at"),
    (Canned(200, "[1]"), "unreadable answer (AttributeError); look at"),
    (Canned(503, "unavailable because"), "HTTP 503; look at"),
    (Canned(500, '{"ok":true}'), "HTTP 500; look at"),
    (Canned(200, '{"ok":false}'), "HTTP 200; look at"),
    (Canned(200, "{}"), "HTTP 200; look at"),
]


@pytest.mark.parametrize(("canned", "text"), CANNED)
def test_any_other_answer_to_a_token_is_a_failure_too(slack, canned: Canned, text: str) -> None:
    """Only Slack's own "ok" is success: a login page of a network answers 200 as well."""
    slack.next = [canned]
    with pytest.raises(InfrastructureError, match=re.escape(text)):
        send(by_token(slack), message(document(MET)))


@pytest.mark.parametrize(
    ("canned", "text"),
    [
        (Canned(200, "<html>log in to the network</html>"), "HTTP 200; look at"),
        (Canned(410, "channel_is_archived"), "channel_is_archived; make a new webhook"),
        (Canned(500, ""), "HTTP 500; look at"),
        (Canned(500, "ok"), "HTTP 500; look at"),
    ],
)
def test_any_other_answer_to_a_webhook_is_a_failure_too(slack, canned: Canned, text: str) -> None:
    """The same for the plain texts that a webhook answers with."""
    slack.next = [canned]
    with pytest.raises(InfrastructureError, match=re.escape(text)):
        send(by_webhook(slack), message(document(MET)))


@BOTH_WAYS
def test_too_many_requests_are_waited_out_once(slack, way: Way) -> None:
    """The wait is as long as Slack asks for."""
    slack.next = [too_many("1")]
    begun = time.monotonic()
    send(way(slack), message(document(MET)))
    assert time.monotonic() - begun >= 1
    assert (slack.seen, len(slack.messages)) == (2, 1)


@BOTH_WAYS
@pytest.mark.parametrize(
    ("answers", "requests"),
    [
        ([too_many("0")] * 3, 2),
        ([too_many("31")] * 2, 1),
        ([too_many(None)] * 2, 1),
        ([too_many("soon")] * 2, 1),
        ([too_many("-1")] * 2, 1),
    ],
)
def test_more_is_not_waited_for(slack, way: Way, answers: list[Canned], requests: int) -> None:
    """A second refusal, more than 30 s or a wait that is no number of seconds end it."""
    slack.next = list(answers)
    with pytest.raises(InfrastructureError, match=r"(ratelimited|HTTP 429); "):
        send(way(slack), message(document(MET)))
    assert slack.seen == requests


@BOTH_WAYS
@pytest.mark.parametrize("mode", ["hang", "drip"])
def test_a_silent_server_is_left(slack, way: Way, mode: str) -> None:
    """Also one that sends a byte now and then, which a socket's timeout never ends; it is not asked again."""
    slack.mode = mode
    begun = time.monotonic()
    with pytest.raises(InfrastructureError, match=r"no answer within 0\.5 s"):
        send(way(slack), message(document(MET)), timeout_s=0.5)
    assert time.monotonic() - begun < 5
    assert slack.seen == 1


@BOTH_WAYS
def test_a_lost_answer_is_not_asked_for_again(slack, way: Way) -> None:
    """The message may have arrived: a second one would say everything twice."""
    slack.mode = "cut"
    with pytest.raises(InfrastructureError, match="RemoteDisconnected; look at"):
        send(way(slack), message(document(MET)))
    assert slack.seen == 1


def test_a_server_that_is_not_there_is_named_by_its_cause(slack) -> None:
    """What the operating system says."""
    with pytest.raises(InfrastructureError, match="Connection refused"):
        send(by_token(slack, base_url="http://127.0.0.1:9/api/"), message(document(MET)))


ECHOES = [
    Canned(200, json.dumps({"ok": False, "error": f"bad {TOKEN}"})),
    Canned(403, f"no {WEBHOOK_PATH}"),
    Canned(200, f"{TOKEN} {WEBHOOK_PATH}"),
    Canned(302, "", {"Location": f"ftp://127.0.0.1{WEBHOOK_PATH}"}),
    too_many("0"),
]


@BOTH_WAYS
@pytest.mark.parametrize("canned", ECHOES)
def test_no_secret_gets_into_an_exception_or_a_log(slack, way: Way, canned: Canned, caplog, capfd) -> None:
    """Whatever Slack echoes, and with every logger of the process at DEBUG."""
    caplog.set_level(logging.DEBUG)
    for name in [name for name in logging.Logger.manager.loggerDict if name.startswith("slack")]:
        caplog.set_level(logging.DEBUG, logger=name)
    slack.next = [canned, canned]
    with pytest.raises(InfrastructureError) as raised:
        send(way(slack), message(document(MET)))
    assert (raised.value.__cause__, raised.value.__context__) == (None, None)
    printed = capfd.readouterr()
    seen = "".join(traceback.format_exception(raised.value)) + caplog.text + printed.out + printed.err
    assert not [part for part in SECRET_PARTS if part in seen]


@BOTH_WAYS
def test_a_success_logs_no_secret(slack, way: Way, caplog) -> None:
    """The SDK would log the webhook's URL at DEBUG."""
    caplog.set_level(logging.DEBUG)
    send(way(slack), message(document(MET)))
    assert not [part for part in SECRET_PARTS if part in caplog.text]


def test_the_connections_fields_become_settings() -> None:
    """A token with its channel; a webhook in the password, or in the host."""
    extra = {"channel": "#load-tests", "base_url": "http://127.0.0.1:9/api/"}
    settings = settings_from(TOKEN, None, extra)
    assert settings == SlackSettings("#load-tests", TOKEN, None, "http://127.0.0.1:9/api/")
    hook = "https://hooks.slack.com" + WEBHOOK_PATH
    expected = SlackSettings(None, None, hook, "https://slack.com/api/")
    assert settings_from(f" {hook}\n", "", {}) == expected
    assert settings_from("", hook, {}) == expected
    assert settings_from(TOKEN, hook, {"channel": "C0123456789"}).token == TOKEN


def test_settings_hide_their_secrets() -> None:
    """In their representation."""
    settings = SlackSettings("#load-tests", TOKEN, "https://hooks.slack.com" + WEBHOOK_PATH)
    assert repr(settings) == "SlackSettings(channel='#load-tests', base_url='https://slack.com/api/')"


@pytest.mark.parametrize(
    ("password", "host", "extra", "text"),
    [
        (None, None, {}, "no way to send; put a bot token in its password and"),
        (None, None, {"channel": "#load-tests"}, "no way to send"),
        (TOKEN, None, {}, "a bot token needs a channel"),
        (f"{TOKEN}\n{TOKEN}", None, {"channel": "#a"}, "password: a bot token has no spaces"),
        (TOKEN, None, {"chanel": "#a"}, "extra: unknown key 'chanel'; did you mean channel?"),
        (TOKEN, None, {"channel": 5}, "extra: channel: expected a text"),
        (TOKEN, None, {"channel": "load tests"}, "extra: channel: write a name"),
        (TOKEN, None, {"channel": "#a", "base_url": "slack.com"}, "extra: base_url is no URL"),
        (TOKEN, None, {"channel": "#a", "base_url": "http://slack.com/api/"}, "base_url must begin with https://"),
        (TOKEN, None, {"channel": "#a", "base_url": f"https://u:{TOKEN}@e/"}, "base_url is no URL"),
        (TOKEN, None, {"channel": "#a", "base_url": "https://[e/"}, "base_url is no URL"),
        (f"http://hooks.slack.com{WEBHOOK_PATH}", None, {}, "password or host: the webhook must begin with https://"),
        (f"https://hooks.slack.com{WEBHOOK_PATH} x", None, {}, "the webhook is no URL"),
        (f"file://e{WEBHOOK_PATH}", None, {}, "the webhook must begin with https://"),
        (None, f"hooks.slack.com{WEBHOOK_PATH}", {}, "the webhook is no URL"),
    ],
)
def test_a_connection_that_cannot_send_is_refused(
    password: str | None, host: str | None, extra: dict[str, Any], text: str
) -> None:
    """One line that names connection and field, and never what stands in a field that may hold a secret."""
    with pytest.raises(ConfigError) as raised:
        settings_from(password, host, extra)
    assert str(raised.value).startswith("connection loadtest_slack: ")
    assert text in str(raised.value)
    assert "\n" not in str(raised.value)
    assert not [part for part in SECRET_PARTS if part in "".join(traceback.format_exception(raised.value))]
