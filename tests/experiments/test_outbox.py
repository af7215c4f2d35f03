"""The experiment's claims fail where they must: late, changed, twice or missing."""

from collections import Counter
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from experiments.outbox import FULL, VERDICT, Ran, _reference_claim, _trouble_claims
from experiments.outbox_calls import MESSAGE, NOTED, Place, Told, _call_claim, _webhook_claim
from experiments.outbox_stand import DOWN, KINDS, Kind

pytestmark = pytest.mark.unit
BY_NAME = {kind.name: kind for kind in KINDS}
SEEN = Counter(FULL)
RUN = Ran(SimpleNamespace(), (VERDICT, ("slo_missed", "latency_p95_ms", "all")), 40.0, 0, (1.0,), SEEN)  # type: ignore[arg-type]
TROUBLED = replace(RUN, seconds=47.0, waiting=9, gaps_s=(21.0,))
TOLD = Told(2.0, True, True, Counter({"Slack": 2, "GitHub": 1}), SEEN)


def test_the_undisturbed_run_has_to_tell_everything_once() -> None:
    """Without its plot, or with a row that waits, nothing could be compared with it."""
    changed = [replace(RUN, seen=SEEN - Counter(["plot"])), replace(RUN, waiting=1)]
    assert [_reference_claim(one).ok for one in (RUN, *changed)] == [True, False, False]


@pytest.mark.parametrize(
    ("ran", "holds"),
    [
        (TROUBLED, [True, True]),
        (replace(TROUBLED, seconds=50.5), [False, True]),
        (replace(TROUBLED, seconds=29.0), [False, True]),
        (replace(TROUBLED, conclusion=("PASS",)), [False, True]),
        (replace(TROUBLED, waiting=0), [False, True]),
        (replace(TROUBLED, seen=SEEN + Counter(["issue"])), [True, False]),
        (replace(TROUBLED, seen=SEEN - Counter(["issue"])), [True, False]),
    ],
)
def test_a_troubled_run_is_held_to_the_undisturbed_one(ran: Ran, holds: list[bool]) -> None:
    """Its verdict, its time, that something waited; later nothing twice, and nothing missing."""
    assert [claim.ok for claim in _trouble_claims(BY_NAME[DOWN], ran, RUN)] == holds


def test_a_request_before_retry_after_is_over_is_named() -> None:
    """Only a service that says 429 can be asked too early."""
    early = replace(TROUBLED, gaps_s=(21.0, 19.0))
    assert [claim.ok for claim in _trouble_claims(BY_NAME["429"], TROUBLED, RUN)] == [True, True, True]
    assert [claim.ok for claim in _trouble_claims(BY_NAME["429"], early, RUN)] == [True, True, False]


@pytest.mark.parametrize(
    ("changes", "ok"),
    [
        ({}, True),
        ({"seconds": 12.5}, False),
        ({"is_unchanged": False}, False),
        ({"is_struck": False}, False),
        ({"seen": SEEN + Counter(["plot"])}, False),
    ],
)
def test_one_bad_case_of_all_calls_is_a_failure_that_names_its_call(changes: dict[str, Any], ok: bool) -> None:
    """Too slow, changed, not struck at all, twice."""
    kind = BY_NAME["500"]
    places = [Place("Slack", 1, kind), Place("Slack", 2, kind), Place("GitHub", 1, kind)]
    claim = _call_claim("outbox", places, [TOLD, replace(TOLD, **changes), TOLD], TOLD, 10.0)
    assert claim.ok is ok
    assert ("Slack 2: 1 x plot more" in claim.measured) is ("seen" in changes)


class OneTeller:
    """Tells by webhook; what there is in the end depends on the kind of trouble."""

    def __init__(self, seen: dict[str, Counter[str]]) -> None:
        self._seen = seen

    def tell(self, place: Place | None, *, by_webhook: bool) -> Told:
        assert by_webhook
        kind: Kind | None = place.kind if place else None
        seen = self._seen.get(kind.name if kind else "", Counter([MESSAGE]))
        return replace(TOLD, calls=Counter({"Slack": 1}), seen=seen)


@pytest.mark.parametrize(
    ("seen", "ok"),
    [
        (Counter([MESSAGE]), True),
        (Counter([MESSAGE, MESSAGE, NOTED]), True),
        (Counter([MESSAGE, MESSAGE]), False),
        (Counter([MESSAGE] * 3 + [NOTED] * 2), False),
        (Counter(), False),
    ],
)
def test_a_second_message_by_webhook_says_what_it_is(seen: Counter[str], ok: bool) -> None:
    """One is right, two where the second has the note, none or three never."""
    assert _webhook_claim("outbox", OneTeller({"500": seen}), 10.0).ok is ok  # type: ignore[arg-type]
