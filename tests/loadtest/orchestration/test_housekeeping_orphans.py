"""What dead runs left goes: from a real demo target and a real history, and from this machine."""

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from include.loadtest.errors import ConfigError, InfrastructureError
from include.loadtest.history.database import connect, transaction, upgrade
from include.loadtest.history.locks import acquire_lock, stand_in_line
from include.loadtest.orchestration import housekeeping_orphans
from include.loadtest.orchestration.housekeeping_orphans import OrphanHunt, remove_work_folders
from include.loadtest.target.settings import Target, load_target_file
from include.loadtest.target.users import seed_users
from tests.helpers.demo import DemoTarget, demo_target

pytestmark = pytest.mark.integration
DAY_S = 86_400.0
HOLDERS = "SELECT owner FROM loadtest.target_lock"
WAITERS = "SELECT owner FROM loadtest.target_waiter"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoTarget]:
    with demo_target(tmp_path_factory.mktemp("demo")) as running:
        yield running


def target_of(demo: DemoTarget) -> Target:
    return Target.checked(load_target_file("demo"), demo.base_url, demo.database_url, demo.redis_url)


@pytest.fixture
def hunt(demo: DemoTarget, history_url: str, tmp_path: Path) -> OrphanHunt:
    """On the demo target only, with an empty history and a work folder of its own."""
    with transaction(connect(history_url)) as connection:
        connection.execute(text("DROP SCHEMA IF EXISTS loadtest CASCADE"))
    upgrade(history_url)
    return OrphanHunt(
        *(history_url, "load_test_housekeeping/manual__1", "housekeeping-1"),
        work_root=tmp_path / "work",
        targets=("demo",),
        load_target=lambda _name: target_of(demo),
    )


def owners(hunt: OrphanHunt, statement: str) -> list[str]:
    with transaction(connect(hunt.history_url)) as connection:
        return [row.owner for row in connection.execute(text(statement))]


def users(demo: DemoTarget) -> int:
    return int(demo.sql("""SELECT count(*) FROM "user" WHERE email LIKE 'loadtest_user_%%@pratikoai.it'""")[0][0])


def test_a_production_target_is_left_alone(hunt: OrphanHunt, demo: DemoTarget) -> None:
    """Housekeeping runs by schedule, and nobody has confirmed it: not even its lease is taken."""
    file = load_target_file("demo").model_copy(update={"production_hosts": ("127.*",)})
    live = replace(target_of(demo), file=file)
    said = replace(hunt, load_target=lambda _name: live).remove_users("demo")
    assert said == "target demo: skipped, since 127.0.0.1 is production's (production_hosts)"
    assert owners(hunt, HOLDERS) == []


def test_users_of_dead_runs_go_with_their_rows(
    demo: DemoTarget, hunt: OrphanHunt, caplog: pytest.LogCaptureFixture
) -> None:
    """The target is free again afterwards, and other accounts stay."""
    caplog.set_level("INFO", "loadtest")
    demo.add_user("somebody@pratikoai.it")
    seed_users(target_of(demo), "smoke-dead")
    demo.sql(
        """INSERT INTO audit_events (user_id, event)
        SELECT id::text, 'access' FROM "user" WHERE email = 'loadtest_user_3@pratikoai.it'"""
    )
    hunt.remove_all(DAY_S)
    assert users(demo) == 0
    assert demo.sql("SELECT count(*) FROM audit_events")[0][0] == 0
    assert [row[0] for row in demo.sql('SELECT email FROM "user"')] == ["somebody@pratikoai.it"]
    assert "target demo: 200 test users removed with their rows: audit_events 1, user 200" in caplog.text
    assert owners(hunt, HOLDERS) == []
    assert not list(hunt.work_root.iterdir())


def test_a_target_that_somebody_holds_is_left_alone(
    demo: DemoTarget, hunt: OrphanHunt, caplog: pytest.LogCaptureFixture
) -> None:
    """One line says who has it; the housekeeping neither waits nor stands in line."""
    caplog.set_level("INFO", "loadtest")
    seed_users(target_of(demo), "smoke-1")
    engine = connect(hunt.history_url)
    acquire_lock(engine, "demo", "load_test_manual/manual__1", "smoke-1", 300)
    hunt.remove_all(DAY_S)
    assert users(demo) == 200
    assert (
        "target demo: skipped, since somebody has it: target demo is held by load_test_manual/manual__1" in caplog.text
    )
    assert owners(hunt, HOLDERS) == ["load_test_manual/manual__1"]
    assert owners(hunt, WAITERS) == []


def test_who_waits_for_the_target_comes_first(
    demo: DemoTarget, hunt: OrphanHunt, caplog: pytest.LogCaptureFixture
) -> None:
    """A free target whose turn is another's is not taken."""
    caplog.set_level("INFO", "loadtest")
    seed_users(target_of(demo), "smoke-1")
    stand_in_line(connect(hunt.history_url), "demo", "load_test_manual/manual__2", "smoke-2")
    hunt.remove_all(DAY_S)
    assert users(demo) == 200
    assert "target demo: skipped, since somebody has it: target demo is free, but it is another's turn" in caplog.text
    assert owners(hunt, HOLDERS) == []


