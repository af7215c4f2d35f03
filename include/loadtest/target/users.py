"""The numbered test users: made before a run by SQL, since registration by API is limited to ten an hour."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor  # noqa: N812 - it is a class
from psycopg2.extras import execute_values

from include.loadtest.errors import ConfigError
from include.loadtest.profile.model import MAX_USERS
from include.loadtest.run import TEST_USER_PASSWORD
from include.loadtest.target.cleanup import CleanupResult, Progress, cleanup_users, remove_tagged
from include.loadtest.target.database import connected, required_database_url
from include.loadtest.target.schema import Column, Table, require_users_table
from include.loadtest.target.settings import Target
from include.loadtest.target.tags import account_code, email, pattern_of_others

__all__ = ["CleanupResult", "SeedResult", "cleanup_users", "seed_users"]

STATEMENT_TIMEOUT_S = 60
BCRYPT_ROUNDS = 12  # as the target's own hashes, so that a login costs what a real one costs
FIXED_VALUES: dict[str, Any] = {
    "provider": "email",
    "role": "regular_user",
    "email_verified": True,
    "failed_login_attempts": 0,
    "totp_enabled": False,
    "billing_plan_slug": "premium",  # without a cost window that would refuse chats
}
TIME_COLUMNS = ("created_at", "updated_at")
COMPANY_COLUMNS = ("company_name", "company", "ragione_sociale", "azienda")
VAT_COLUMNS = ("vat_number", "partita_iva", "vat_id", "vat", "piva")
VAT_DIGITS = 11


@dataclass(frozen=True)
class SeedResult:
    """Which test users are there. `usable`: numbers that are ours; `foreign`: numbers whose address is somebody else's.

    `created` of the usable were made now, the others by an earlier try of the same run. `left_over`: what an earlier
    run had left and was removed first. `notes`: what the target's schema has no place for.
    """

    usable: tuple[int, ...]
    created: int
    foreign: tuple[int, ...]
    left_over: CleanupResult
    notes: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """For the manifest."""
        return {
            "usable": list(self.usable),
            "created": self.created,
            "foreign": list(self.foreign),
            "left_over": self.left_over.document(),
            "notes": list(self.notes),
        }

    def lines(self) -> list[str]:
        """For the log."""
        lines = [f"{len(self.usable)} test users are ready, {self.created} of them new"]
        if self.left_over.users:
            lines.append(f"left over from an earlier run: {self.left_over.lines()[0]}")
        if self.foreign:
            lines.append(f"addresses of {len(self.foreign)} test users belong to other accounts, which are not used")
        return [*lines, *self.notes]


def seed_users(target: Target, run_tag: str, *, on_progress: Progress | None = None) -> SeedResult:
    """Make the 200 test users, tagged with the run; a repeat changes nothing, left-overs of other runs go first.

    Accounts that have a test user's address without our tag are neither changed nor used. `on_progress` gets a line
    every few seconds while left-overs are removed. Raises ConfigError (no database address, schema does not fit: the
    columns are named) or InfrastructureError.
    """
    url = required_database_url(target, "seed the test users")
    left_over = remove_tagged(url, target, pattern_of_others(run_tag), on_progress=on_progress)
    with (
        connected(url, statement_timeout_s=STATEMENT_TIMEOUT_S) as connection,
        connection,
        connection.cursor() as cursor,
    ):
        table, columns = require_users_table(cursor, target.file.users_table)
        codes = {number: account_code(run_tag, number) for number in range(1, MAX_USERS + 1)}
        taken = _codes_by_number(cursor, table)
        missing = [number for number in codes if number not in taken]
        _insert(cursor, table, columns, {number: codes[number] for number in missing})
    foreign = tuple(number for number, code in taken.items() if code != codes[number])
    usable = tuple(number for number in codes if number not in foreign)
    return SeedResult(usable, len(missing), tuple(sorted(foreign)), left_over, tuple(_notes(columns)))


def _codes_by_number(cursor: Cursor, table: Table) -> dict[int, str | None]:
    """Account codes of the accounts that have a test user's address in any case; of two, the exact spelling decides."""
    numbers = {email(number): number for number in range(1, MAX_USERS + 1)}
    statement = sql.SQL(
        "SELECT lower(email), account_code FROM {} WHERE lower(email) = ANY (%s) ORDER BY email = lower(email)"
    )
    cursor.execute(statement.format(table.identifier), (list(numbers),))
    return {numbers[address]: code for address, code in cursor.fetchall()}


def _insert(cursor: Cursor, table: Table, columns: dict[str, Column], codes: dict[int, str]) -> None:
    shared = _shared_values(columns)
    rows = [{**shared, **_own_values(columns, number, code)} for number, code in codes.items()]
    if not rows:
        return
    names = list(rows[0])
    _require_known(table, columns, names)
    statement = sql.SQL("INSERT INTO {} ({}) VALUES %s").format(
        table.identifier, sql.SQL(", ").join(map(sql.Identifier, names))
    )
    execute_values(cursor, statement, [tuple(row.values()) for row in rows], page_size=MAX_USERS)


def _shared_values(columns: dict[str, Column]) -> dict[str, Any]:
    import bcrypt

    hashed = bcrypt.hashpw(TEST_USER_PASSWORD.encode(), bcrypt.gensalt(BCRYPT_ROUNDS, prefix=b"2b")).decode()
    values = {"hashed_password": hashed}
    values |= {name: value for name, value in FIXED_VALUES.items() if name in columns}
    return values | {name: _now(columns[name]) for name in TIME_COLUMNS if name in columns}


def _now(column: Column) -> datetime:
    """Now in UTC, without a zone where the column has none: the server would convert it to its own zone."""
    now = datetime.now(UTC)
    return (
        now if "with time zone" in column.type_name and "without" not in column.type_name else now.replace(tzinfo=None)
    )


def _own_values(columns: dict[str, Column], number: int, code: str) -> dict[str, Any]:
    values: dict[str, Any] = {"email": email(number), "account_code": code}
    if columns["id"].must_be_given and columns["id"].type_name == "uuid":
        values["id"] = str(uuid4())
    company, vat = _first(columns, COMPANY_COLUMNS), _first(columns, VAT_COLUMNS)
    if company:
        values[company.name] = f"Test Company {number}"
    if vat:
        digits = f"{number:0{VAT_DIGITS}d}"
        values[vat.name] = digits if vat.max_chars == VAT_DIGITS else f"IT{digits}"
    return values


def _first(columns: dict[str, Column], names: Iterable[str]) -> Column | None:
    return next((columns[name] for name in names if name in columns), None)


def _require_known(table: Table, columns: dict[str, Column], given: list[str]) -> None:
    unknown = [column.name for column in columns.values() if column.must_be_given and column.name not in given]
    if unknown:
        raise ConfigError(
            f"table {table.label}: test users have no value for {', '.join(unknown)} (NOT NULL without a default); "
            "give the column a default in the database"
        )


def _notes(columns: dict[str, Column]) -> list[str]:
    places = {"company": COMPANY_COLUMNS, "VAT number": VAT_COLUMNS}
    missing = [what for what, names in places.items() if _first(columns, names) is None]
    return [f"the target's schema has no place for a user's {' and '.join(missing)}"] if missing else []
