import pytest

from include.loadtest.errors import ConfigError, InfrastructureError
from include.loadtest.target.database import connected, required_database_url
from include.loadtest.target.settings import Target, load_target_file
from tests.loadtest.target.conftest import Database


@pytest.mark.unit
def test_a_missing_address_names_where_to_set_it() -> None:
    """Connection and environment variable."""
    target = Target.checked(load_target_file("pratikoai"), "http://127.0.0.1")
    with pytest.raises(ConfigError, match="set connection loadtest_target_db or environment variable DATABASE_URL"):
        required_database_url(target, "seed the test users")


@pytest.mark.integration
def test_errors_name_who_has_to_act(empty_database: Database) -> None:
    """No server: worth a retry. A refused statement: a person. Neither shows a password."""
    with (
        pytest.raises(InfrastructureError, match=r"127\.0\.0\.1:1") as caught,
        connected("postgresql://u:s3cret@127.0.0.1:1/d", statement_timeout_s=1),
    ):
        pass
    assert "s3cret" not in str(caught.value)
    with (
        pytest.raises(ConfigError, match="no_such_table"),
        connected(empty_database.url, statement_timeout_s=1) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT * FROM no_such_table")


@pytest.mark.integration
def test_a_statement_is_bounded(empty_database: Database) -> None:
    """One that takes too long is cancelled by the server."""
    with (
        pytest.raises(InfrastructureError, match="statement timeout"),
        connected(empty_database.url, statement_timeout_s=0.2) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT pg_sleep(10)")
