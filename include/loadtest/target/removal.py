"""Removing users with everything that they created, on a schema that is discovered, within one transaction.

Rows to remove are found by following keys from the users until nothing new turns up. Tables that no other table points
to are emptied by their key directly, since they may hold millions of rows; of the others the rows' places are noted.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor  # noqa: N812 - it is a class

from include.loadtest.errors import InfrastructureError
from include.loadtest.target.schema import (
    OWNER_COLUMN,
    Key,
    Table,
    columns_of,
    declared_keys,
    find_table,
    owner_columns,
    require_column,
    require_users_table,
    undeclared_keys,
)
from include.loadtest.target.settings import TargetFile
from include.loadtest.target.tags import ANY_RUN, IS_TAGGED

MAX_ROUNDS = 1000  # of following keys; a chain of rows is not longer than that
LARGE_TABLE_BYTES = 64 * 2**20
"""From here on a missing index is named: reading a table costs about 0.3 s a GB from memory, seconds from disk."""
_TEXT_TYPES = ("text", "character varying")
_QUOTES = str.maketrans("", "", '()"')


class ForeignRowsError(InfrastructureError):
    """Rows of other users depend on rows of the test users; nothing was removed."""


@dataclass(frozen=True)
class Owned:
    """Rows of `table` that the users' `user_column` points to by `column`."""

    table: Table
    column: str
    user_column: str


@dataclass(frozen=True)
class RemovalPlan:
    """What hangs on the users table. `marks`: scratch tables of the tables that others point to (inner tables).

    `notes`: what of the target file the schema lacks; `missing_indexes`: why a batch has to read a whole large table.
    """

    users: Table
    keys: tuple[Key, ...]
    owned: tuple[Owned, ...]
    marks: Mapping[Table, sql.Identifier]
    notes: tuple[str, ...] = ()
    missing_indexes: tuple[str, ...] = ()

    def keys_between_inner(self) -> Iterator[Key]:
        """Keys whose rows have to be followed further."""
        return (key for key in self.keys if key.table in self.marks and key.table != self.users and not key.loosens)

    def leaf_keys(self) -> Iterator[Key]:
        """Keys of tables that nothing points to."""
        return (key for key in self.keys if key.table not in self.marks and not key.loosens)

    def owner_of(self, table: Table) -> Key | None:
        """The key that names the user who owns a row of the table."""
        return next(
            (k for k in self.keys if k.table == table and k.to_table == self.users and k.columns == (OWNER_COLUMN,)),
            None,
        )


def removal_plan(cursor: Cursor, file: TargetFile) -> RemovalPlan:
    """Discover what hangs on the users table. Raises ConfigError where the target file does not fit the schema."""
    users, _ = require_users_table(cursor, file.users_table)
    extra, notes = undeclared_keys(cursor, file)
    keys = [*declared_keys(cursor), *owner_columns(cursor, users), *extra]
    owned, owned_notes = _owned(cursor, file, users)
    reached = _reached(keys, [users, *(entry.table for entry in owned)], users)
    kept = tuple(dict.fromkeys(key for key in keys if key.to_table in reached))
    inner = [table for table in reached if table == users or any(key.to_table == table for key in kept)]
    inner += [entry.table for entry in owned if entry.table not in inner]
    marks = {table: sql.Identifier(f"loadtest_doomed_{number}") for number, table in enumerate(inner)}
    missing = tuple(_missing_indexes(cursor, kept))
    return RemovalPlan(users, kept, tuple(owned), marks, (*notes, *owned_notes), missing)


def _owned(cursor: Cursor, file: TargetFile, users: Table) -> tuple[list[Owned], list[str]]:
    owned, notes = [], []
    for rule in file.owned_by_users:
        table = find_table(cursor, rule.table)
        if table is None:
            notes.append(f"clean-up of {rule.table}: this schema has no such table")
            continue
        require_column(cursor, table, rule.column, file)
        require_column(cursor, users, rule.user_column, file)
        owned.append(Owned(table, rule.column, rule.user_column))
    return owned, notes


def _missing_indexes(cursor: Cursor, keys: Iterable[Key]) -> Iterator[str]:
    """A note for each key of a large table whose rows no index finds; a declared key is looked up at each deletion."""
    for key in keys:
        size_bytes = _size_bytes(cursor, key.table)
        if size_bytes < LARGE_TABLE_BYTES or _has_index(cursor, key):
            continue
        label = key.table.label
        columns = ", ".join(f"({name}::text)" if _is_cast(cursor, key) else name for name in key.columns)
        yield (
            f"clean-up of {label}: {size_bytes / 2**20:,.0f} MiB without an index on {', '.join(key.columns)}, so each "
            f"batch reads all of it; on the target: CREATE INDEX CONCURRENTLY ON {label} ({columns})"
        )


