"""What the target's schema looks like: columns of the users table, and which tables point to which."""

from dataclasses import dataclass
from typing import NamedTuple

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor  # noqa: N812 - it is a class

from include.loadtest.errors import ConfigError, nearest
from include.loadtest.target.settings import TargetFile

NEEDED_COLUMNS = ("id", "email", "hashed_password", "account_code")
OWNER_COLUMN = "user_id"


class Table(NamedTuple):
    """A table by schema and name."""

    schema: str
    name: str

    @property
    def identifier(self) -> sql.Identifier:
        """The quoted name for a statement."""
        return sql.Identifier(self.schema, self.name)

    @property
    def label(self) -> str:
        """The name for people."""
        return self.name if self.schema == "public" else f"{self.schema}.{self.name}"


@dataclass(frozen=True)
class Column:
    """One column. `must_be_given`: NOT NULL, and the database fills in nothing. `max_chars`: None where unbounded."""

    name: str
    type_name: str
    must_be_given: bool
    max_chars: int | None


@dataclass(frozen=True)
class Key:
    """`table.columns` hold values of `to_table.to_columns`; `as_text`: their types differ, so texts are compared.

    `on_delete` is that of pg_constraint (a no action, r restrict, c cascade, n set null, d set default), None where
    the schema declares no foreign key.
    """

    table: Table
    columns: tuple[str, ...]
    to_table: Table
    to_columns: tuple[str, ...]
    on_delete: str | None
    as_text: bool = False

    @property
    def loosens(self) -> bool:
        """Whether a row outlives what it points to: the schema lets go, and the column names no owner."""
        return self.on_delete in ("n", "d") and self.columns != (OWNER_COLUMN,)


def find_table(cursor: Cursor, name: str) -> Table | None:
    """The table of that name on the search path, None where there is none."""
    cursor.execute(
        """SELECT nspname::text, relname::text FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
        WHERE pg_class.oid = to_regclass(quote_ident(%s))""",
        (name,),
    )
    row = cursor.fetchone()
    return Table(*row) if row else None


def require_users_table(cursor: Cursor, name: str) -> tuple[Table, dict[str, Column]]:
    """The users table and its columns by name. Raises ConfigError where the table or a needed column is missing."""
    table = find_table(cursor, name)
    if table is None:
        raise ConfigError(f'database: no table "{name}"; run the migrations, or correct users_table in the target file')
    columns = columns_of(cursor, table)
    for needed in NEEDED_COLUMNS:
        if needed not in columns:
            raise ConfigError(
                f'database: table "{name}" has no column {needed}, which test users need; {nearest(needed, columns)}'
            )
    return table, columns


def columns_of(cursor: Cursor, table: Table) -> dict[str, Column]:
    """Columns of a table by name, in the table's order, without generated ones."""
    cursor.execute(
        """SELECT attname::text, format_type(atttypid, NULL), attnotnull AND NOT atthasdef AND attidentity = '',
            information_schema._pg_char_max_length(atttypid, atttypmod)
        FROM pg_attribute WHERE attrelid = to_regclass(format('%%I.%%I', %s, %s)) AND attnum > 0
            AND NOT attisdropped AND attgenerated = '' ORDER BY attnum""",
        table,
    )
    return {row[0]: Column(*row) for row in cursor.fetchall()}


def declared_keys(cursor: Cursor) -> list[Key]:
    """All foreign keys of the database; those of partitions are left to their parent."""
    cursor.execute(
        """SELECT own_space.nspname::text, own.relname::text, other_space.nspname::text, other.relname::text,
            confdeltype::text,
            ARRAY(SELECT attname::text FROM unnest(conkey) WITH ORDINALITY AS k (number, place)
                JOIN pg_attribute ON attrelid = conrelid AND attnum = number ORDER BY place),
            ARRAY(SELECT attname::text FROM unnest(confkey) WITH ORDINALITY AS k (number, place)
                JOIN pg_attribute ON attrelid = confrelid AND attnum = number ORDER BY place)
        FROM pg_constraint
            JOIN pg_class AS own ON own.oid = conrelid
            JOIN pg_namespace AS own_space ON own_space.oid = own.relnamespace
            JOIN pg_class AS other ON other.oid = confrelid
            JOIN pg_namespace AS other_space ON other_space.oid = other.relnamespace
        WHERE contype = 'f' AND conparentid = 0 ORDER BY conrelid, conname"""
    )
    return [
        Key(Table(schema, name), tuple(columns), Table(to_schema, to_name), tuple(to_columns), on_delete)
        for schema, name, to_schema, to_name, on_delete, columns, to_columns in cursor.fetchall()
    ]


def owner_columns(cursor: Cursor, users: Table) -> list[Key]:
    """Columns called user_id without a foreign key that have the type of the users' id (whole numbers of any size)."""
    cursor.execute(
        """WITH found AS (
            SELECT nspname::text, relname::text, attname::text, attrelid, attnum,
                CASE WHEN atttypid IN ('int2'::regtype, 'int8'::regtype) THEN 'int4'::regtype ELSE atttypid END AS kind
            FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
                JOIN pg_namespace ON pg_namespace.oid = relnamespace
            WHERE NOT attisdropped AND relkind IN ('r', 'p') AND NOT relispartition AND relpersistence <> 't'
                AND nspname NOT IN ('pg_catalog', 'information_schema'))
        SELECT nspname, relname FROM found
        WHERE attname = %s AND (nspname, relname) <> (%s, %s)
            AND kind = (SELECT kind FROM found WHERE (nspname, relname, attname) = (%s, %s, 'id'))
            AND NOT EXISTS (SELECT FROM pg_constraint
                WHERE contype = 'f' AND conrelid = attrelid AND attnum = ANY (conkey))
        ORDER BY 1, 2""",
        (OWNER_COLUMN, *users, *users),
    )
    return [Key(Table(*row), (OWNER_COLUMN,), users, ("id",), None) for row in cursor.fetchall()]


def undeclared_keys(cursor: Cursor, file: TargetFile) -> tuple[list[Key], list[str]]:
    """The target file's keys, and a note for each whose tables this schema does not have.

    Raises ConfigError where the table is there but the column is not.
    """
    keys, notes = [], []
    for rule in file.undeclared_keys:
        table, to_table = find_table(cursor, rule.table), find_table(cursor, rule.to_table)
        if table is None or to_table is None:
            missing = rule.table if table is None else rule.to_table
            notes.append(f"clean-up of {rule.table}.{rule.column}: this schema has no table {missing}")
            continue
        own = require_column(cursor, table, rule.column, file)
        other = require_column(cursor, to_table, rule.to_column, file)
        as_text = own.type_name != other.type_name
        keys.append(Key(table, (rule.column,), to_table, (rule.to_column,), None, as_text))
    return keys, notes


def require_column(cursor: Cursor, table: Table, name: str, file: TargetFile) -> Column:
    """A column that the target file names. Raises ConfigError where it is missing."""
    known = columns_of(cursor, table)
    if name not in known:
        raise ConfigError(f"{file.path}: table {table.label} has no column {name}; {nearest(name, known)}")
    return known[name]
