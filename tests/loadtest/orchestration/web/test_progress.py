"""How far a run or a suite is: a verdict is final when nothing changes it any more, and what died is not running."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from include.loadtest.bundle import Bundle
from include.loadtest.errors import InfrastructureError
from include.loadtest.history.overview import TargetUse, Waiting
from include.loadtest.live.page_state import AFTER_WAITING, PageState
from include.loadtest.orchestration.web import progress
from include.loadtest.orchestration.web.progress import Badge, parent_of, progress_of, suite_badge
from include.loadtest.orchestration.web.sources import bundle_here
from tests.helpers.live_bundles import live_document
from tests.helpers.web_bundles import begun_run, begun_suite, concluded_run, concluded_suite

pytestmark = pytest.mark.unit
STAMP = "20261120-100000-abcdef"
RUN, SUITE = f"smoke-{STAMP}", f"weekly-{STAMP}"
SUSPECTED = (("regression_suspected", "body +18 %"),)
UseTargets = Callable[..., None]


@pytest.fixture
def targets(monkeypatch: pytest.MonkeyPatch) -> UseTargets:
    """Sets what the history says of targets: who has `demo`, and who waits for it; no argument: it does not answer."""

    def use(owner_of: str | None = None, *waiting: str, answers: bool = True) -> None:
        lines = tuple(Waiting(f"dag/{one} at here", one, datetime.now(UTC)) for one in waiting)
        found = TargetUse("demo", "dag/x at here" if owner_of else None, owner_of, None, lines)

        def read(_engine: object) -> tuple[TargetUse, ...]:
            if not answers:
                raise InfrastructureError("away")
            return (found,) if owner_of or lines else ()

        monkeypatch.setattr(progress, "history", lambda: None)
        monkeypatch.setattr(progress, "read_uses", read)

    return use


def note(bundle: Bundle, *stages: tuple[str, str], age_s: float = 1.0) -> None:
    """Writes the live.json of a run that went through `stages`: names and states."""
    at = datetime.now(UTC) - timedelta(seconds=age_s)
    documents = [live_document(bundle.run_id, at=at, stage=name, state=state, text="why") for name, state in stages]
    bundle.write("live.json", documents[-1] | {"stages": [one["stages"][0] for one in documents]})


def badge(run_id: str = RUN) -> Badge:
    return progress_of(bundle_here(run_id), datetime.now(UTC)).badge


def state(run_id: str = RUN) -> PageState:
    return progress_of(bundle_here(run_id), datetime.now(UTC)).state


@pytest.mark.parametrize("age_s", [1.0, 30.0, 5000.0])
def test_a_verdict_is_not_final_while_a_stage_may_change_it_also_one_that_died(results: Path, age_s: float) -> None:
    """The change test comes after the limits; a killed process changes nothing, and finishes nothing."""
    note(concluded_run(results, RUN), ("validate_sla", "ended"), ("diff_history", "running"), age_s=age_s)
    tone = "running" if age_s == 1.0 else "inconclusive"
    assert badge() == Badge("so far PASS, not final", tone, is_verdict=False)


def test_a_verdict_is_final_after_the_last_stage_and_of_a_run_without_notes(results: Path) -> None:
    """An earlier release wrote no notes."""
    bundle = concluded_run(results, RUN)
    assert badge() == Badge("PASS", "pass", is_verdict=True)
    note(bundle, ("confirm", "ended"), ("publish", "ended"), age_s=9000)
    assert badge() == Badge("PASS", "pass", is_verdict=True)


def test_half_a_live_json_is_not_taken_for_none(results: Path) -> None:
    """Then an earlier release would have made the run, and its verdict would be final."""
    concluded_run(results, RUN).write_text("live.json", '{"stages": [')
    found = progress_of(bundle_here(RUN), datetime.now(UTC))
    assert (found.is_final, found.state.text) == (False, progress.UNREADABLE)


@pytest.mark.parametrize("content", ['{"verd', "{}", '{"verdict": "FINE", "reasons": [], "slos": []}'])
def test_a_damaged_verdict_is_none(results: Path, content: str) -> None:
    """It is said, and nothing is called running for it."""
    bundle = begun_run(results, RUN)
    note(bundle, ("publish", "ended"), age_s=900)
    bundle.write_text("verdict.json", content)
    found = progress_of(bundle_here(RUN), datetime.now(UTC))
    assert found.badge == Badge("no verdict", "inconclusive", is_verdict=False)
    assert found.state.text.startswith(progress.DAMAGED)


def test_what_died_without_a_verdict_is_not_running(results: Path) -> None:
    """Nor is what never gave a sign of life; what works or waits is."""
    bundle = begun_run(results, RUN)
    assert badge().text == "no verdict"
    note(bundle, ("run_profile", "running"))
    assert badge() == Badge("running", "running", is_verdict=False)
    note(bundle, ("run_profile", "running"), age_s=60)
    assert badge() == Badge("no verdict", "inconclusive", is_verdict=False)


def test_a_run_that_waits_is_asked_after(results: Path, targets: UseTargets) -> None:
    """Its place and the target's holder are those of now; nobody waits for ever in the page alone."""
    note(begun_run(results, RUN), ("preflight", "waiting"), age_s=4000)
    targets("soak-1", "other-1", RUN)
    found = progress_of(bundle_here(RUN), datetime.now(UTC))
    assert found.badge == Badge("waiting", "running", is_verdict=False)
    assert "as number 2 of those who wait; of the target: dag/x at here for run soak-1 has it." in found.state.text
    targets("soak-1", "other-1")
    gone = progress_of(bundle_here(RUN), datetime.now(UTC))
    assert (gone.badge.text, gone.state.todo) == ("no verdict", AFTER_WAITING)
    targets()
    assert badge().text == "no verdict"
    targets(answers=False)
    assert badge().text == "waiting"


