"""A suspected run is repeated, then decided."""

from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from include.loadtest import run
from include.loadtest.errors import InfrastructureError
from include.loadtest.history import store as history
from include.loadtest.orchestration.change import CHANGE_CODES, change_reasons, judge_change
from include.loadtest.orchestration.confirm import close_suspicion, confirm, is_suspected, needs_repeats
from include.loadtest.orchestration.context import RunContext
from include.loadtest.orchestration.order import RunOrder
from include.loadtest.orchestration.pipeline import compare_and_store
from include.loadtest.profile import Overrides, find_profile, load_profile
from include.loadtest.validation.conclusion import amend
from include.loadtest.verdict import Reason
from tests.helpers.made_bundles import made_bundle, write_results

pytestmark = pytest.mark.integration

PROFILE = load_profile(find_profile("smoke"))
SLOW = {"endpoint:chat": 1.3}
START = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)


class Repeats:
    """Stands in for the pipeline: what each repeat measures, by the end of its run's name."""

    def __init__(self, results: Mapping[str, Mapping[str, Any]]) -> None:
        self.results, self.stages = results, []

    def __call__(self, context: RunContext, name: str) -> None:
        """Run a stage: preflight writes the manifest, the validation what is judged; a stage may fail."""
        suffix = context.bundle.run_id.rsplit("-", 1)[1]
        self.stages.append((suffix, name, context.target_name))
        result = dict(self.results[suffix])
        environment = result.pop("environment", None)
        if result.pop("fails_in", None) == name:
            raise InfrastructureError("made to fail")
        if name == "preflight":
            manifest = context.bundle.read("manifest.json")
            folder, run_id = context.bundle.path.parent, context.bundle.run_id
            made_bundle(folder, run_id, START + timedelta(weeks=60), PROFILE, seed=1, environment=environment)
            context.bundle.update_manifest(**manifest)
        if name == "validate_sla":
            write_results(context.bundle, PROFILE, **result)


@pytest.fixture
def suspected(fresh_history: str, tmp_path: Path) -> RunContext:
    """A slow run after enough normal ones, as `diff_history` leaves it."""
    for week in range(PROFILE.change_test.min_runs):
        bundle = made_bundle(tmp_path, f"smoke-w{week}", START + timedelta(weeks=week), PROFILE, seed=week)
        history.record_and_compare(fresh_history, bundle, PROFILE)
    bundle = made_bundle(tmp_path, "smoke-new", START + timedelta(weeks=50), PROFILE, seed=50, factors=SLOW)
    comparison = history.record_and_compare(fresh_history, bundle, PROFILE)
    context = RunContext(
        bundle=bundle,
        bundle_uri=str(bundle.path),
        order=RunOrder("smoke", None, Overrides(), "demo", ""),
        target_name="demo",
        load_target=lambda name: SimpleNamespace(file=SimpleNamespace(reference_target=None, name=name)),  # type: ignore[arg-type, return-value]
        history_url=fresh_history,
        work_dir=tmp_path / "work",
        owner="test",
    )
    amend(bundle, change_reasons(judge_change(context), comparison), without=CHANGE_CODES)
    assert is_suspected(context)
    assert bundle.read("verdict.json")["verdict"] == "PASS"
    return context


def _codes(context: RunContext) -> tuple[str, list[str]]:
    verdict = context.bundle.read("verdict.json")
    return verdict["verdict"], [reason["code"] for reason in verdict["reasons"]]


def _kept(url: str, run_id: str) -> str | None:
    runs = history.connect(url)
    with runs.connect() as connection:
        from include.loadtest.history.schema import RUN

        return connection.execute(RUN.select().where(RUN.c.run_id == run_id)).mappings().one()["verdict"]


def test_repeats_that_are_slow_too_make_it_a_regression(suspected: RunContext, fresh_history: str) -> None:
    """The verdict is rewritten, in the history as well, and neither run nor repeats can enter a baseline."""
    repeats = Repeats({"repeat1": {"seed": 61, "factors": SLOW}, "repeat2": {"seed": 62, "factors": SLOW}})
    confirm(suspected, repeats)
    assert _codes(suspected) == ("REGRESSION", ["regression"])
    document = suspected.bundle.read("comparison.json")["change_test"]
    assert document["repeats"] == ["smoke-new-repeat1", "smoke-new-repeat2"]
    for run_id in ("smoke-new", "smoke-new-repeat1", "smoke-new-repeat2"):
        assert _kept(fresh_history, run_id) == "REGRESSION"
    assert [name for suffix, name, _ in repeats.stages if suffix == "repeat1"] == [
        *("preflight", "warm_cache", "run_profile", "collect_metrics", "validate_sla")
    ]
    for repeat in document["repeats"]:
        folder = suspected.bundle.path.parent / repeat
        assert 'class="answers verdict-regression"' in (folder / run.REPORT_PAGE).read_text()
        assert "REGRESSION" in max(folder.glob("load_test_summary_*.md")).read_text().splitlines()[0]


