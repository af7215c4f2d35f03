import threading
import time

import psycopg2
import pytest

from include.loadtest.errors import ConfigError, InfrastructureError
from include.loadtest.target.cleanup import cleanup_users
from include.loadtest.target.sessions import ensure_sessions
from include.loadtest.target.settings import Target, load_target_file
from include.loadtest.target.tags import account_code, email
from include.loadtest.target.users import seed_users
from tests.helpers.demo import DemoTarget
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
