"""Plans of slow statements: asked without running anything."""

import pytest

from include.loadtest.target.database import connected
from include.loadtest.target.plans import explain, is_harmless
from include.loadtest.target.settings import Target, load_target_file
from tests.loadtest.target.conftest import Database

SEARCH = "SELECT id, body FROM laws WHERE body LIKE $1 AND id > $2 ORDER BY id"


@pytest.mark.unit
@pytest.mark.parametrize(
    "statement",
    [
        SEARCH,
        "WITH a AS (SELECT 1) SELECT * FROM a",
        "select ';' as semicolon, \"delete\" from t -- update",
        "/* INSERT */ SELECT $$ DELETE FROM t; $$;",
    ],
)
def test_reading_statements_are_harmless(statement: str) -> None:
    """Words in quotes and comments do nothing."""
    assert is_harmless(statement)


@pytest.mark.unit
@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM laws",
        "WITH gone AS (DELETE FROM laws RETURNING id) SELECT * FROM gone",
        "SELECT * INTO copy FROM laws",
        "SELECT id FROM laws FOR UPDATE",
        "SELECT id FROM laws FOR NO KEY UPDATE",
        "SELECT 1; DROP TABLE laws",
        "EXECUTE prepared",
        "SELECT 'cut here",
        "",
    ],
)
def test_anything_else_is_not_asked_about(statement: str) -> None:
    """What writes, locks, is several statements, or was cut."""
    assert not is_harmless(statement)


@pytest.mark.integration
def test_a_plan_is_asked_for_a_statement_with_placeholders(empty_database: Database) -> None:
    """As pg_stat_statements has it; nothing is run, and what cannot be planned has no plan."""
    target = Target.checked(load_target_file("pratikoai"), "http://127.0.0.1", database_url=empty_database.url)
    with connected(empty_database.url, statement_timeout_s=5) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE laws (id int PRIMARY KEY, body text)")
        connection.commit()
    plan = explain(target, SEARCH)
    assert plan is not None
    assert "laws" in plan
    assert explain(target, "SELECT nothing FROM nowhere") is None
    assert explain(target, "INSERT INTO laws VALUES (1, $1)") is None
    assert explain(Target.checked(load_target_file("pratikoai"), "http://127.0.0.1"), SEARCH) is None
