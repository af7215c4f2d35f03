from collections.abc import Iterator

import psycopg2
import pytest
from psycopg2.extensions import cursor as Cursor  # noqa: N812 - it is a class

from include.loadtest.errors import ConfigError
from include.loadtest.target.schema import (
    Table,
    columns_of,
    declared_keys,
    find_table,
    owner_columns,
    require_users_table,
    undeclared_keys,
)
from include.loadtest.target.settings import TargetFile
from tests.loadtest.target.conftest import Database

pytestmark = pytest.mark.integration


@pytest.fixture
def cursor(database: Database) -> Iterator[Cursor]:
    """A cursor in a database with a users table."""
    connection = psycopg2.connect(database.url)
    with connection.cursor() as opened:
        yield opened
    connection.close()


def test_columns_say_what_must_be_given(cursor: Cursor) -> None:
    """NOT NULL without default; a serial or a generated column fills itself."""
    cursor.execute("CREATE TABLE t (id serial, a text NOT NULL, b varchar(5), c int GENERATED ALWAYS AS (1) STORED)")
    table = find_table(cursor, "t")
    assert table == Table("public", "t")
    columns = columns_of(cursor, table)
    assert list(columns) == ["id", "a", "b"]
    assert [column.must_be_given for column in columns.values()] == [False, True, False]
    assert columns["b"].max_chars == 5


def test_a_schema_without_users_is_refused(cursor: Cursor) -> None:
    """A missing table and a missing column are named."""
    with pytest.raises(ConfigError, match='no table "users"'):
        require_users_table(cursor, "users")
    cursor.execute('ALTER TABLE "user" RENAME account_code TO account_cod')
    with pytest.raises(ConfigError, match=r"no column account_code, which test users need; did you mean account_cod\?"):
        require_users_table(cursor, "user")


def test_keys_are_found_in_every_schema(cursor: Cursor) -> None:
    """Declared ones with what happens on delete; user_id columns of the id's kind, not those of another."""
    cursor.execute("""
        CREATE SCHEMA "Odd Name";
        CREATE TABLE "Odd Name"."Chat" (id int, owner int REFERENCES "user" (id) ON DELETE SET NULL);
        CREATE TABLE events (user_id bigint); CREATE TABLE external (user_id text);
    """)
    users = Table("public", "user")
    (declared,) = declared_keys(cursor)
    assert (declared.table, declared.columns, declared.to_table) == (Table("Odd Name", "Chat"), ("owner",), users)
    assert declared.loosens
    assert [key.table.name for key in owner_columns(cursor, users)] == ["events"]


def test_a_key_of_the_target_file_must_fit(cursor: Cursor) -> None:
    """A table that is not there is noted, a column that is not there is an error."""
    rule = {"table": "checkpoints", "column": "thread", "to_table": "user", "to_column": "id"}
    file = TargetFile.model_validate({"name": "demo", "undeclared_keys": [rule]}, strict=False)
    assert undeclared_keys(cursor, file) == (
        [],
        ["clean-up of checkpoints.thread: this schema has no table checkpoints"],
    )
    cursor.execute("CREATE TABLE checkpoints (thread_id text)")
    with pytest.raises(ConfigError, match=r"checkpoints has no column thread; did you mean thread_id\?"):
        undeclared_keys(cursor, file)
