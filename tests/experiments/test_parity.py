"""What parity is judged by; the loads themselves are the experiment's."""

import json
from collections import Counter
from itertools import islice

import pytest

from experiments.known_target import (
    FIXED,
    MEDIAN_S,
    STEPS,
    STREAM,
    content_of,
    latencies_s,
    quantile_s,
    stream_bytes,
)
from experiments.parity import LEAST_REQUESTS, SEED, SHARES, interval_s, parity_profile
from include.loadtest.metrics.statistics import rank_of
from include.loadtest.scenarios.taxes import TAX_KINDS, tax_case
from include.locustfiles.call import Reply
from include.locustfiles.chat import StreamReader, check_reply

pytestmark = pytest.mark.unit


def test_each_thousand_answers_has_the_distributions_own_quantiles() -> None:
    """Within half a thousandth of the ranks, in an order that the seed decides."""
    draws = latencies_s(SEED)
    first, second = (list(islice(draws, STEPS)) for _ in range(2))
    assert first != second
    assert sorted(first) == sorted(second)
    assert first == list(islice(latencies_s(SEED), STEPS))
    assert quantile_s(0.5) == pytest.approx(MEDIAN_S)
    for share in SHARES.values():
        value = sorted(first)[rank_of(share, STEPS) - 1]
        assert quantile_s(share - 1 / STEPS) <= value <= quantile_s(share + 1 / STEPS)


def test_the_interval_tells_a_distortion_of_a_twentieth_from_the_truth() -> None:
    """With as many rows as the experiment has: the truth lies within, a P50 that is 5 % off does not."""
    rows = sorted(islice(latencies_s(SEED), LEAST_REQUESTS))
    for share in SHARES.values():
        low, high = interval_s(rows, share)
        assert low <= quantile_s(share) <= high
    low, high = interval_s([1.05 * row for row in rows], SHARES["P50"])
    assert not low <= quantile_s(0.5) <= high


def test_the_known_targets_answers_are_right() -> None:
    """A tax of each kind, the stream, and the fixed ones are JSON."""
    for kind in TAX_KINDS:
        case = tax_case(kind, 30_000, "20121")
        answer = json.loads(content_of(f"/api/v1{case.path}", json.dumps(case.body).encode()).partition(b"\r\n\r\n")[2])
        assert case.expected_eur in (None, answer["calculation"]["imposta_dovuta"])
    reader = StreamReader(0)
    chunks = content_of(STREAM, b"{}").partition(b"\r\n\r\n")[2].split(b"\r\n")
    for length, frame in zip(chunks[0:-3:2], chunks[1:-3:2], strict=True):
        assert int(length, 16) == len(frame)
        reader.feed(frame)
    assert check_reply(reader.reply(200)) is None
    assert reader.size == stream_bytes() > 100_000
    assert chunks[-3:] == [b"0", b"", b""]
    assert (
        Reply(200, content_of("/api/v1/users/me", b"").partition(b"\r\n\r\n")[2], 0).json() == FIXED["/api/v1/users/me"]
    )


def test_the_experiments_profile_uses_every_scenario() -> None:
    """Both engines run the committed mix, closed, with enough users for the requests that are wanted."""
    profile = parity_profile()
    assert Counter(profile.deck()).total() == 20
    assert all(profile.deck().values())
    longest_cycle_s = profile.think_time_s.max + 1.2 * MEDIAN_S
    assert profile.users * profile.duration_s / longest_cycle_s > 0.85 * LEAST_REQUESTS
