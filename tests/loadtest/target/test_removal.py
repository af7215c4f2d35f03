import pytest

from include.loadtest.errors import InfrastructureError
from include.loadtest.target import removal
from include.loadtest.target.cleanup import cleanup_users
from include.loadtest.target.tags import account_code, email
from tests.loadtest.target.conftest import Database

pytestmark = pytest.mark.integration

TAG = "smoke-1"


def _two_users(database: Database) -> tuple[int, int]:
    """Ids of a test user and of somebody else."""
    return database.add_user(email(1), account_code(TAG, 1)), database.add_user("anna@example.it", "A1")


def test_rows_are_followed_through_any_schema(database: Database) -> None:
    """Keys of keys, tables that point in a circle or at themselves, partitions, other schemas, composite keys."""
    ours, theirs = _two_users(database)
    database.run("""
        CREATE SCHEMA extra;
        CREATE TABLE folder (id int PRIMARY KEY, owner_id int NOT NULL REFERENCES "user" (id), parent_id int
            REFERENCES folder (id), top_paper int);
        CREATE TABLE paper (a int, b int, folder_id int NOT NULL REFERENCES folder (id), PRIMARY KEY (a, b));
        ALTER TABLE folder ADD top_b int, ADD FOREIGN KEY (top_paper, top_b) REFERENCES paper (a, b);
        CREATE TABLE extra."Line" (a int, b int, FOREIGN KEY (a, b) REFERENCES paper (a, b) ON DELETE RESTRICT);
        CREATE TABLE log (user_id bigint, at date) PARTITION BY RANGE (at);
        CREATE TABLE log_1 PARTITION OF log FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
        CREATE TABLE log_2 PARTITION OF log FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
    """)
    for user, base in ((ours, 10), (theirs, 20)):
        database.run("INSERT INTO folder VALUES (%s, %s, NULL), (%s, %s, %s)", base, user, base + 1, user, base)
        database.run("INSERT INTO paper VALUES (%s, 1, %s)", base, base + 1)
        database.run("UPDATE folder SET top_paper = %s, top_b = 1 WHERE id = %s", base, base)
        database.run('INSERT INTO extra."Line" VALUES (%s, 1)', base)
        database.run("INSERT INTO log VALUES (%s, '2024-02-02'), (%s, '2025-02-02')", user, user)
    result = cleanup_users(database.target(), TAG)
    assert result.rows == {"extra.Line": 1, "folder": 2, "log": 2, "paper": 1, "user": 1}
    assert database.run("SELECT DISTINCT owner_id FROM folder") == [(theirs,)]
    assert database.run("SELECT user_id FROM log") == [(theirs,), (theirs,)]


def test_a_row_that_the_schema_lets_go_of_stays(database: Database) -> None:
    """A document of somebody else that a test user reviewed keeps living; one that the test user owns goes."""
    ours, theirs = _two_users(database)
    database.run("""CREATE TABLE document (id serial, user_id int REFERENCES "user" (id) ON DELETE SET NULL,
        reviewed_by int REFERENCES "user" (id) ON DELETE SET NULL)""")
    database.run("INSERT INTO document (user_id, reviewed_by) VALUES (%s, %s), (%s, NULL)", theirs, ours, ours)
    assert cleanup_users(database.target(), TAG).rows == {"document": 1, "user": 1}
    assert database.run("SELECT user_id, reviewed_by FROM document") == [(theirs, None)]


@pytest.mark.parametrize("on_delete", ["NO ACTION", "CASCADE"])
def test_rows_of_others_block_the_removal_of_what_they_need(database: Database, on_delete: str) -> None:
    """Somebody else's comment on a test user's page is not removed, nor is the user; the other test users are."""
    ours, theirs = _two_users(database)
    database.add_user(email(2), account_code(TAG, 2))
    database.run(f"""CREATE TABLE page (id int PRIMARY KEY, user_id int REFERENCES "user" (id) ON DELETE CASCADE);
        CREATE TABLE comment (user_id int, page_id int REFERENCES page (id) ON DELETE {on_delete});""")
    database.run("INSERT INTO page VALUES (1, %s)", ours)
    database.run("INSERT INTO comment VALUES (%s, 1)", theirs)
    with pytest.raises(InfrastructureError, match=r"1 of 2 test users are left: .*1 rows of comment belong to other"):
        cleanup_users(database.target(), TAG)
    assert database.count("comment") == database.count("page") == 1
    assert database.count("user") == 2


def test_users_who_point_to_a_test_user_are_never_removed(database: Database) -> None:
    """An invitation does not make somebody a test user."""
    ours, theirs = _two_users(database)
    database.run('ALTER TABLE "user" ADD invited_by int REFERENCES "user" (id) ON DELETE CASCADE')
    database.run('UPDATE "user" SET invited_by = %s WHERE id = %s', ours, theirs)
    with pytest.raises(InfrastructureError, match=r"rows of user belong to other users but point by invited_by"):
        cleanup_users(database.target(), TAG)
    assert database.count("user") == 2


