"""live.json says which stage works, gives signs of life, and costs no stage, no load and no alert anything."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from include.loadtest.bundle import Bundle
from include.loadtest.history.locks import TargetHeldError
from include.loadtest.orchestration import live_file as module
from include.loadtest.orchestration import live_watch
from include.loadtest.orchestration.live_file import MAX_STAGES, MAX_TEXT_CHARS, shown_live
from include.loadtest.orchestration.storage import read_file
from include.loadtest.profile import find_profile, load_profile
from include.loadtest.publishing.services import Services
from include.loadtest.recorder import SAMPLE_SCHEMA, Sample, write_part

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BEAT_S", 0.05)
    monkeypatch.setattr(module, "NOT_YET_S", 0.02)
    monkeypatch.setattr(live_watch, "POLL_S", 0.05)


def context_of(folder: Path, uri: str | None = None, *, has_begun: bool = True) -> Any:
    bundle = Bundle(folder / "smoke-1")
    bundle.samples_dir.mkdir(parents=True)
    profile = load_profile(find_profile("smoke"))
    context = SimpleNamespace(
        bundle=bundle,
        bundle_uri=uri or str(bundle.path),
        target_name="demo",
        target=SimpleNamespace(shares_host=True),
        order=SimpleNamespace(profile="smoke"),
        link=None,
        services=Services(),
        profile=lambda: profile,
        manifest=lambda: bundle.read("manifest.json") if bundle.has("manifest.json") else {},
    )
    if has_begun:
        bundle.update_manifest(profile={"name": "smoke", "title": "Smoke"})
    return context


def write_samples(bundle: Bundle) -> None:
    now = time.time_ns()
    fields = ("simple_query", "chat", 0, "hold", "hold", "ok", None, 200, 9, None, "w0", 1)
    rows = [Sample(now - 10**9, now - 10**9, 100_000, None, *fields)] * 40
    write_part(rows, SAMPLE_SCHEMA, bundle.samples_dir / "w0-000000.parquet")


def await_that(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "did not happen within 20 s"
        time.sleep(0.01)


def stages(context: Any) -> list[tuple[str, str, str | None]]:
    return [(one["name"], one["state"], one["text"]) for one in context.bundle.read("live.json")["stages"]]


def test_a_stage_gives_signs_of_life_until_it_ends(tmp_path: Path) -> None:
    """Each with a new time; the last word is that it has ended."""
    context = context_of(tmp_path)
    with shown_live(context, "seed_users"):
        await_that(lambda: context.bundle.has("live.json"))
        first = context.bundle.read("live.json")
        assert (first["run_id"], first["profile"], first["title"], first["target"]) == (
            "smoke-1",
            "smoke",
            "Smoke",
            "demo",
        )
        assert stages(context) == [("seed_users", "running", None)]
        await_that(lambda: context.bundle.read("live.json")["at"] > first["at"])
    assert stages(context) == [("seed_users", "ended", None)]
    assert "live-file" not in {thread.name for thread in threading.enumerate()}


def test_the_next_stage_goes_on_from_what_the_last_one_left(tmp_path: Path) -> None:
    """The load's figures stay on the page until the report is there; attempts are bounded."""
    context = context_of(tmp_path)
    for _ in range(MAX_STAGES):
        with shown_live(context, "seed_users"):
            pass
    with shown_live(context, "run_profile"), live_watch.live_watch(context):
        write_samples(context.bundle)
    with shown_live(context, "collect_metrics"):
        pass
    found = context.bundle.read("live.json")
    assert [stage["name"] for stage in found["stages"][-3:]] == ["seed_users", "run_profile", "collect_metrics"]
    assert len(found["stages"]) == MAX_STAGES
    assert (found["load"]["requests"]["n"], found["load"]["ended"] is None) == (40, False)


def test_a_stage_after_a_killed_load_shows_no_figure_of_now(tmp_path: Path) -> None:
    """The process that sent it could not write its end."""
    context = context_of(tmp_path)
    with shown_live(context, "run_profile"), live_watch.live_watch(context):
        write_samples(context.bundle)
        await_that(lambda: _requests(context) == 40)
        killed = context.bundle.read("live.json")
    context.bundle.write("live.json", killed)
    with shown_live(context, "collect_metrics"):
        pass
    load = context.bundle.read("live.json")["load"]
    assert load["ended"] == killed["load"]["at"]
    assert {row["value"] for row in load["figures"]} == {None}


def _requests(context: Any) -> int | None:
    load = context.bundle.read("live.json")["load"] if context.bundle.has("live.json") else None
    return load["requests"]["n"] if load else None


def test_the_watch_beside_a_load_shows_its_figures(tmp_path: Path) -> None:
    """While it is sent, and that it has ended."""
    context = context_of(tmp_path)

    def load() -> dict[str, Any]:
        return context.bundle.read("live.json")["load"] if context.bundle.has("live.json") else None

    with shown_live(context, "run_profile"):
        with live_watch.live_watch(context):
            await_that(load)
            assert load()["ended"] is None
            write_samples(context.bundle)
            await_that(lambda: load()["requests"]["n"] == 40)
            figures = {figure["key"]: figure["value"] for figure in load()["figures"]}
            assert figures["latency_p95_ms"] == 100.0
        await_that(lambda: load()["ended"])
    assert context.bundle.read("alerts.json")["alerts"] == []