def test_a_suspected_run_of_a_suite_is_final_with_its_suite(results: Path, targets: UseTargets) -> None:
    """The suite repeats it after its last run; another run of it is final at once."""
    begun_suite(results, SUITE, "smoke", "baseline")
    bundle = concluded_run(results, RUN, "PASS", SUSPECTED, suite_run_id=SUITE, suite="weekly")
    other = concluded_run(results, f"baseline-{STAMP}", suite_run_id=SUITE, suite="weekly")
    for one in (bundle, other):
        note(one, ("publish", "ended"), age_s=3000)
    targets(SUITE)
    assert badge(other.run_id).is_verdict
    found = progress_of(bundle_here(RUN), datetime.now(UTC))
    assert (found.is_final, found.goes_on, found.state.text) == (False, True, progress.AFTER_THE_SUITE)
    targets()
    assert progress_of(bundle_here(RUN), datetime.now(UTC)).state.text == progress.SUITE_DIED
    note(bundle, ("publish", "ended"), ("confirm", "ended"), ("publish", "ended"))
    assert badge().is_verdict
    note(bundle, ("publish", "ended"), ("confirm", "running"), age_s=3000)
    assert not badge().is_verdict
    concluded_suite(results, SUITE, "PASS", {RUN: "PASS"})
    assert badge().is_verdict
    note(bundle, ("publish", "ended"), ("confirm", "running"))
    assert not badge().is_verdict


def test_a_suspicion_that_a_suite_only_notes_is_waited_for_by_nobody(results: Path, targets: UseTargets) -> None:
    """Repeats of a long run would take too long, as its suite says."""
    targets(SUITE)
    rows = [{"profile": "smoke", "repeated": False}]
    begun_suite(results, SUITE).update_manifest(suite={"name": "weekly", "runs": rows})
    note(concluded_run(results, RUN, "PASS", SUSPECTED, suite_run_id=SUITE), ("publish", "ended"), age_s=3000)
    assert badge().is_verdict


def test_a_repeat_is_as_final_as_the_run_it_belongs_to(results: Path) -> None:
    """What that run decides holds for it too; one that was refused has left nothing but its name."""
    parent = concluded_run(results, RUN, "PASS", SUSPECTED)
    repeat = concluded_run(results, f"{RUN}-repeat1", repeat_of=RUN)
    refused = Bundle(results / f"{RUN}-current1")
    refused.update_manifest(repeat_of=RUN)
    note(repeat, ("validate_sla", "ended"), age_s=300)
    note(refused, ("preflight", "failed"), age_s=300)
    note(parent, ("confirm", "running"))
    assert (badge(repeat.run_id).text, badge(refused.run_id).text) == ("so far PASS, not final", "no verdict")
    assert "preflight failed (why), so it does not count" in state(refused.run_id).text
    note(refused, ("preflight", "ended"))
    assert badge(refused.run_id).text == "running"
    note(parent, ("confirm", "ended"), ("publish", "ended"))
    assert (badge(repeat.run_id).text, badge(refused.run_id).text) == ("PASS", "no verdict")
    note(parent, ("confirm", "running"), age_s=300)
    assert badge(repeat.run_id) == Badge("so far PASS, not final", "inconclusive", is_verdict=False)


def test_a_run_and_its_repeats_are_told_apart_by_their_ids() -> None:
    """Both kinds."""
    assert [parent_of(one) for one in (RUN, f"{RUN}-repeat2", f"{RUN}-current10")] == [None, RUN, RUN]


def test_a_suite_goes_on_where_something_of_it_lives(results: Path, targets: UseTargets) -> None:
    """One of its runs, its hold on the target, its place in the line, or that it has only begun."""
    running, dead = Badge("running", "running", is_verdict=False), Badge("no verdict", "inconclusive", is_verdict=False)
    old = {"started": "2026-11-20T10:00:00.000000Z"}
    bundle = begun_run(results, RUN)

    def found(manifest: dict[str, str], document: dict[str, str] | None = None) -> Badge:
        return suite_badge(SUITE, manifest, document, [progress_of(bundle_here(RUN), datetime.now(UTC))])

    targets("soak-1")
    assert (found(old), found({})) == (dead, dead)
    assert found({"started": datetime.now(UTC).isoformat()}) == running
    for use in ((SUITE,), (None, SUITE)):
        targets(*use)
        assert found(old) == running
    targets(answers=False)
    assert found(old) == dead
    note(bundle, ("run_profile", "running"))
    assert found(old) == running
    assert found(old, {"verdict": "WARN"}) == Badge("WARN", "warn", is_verdict=True)
