"""What a run asks before it sends anything."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from include.loadtest.bundle import Bundle
from include.loadtest.calendar.loading import PATH_VARIABLE
from include.loadtest.errors import ConfigError, InvalidTestError
from include.loadtest.orchestration import load
from include.loadtest.orchestration.context import RunContext
from include.loadtest.orchestration.order import RunOrder
from include.loadtest.profile import Overrides
from include.loadtest.target.settings import Target, load_target_file

pytestmark = pytest.mark.unit


@pytest.fixture
def closed_now(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A calendar that keeps yesterday to tomorrow free of load."""
    today = datetime.now(UTC).date()
    window = f"{{from: {today - timedelta(days=1)}, to: {today + timedelta(days=1)}, reason: stocktaking}}"
    (tmp_path / "calendar.yaml").write_text(f"nights_before: 2\nrules: []\nextra:\n  - {window}\n", encoding="utf-8")
    monkeypatch.setenv(PATH_VARIABLE, str(tmp_path / "calendar.yaml"))


def context(folder: Path, target: str, **params: object) -> RunContext:
    order = RunOrder.from_params({"profile": "smoke", "target": target, **params})
    return RunContext(
        bundle=Bundle(folder / "run"),
        bundle_uri="",
        target_name=target,
        load_target=load_target_file,  # type: ignore[arg-type]  # no address is asked for
        history_url="",
        work_dir=folder,
        owner="test",
        ignore_blackout=order.ignore_blackout,
        order=order,
    )


@pytest.mark.usefixtures("closed_now")
def test_a_blackout_refuses_a_run_with_its_reason_and_the_way_around(tmp_path: Path) -> None:
    """The person learns what the day is kept free for, until when, and what to do if it must be."""
    with pytest.raises(InvalidTestError) as refused:
        context(tmp_path, "pratikoai").refuse_in_blackout(60)
    assert refused.value.code == "blackout"
    assert "stocktaking" in str(refused.value)
    assert "ignore_blackout" in str(refused.value)


@pytest.mark.usefixtures("closed_now")
def test_the_override_and_a_target_that_disturbs_nobody_are_let_through(tmp_path: Path) -> None:
    """The stand-in has no users at work."""
    context(tmp_path, "pratikoai", ignore_blackout=True).refuse_in_blackout(60)
    context(tmp_path, "demo").refuse_in_blackout(60)


@pytest.mark.usefixtures("closed_now")
def test_a_day_that_began_since_preflight_is_seen_right_before_the_load(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run waited for its target, or its users took long: midnight has passed, and no generator is started."""
    late = replace(context(tmp_path, "pratikoai"), load_target=target_without_anybody)
    late.bundle.update_manifest(cities={}, profile=late.order.load_profile().model_dump(mode="json"))
    monkeypatch.setattr(load, "_sessions", lambda _context, _profile: {1: None})
    monkeypatch.setattr(load, "start_collectors", lambda *_: pytest.fail("the load was begun"))
    with pytest.raises(InvalidTestError) as refused:
        load.send_load(late)
    assert refused.value.code == "blackout"


def target_without_anybody(name: str) -> Target:
    return Target.checked(load_target_file(name), "http://127.0.0.1:1", None, None)


def test_a_candidate_is_not_measured_against_itself(tmp_path: Path) -> None:
    """By name, or by another name for the same address: both arms would be one system, and excuse anything."""
    addresses = {"demo": "http://127.0.0.1:1", "pratikoai": "http://127.0.0.1:1", "other": "http://127.0.0.1:2"}

    def rival(current: str | None) -> RunContext:
        candidate = context(tmp_path, "demo", current_target=current)
        return replace(candidate, load_target=lambda name: SimpleNamespace(base_url=addresses[name]))  # type: ignore[arg-type,return-value]

    for current in ("demo", "pratikoai"):
        with pytest.raises(ConfigError, match="is the candidate's own target"):
            rival(current).refuse_own_rival()
    rival("other").refuse_own_rival()
    rival(None).refuse_own_rival()


def test_a_candidate_is_not_measured_in_turns_by_several_generators(tmp_path: Path) -> None:
    """The repeats run inside one task, which has one machine: that is said before anything is sent."""
    candidate = context(tmp_path, "demo", current_target="other")
    shared = replace(candidate, order=replace(candidate.order, overrides=Overrides(generators=2)))
    with pytest.raises(ConfigError, match="has no other machines, so its profile has generators: 1"):
        shared.refuse_own_rival()
