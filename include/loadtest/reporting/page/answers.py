"""Release? Why? What next? The three answers at the head of a report and of a run's page. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from include.loadtest.causes import cause_page
from include.loadtest.errors import printable
from include.loadtest.reasons import REASON_CODES
from include.loadtest.reporting.margin import closest
from include.loadtest.reporting.meaning import limit_name, release_state, run_qualifications, unjudged_limits
from include.loadtest.reporting.page.limit_rows import margin_text
from include.loadtest.reporting.report import SENTENCES
from include.loadtest.reporting.summary import observed_text
from include.loadtest.verdict import GREEN, Verdict, figure

Row = Mapping[str, Any]

MAX_CHARS = 300
"""Of one sentence: the three answers stand on the first screen of a phone."""
_SHOWN_REASONS, _SHOWN_LIMITS = 2, 3
_RELEASE = {"met": "Yes", "missed": "No", "unknown": "Not known"}
_NOTHING = "Nothing has to be repaired."
_SUSPECTED, _UNDECIDED = "regression_suspected", "not_confirmed"


@dataclass(frozen=True)
class Guide:
    """A page of the documentation that says how to go on: its path below `docs/`, and what of the run it is about."""

    page: str
    about: tuple[str, ...]

    @property
    def parts(self) -> list[str]:
        """The parts of its address below that of the documentation."""
        return self.page.removesuffix(".md").split("/")

    @property
    def name(self) -> str:
        """For people."""
        return self.parts[-1].replace("-", " ")


@dataclass(frozen=True)
class Answers:
    """What a person wants to know first; every text is plain, none is markup.

    `release`: yes, no or not known, and `but`: what limits that; `why`, `what_next`: sentences, the first one decides;
    `guides`: pages on what to do in detail, one for each reason and for the bottleneck.
    """

    release: str
    but: tuple[str, ...]
    why: tuple[str, ...]
    what_next: tuple[str, ...]
    guides: tuple[Guide, ...] = ()


def answers(verdict: Row, manifest: Row | None = None, diagnosis: Row | None = None) -> Answers:
    """The answers of a concluded run.

    `verdict`: verdict.json, or a report, which has its keys; `manifest`, `diagnosis`: None where the run has none. Its
    `metrics` are the rows of metrics.json: without them no limit is named as the closest, as it may be a bound.
    """
    word, reasons = str(verdict.get("verdict") or "no verdict"), verdict.get("reasons") or ()
    verdict = {**verdict, "verdict": word, "reasons": reasons, "slos": verdict.get("slos") or ()}
    found = diagnosis if diagnosis is not None and diagnosis.get("state") == "bottleneck" else None
    return Answers(
        _release(verdict, manifest or {}),
        _but(verdict, manifest or {}),
        tuple(printable(text, MAX_CHARS) for text in _why(verdict, word, found)),
        tuple(printable(text, MAX_CHARS) for text in _what_next(verdict, word, found)),
        _guides(reasons, diagnosis),
    )


def answers_so_far(verdict: Row, state: str, todo: str | None) -> Answers:
    """The answers while a stage may still change the verdict, or where the one that should has died.

    `state`, `todo`: what is true of the run now, and what a person does about it; `todo` None: only time is needed.
    """
    suspicion = _suspicion(verdict.get("reasons") or ())
    return Answers(
        _RELEASE["unknown"],
        () if suspicion is None else (printable(suspicion, MAX_CHARS),),
        (f"The verdict is {printable(str(verdict.get('verdict')), MAX_CHARS)} so far, and not final.", state),
        (todo or "Wait for the run's end: it may change the verdict.",),
    )


def is_suspected(verdict: Row) -> bool:
    """Whether a run whose limits held is suspected of being slower, and no repeat has decided that (yet)."""
    codes = {reason.get("code") for reason in verdict.get("reasons") or ()}
    return verdict.get("verdict") in GREEN and _SUSPECTED in codes and _UNDECIDED not in codes


def _release(verdict: Row, manifest: Row) -> str:
    state = release_state(manifest, verdict)
    care = ", with care" if state == "met" and verdict["verdict"] == Verdict.WARN else ""
    return f"{_RELEASE[state]}{care}{', not final' if is_suspected(verdict) else ''}"


def _but(verdict: Row, manifest: Row) -> tuple[str, ...]:
    word = verdict["verdict"]
    if word not in GREEN and release_state(manifest, verdict) == "unknown":
        return ()
    first = [_suspicion(verdict["reasons"]), _unjudged(verdict["slos"])] if word in GREEN else []
    texts = (printable(text, MAX_CHARS) for text in first if text is not None)
    return (*texts, *_as_far_as(manifest), *run_qualifications(manifest))


def _unjudged(slos: Sequence[Row]) -> str | None:
    """The limits that a green verdict is without; None where all were judged."""
    names = unjudged_limits(slos)
    more = f" and {len(names) - _SHOWN_LIMITS} more" if len(names) > _SHOWN_LIMITS else ""
    return f"Not judged, so not part of this: {', '.join(names[:_SHOWN_LIMITS])}{more}." if names else None


def _suspicion(reasons: Sequence[Row]) -> str | None:
    """What is suspected, in one sentence, whatever else the run says; None where nothing is left to be decided."""
    texts = {reason.get("code"): reason.get("text") for reason in reasons}
    if _UNDECIDED in texts:
        return f"Not decided by repeats: {texts[_UNDECIDED]}."
    if _SUSPECTED in texts:
        return f"Suspected of being slower, and no repeat has decided that so far: {texts[_SUSPECTED]}."
    return None


def _guides(reasons: Sequence[Row], diagnosis: Row | None) -> tuple[Guide, ...]:
    pages: dict[str, list[str]] = {}
    cause = cause_page(diagnosis)
    if cause is not None:
        pages[cause] = ["bottleneck"]
    for code in dict.fromkeys(str(reason.get("code")) for reason in reasons):
        if code in REASON_CODES:
            pages.setdefault(REASON_CODES[code].page, []).append(code)
    return tuple(Guide(page, tuple(about)) for page, about in pages.items())


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


def _told_reasons(verdict: Row) -> list[Row]:
    """Those that decided; of a load that was ended early, after the first, the breaches that it had proved."""
    deciding = deciding_reasons(verdict["reasons"])
    is_breach = verdict["verdict"] == Verdict.ABORTED and release_state({}, verdict) == "missed"
    breaches = [reason for reason in verdict["reasons"] if _kind(reason) == "breach"] if is_breach else []
    return [*deciding[:1], *breaches, *deciding[1:]]


def _why(verdict: Row, word: str, found: Row | None) -> list[str]:
    deciding = _told_reasons(verdict)
    more = len(deciding) - _SHOWN_REASONS
    texts = [f"{reason['text']}." for reason in deciding[:_SHOWN_REASONS]]
    tail = [f"And {more} more: see the reasons."] if more > 0 else []
    cause = [str(found["sentence"])] if found is not None else []
    return [SENTENCES.get(word, word), *texts, *tail, *cause, *_tightest(verdict, word)]


def _tightest(verdict: Row, word: str) -> list[str]:
    """Of a run whose limits held: the one with the least room; of a bound it is the least that is known."""
    rows = verdict.get("metrics")
    nearest = closest(verdict["slos"]) if word == Verdict.PASS and rows is not None else None
    if nearest is None:
        return []
    slo, _ = nearest
    key = (slo["metric"], slo["scope"], slo["phase"])
    row = next((row for row in rows or () if (row["metric"], row["scope"], row["phase"]) == key), None)
    observed = observed_text(slo, row)
    limit, room = f"{slo['comparator']} {figure(slo['limit'], slo['unit'])}", margin_text(slo, observed)
    return [f"Closest to its limit: {limit_name(slo)} {observed} (limit {limit}, {room})."]


def _what_next(verdict: Row, word: str, found: Row | None) -> list[str]:
    """The first step is the bottleneck's, as it is the most specific; not of a run that has to be repaired first."""
    reasons, deciding = verdict["reasons"], _told_reasons(verdict)
    actions = dict.fromkeys(
        REASON_CODES[reason["code"]].action for reason in deciding if reason["code"] in REASON_CODES
    )
    step = [str(found["next_step"])] if found is not None and found.get("next_step") else []
    open_one = [REASON_CODES[_SUSPECTED].action] if is_suspected(verdict) else []
    if deciding or step or open_one:
        repairs = [*list(actions)[:_SHOWN_REASONS], *open_one]
        return [*repairs, *step] if word == Verdict.INCONCLUSIVE else [*step, *repairs]
    notes = [f"{note['text']}. {REASON_CODES[note['code']].action}" for note in reasons if note["code"] in REASON_CODES]
    return [_NOTHING if word in (Verdict.PASS, Verdict.WARN) else SENTENCES.get(word, word), *notes[:1]]