def test_the_target_is_held_while_its_users_are_removed(hunt: OrphanHunt, monkeypatch: pytest.MonkeyPatch) -> None:
    """So no run begins meanwhile; it is given free also when the removal fails, which stops no other step."""
    seen: list[str] = []

    def failing(*_arguments: object, **_options: object) -> None:
        seen.extend(owners(hunt, HOLDERS))
        raise InfrastructureError("3 of 200 test users are left")

    acquire_lock(connect(hunt.history_url), "other", "dead", "smoke-0", 300)
    with transaction(connect(hunt.history_url)) as connection:
        connection.execute(text("UPDATE loadtest.target_lock SET expires = now() - interval '2 days'"))
    monkeypatch.setattr(housekeeping_orphans, "cleanup_users", failing)
    with pytest.raises(InfrastructureError, match=r"^3 of 200 test users are left$"):
        hunt.remove_all(DAY_S)
    assert sorted(seen) == ["dead", hunt.owner]
    assert owners(hunt, HOLDERS) == [], "the dead lock went all the same"


def test_a_target_that_is_set_up_wrongly_is_red_and_one_without_a_database_is_not(
    demo: DemoTarget, hunt: OrphanHunt, caplog: pytest.LogCaptureFixture
) -> None:
    """The first is for a person to repair; on the second no run can have made a user."""
    caplog.set_level("INFO", "loadtest")

    def load(name: str) -> Target:
        if name == "wrong":
            raise ConfigError("target wrong: http://example.org is not allowed")
        return replace(target_of(demo), database_url=None)

    with pytest.raises(ConfigError, match=r"^target wrong: http://example.org is not allowed$"):
        replace(hunt, targets=("wrong", "bare"), load_target=load).remove_all(DAY_S)
    assert "target bare: its database is not configured" in caplog.text


def folder(root: Path, name: str, age_s: float) -> Path:
    """A private folder with tokens, written last so long ago."""
    path = root / name
    path.mkdir(parents=True)
    (path / "sessions.json").write_text("{}")
    for one in (path / "sessions.json", path):
        os.utime(one, (time.time() - age_s,) * 2)
    return path


def test_work_folders_of_ended_runs_go(tmp_path: Path) -> None:
    """Older than a day, not of a run that holds a target; the copies of bundles one process at a time."""
    old, young = folder(tmp_path, "smoke-1", 2 * DAY_S), folder(tmp_path, "smoke-2", DAY_S / 2)
    held, copy = folder(tmp_path, "weekly-3", 2 * DAY_S), folder(tmp_path, "bundles/123/smoke-4", 2 * DAY_S)
    own, of_held = folder(tmp_path, "bundles/124/smoke-5", 0), folder(tmp_path, "bundles/125/weekly-3", 2 * DAY_S)
    os.utime(copy.parent, (time.time() - 2 * DAY_S,) * 2)
    os.utime(of_held.parent, (time.time() - 2 * DAY_S,) * 2)
    assert remove_work_folders(tmp_path, {"weekly-3"}, DAY_S, time.time()) == ["bundles/123", "smoke-1"]
    assert [path.exists() for path in (old, copy, young, held, own, of_held)] == [False, False, True, True, True, True]
    assert remove_work_folders(tmp_path / "not-there", (), DAY_S, time.time()) == []


def test_a_folder_in_which_something_was_written_lately_stays(tmp_path: Path) -> None:
    """However old it is itself: a run of many hours writes below it."""
    long = folder(tmp_path, "quarterly-1", 2 * DAY_S)
    (long / "smoke-1").mkdir()
    (long / "smoke-1" / "lease.json").write_text("{}")
    os.utime(long, (time.time() - 2 * DAY_S,) * 2)
    assert remove_work_folders(tmp_path, (), DAY_S, time.time()) == []


def test_no_link_leads_out_of_the_work_folder(tmp_path: Path) -> None:
    """Links stay as they are, and a root that is one is refused: tokens of others may lie behind it."""
    outside, root = folder(tmp_path / "outside", "theirs", 2 * DAY_S), tmp_path / "work"
    ended = folder(root, "smoke-1", 2 * DAY_S)
    (ended / "link").symlink_to(outside)
    os.utime(ended / "link", (time.time() - 2 * DAY_S,) * 2, follow_symlinks=False)
    os.utime(ended, (time.time() - 2 * DAY_S,) * 2)
    (root / "linked").symlink_to(outside)
    assert remove_work_folders(root, (), DAY_S, time.time()) == ["smoke-1"]
    assert (outside / "sessions.json").exists()
    assert (root / "linked").is_symlink()
    (tmp_path / "linked-root").symlink_to(root)
    with pytest.raises(ConfigError, match="is not this user's own folder"):
        remove_work_folders(tmp_path / "linked-root", (), DAY_S, time.time())
