"""A lock lives as long as its run gives a sign of life, and no load is sent without it."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from include.loadtest.bundle import Bundle
from include.loadtest.errors import InvalidTestError
from include.loadtest.history.database import connect, transaction
from include.loadtest.history.locks import acquire_lock, stand_in_line
from include.loadtest.lease_file import Lease, now_s, read_lease, why_not, write_lease
from include.loadtest.orchestration import lease
from include.loadtest.orchestration.context import Context
from include.loadtest.orchestration.lease import (
    LEASE_S,
    NEEDS_THE_TARGET,
    RENEW_EVERY_S,
    generator_lease,
    hand_over_lease,
    kept_lease,
    still_holds,
    take_lease,
)
from include.loadtest.orchestration.target_use import free_target, lock_target, make_private

pytestmark = pytest.mark.integration
REST = "SELECT extract(epoch FROM expires - now()) AS s FROM loadtest.target_lock"
OWN = "SELECT owner, expires > now() AS held, expires FROM loadtest.target_lock WHERE target = 'demo'"


@pytest.fixture
def context(history_url: str, tmp_path: Path) -> Context:
    """A DAG run that holds the target."""
    own = Context(
        bundle=Bundle(tmp_path / "smoke-1"),
        bundle_uri="",
        target_name="demo",
        load_target=lambda _name: pytest.fail("not needed"),
        history_url=history_url,
        work_dir=tmp_path / "work",
        owner="test/smoke-1",
    )
    sql(own, "DROP SCHEMA IF EXISTS loadtest CASCADE")
    lock_target(own)
    return own


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "RENEW_EVERY_S", 0.05)


def sql(context: Context, statement: str) -> list[Any]:
    with transaction(connect(context.history_url)) as connection:
        done = connection.execute(text(statement))
        return list(done) if done.returns_rows else []


def await_that(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "did not happen within 30 s"
        time.sleep(0.02)


def test_a_lease_outlives_a_few_missed_renewals_and_no_more_than_five_minutes(context: Context) -> None:
    """What a killed run leaves blocks the next for at most that."""
    assert 3 * RENEW_EVERY_S < LEASE_S <= 300
    (rest,) = sql(context, REST)
    assert LEASE_S - 60 < float(rest.s) <= LEASE_S


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("name", ["preflight", "run_profile", "publish"])
def test_a_stage_renews_the_lock_while_it_runs(context: Context, name: str) -> None:
    """Its end moves on, twice; a lock that expired meanwhile, and that nobody took, is held again."""
    with kept_lease(context, name):
        for _ in range(2):
            before = sql(context, OWN)[0].expires
            await_that(lambda before=before: sql(context, OWN)[0].expires > before)
        sql(context, "UPDATE loadtest.target_lock SET expires = now() - interval '1 second'")
        await_that(lambda: sql(context, OWN)[0].held)


@pytest.mark.parametrize("name", sorted(NEEDS_THE_TARGET))
def test_a_stage_that_needs_the_target_does_not_begin_without_the_lock(context: Context, name: str) -> None:
    """Whether it is free or another's; the error says whose."""
    free_target(context)
    with pytest.raises(InvalidTestError, match="was released") as caught, kept_lease(context, name):
        pytest.fail("began")
    assert caught.value.code == "target_locked"
    sql(context, "INSERT INTO loadtest.target_lock VALUES ('demo', 'other', 'smoke-2', now(), now() + '1 hour', 9)")
    with pytest.raises(InvalidTestError, match="held by other for run smoke-2"), kept_lease(context, name):
        pytest.fail("began")


@pytest.mark.usefixtures("quick")
def test_a_lock_that_was_lost_during_the_load_makes_it_invalid(
    context: Context, caplog: pytest.LogCaptureFixture
) -> None:
    """Two loads at once measure each other."""

    def take_away() -> None:
        with kept_lease(context, "run_profile"):
            sql(context, "UPDATE loadtest.target_lock SET owner = 'other'")
            await_that(lambda: "lock was lost" in caplog.text)

    with pytest.raises(InvalidTestError, match="lost while it was used: target demo is held by other") as caught:
        take_away()
    assert caught.value.code == "target_locked"


@pytest.mark.usefixtures("quick")
def test_a_stage_of_a_run_without_the_lock_goes_on(context: Context, caplog: pytest.LogCaptureFixture) -> None:
    """A refused run still has its report, and takes no lock for it."""
    free_target(context)
    with kept_lease(context, "collect_metrics"):
        time.sleep(0.2)
    assert (sql(context, OWN), caplog.text) == ([], "")


@pytest.mark.usefixtures("quick")
def test_what_the_clean_up_releases_stays_free(context: Context, caplog: pytest.LogCaptureFixture) -> None:
    """No renewal brings it back, and none calls it lost."""
    before = sql(context, OWN)[0].expires
    with kept_lease(context, "cleanup_users"):
        await_that(lambda: sql(context, OWN)[0].expires > before)
        free_target(context)
        time.sleep(0.2)
    assert (sql(context, OWN), caplog.text) == ([], "")


