"""What is said of the recorded runs, and which link is named where somebody changes a rule."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from include.loadtest.orchestration.selftest import judging, recordings
from include.loadtest.orchestration.selftest.judging import Bench, alarm_of
from include.loadtest.orchestration.selftest.links import BrokenLinkError, Link
from include.loadtest.orchestration.selftest.recordings import BAD, CLEAN, MISSED
from include.loadtest.profile import find_profile
from include.loadtest.reasons import REASON_CODES, ReasonCode

pytestmark = pytest.mark.unit
SUSPECT = judging.SUSPECT
LOOSE = {"latency_p95_ms": 1.2, "latency_p99_ms": 1.2, "error_rate": 5.0, "throughput_rpm": 0.8}


@pytest.fixture
def changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, Any]], Bench]:
    """The recordings, judged with the committed profile as somebody has changed it."""

    def change(changes: dict[str, Any]) -> Bench:
        file = tmp_path / "smoke.yaml"
        file.write_text(yaml.safe_dump(committed() | changes, sort_keys=False, allow_unicode=True), encoding="utf-8")
        monkeypatch.setattr(recordings, "find_profile", lambda _name: file)
        return Bench(tmp_path / "work")

    return change


def committed() -> dict[str, Any]:
    return yaml.safe_load(find_profile("smoke").read_text(encoding="utf-8"))


def loosened(metric: str) -> dict[str, Any]:
    slos = committed()["slos"]
    return {"slos": [slo | {"limit": slo["limit"] * LOOSE[metric]} if slo["metric"] == metric else slo for slo in slos]}


def test_today_every_link_up_to_the_verdict_holds(bench: Bench) -> None:
    """The bad run is a breach, the slower one a regression, the clean one neither."""
    assert "give the figures they gave" in judging.check_recordings(bench)
    assert "the clean one misses nothing" in judging.check_validation(bench)
    assert judging.check_change_test(bench).startswith("REGRESSION: endpoint:chat_")
    assert judging.check_verdict(bench) == "bad: SLA_BREACH, slower: REGRESSION, clean: PASS"


@pytest.mark.parametrize("metric", MISSED)
def test_a_loosened_limit_breaks_the_validation_and_nothing_else(
    changed: Callable[[dict[str, Any]], Bench], metric: str
) -> None:
    """Each limit by itself; the text names the limit, and where it stands."""
    bench = changed(loosened(metric))
    with pytest.raises(BrokenLinkError, match=rf"the bad run is let pass: {metric} was") as caught:
        judging.check_validation(bench)
    assert caught.value.link is Link.VALIDATION
    assert "look who changed the limits in include/profiles/smoke.yaml" in str(caught.value)
    judging.check_change_test(bench)
    judging.check_verdict(bench)


def test_a_limit_that_is_gone_or_too_tight_breaks_the_validation(changed: Callable[[dict[str, Any]], Bench]) -> None:
    """Nobody is alarmed of a limit that is not there; nobody heeds one that unchanged runs miss."""
    slos = committed()["slos"]
    without = [slo for slo in slos if slo["metric"] != "error_rate"]
    with pytest.raises(BrokenLinkError, match="error_rate has no critical limit any more"):
        judging.check_validation(changed({"slos": without}))


def test_a_limit_that_the_clean_run_misses_breaks_the_validation(changed: Callable[[dict[str, Any]], Bench]) -> None:
    """Else every alarm would stay open for ever."""
    slos = [slo | ({"limit": 500} if slo["metric"] == "latency_p95_ms" else {}) for slo in committed()["slos"]]
    with pytest.raises(BrokenLinkError, match="the clean run is not let pass: latency_p95_ms was"):
        judging.check_validation(changed({"slos": slos}))


def test_a_profile_that_cannot_be_read_is_named_with_its_line(changed: Callable[[dict[str, Any]], Bench]) -> None:
    """No run could be made with it either."""
    with pytest.raises(BrokenLinkError, match=r"broken link: recording\. .*smoke\.yaml:.*repair the file") as caught:
        judging.check_recordings(changed({"user": 10}))
    assert "did you mean users?" in str(caught.value)


@pytest.mark.parametrize(
    "rules",
    [{"relevant_change": 0.5}, {"suspicion_rate": 1e-12}, {"false_alarm_rate": 1e-15}, {"min_runs": 20}],
    ids=lambda rules: next(iter(rules)),
)
def test_a_blunted_change_test_breaks_that_link_and_nothing_else(
    changed: Callable[[dict[str, Any]], Bench], rules: dict[str, Any]
) -> None:
    """The regression is not seen any more; the verdict is still tested, with what was seen before."""
    bench = changed({"change_test": rules})
    with pytest.raises(BrokenLinkError, match="which has to be") as caught:
        judging.check_change_test(bench)
    assert caught.value.link is Link.CHANGE_TEST
    judging.check_validation(bench)
    judging.check_verdict(bench)


def test_a_reason_without_its_rank_breaks_the_verdict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limits are judged as they should be, and nothing follows from it."""
    monkeypatch.setitem(REASON_CODES, "slo_missed", ReasonCode("slo_missed", "warning", "missed", "nothing"))
    bench = Bench(tmp_path)
    judging.check_validation(bench)
    with pytest.raises(BrokenLinkError, match="the bad run is WARN") as caught:
        judging.check_verdict(bench)
    assert caught.value.link is Link.VERDICT


def test_a_damaged_recording_is_named(tmp_path: Path, broken_copy: Callable[[], Path]) -> None:
    """A part that cannot be read, and one that is not there."""
    folder = broken_copy()
    samples = folder / BAD / recordings.SAMPLES
    samples.write_bytes(samples.read_bytes()[:-100])
    with pytest.raises(BrokenLinkError, match="the recorded run 'bad' is no longer what it was") as caught:
        judging.check_recordings(Bench(tmp_path / "work", folder))
    assert caught.value.link is Link.RECORDING
    samples.unlink()
    with pytest.raises(BrokenLinkError, match="broken link: recording"):
        judging.check_recordings(Bench(tmp_path / "work", folder))


def test_the_delivery_is_tested_with_earlier_conclusions_where_todays_are_wrong(
    changed: Callable[[dict[str, Any]], Bench], bench: Bench
) -> None:
    """So a loosened limit is one red link, not three."""
    assert alarm_of(bench, BAD).metrics is not None
    blunt = changed({"change_test": {"relevant_change": 0.5}} | loosened("latency_p95_ms"))
    assert alarm_of(blunt, BAD).verdict["verdict"] == "SLA_BREACH"
    assert alarm_of(blunt, SUSPECT).verdict["verdict"] == "REGRESSION"
    assert alarm_of(blunt, CLEAN).verdict["verdict"] == "PASS"
