import re
from typing import Any

import pytest

from include.loadtest.publishing.message_parts import SECTION_CHARS, Message
from include.loadtest.publishing.run_message import bottleneck_message, mention_message
from include.loadtest.verdict import Reason
from tests.helpers.block_kit import faults
from tests.helpers.slack_messages import HOSTILE, LINK, MET, METRICS, document, message, row, slo, texts

pytestmark = pytest.mark.unit
MENTIONS = ("U0123456789", "S0123456789")
CALLED = "<@U0123456789> <!subteam^S0123456789>"


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
        "• *slo_missed*: latency_p99_ms of all in hold: 9,100 ms, limit &lt; 8,000 ms, n=900",
        "      → Read the SLO table of the summary; compare with the last good run. "
        "(<http://127.0.0.1:8080/loadtest/docs/runbooks/limits|docs/runbooks/limits.md>)",
        "• *slo_missed*: latency_p95_ms of scenario:simple_query in spike: 3,456 ms, limit &lt; 2,500 ms, n=900",
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
    assert texts(shown)[0] == "⚪ INCONCLUSIVE: Smoke"
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


def test_pages_are_linked_as_far_as_slack_has_room_for_them() -> None:
    """Long reasons come first; without Airflow's address the page's file is named."""
    codes = ("stage_failed", "setup_failed", "overlap", "generator_died", "source_missing")
    long = document([], *[Reason(code, "x" * 400) for code in codes])
    told = texts(message(long, link=f"https://e/{'a' * 300}/dags/d/runs/r"))[2]
    assert 0 < told.count("/loadtest/docs/runbooks/") < len(codes)
    assert len(told) <= SECTION_CHARS
    assert "docs/runbooks/setup.md`)" in texts(message(document([], Reason("setup_failed", "x")), link=None))[2]


def test_the_page_of_the_first_cause_stands_below_the_next_step() -> None:
    """In the message and in the reply."""
    found = FOUND | {"causes": [{"cause": "locks"}]}
    line = "      → <http://127.0.0.1:8080/loadtest/docs/runbooks/slow-statements|docs/runbooks/slow-statements.md>"
    assert texts(bottleneck_message(found, LINK))[0].splitlines()[-1] == line
    assert any(text.endswith(line) for text in texts(message(document(BREACH), diagnosis=found)))


def test_hostile_text_mentions_nobody_and_marks_up_nothing() -> None:
    """Every "<" that Slack sees begins a link of ours; no mention, markup, emoji, line break, control sign survives."""
    document_ = document([], *[Reason("stage_failed", HOSTILE)] * 3, run_id=HOSTILE)
    shown = message(document_, title=HOSTILE, bundle_uri=HOSTILE, target=HOSTILE)
    everything = [shown.text, *texts(shown)]
    assert faults(shown.payload()) == []
    page = "<http://127.0.0.1:8080/loadtest/docs/runbooks/results"
    assert [re.findall(r"<[^|]*", text) for text in everything[1:] if "<http://127" in text] == [
        [page],
        ["<" + LINK.replace("&", "&amp;")],
    ]
    for text in [text for text in everything[2:] if not text.startswith("<http://127")] + [shown.text]:
        assert "<" not in text.replace(page, "")
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
    assert texts(shown)[0].startswith("⚪ INCONCLUSIVE: <!here>")
    markdown = [part for block in shown.blocks[1:] for part in [block.get("text"), *block.get("fields", [])] if part]
    assert all(part["verbatim"] is True for part in markdown)


@pytest.mark.parametrize("sign", ["x", "&", "<", "😀", "@", ":a:", "`", " y"])
def test_however_long_its_parts_a_message_keeps_slacks_limits(sign: str) -> None:
    """Escapes count, a cut is visible and cuts no entity."""
    long = sign * 20_000
    reasons = [Reason("stage_failed", long, f"metric{number}{long}", long) for number in range(60)]
    document_ = document([], *reasons, run_id=long) | {"suite": long, "profile": long, "engine": long}
    shown = message(document_, title=long, target=long, bundle_uri=long, link=f"https://e/{'&' * 400}")
    assert faults(shown.payload()) == []
    for text in [shown.text, *texts(shown)]:
        assert re.search(r"&(?!amp;|lt;|gt;)", text) is None or text == texts(shown)[0]
        assert "…" in text or text.startswith(("<https://e/", "All", "The test"))


@pytest.mark.parametrize("sign", ["", "\ud800", "\u200b\x00\n"])
def test_parts_without_a_printable_sign_make_no_empty_text(sign: str) -> None:
    """Slack refuses an empty text, and half of a surrogate pair."""
    shown = message(document([], Reason("stage_failed", sign), run_id=sign), title=sign, target=sign, bundle_uri=sign)
    assert faults(shown.payload()) == []
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


