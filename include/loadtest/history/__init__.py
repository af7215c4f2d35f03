"""What earlier runs measured, and who holds a target: PostgreSQL, schema `loadtest`.

Accepted addresses: `postgresql://user:password@host:port/database` and, for a socket, `postgresql://user@/database?host=/dir`
(also `postgres://…` and `postgresql+psycopg2://…`). The driver is psycopg2.
"""
