"""What a bundle's files say, as far as it has the form that is relied on."""

from typing import Any

import pytest

from include.loadtest.analysis.bottleneck.sound import mapping, mappings, seconds, sound_observations, sound_reasons

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1970-01-01T00:01:00Z", 60.0),
        ("1970-01-01T01:01:00+01:00", 60.0),
        ("1970-01-01T00:01:00", 60.0),
        ("yesterday", None),
        ("", None),
        (None, None),
        (60, None),
    ],
)
def test_moments_are_seconds_or_not_known(text: Any, found: float | None) -> None:
    """In UTC, also where no zone is named."""
    assert seconds(text) == found


def test_what_should_be_mappings_are_mappings() -> None:
    """Anything else is left out."""
    assert mappings([{"a": 1}, "text", None, ["b"]]) == [{"a": 1}]
    assert mappings(None) == mappings({"a": 1}) == mappings(3) == []
    assert mapping({"a": 1}) == {"a": 1}
    assert mapping(None) == mapping(["a"]) == {}


def test_observations_keep_what_has_the_right_form() -> None:
    """A figure that is none is null, a line without a moment goes, and nothing is invented."""
    sound = {"ts": "2026-01-01T00:00:00Z", "kind": "lock_wait", "waited_s": 2.5, "blocking_pid": 7, "statement": "a"}
    odd = {**sound, "waited_s": "abc", "blocking_pid": ["x"], "statement": 5, "duration_ms": float("nan")}
    found = list(sound_observations([sound, odd, {**sound, "ts": "yesterday"}, {"kind": "lock_wait"}]))
    assert found[0] == sound
    assert found[1] == {**sound, "waited_s": None, "blocking_pid": None, "statement": None, "duration_ms": None}
    assert len(found) == 2


def test_reasons_have_a_code_and_a_text() -> None:
    """One without a text is told by its code; one without a code is none."""
    given = [
        {"code": "slo_missed"},
        {"text": "no code"},
        "odd",
        {"code": "stall", "text": "stood still", "scope": "all"},
    ]
    found = sound_reasons({"reasons": given})
    assert found == [{"code": "slo_missed", "text": "slo missed"}, given[3]]
    assert sound_reasons({"reasons": None}) == sound_reasons({}) == []
