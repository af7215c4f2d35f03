import re
import subprocess
import sys
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2
import pytest

from include.loadtest.errors import ConfigError, InfrastructureError
from include.loadtest.target import cleanup
from include.loadtest.target.cleanup import cleanup_users
from include.loadtest.target.sessions import ensure_sessions
from include.loadtest.target.settings import Target, load_target_file
from include.loadtest.target.tags import account_code, email
from include.loadtest.target.users import seed_users
from tests.helpers.demo import ROOT, DemoTarget
from tests.loadtest.target.conftest import Database

pytestmark = pytest.mark.integration

CREATED = (
    "chat_messages",
    "checkpoints",
    "checkpoint_blobs",
    "checkpoint_writes",
    "session",
    "studios",
    "audit_events",
)


def test_all_that_a_test_user_made_goes_and_a_look_alike_keeps_its_own(
    demo: DemoTarget, target: Target, tmp_path
) -> None:
    """On the demo target: chats, checkpoints, sessions, studios, audit trail; of one user, not of the other."""
    demo.add_user("loadtest_user_1@pratikoai.it.example")
    their_token = demo.session(demo.login("loadtest_user_1@pratikoai.it.example"))
    seed_users(target, "clean-1")
    session = ensure_sessions(target, (1,), tmp_path / "s.json", "clean-1")[1]
    message = {"messages": [{"role": "user", "content": "Come calcolare l'IVA?"}], "skip_proactivity": True}
    with demo.client() as client:
        for token in (session.session_token, their_token):
            bearer = {"authorization": f"Bearer {token}"}
            client.post("/api/v1/chatbot/chat/stream", json=message, headers=bearer).raise_for_status()
    demo.sql("INSERT INTO audit_events (user_id, event) VALUES (%s, 'access')", str(session.user_id))
    before = {table: demo.sql(f"SELECT count(*) FROM {table}")[0][0] for table in CREATED}
    result = cleanup_users(target, "clean-1")
    assert result.users == 200
    assert {table: result.rows[table] for table in ("session", "studios", "audit_events")} == dict.fromkeys(
        ("session", "studios", "audit_events"), 1
    )
    left = {table: demo.sql(f"SELECT count(*) FROM {table}")[0][0] for table in CREATED}
    assert left == {table: before[table] - result.rows[table] for table in CREATED}
    assert left["chat_messages"] > 0
    assert left["checkpoints"] > 0
    assert [row[0] for row in demo.sql('SELECT email FROM "user"')] == ["loadtest_user_1@pratikoai.it.example"]


@pytest.mark.parametrize(
    ("address", "code"),
    [
        (email(7), None),
        (email(7), "ACC-7"),
        (email(7), "LT-7"),
        (email(7), account_code("x", 8)),
        ("loadtest_user_7@example.it", account_code("x", 7)),
        ("anna@example.it", "LT-0a1b2c3d-1"),
    ],
)
def test_look_alikes_survive(database: Database, address: str, code: str | None) -> None:
    """Only address and code together make a test user."""
    database.add_user(address, code)
    assert cleanup_users(database.target(), None).users == 0
    assert database.count("user") == 1


def test_one_runs_users_or_every_runs(database: Database) -> None:
    """A tag limits the clean-up to its run; None means all."""
    database.add_user(email(1), account_code("a", 1))
    database.add_user(email(2), account_code("b", 2))
    assert cleanup_users(database.target(), "a").users == 1
    assert database.run('SELECT email FROM "user"') == [(email(2),)]
    assert cleanup_users(database.target(), None).users == 1
    assert cleanup_users(database.target(), None).document() == {"users": 0, "rows": {}, "notes": []}


def test_a_target_that_still_writes_is_cleaned_up_all_the_same(database: Database) -> None:
    """A row that another connection adds meanwhile is waited for and removed as well."""
    user = database.add_user(email(1), account_code("a", 1))
    database.run('CREATE TABLE session (id int PRIMARY KEY, user_id int NOT NULL REFERENCES "user" (id))')
    writer = psycopg2.connect(database.url)
    writer.cursor().execute("INSERT INTO session VALUES (1, %s)", (user,))
    threading.Thread(target=lambda: (time.sleep(0.5), writer.commit())).start()
    assert cleanup_users(database.target(), "a").rows == {"session": 1, "user": 1}
    writer.close()


def test_left_users_are_named(database: Database) -> None:
    """A table that refuses deletions ends in one line with number and cause, the batch untouched."""
    user = database.add_user(email(1), account_code("a", 1))
    database.run("""CREATE TABLE ledger (user_id int);
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            RAISE foreign_key_violation USING MESSAGE = 'the ledger is for ever'; END $$;
        CREATE TRIGGER keep BEFORE DELETE ON ledger FOR EACH ROW EXECUTE FUNCTION refuse()""")
    database.run("INSERT INTO ledger VALUES (%s)", user)
    with pytest.raises(InfrastructureError, match="1 of 1 test users are left: the ledger is for ever"):
        cleanup_users(database.target(), None)
    assert database.count("ledger") == database.count("user") == 1


