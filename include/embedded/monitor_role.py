"""The role by which a load test reads a database's statistics, and can do nothing else."""

import secrets
from urllib.parse import urlsplit

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import encrypt_password

ROLE = "loadtest_monitor"
ATTRIBUTES = "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS CONNECTION LIMIT 5"
"""All of them, so that a role of this name keeps none that it had before."""


def create_monitor_role(url: str) -> str:
    """Create the role, or give it a new password, and return its own URL of the database; `url` is a superuser's.

    The password leaves this process by that URL only: the server, whose log and statistics keep statements, is given
    what it stores anyway.
    """
    password = secrets.token_urlsafe(24)
    connection = psycopg2.connect(url)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (ROLE,))
            verb = sql.SQL("CREATE" if cursor.fetchone() is None else "ALTER")
            stored = encrypt_password(password, ROLE, connection, "scram-sha-256")
            role = sql.Identifier(ROLE)
            told = sql.SQL("{} ROLE {} {} PASSWORD {}")
            cursor.execute(told.format(verb, role, sql.SQL(ATTRIBUTES), sql.Literal(stored)))
            cursor.execute(sql.SQL("GRANT pg_monitor TO {}").format(role))
    finally:
        connection.close()
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{ROLE}:{password}@{place}{parts.path}{f'?{parts.query}' if parts.query else ''}"