def test_a_failed_stage_says_why_on_one_short_line(tmp_path: Path) -> None:
    """A text from the target is foreign; whatever is raised is raised on."""
    context = context_of(tmp_path)
    with pytest.raises(RuntimeError), shown_live(context, "warm_cache"):
        raise RuntimeError("\x1b[31m" + "no\nanswer " * 200)
    [(name, state, text)] = stages(context)
    assert (name, state) == ("warm_cache", "failed")
    assert text.startswith(" [31mno answer")
    assert len(text) == MAX_TEXT_CHARS
    with pytest.raises(KeyboardInterrupt), shown_live(context, "warm_cache"):
        raise KeyboardInterrupt
    assert stages(context)[-1] == ("warm_cache", "failed", "KeyboardInterrupt")


def test_who_waits_for_its_target_has_not_failed(tmp_path: Path) -> None:
    """The page says for whom it waits."""
    context = context_of(tmp_path)
    with pytest.raises(TargetHeldError), shown_live(context, "preflight"):
        raise TargetHeldError("demo", "me", "smoke-1", None, 2)
    [(_, state, text)] = stages(context)
    assert (state, text) == ("waiting", "target demo is free, but it is another's turn; 2 wait for it before this run")


def test_an_order_that_is_refused_leaves_no_bundle(tmp_path: Path) -> None:
    """Before there is a manifest there is no run, so no page either."""
    context = context_of(tmp_path, has_begun=False)
    with pytest.raises(RuntimeError), shown_live(context, "preflight"):
        time.sleep(0.1)
        raise RuntimeError
    assert not context.bundle.has("live.json")
    with shown_live(context, "preflight"):
        context.bundle.update_manifest(profile={"name": "smoke"})
        await_that(lambda: context.bundle.has("live.json"))


def test_where_bundles_are_kept_elsewhere_a_copy_follows(tmp_path: Path) -> None:
    """Before the task ends, as only then the bundle itself is copied."""
    uri = f"memory://live-{time.time_ns()}/smoke-1"
    context = context_of(tmp_path, uri)
    with shown_live(context, "seed_users"):
        await_that(lambda: read_file(uri, "live.json"))
        first = read_file(uri, "live.json")
        await_that(lambda: read_file(uri, "live.json") != first)


def test_a_store_that_hangs_or_refuses_holds_nothing_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The file here goes on, alerts too; a refusal is one line without the store's text, which may quote a secret."""
    ended = threading.Event()
    monkeypatch.setattr(module, "STORE_JOIN_S", 0.1)
    monkeypatch.setattr(module, "write_file", lambda *_: ended.wait(60))
    context = context_of(tmp_path, "memory://hangs/smoke-1")
    began_s = time.monotonic()
    try:
        with shown_live(context, "run_profile"), live_watch.live_watch(context):
            write_samples(context.bundle)
            await_that(lambda: context.bundle.has("live.json"))
        assert time.monotonic() - began_s < 10
    finally:
        ended.set()
    assert context.bundle.read("live.json")["load"]["requests"]["n"] == 40

    def refuse(*_: object) -> None:
        raise PermissionError("key=SECRET")

    monkeypatch.setattr(module, "write_file", refuse)
    with shown_live(context, "seed_users"):
        before = context.bundle.read("live.json")["at"]
        await_that(lambda: context.bundle.read("live.json")["at"] > before)
        await_that(lambda: "PermissionError" in caplog.text)
    assert caplog.text.count("live page") == 1
    assert "SECRET" not in caplog.text


def test_a_disk_that_refuses_costs_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The stage ends as if nothing were wrong."""
    context = context_of(tmp_path)
    asked = []

    def full(*_: object) -> Path:
        asked.append(1)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Bundle, "write_text", full)
    with shown_live(context, "seed_users"):
        await_that(lambda: len(asked) > 2)
    assert caplog.text.count("the live page of this run is not kept up to date: OSError") == 1


def test_a_file_of_before_that_is_none_does_no_harm(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It begins anew."""
    context = context_of(tmp_path)
    context.bundle.write_text("live.json", "{")
    with shown_live(context, "seed_users"):
        pass
    assert stages(context) == [("seed_users", "ended", None)]
    assert "JSONDecodeError" in caplog.text


def test_figures_that_cannot_be_made_cost_the_page_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The alerts are watched, and their file is written."""

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(module.LoadPage, "look", broken)
    monkeypatch.setattr(module.LoadPage, "ended", broken)
    context = context_of(tmp_path)
    with shown_live(context, "run_profile"), live_watch.live_watch(context):
        write_samples(context.bundle)
        await_that(lambda: "ZeroDivisionError" in caplog.text)
    assert context.bundle.read("alerts.json")["fault"] is None
    assert caplog.text.count("ZeroDivisionError") == 1
    assert stages(context) == [("run_profile", "ended", None)]
