"""Release? Why? What next? The three answers at the head of a report and of a run's page. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from include.loadtest.errors import printable
from include.loadtest.reasons import REASON_CODES
from include.loadtest.reporting.margin import closest
from include.loadtest.reporting.meaning import STATES, run_qualifications
from include.loadtest.reporting.report import SENTENCES
from include.loadtest.verdict import Verdict, figure

Row = Mapping[str, Any]

MAX_CHARS = 300
"""Of one sentence: the three answers stand on the first screen of a phone."""
_SHOWN_REASONS = 2
_RELEASE = {"met": "Yes", "missed": "No", "unknown": "Not known"}
_NOTHING = "Nothing has to be repaired."


@dataclass(frozen=True)
class Answers:
    """What a person wants to know first; every text is plain, none is markup.

    `release`: yes, no or not known, and `but`: what limits that; `why`, `what_next`: sentences, the first one decides.
    """

    release: str
    but: tuple[str, ...]
    why: tuple[str, ...]
    what_next: tuple[str, ...]


def answers(verdict: Row, manifest: Row | None = None, diagnosis: Row | None = None) -> Answers:
    """The answers of a concluded run.

    `verdict`: verdict.json, or a report, which has its keys; `manifest`, `diagnosis`: None where the run has none.
    """
    word = str(verdict["verdict"])
    found = diagnosis if diagnosis is not None and diagnosis.get("state") == "bottleneck" else None
    state = STATES.get(word, "unknown")
    release = _RELEASE[state]
    return Answers(
        f"{release}, with care" if word == Verdict.WARN else release,
        () if state == "unknown" else (*_as_far_as(manifest or {}), *run_qualifications(manifest or {})),
        tuple(printable(text, MAX_CHARS) for text in _why(verdict, word, found)),
        tuple(printable(text, MAX_CHARS) for text in _what_next(verdict["reasons"], word, found)),
    )


def _as_far_as(manifest: Row) -> tuple[str, ...]:
    """What the profile is for: a short check that passes is no word about the hours of a tax deadline."""
    purpose = (manifest.get("profile") or {}).get("purpose")
    return (printable(f"As far as this test goes: {purpose}", MAX_CHARS),) if purpose else ()


def deciding_reasons(reasons: Sequence[Row]) -> list[Row]:
    """Those of the kind that decided the verdict, the first one's; a note decides nothing."""
    if not reasons or _kind(reasons[0]) == "note":
        return []
    return [reason for reason in reasons if _kind(reason) == _kind(reasons[0])]


def _kind(reason: Row) -> str:
    known = REASON_CODES.get(reason["code"])
    return "unknown" if known is None else known.kind


def _why(verdict: Row, word: str, found: Row | None) -> list[str]:
    deciding = deciding_reasons(verdict["reasons"])
    more = len(deciding) - _SHOWN_REASONS
    texts = [f"{reason['text']}." for reason in deciding[:_SHOWN_REASONS]]
    tail = [f"And {more} more: see the reasons."] if more > 0 else []
    cause = [str(found["sentence"])] if found is not None else []
    return [SENTENCES.get(word, word), *texts, *tail, *cause, *_tightest(verdict["slos"], word)]


def _tightest(slos: Sequence[Row], word: str) -> list[str]:
    """Of a run whose limits held: the one with the least room."""
    nearest = closest(slos) if word == Verdict.PASS else None
    if nearest is None:
        return []
    slo, room_pct = nearest
    limit = f"{slo['comparator']} {figure(slo['limit'], slo['unit'])}"
    of = "" if slo["scope"] == "all" else f" of {slo['scope']}"
    observed = figure(slo["observed"], slo["unit"])
    return [f"Closest to its limit: {slo['metric']}{of} {observed} (limit {limit}, {room_pct:.0f} % away)."]


def _what_next(reasons: Sequence[Row], word: str, found: Row | None) -> list[str]:
    deciding = deciding_reasons(reasons)
    actions = dict.fromkeys(
        REASON_CODES[reason["code"]].action for reason in deciding if reason["code"] in REASON_CODES
    )
    step = [str(found["next_step"])] if found is not None and found.get("next_step") else []
    if deciding or step:
        return [*step, *list(actions)[:_SHOWN_REASONS]]
    notes = [f"{note['text']}. {REASON_CODES[note['code']].action}" for note in reasons if note["code"] in REASON_CODES]
    return [_NOTHING if word in (Verdict.PASS, Verdict.WARN) else SENTENCES.get(word, word), *notes[:1]]