def _size_bytes(cursor: Cursor, table: Table) -> int:
    """Of the table with its partitions; values that are kept elsewhere (TOAST) are not read to find a row."""
    cursor.execute(
        """SELECT pg_relation_size(oid) + coalesce((SELECT sum(pg_relation_size(relid)) FROM pg_partition_tree(oid)), 0)
        FROM pg_class WHERE oid = to_regclass(format('%%I.%%I', %s, %s))""",
        table,
    )
    row = cursor.fetchone()
    return int(row[0]) if row else 0


def _has_index(cursor: Cursor, key: Key) -> bool:
    """Whether a usable index begins with the key's columns, in any order, in the form in which they are compared."""
    cast = "::text" if _is_cast(cursor, key) else ""
    cursor.execute(
        """SELECT ARRAY(SELECT pg_get_indexdef(indexrelid, place, false) FROM generate_series(1, %s) AS place)
        FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid JOIN pg_am ON pg_am.oid = relam
        WHERE indrelid = to_regclass(format('%%I.%%I', %s, %s)) AND indisvalid AND indpred IS NULL
            AND amname IN ('btree', 'hash')""",
        (len(key.columns), *key.table),
    )
    wanted = sorted(name + cast for name in key.columns)
    return any(sorted(part.translate(_QUOTES) for part in parts) == wanted for (parts,) in cursor.fetchall())


def _is_cast(cursor: Cursor, key: Key) -> bool:
    """Whether comparing as text hides the column from an index on the column itself."""
    if not key.as_text:
        return False
    columns = columns_of(cursor, key.table)
    return any(columns[name].type_name not in _TEXT_TYPES for name in key.columns)


def _reached(keys: Sequence[Key], start: Sequence[Table], users: Table) -> list[Table]:
    """Tables with rows that may have to go; users themselves are never reached by a key."""
    reached = list(start)
    for table in reached:  # grows while it is walked
        reached += {
            key.table: None
            for key in keys
            if key.to_table == table and key.table not in reached and key.table != users and not key.loosens
        }
    return reached


def remove_users(cursor: Cursor, plan: RemovalPlan, ids: Sequence[str]) -> Counter[str]:
    """Remove the users of these ids and all that they created; rows by table. The caller's transaction holds it all.

    Raises ForeignRowsError where that would remove or orphan rows of users that are no test users.
    """
    for mark in plan.marks.values():
        cursor.execute(
            sql.SQL("CREATE TEMP TABLE {} (part oid, place tid, PRIMARY KEY (part, place)) ON COMMIT DROP").format(mark)
        )
    _mark_users(cursor, plan, ids)
    _mark_owned(cursor, plan)
    _follow(cursor, plan)
    _refuse_foreign_rows(cursor, plan)
    for mark in plan.marks.values():
        cursor.execute(sql.SQL("ANALYZE {}").format(mark))  # without figures, the planner reads millions of rows
    counts: Counter[str] = Counter()
    for key in plan.leaf_keys():
        cursor.execute(
            sql.SQL("DELETE FROM {} AS child WHERE {}").format(key.table.identifier, _points_to_doomed(plan, key))
        )
        counts[key.table.label] += cursor.rowcount
    counts.update(_delete_marked(cursor, plan))
    return +counts


def _mark_users(cursor: Cursor, plan: RemovalPlan, ids: Sequence[str]) -> None:
    """Locked until the end, so that nothing new can point to them."""
    statement = sql.SQL(
        """INSERT INTO {} SELECT tableoid, ctid FROM
        (SELECT tableoid, ctid FROM {} WHERE id::text = ANY (%s) ORDER BY id FOR UPDATE) AS locked"""
    )
    cursor.execute(statement.format(plan.marks[plan.users], plan.users.identifier), (list(ids),))


