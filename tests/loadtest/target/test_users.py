import bcrypt
import pytest

from include.loadtest.errors import ConfigError
from include.loadtest.run import TEST_USER_PASSWORD
from include.loadtest.target import cleanup, users
from include.loadtest.target.tags import account_code, email
from include.loadtest.target.users import seed_users
from tests.loadtest.target.conftest import Database

pytestmark = pytest.mark.integration


def test_200_tagged_users_are_made_once(database: Database) -> None:
    """As the contract says; a repeat with the same tag changes nothing."""
    target = database.target()
    first = seed_users(target, "run-1")
    assert first.usable == tuple(range(1, 201))
    assert (first.created, first.foreign) == (200, ())
    rows = database.run(
        """SELECT email, account_code, hashed_password, provider, role, email_verified, failed_login_attempts,
        totp_enabled, billing_plan_slug FROM "user" ORDER BY id"""
    )
    assert rows[199][:2] == ("loadtest_user_200@pratikoai.it", account_code("run-1", 200))
    assert len({row[2] for row in rows}) == 1
    assert rows[0][2].startswith("$2b$12$")
    assert bcrypt.checkpw(TEST_USER_PASSWORD.encode(), rows[0][2].encode())
    assert rows[0][3:] == ("email", "regular_user", True, 0, False, "premium")
    before = database.run('SELECT id, created_at FROM "user"')
    second = seed_users(target, "run-1")
    assert (second.created, second.usable) == (0, first.usable)
    assert database.run('SELECT id, created_at FROM "user"') == before


def test_company_and_vat_go_where_the_schema_has_a_place(database: Database) -> None:
    """Without one the result says so; a column of eleven characters takes the digits alone."""
    assert seed_users(database.target(), "a").notes == (
        "the target's schema has no place for a user's company and VAT number",
    )
    database.run('ALTER TABLE "user" ADD company_name text, ADD vat_number varchar(20)')
    assert seed_users(database.target(), "b").notes == ()
    query = 'SELECT company_name, vat_number FROM "user" WHERE email = %s'
    assert database.run(query, email(7)) == [("Test Company 7", "IT00000000007")]
    database.run('ALTER TABLE "user" DROP vat_number, ADD partita_iva char(11)')
    seed_users(database.target(), "c")
    assert database.run('SELECT partita_iva FROM "user" WHERE email = %s', email(7)) == [("00000000007",)]


def test_accounts_of_others_are_neither_changed_nor_used(database: Database) -> None:
    """Whatever their account code and the spelling of their address."""
    database.add_user(email(3), None)
    database.add_user("LoadTest_User_5@pratikoai.it", "ACC-5")
    result = seed_users(database.target(), "run-1")
    assert result.foreign == (3, 5)
    assert len(result.usable) == 198
    assert database.run('SELECT account_code, hashed_password FROM "user" WHERE email = %s', email(3)) == [(None, None)]
    assert "addresses of 2 test users belong to other accounts" in " ".join(result.lines())


def test_a_crashed_run_is_repaired_by_the_next(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A seeding that dies leaves nothing; a run that died leaves users, which the next run removes and makes anew."""

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(users, "_codes_by_number", die)
        with pytest.raises(KeyboardInterrupt):
            seed_users(database.target(), "run-1")
    assert database.count("user") == 0
    seed_users(database.target(), "run-1")
    database.run('CREATE TABLE note (user_id int); INSERT INTO note SELECT id FROM "user"')
    result = seed_users(database.target(), "run-2")
    assert (result.created, len(result.usable), result.left_over.rows) == (200, 200, {"note": 200, "user": 200})
    assert database.run('SELECT count(*) FROM "user" WHERE account_code = %s', account_code("run-2", 1)) == [(1,)]
    assert "left over from an earlier run: 200 test users removed" in " ".join(result.lines())


def test_what_a_killed_clean_up_left_is_found_by_the_next_seeding(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of the users of an earlier run are there; a new run removes them and says how far it is."""
    monkeypatch.setattr(cleanup, "PROGRESS_EVERY_S", 0.01)
    seed_users(database.target(), "run-1")
    database.run('DELETE FROM "user" WHERE id % 2 = 0')
    database.run("""CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        PERFORM pg_sleep(0.005); RETURN old; END $$;
        CREATE TRIGGER slowly BEFORE DELETE ON "user" FOR EACH ROW EXECUTE FUNCTION slow()""")
    lines: list[str] = []
    result = seed_users(database.target(), "run-2", on_progress=lines.append)
    assert (result.created, result.left_over.users) == (200, 100)
    assert any(line.startswith("clean-up: ") and " of 100 test users" in line for line in lines)


def test_a_column_that_nobody_can_fill_is_named(database: Database) -> None:
    """NOT NULL, no default, not of the contract: one line, nothing written."""
    database.run('ALTER TABLE "user" ADD tenant int NOT NULL, ADD region text NOT NULL')
    with pytest.raises(ConfigError, match=r"no value for tenant, region \(NOT NULL without a default\)"):
        seed_users(database.target(), "run-1")
    assert database.count("user") == 0