def test_without_a_database_it_says_what_to_set() -> None:
    """The clean-up needs the same address as the seeding."""
    with pytest.raises(ConfigError, match="loadtest_target_db__demo"):
        cleanup_users(Target.checked(load_target_file("demo"), "http://127.0.0.1"), None)


CHATS = """
CREATE TABLE session (id text PRIMARY KEY, user_id int NOT NULL REFERENCES "user" (id));
CREATE INDEX ON session (user_id);
CREATE TABLE checkpoint_writes (thread_id text NOT NULL, idx int NOT NULL, blob bytea NOT NULL,
    PRIMARY KEY (thread_id, idx));
CREATE TABLE deleted (at_once bigint, rows int);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO deleted SELECT txid_current(), count(*) FROM gone; RETURN NULL; END $$;
CREATE TRIGGER noted AFTER DELETE ON checkpoint_writes REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION note();
"""
WRITES_KEY = {"table": "checkpoint_writes", "column": "thread_id", "to_table": "session", "to_column": "id"}
LOCK = 4711
HOLD = f"""
CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF old.email = '{email(15)}' THEN PERFORM pg_advisory_xact_lock_shared({LOCK}); END IF; RETURN old; END $$;
CREATE TRIGGER held BEFORE DELETE ON "user" FOR EACH ROW EXECUTE FUNCTION hold();
"""
CLEAN_UP = """
import sys
from include.loadtest.target.cleanup import cleanup_users
from include.loadtest.target.settings import Target, TargetFile
file = TargetFile.model_validate_json(sys.argv[1], strict=False)
cleanup_users(Target.checked(file, "http://127.0.0.1:9", sys.argv[2]), "a")
"""


def _chat(database: Database, user: int, *, sessions: int, rows: int, bytes_a_row: int = 10) -> None:
    """What chats leave: sessions with so many rows of the LLM graph's memory each."""
    database.run("INSERT INTO session SELECT %s || '-' || g, %s FROM generate_series(1, %s) g", user, user, sessions)
    database.run(
        """INSERT INTO checkpoint_writes SELECT id, g, decode(repeat('ab', %s), 'hex')
        FROM session, generate_series(1, %s) g WHERE user_id = %s""",
        bytes_a_row,
        rows,
        user,
    )


@contextmanager
def _held(database: Database) -> Iterator[Callable[[], list[int]]]:
    """Let the deletion of user 15 wait as long as the block lasts; gives the servers' processes that wait."""
    connection = psycopg2.connect(database.url)
    connection.cursor().execute(f"SELECT pg_advisory_lock({LOCK})")
    waiting = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'advisory'"
    try:
        yield lambda: [int(row[0]) for row in database.run(waiting)]
    finally:
        connection.close()


def _until(happened: Callable[[], object], what: str, within_s: float = 60) -> None:
    deadline = time.monotonic() + within_s
    while not happened():
        assert time.monotonic() < deadline, f"not within {within_s} s: {what}"
        time.sleep(0.02)


def test_what_twenty_long_chats_left_goes_in_bounded_memory(database: Database) -> None:
    """76,000 rows of 1 KB of one user; somebody else's chats stay, and a table without the index is named."""
    database.run(CHATS)
    ours, theirs = database.add_user(email(1), account_code("a", 1)), database.add_user("anna@example.it", "A1")
    _chat(database, ours, sessions=20, rows=3800, bytes_a_row=1000)
    _chat(database, theirs, sessions=2, rows=50)
    tracemalloc.start()
    try:
        result = cleanup_users(database.target(undeclared_keys=[WRITES_KEY]), "a")
        assert tracemalloc.get_traced_memory()[1] < 4 * 2**20
    finally:
        tracemalloc.stop()
    assert result.rows == {"checkpoint_writes": 76_000, "session": 20, "user": 1}
    assert result.notes == ()
    assert database.run("SELECT DISTINCT user_id FROM session") == [(theirs,)]
    assert database.count("checkpoint_writes") == 100
    database.run("ALTER TABLE checkpoint_writes DROP CONSTRAINT checkpoint_writes_pkey")
    database.add_user(email(2), account_code("a", 2))
    assert cleanup_users(database.target(undeclared_keys=[WRITES_KEY]), "a").notes == (
        "clean-up of checkpoint_writes: 85 MiB without an index on thread_id, so each batch reads all of it; "
        "on the target: CREATE INDEX CONCURRENTLY ON checkpoint_writes (thread_id)",
    )


@pytest.mark.parametrize(("has_index", "most_rows"), [(True, 1000), (False, 2500)])
def test_batches_follow_the_rows_that_users_have(
    database: Database, monkeypatch: pytest.MonkeyPatch, has_index: bool, most_rows: int
) -> None:
    """Users with many rows go a few at a time; ten at a time where each batch reads the whole table anyway."""
    monkeypatch.setattr(cleanup, "ROWS_A_BATCH", 1000)
    monkeypatch.setattr("include.loadtest.target.removal.LARGE_TABLE_BYTES", 8192)
    database.run(CHATS)
    if not has_index:
        database.run("ALTER TABLE checkpoint_writes DROP CONSTRAINT checkpoint_writes_pkey")
    for number in range(1, 21):
        _chat(database, database.add_user(email(number), account_code("a", number)), sessions=1, rows=248)
    result = cleanup_users(database.target(undeclared_keys=[WRITES_KEY]), None)
    assert result.rows["checkpoint_writes"] == 20 * 248
    assert len(result.notes) == (0 if has_index else 1)
    batches = [row[0] for row in database.run("SELECT sum(rows) FROM deleted GROUP BY at_once ORDER BY at_once")]
    assert 0.9 * most_rows < max(batches) <= most_rows