def _mark_owned(cursor: Cursor, plan: RemovalPlan) -> None:
    """Rows that only marked users point to."""
    statement = sql.SQL(
        """INSERT INTO {mark} SELECT tableoid, ctid FROM {table} AS child
        WHERE {column} IN (SELECT u.{user_column} FROM {users} AS u WHERE {marked})
            AND NOT EXISTS (SELECT FROM {users} AS u WHERE u.{user_column} = child.{column} AND NOT {marked})
        FOR UPDATE ON CONFLICT DO NOTHING"""
    )
    for owned in plan.owned:
        cursor.execute(
            statement.format(
                mark=plan.marks[owned.table],
                table=owned.table.identifier,
                column=sql.Identifier(owned.column),
                user_column=sql.Identifier(owned.user_column),
                users=plan.users.identifier,
                marked=_is_marked(plan, plan.users, "u"),
            )
        )


def _follow(cursor: Cursor, plan: RemovalPlan) -> None:
    """Mark rows that point to marked rows, until a round finds nothing new."""
    statement = sql.SQL(
        "INSERT INTO {} SELECT tableoid, ctid FROM {} AS child WHERE {} FOR UPDATE ON CONFLICT DO NOTHING"
    )
    for _ in range(MAX_ROUNDS):
        found = 0
        for key in plan.keys_between_inner():
            cursor.execute(statement.format(plan.marks[key.table], key.table.identifier, _points_to_doomed(plan, key)))
            found += cursor.rowcount
        if not found:
            return
    raise InfrastructureError(f"clean-up: rows point to each other in a chain of more than {MAX_ROUNDS}")


def _refuse_foreign_rows(cursor: Cursor, plan: RemovalPlan) -> None:
    for key in plan.keys:
        if key.loosens:
            continue
        foreign = _foreign(plan, key)
        if foreign is None:
            continue
        statement = sql.SQL("SELECT count(*) FROM {} AS child WHERE {} AND {}")
        cursor.execute(
            statement.format(key.table.identifier, _points_to_doomed(plan, key), foreign), {"pattern": ANY_RUN}
        )
        row = cursor.fetchone()
        if row and row[0]:
            raise ForeignRowsError(
                f"clean-up: {row[0]} rows of {key.table.label} belong to other users but point by {key.columns[0]} "
                f"to rows of test users in {key.to_table.label}; change or remove them by hand, then clean up again"
            )


def _foreign(plan: RemovalPlan, key: Key) -> sql.Composable | None:
    """Condition: the row is a user, or belongs to a user, that is no test user. None where that cannot be known."""
    if key.table == plan.users:
        return sql.SQL("NOT ({})").format(sql.SQL("coalesce({}, false)").format(IS_TAGGED))
    owner = plan.owner_of(key.table)
    if owner is None or key == owner:
        return None
    return sql.SQL("EXISTS (SELECT FROM {} AS owner WHERE owner.{} = child.{} AND NOT coalesce({}, false))").format(
        plan.users.identifier, sql.Identifier(owner.to_columns[0]), sql.Identifier(OWNER_COLUMN), IS_TAGGED
    )


def _points_to_doomed(plan: RemovalPlan, key: Key) -> sql.Composable:
    """Condition on `child`: its key's columns hold those of a marked row."""
    suffix = sql.SQL("::text" if key.as_text else "")

    def listed(alias: str, names: Sequence[str]) -> sql.Composable:
        return sql.SQL(", ").join(sql.Identifier(alias, name) + suffix for name in names)

    return sql.SQL("({}) IN (SELECT {} FROM {} AS parent WHERE {})").format(
        listed("child", key.columns),
        listed("parent", key.to_columns),
        key.to_table.identifier,
        _is_marked(plan, key.to_table, "parent"),
    )


def _is_marked(plan: RemovalPlan, table: Table, alias: str) -> sql.Composable:
    return sql.SQL("({alias}.tableoid, {alias}.ctid) IN (SELECT part, place FROM {mark})").format(
        alias=sql.Identifier(alias), mark=plan.marks[table]
    )


def _delete_marked(cursor: Cursor, plan: RemovalPlan) -> Counter[str]:
    """One statement for all marked tables: keys are checked at its end, so tables that point in a circle do no harm."""
    parts, counts = [], []
    for number, table in enumerate(plan.marks):
        name = sql.Identifier(f"gone_{number}")
        delete = sql.SQL("{} AS (DELETE FROM {} AS child WHERE {} RETURNING 1)")
        parts.append(delete.format(name, table.identifier, _is_marked(plan, table, "child")))
        counts.append(sql.SQL("(SELECT count(*) FROM {})").format(name))
    cursor.execute(sql.SQL("WITH {} SELECT {}").format(sql.SQL(", ").join(parts), sql.SQL(", ").join(counts)))
    row = cursor.fetchone() or ()
    return Counter(dict(zip((table.label for table in plan.marks), row, strict=True)))