def test_normal_repeats_disprove_the_suspicion(suspected: RunContext, fresh_history: str) -> None:
    """The note says so; the run stays a normal one."""
    confirm(suspected, Repeats({"repeat1": {"seed": 61}, "repeat2": {"seed": 62}}))
    assert _codes(suspected) == ("PASS", ["regression_disproved"])
    assert _kept(fresh_history, "smoke-new") == "PASS"


@pytest.mark.parametrize(
    "second",
    [
        {"seed": 62, "factors": SLOW, "fails_in": "run_profile"},
        {"seed": 62, "factors": SLOW, "verdict": "INCONCLUSIVE"},
        {"seed": 62, "factors": SLOW, "stall_s": 8.0},
    ],
    ids=["failed", "not valid", "stalled"],
)
def test_a_repeat_that_does_not_count_leaves_the_suspicion(suspected: RunContext, second: dict[str, Any]) -> None:
    """Nothing is final with one repeat of two, however slow it was."""
    confirm(suspected, Repeats({"repeat1": {"seed": 61, "factors": SLOW}, "repeat2": second}))
    assert _codes(suspected) == ("PASS", ["regression_suspected"])


def test_a_run_that_is_not_suspected_is_not_repeated(suspected: RunContext) -> None:
    """No stage runs."""
    suspected.bundle.write("comparison.json", {"change_test": {"word": "OK"}})
    repeats = Repeats({})
    confirm(suspected, repeats)
    assert repeats.stages == []


@pytest.mark.parametrize(("reference", "expected"), [({}, "REGRESSION"), (SLOW, "PASS")])
def test_the_current_release_is_measured_in_turns(
    suspected: RunContext, monkeypatch: pytest.MonkeyPatch, reference: Mapping[str, float], expected: str
) -> None:
    """Slow in the candidate only is a regression; slow in both arms is the host. The reference's users are removed."""
    removed: list[str] = []
    monkeypatch.setattr(
        "include.loadtest.orchestration.confirm.remove_users", lambda child: removed.append(child.target_name)
    )
    repeats = Repeats(
        {
            "repeat1": {"seed": 61, "factors": SLOW},
            "current1": {"seed": 71, "factors": reference},
            "repeat2": {"seed": 62, "factors": SLOW},
            "current2": {"seed": 72, "factors": reference},
        }
    )
    context = _with_reference(suspected)
    confirm(context, repeats)
    assert _codes(context)[0] == expected
    order = list(dict.fromkeys(suffix for suffix, _, _ in repeats.stages))
    assert order == ["repeat1", "current1", "repeat2", "current2"]
    assert {target for suffix, _, target in repeats.stages if suffix.startswith("current")} == {"current"}
    assert removed == ["current", "current"]


def _with_reference(context: RunContext) -> RunContext:
    def load(name: str) -> Any:
        return SimpleNamespace(file=SimpleNamespace(reference_target="current", name=name))

    return replace(context, load_target=load)


def test_the_repeats_bundles_are_opened_where_the_runs_are_kept(suspected: RunContext, tmp_path: Path) -> None:
    """A results folder somewhere else gets them too."""
    from include.loadtest.bundle import Bundle

    opened: list[str] = []

    @contextmanager
    def bundle_of(run_id: str):  # type: ignore[no-untyped-def]
        opened.append(run_id)
        yield Bundle(tmp_path / "elsewhere" / run_id)
        opened.append(f"closed {run_id}")

    confirm(replace(suspected, bundle_of=bundle_of), Repeats({"repeat1": {"seed": 61}, "repeat2": {"seed": 62}}))
    repeats = {"smoke-new-repeat1", "smoke-new-repeat2"}
    assert set(opened) == repeats | {f"closed {run_id}" for run_id in repeats}


def test_repeats_that_are_made_are_not_made_again(suspected: RunContext) -> None:
    """A confirm that was killed after its first repeat and is cleared goes on with the second."""
    first = Repeats({"repeat1": {"seed": 61, "factors": SLOW}, "repeat2": {"seed": 62, "fails_in": "preflight"}})
    confirm(suspected, first)
    assert _codes(suspected) == ("PASS", ["regression_suspected"])
    second = Repeats({"repeat2": {"seed": 62, "factors": SLOW}})
    confirm(suspected, second)
    assert {suffix for suffix, _, _ in second.stages} == {"repeat2"}
    assert _codes(suspected) == ("REGRESSION", ["regression"])


def test_a_suspicion_that_nothing_decided_is_a_warning(suspected: RunContext, fresh_history: str) -> None:
    """The gate is not silently green; a decided run keeps its verdict."""
    close_suspicion(suspected)
    assert _codes(suspected) == ("WARN", ["not_confirmed", "regression_suspected"])
    assert _kept(fresh_history, "smoke-new") == "WARN"