def test_a_killed_clean_up_is_ended_by_the_server_and_finished_by_the_next(database: Database) -> None:
    """kill -9 in the middle of a batch: whole batches are gone, the rest is tagged still and unlocked soon."""
    database.run(CHATS)
    for number in range(1, 31):
        _chat(database, database.add_user(email(number), account_code("a", number)), sessions=2, rows=5)
    database.run(HOLD)
    target = database.target(undeclared_keys=[WRITES_KEY])
    with _held(database) as waiting:
        command = [sys.executable, "-c", CLEAN_UP, target.file.model_dump_json(), database.url]
        with subprocess.Popen(command, cwd=ROOT) as process:
            try:
                _until(lambda: waiting() or process.poll() is not None, "the clean-up comes to user 15")
                assert process.poll() is None
            finally:
                process.kill()
        left = [row[0] for row in database.run('SELECT email FROM "user" ORDER BY id')]
        assert left == [email(number) for number in range(12, 31)]
        assert database.count("session") == 2 * 19
        assert database.count("checkpoint_writes") == 10 * 19
        _until(lambda: not waiting(), "the server notices that its client is dead", 20)
    assert cleanup_users(target, "a").rows == {"checkpoint_writes": 190, "session": 38, "user": 19}
    assert [database.count(table) for table in ("user", "session", "checkpoint_writes")] == [0, 0, 0]


def test_a_clean_up_whose_connection_broke_goes_on(database: Database) -> None:
    """The server ends the session in the middle: one line, retryable; a repeat removes the rest."""
    database.run(CHATS)
    for number in range(1, 31):
        _chat(database, database.add_user(email(number), account_code("a", number)), sessions=1, rows=5)
    database.run(HOLD)
    target = database.target(undeclared_keys=[WRITES_KEY])
    errors: list[Exception] = []

    def clean_up() -> None:
        try:
            cleanup_users(target, "a")
        except InfrastructureError as error:
            errors.append(error)

    with _held(database) as waiting:
        thread = threading.Thread(target=clean_up)
        thread.start()
        _until(waiting, "the clean-up comes to user 15")
        database.run("SELECT pg_terminate_backend(%s)", waiting()[0])
        thread.join(60)
    assert len(errors) == 1
    assert re.fullmatch(r"clean-up: 11 of 30 test users, 77 rows, .*broke \(\w.*\)", str(errors[0]))
    assert database.count("user") == 19
    assert cleanup_users(target, "a").users == 19


def test_long_work_tells_how_far_it_is(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also while a single statement takes its time; nothing is told once it has ended."""
    monkeypatch.setattr(cleanup, "PROGRESS_EVERY_S", 0.05)
    for number in range(1, 31):
        database.add_user(email(number), account_code("a", number))
    database.run(HOLD)
    lines: list[str] = []
    with _held(database):
        releaser = threading.Event()
        connection: dict[str, Any] = {}

        def on_progress(line: str) -> None:
            lines.append(line)
            if line.startswith("clean-up: 11 of 30") and len(lines) > 3:
                releaser.set()

        def clean_up() -> None:
            connection["result"] = cleanup_users(database.target(), "a", on_progress=on_progress)

        thread = threading.Thread(target=clean_up)
        thread.start()
        assert releaser.wait(60)
    thread.join(60)
    assert connection["result"].users == 30
    assert "clean-up: 11 of 30 test users, 11 rows, after 0 s" in lines
    told = len(lines)
    assert not threading.Event().wait(0.2)
    assert len(lines) == told


def test_a_batch_that_takes_too_long_names_the_missing_index(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With how far it came: a person sees what to repair."""
    monkeypatch.setattr(cleanup, "STATEMENT_TIMEOUT_S", 0.5)
    monkeypatch.setattr("include.loadtest.target.removal.LARGE_TABLE_BYTES", 8192)
    database.run(CHATS)
    database.run("ALTER TABLE checkpoint_writes DROP CONSTRAINT checkpoint_writes_pkey")
    for number in range(1, 31):
        _chat(database, database.add_user(email(number), account_code("a", number)), sessions=1, rows=50)
    database.run(HOLD)
    expected = r"10 of 30 test users.*statement timeout; .*CREATE INDEX CONCURRENTLY ON checkpoint_writes \(thread_id\)"
    with _held(database), pytest.raises(InfrastructureError, match=expected):
        cleanup_users(database.target(undeclared_keys=[WRITES_KEY]), "a")
    assert database.count("user") == 20