def test_a_bottleneck_is_told_with_its_next_step_and_only_then() -> None:
    """What saturates stands after the reasons; a message without a bottleneck has no such part."""
    found = {"state": "bottleneck", "sentence": "CPU, 1.9 of 2 cores.", "next_step": "Add a worker."}
    shown = texts(message(document(MET), diagnosis=found))
    assert "*What saturates*\nCPU, 1.9 of 2 cores.\n      → Add a worker." in shown
    for state in ("no_bottleneck", "not_known"):
        assert not [
            text for text in texts(message(document(MET), diagnosis=found | {"state": state})) if "What sat" in text
        ]


def test_a_diagnosis_of_hostile_text_keeps_slacks_rules() -> None:
    """A statement or an error of the target in it mentions nobody, marks up nothing and is cut."""
    found = {"state": "bottleneck", "sentence": HOSTILE * 500, "next_step": HOSTILE * 500}
    shown = message(document(MET), diagnosis=found)
    assert faults(shown.payload()) == []
    assert [text for text in texts(shown) if "What saturates" in text and "<" not in text]


BREACH = [slo("latency_p95_ms", "missed", 3456, 2500)]
FOUND = {"state": "bottleneck", "sentence": "CPU, 1.9 of 2 cores.", "next_step": "Add a worker."}


def compared(word: str = "REGRESSION") -> dict[str, Any]:
    return {"change_test": {"word": word, "text": "P95 of chat: +31 % (recent)"}}


def test_the_change_to_the_baseline_is_told_where_there_is_one() -> None:
    """A run that was not compared claims nothing about a change."""
    shown = texts(message(document(MET), comparison=compared()))
    assert "*Change to the baseline*\n❌ slower, confirmed: P95 of chat: +31 % (recent)" in shown
    for comparison in (None, {}, {"change_test": None}):
        assert not any("Change" in text for text in texts(message(document(MET), comparison=comparison)))


def test_the_published_report_is_linked_beside_the_run() -> None:
    """An address that is none is left out."""
    shown = texts(message(document(MET), report="https://acme.example/r/smoke-1"))
    assert "<https://acme.example/r/smoke-1|Read the report>" in shown
    assert not any("Read the report" in text for text in texts(message(document(MET), report="r/smoke-1")))


def test_people_are_called_only_where_the_verdict_calls_them() -> None:
    """In the notification and right below the headline; never for PASS, WARN or INCONCLUSIVE."""
    shown = message(document(BREACH), mentions=MENTIONS)
    assert shown.text.startswith(f"{CALLED} ❌ SLA_BREACH: Smoke")
    assert texts(shown)[:2] == ["❌ SLA_BREACH: Smoke", CALLED]
    assert faults(shown.payload()) == []
    quiet = [MET, [slo("error_rate", "near", 0.0095, 0.01)], []]
    for slos in quiet:
        reasons = [] if slos else [Reason("target_unreachable", "refused")]
        assert "<@" not in repr(message(document(slos, *reasons), mentions=MENTIONS))
        assert mention_message(document(slos, *reasons), title="Smoke", target="t", mentions=MENTIONS) is None


def test_what_is_no_id_mentions_nobody() -> None:
    """Also where settings were not checked."""
    for wrong in ("!here", "U1> <!channel", "u0123456789", "@bob", ""):
        assert message(document(BREACH), mentions=(wrong,)) == message(document(BREACH))
        assert mention_message(document(BREACH), title="Smoke", target="t", mentions=(wrong,)) is None


def test_a_call_says_the_verdict_and_what_saturated_or_else_the_reason() -> None:
    """It is a message of its own, since an edit notifies nobody."""
    call = mention_message(document(BREACH), FOUND, title="Smoke", target="pratikoai", mentions=MENTIONS)
    assert call is not None
    assert call.text == f"{CALLED} ❌ SLA_BREACH: Smoke on pratikoai. CPU, 1.9 of 2 cores."
    assert texts(call) == [call.text]
    other = mention_message(document(BREACH), title="Smoke", target="pratikoai", mentions=MENTIONS)
    assert other is not None
    assert "slo_missed: latency_p95_ms of all in hold: 3,456 ms" in other.text


def test_a_bottleneck_is_a_reply_too() -> None:
    """With its next step; hostile text in it stays harmless."""
    assert texts(bottleneck_message(FOUND)) == ["*What saturates*\nCPU, 1.9 of 2 cores.\n      → Add a worker."]
    hostile = bottleneck_message(FOUND | {"sentence": HOSTILE * 500, "next_step": HOSTILE * 500})
    assert faults(hostile.payload()) == []


def test_what_the_change_test_says_is_said_once() -> None:
    """A note that it repeats is no reason; another note, and a note without a change test, stays."""
    reasons = (Reason("too_few_runs", "3 of 8 runs are there"), Reason("not_comparable", "another machine"))
    change = {"change_test": {"word": "NOT_ENOUGH_RUNS", "text": "3 of 8 runs are there"}}
    told = repr(texts(message(document(MET, *reasons), comparison=change)))
    assert told.count("3 of 8 runs are there") == 1
    assert "not_comparable" in told
    assert "too_few_runs" in repr(texts(message(document(MET, *reasons))))