def test_a_shared_studio_stays_with_its_last_user(database: Database) -> None:
    """A studio that only test users had goes with its clients; one that somebody else is in stays."""
    ours, theirs = _two_users(database)
    database.run("""CREATE TABLE studios (id int PRIMARY KEY); INSERT INTO studios VALUES (1), (2);
        CREATE TABLE clients (studio_id int REFERENCES studios (id)); INSERT INTO clients VALUES (1), (2);
        ALTER TABLE "user" ADD studio_id int REFERENCES studios (id)""")
    other = database.add_user(email(2), account_code(TAG, 2))
    database.run('UPDATE "user" SET studio_id = 1 WHERE id IN (%s, %s)', ours, theirs)
    database.run('UPDATE "user" SET studio_id = 2 WHERE id = %s', other)
    target = database.target(owned_by_users=[{"table": "studios", "column": "id", "user_column": "studio_id"}])
    assert cleanup_users(target, TAG).rows == {"clients": 1, "studios": 1, "user": 2}
    assert database.run("SELECT id FROM studios") == [(1,)]


def test_ids_that_are_uuids_work_too(empty_database: Database) -> None:
    """Nothing takes the users' id for a number."""
    empty_database.run("""CREATE TABLE "user" (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), email text,
        hashed_password text, account_code text); CREATE TABLE note (user_id uuid); CREATE TABLE tag (user_id int);
        INSERT INTO tag VALUES (1)""")
    empty_database.run('INSERT INTO "user" (email, account_code) VALUES (%s, %s)', email(1), account_code(TAG, 1))
    empty_database.run('INSERT INTO note SELECT id FROM "user"')
    assert cleanup_users(empty_database.target(), TAG).rows == {"note": 1, "user": 1}


@pytest.mark.parametrize(
    ("index", "is_missing"),
    [
        ("", True),
        ("CREATE INDEX ON note (user_id)", False),
        ("CREATE INDEX ON note USING hash (user_id)", False),
        ("CREATE INDEX ON note (user_id, at)", False),
        ("CREATE INDEX ON note (at, user_id)", True),
        ("CREATE INDEX ON note (user_id) WHERE at > 5", True),
        ("CREATE INDEX ON note USING brin (user_id)", True),
    ],
)
def test_a_large_table_without_a_usable_index_is_named(
    database: Database, monkeypatch: pytest.MonkeyPatch, index: str, is_missing: bool
) -> None:
    """The index begins with the key, covers all rows and finds single ones; partitions count together."""
    monkeypatch.setattr(removal, "LARGE_TABLE_BYTES", 3 * 8192)
    ours, _ = _two_users(database)
    database.run(f"""CREATE TABLE note (user_id int REFERENCES "user" (id), at int) PARTITION BY RANGE (at);
        CREATE TABLE note_1 PARTITION OF note FOR VALUES FROM (0) TO (400);
        CREATE TABLE note_2 PARTITION OF note FOR VALUES FROM (400) TO (9999); {index}""")
    database.run("INSERT INTO note SELECT %s, g FROM generate_series(1, 800) g", ours)
    notes = cleanup_users(database.target(), TAG).notes
    text = "without an index on user_id, so each batch reads all of it"
    assert [text in note for note in notes] == ([True] if is_missing else [])


@pytest.mark.parametrize(
    ("index", "notes"),
    [("note (at)", 1), ("note ((at::text))", 0)],
)
def test_the_index_has_the_form_in_which_values_are_compared(
    database: Database, monkeypatch: pytest.MonkeyPatch, index: str, notes: int
) -> None:
    """A bigint that holds a number as text is compared as text; the note says how to write the index."""
    monkeypatch.setattr(removal, "LARGE_TABLE_BYTES", 8192)
    ours, _ = _two_users(database)
    database.run(f"""CREATE TABLE session (id text PRIMARY KEY, user_id int REFERENCES "user" (id));
        CREATE INDEX ON session (user_id); CREATE TABLE note (at bigint); CREATE INDEX ON {index}""")
    database.run("INSERT INTO session VALUES ('77', %s)", ours)
    database.run("INSERT INTO note SELECT 77 FROM generate_series(1, 500)")
    key = {"table": "note", "column": "at", "to_table": "session", "to_column": "id"}
    result = cleanup_users(database.target(undeclared_keys=[key]), TAG)
    assert result.rows == {"note": 500, "session": 1, "user": 1}
    assert len(result.notes) == notes
    for note in result.notes:
        assert note.endswith("CREATE INDEX CONCURRENTLY ON note ((at::text))")
        database.run(note.rpartition("target: ")[2].replace(" CONCURRENTLY", ""))