@pytest.mark.usefixtures("quick")
def test_a_database_that_is_away_stops_no_stage_that_can_do_without(
    context: Context, caplog: pytest.LogCaptureFixture
) -> None:
    """The log says so, again and again, and the lock is there when it is back."""
    from dataclasses import replace

    away = replace(context, history_url="postgresql://nobody@127.0.0.1:1/history")
    with kept_lease(away, "validate_sla"):
        await_that(lambda: caplog.text.count("could not be renewed") > 1)
    take_lease(context)
    assert sql(context, OWN)[0].held


def test_the_load_is_handed_a_lease_that_ends_before_the_lock(context: Context) -> None:
    """By ten seconds, counted from before the database was asked; the file is this user's only."""
    make_private(context.work_dir)
    hand_over_lease(context)
    handed = read_lease(context.lease_file)
    (rest,) = sql(context, REST)
    assert handed.token == context.manifest()["lease"]["token"]
    assert why_not(handed) is None
    assert 5 < float(rest.s) - (handed.until_s - now_s()) < 20
    assert context.lease_file.stat().st_mode & 0o777 == 0o600


@pytest.mark.usefixtures("quick")
def test_each_renewal_tells_the_generator_and_so_does_a_loss(
    context: Context, caplog: pytest.LogCaptureFixture
) -> None:
    """The file's end moves on with the lock's; when somebody else has the target, it says so."""

    def load() -> None:
        with kept_lease(context, "run_profile"):
            hand_over_lease(context)
            before = read_lease(context.lease_file).until_s
            await_that(lambda: read_lease(context.lease_file).until_s > before)
            sql(context, "UPDATE loadtest.target_lock SET owner = 'other', token = token + 1")
            await_that(lambda: "lock was lost" in caplog.text)
            await_that(lambda: "held by other" in str(why_not(read_lease(context.lease_file))))

    make_private(context.work_dir)
    with pytest.raises(InvalidTestError, match="lost while it was used"):
        load()


@pytest.mark.usefixtures("quick")
def test_each_of_several_generators_has_a_lease_of_its_own(context: Context) -> None:
    """Renewed on its own machine with the run's token; a loss reaches it too. The run's own file is not touched."""
    make_private(context.work_dir)
    file = context.work_dir / "lease-w2.json"
    with generator_lease(context, file):
        before = read_lease(file)
        assert (before.token, why_not(before)) == (context.manifest()["lease"]["token"], None)
        await_that(lambda: read_lease(file).until_s > before.until_s)
        sql(context, "UPDATE loadtest.target_lock SET owner = 'other', token = token + 1")
        await_that(lambda: "held by other" in str(why_not(read_lease(file))))
    assert not context.lease_file.exists()
    with pytest.raises(InvalidTestError, match="held by other"), generator_lease(context, file):
        pass


def test_a_late_process_is_refused_by_its_token(context: Context) -> None:
    """Also where the same DAG run has taken the target again: the token from before is not the lock's any more."""
    make_private(context.work_dir)
    late = context.manifest()["lease"]
    free_target(context)
    engine = connect(context.history_url)
    acquire_lock(engine, "demo", "other", "smoke-2", 300)
    sql(context, "DELETE FROM loadtest.target_lock")
    take_lease(context)
    assert still_holds(context)
    context.bundle.update_manifest(lease=late)
    assert not still_holds(context)
    with pytest.raises(InvalidTestError, match="its lock has token 3, not 1") as caught:
        hand_over_lease(context)
    assert caught.value.code == "target_locked"
    assert not context.lease_file.exists()


def test_a_run_that_was_never_given_the_target_may_not_use_it(context: Context) -> None:
    """No token in its manifest, no load; a history that is away allows nothing either."""
    from dataclasses import replace

    assert not still_holds(replace(context, history_url="postgresql://nobody@127.0.0.1:1/history"))
    context.bundle.update_manifest(lease=None)
    assert not still_holds(context)
    with pytest.raises(InvalidTestError, match="never this run's"), kept_lease(context, "run_profile"):
        pytest.fail("began")


@pytest.mark.usefixtures("quick")
def test_a_renewal_brings_no_lease_file_back(context: Context) -> None:
    """One that the clean-up removed with the tokens stays away."""
    make_private(context.work_dir)
    write_lease(context.lease_file, Lease(1, 0.0))
    with kept_lease(context, "run_profile"):
        await_that(lambda: read_lease(context.lease_file).until_s > 0)
        context.lease_file.unlink()
        before = sql(context, OWN)[0].expires
        await_that(lambda: sql(context, OWN)[0].expires > before)
    assert not context.lease_file.exists()


def test_after_the_clean_up_nothing_of_the_target_is_held(context: Context) -> None:
    """Neither the lock nor a place in the queue: a wait for a person may be long. The next run takes it at once."""
    engine = connect(context.history_url)
    stand_in_line(engine, "demo", context.owner, "smoke-1")
    free_target(context)
    assert sql(context, OWN) == []
    assert sql(context, "SELECT owner FROM loadtest.target_waiter") == []
    acquire_lock(engine, "demo", "next", "smoke-2", 300)
