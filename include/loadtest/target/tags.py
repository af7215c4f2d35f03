"""How test users are recognised: by their address and their account code together, so that nobody else is touched."""

import hashlib

from psycopg2 import sql

from include.loadtest.run import TEST_USER_EMAIL

ANY_RUN = r"^LT-[0-9a-f]{8}-[1-9][0-9]{0,2}$"

IS_TAGGED = sql.SQL(
    "account_code ~ {pattern} AND email = 'loadtest_user_' || split_part(account_code, '-', 3) || '@pratikoai.it'"
).format(pattern=sql.Placeholder("pattern"))
"""Condition on the users table; `pattern` is one of this module's."""


def email(number: int) -> str:
    """Address of a test user."""
    return TEST_USER_EMAIL.format(number)


def account_code(run_tag: str, number: int) -> str:
    """`LT-<8 hexadecimal digits of the run's tag>-<number>`, at most 20 characters."""
    return f"LT-{_digits(run_tag)}-{number}"


def pattern_of(run_tag: str | None) -> str:
    """Regular expression (PostgreSQL) of the account codes of one run; None: of every run."""
    return ANY_RUN if run_tag is None else rf"^LT-{_digits(run_tag)}-[1-9][0-9]{{0,2}}$"


def pattern_of_others(run_tag: str) -> str:
    """Regular expression of the account codes of all runs but this one."""
    return rf"^LT-(?!{_digits(run_tag)})[0-9a-f]{{8}}-[1-9][0-9]{{0,2}}$"


def _digits(run_tag: str) -> str:
    return hashlib.sha256(run_tag.encode()).hexdigest()[:8]