def test_a_reference_without_valid_runs_decides_nothing(suspected: RunContext, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its target is unreachable: repeats on the candidate alone are no comparison in turns."""
    monkeypatch.setattr("include.loadtest.orchestration.confirm.remove_users", lambda _: None)
    failing = {"seed": 71, "fails_in": "preflight"}
    slow = {"seed": 61, "factors": SLOW}
    confirm(
        _with_reference(suspected),
        Repeats({"repeat1": slow, "current1": failing, "repeat2": {**slow, "seed": 62}, "current2": failing}),
    )
    assert _codes(suspected)[1] == ["regression_suspected"]
    assert "0 valid pairs" in suspected.bundle.read("comparison.json")["change_test"]["text"]


def test_a_reference_under_other_conditions_is_none(suspected: RunContext, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another size of its data: a run there excuses nothing."""
    monkeypatch.setattr("include.loadtest.orchestration.confirm.remove_users", lambda _: None)
    slow = {"seed": 61, "factors": SLOW}
    other = slow | {"environment": {"row_counts": {"user": 1_000_000}}}
    repeats = Repeats({"repeat1": slow, "current1": other, "repeat2": {**slow, "seed": 62}, "current2": other})
    confirm(_with_reference(suspected), repeats)
    assert "0 valid pairs" in suspected.bundle.read("comparison.json")["change_test"]["text"]


def test_a_breach_is_not_repeated(suspected: RunContext) -> None:
    """Nothing could change its verdict."""
    amend(suspected.bundle, [Reason("slo_missed", "too slow")])
    repeats = Repeats({})
    confirm(suspected, repeats)
    assert repeats.stages == []


def test_clearing_the_comparison_keeps_what_the_repeats_decided(suspected: RunContext) -> None:
    """Validation and comparison are made again, with downstream: the verdict stays REGRESSION, and nothing is sent."""
    confirm(suspected, Repeats({name: {"seed": 61, "factors": SLOW} for name in ("repeat1", "repeat2")}))
    write_results(suspected.bundle, PROFILE, seed=50, factors=SLOW)  # as the validation leaves it
    compare_and_store(suspected)
    repeats = Repeats({})
    confirm(suspected, repeats)
    assert repeats.stages == []
    assert _codes(suspected) == ("REGRESSION", ["regression"])


def test_a_candidate_that_looks_well_is_measured_against_the_current_release_all_the_same(
    suspected: RunContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A release compares with what runs now, not with the history alone: a slower pair is a regression."""
    monkeypatch.setattr("include.loadtest.orchestration.confirm.remove_users", lambda _: None)
    suspected.bundle.write("comparison.json", {"change_test": {"word": "OK"}})
    candidate = replace(suspected, order=replace(suspected.order, release="2.0", current_target="current"))
    assert not needs_repeats(suspected)
    assert needs_repeats(candidate)
    slow = {name: {"seed": seed, "factors": SLOW} for name, seed in (("repeat1", 61), ("repeat2", 62))}
    repeats = Repeats({**slow, "current1": {"seed": 71}, "current2": {"seed": 72}})
    confirm(candidate, repeats)
    assert _codes(candidate) == ("REGRESSION", ["regression"])
    assert {target for suffix, _, target in repeats.stages if suffix.startswith("current")} == {"current"}


def test_where_nothing_is_repeated_a_suspicion_stays_a_note(suspected: RunContext) -> None:
    """A pull request's run is not made a warning by what nobody tried to confirm."""
    once = replace(suspected, repeats=False)
    assert not needs_repeats(once)
    close_suspicion(once)
    assert _codes(once) == ("PASS", ["regression_suspected"])


def test_a_candidate_that_was_not_compared_with_the_current_release_is_a_warning(suspected: RunContext) -> None:
    """Its repeats were killed, stopped or timed out: that is no silent PASS, and saying it once is enough."""
    suspected.bundle.write("comparison.json", {"change_test": {"word": "OK"}})
    amend(suspected.bundle, [], without=CHANGE_CODES)
    candidate = replace(suspected, order=replace(suspected.order, current_target="current"))
    assert close_suspicion(candidate)
    assert _codes(candidate) == ("WARN", ["not_confirmed"])
    (reason,) = candidate.bundle.read("verdict.json")["reasons"]
    assert "not compared with the current release on current" in reason["text"]
    assert not close_suspicion(candidate)


def test_a_candidate_without_any_comparison_is_a_warning_too(suspected: RunContext) -> None:
    """The history did not answer, so there is not even a comparison.json."""
    (suspected.bundle.path / "comparison.json").unlink()
    amend(suspected.bundle, [], without=CHANGE_CODES)
    assert close_suspicion(replace(suspected, order=replace(suspected.order, current_target="current")))
    assert not close_suspicion(suspected)


def test_a_load_of_several_generators_is_not_repeated(suspected: RunContext) -> None:
    """The task has one machine: the suspicion stays a note, and nothing calls the run unconfirmed."""
    assert needs_repeats(suspected)
    profile = suspected.profile().model_dump(mode="json") | {"generators": 2}
    suspected.bundle.update_manifest(profile=profile)
    assert is_suspected(suspected)
    assert not needs_repeats(suspected)
    assert not close_suspicion(suspected)
    assert _codes(suspected)[0] == "PASS"
