"""Opening a bundle's Parquet parts with DuckDB: a part that a killed writer left broken does not lose the others."""

import os
import re
import tempfile
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

SAMPLE_COLUMNS = (
    "intended_start TIMESTAMPTZ_NS, latency_us BIGINT, ttfb_us BIGINT, scenario VARCHAR, endpoint VARCHAR, "
    'phase VARCHAR, stage VARCHAR, outcome VARCHAR, error VARCHAR, status INTEGER, "user" INTEGER, iteration BIGINT'
)
RESOURCE_COLUMNS = 'ts TIMESTAMPTZ_NS, source VARCHAR, instance VARCHAR, metric VARCHAR, "value" DOUBLE'
MEMORY_LIMIT = "300MB"
"""DuckDB's own share; what does not fit is spilled to a temporary directory."""

_SOME_PARTS = 50
_NUMBERED = re.compile(r"(.+)-(\d{6})\.parquet")
Result = TypeVar("Result")


@contextmanager
def connection() -> Iterator["DuckDBPyConnection"]:
    """A DuckDB in memory, bounded, in UTC, that fetches nothing from the network."""
    import duckdb

    with tempfile.TemporaryDirectory(prefix="loadtest-duckdb-") as spill:
        config: dict[str, str | bool | int | float | list[str]] = {
            "threads": str(min(4, os.cpu_count() or 1)),
            "memory_limit": MEMORY_LIMIT,
            "temp_directory": spill,
            "preserve_insertion_order": "false",
            "autoinstall_known_extensions": "false",
        }
        with duckdb.connect(":memory:", config=config) as opened:
            opened.execute("SET TimeZone = 'UTC'")
            opened.execute("SET enable_progress_bar = false")  # standard output is not its own
            yield opened


def with_parts(
    directory: Path, view: str, columns: str, action: Callable[["DuckDBPyConnection"], Result]
) -> tuple[Result, list[str]]:
    """Run `action` on a connection where `view` has all rows of the readable parts; also the names of the others.

    Damaged and missing parts are named as `part_name` has it. Raises duckdb.Error for what no part causes.
    """
    paths = sorted(directory.glob("*.parquet"))
    missing = [f"{directory.name}/{name}" for name in _missing({path.name for path in paths})]
    result, damaged = with_sound(paths, view, columns, action)
    return result, [part_name(path) for path in damaged] + missing


def some_of(view: str) -> str:
    """The name of the view of the rows of some of its parts, spread over all: for what most parts have in common."""
    return f"some_{view}"


def part_name(path: Path) -> str:
    """The name of a part in its bundle, as `samples/x.parquet`."""
    return f"{path.parent.name}/{path.name}"


def with_sound(
    paths: Sequence[Path], view: str, columns: str, action: Callable[["DuckDBPyConnection"], Result]
) -> tuple[Result, list[Path]]:
    """Run `action` on a connection where `view` has all rows of the sound ones of these parts; also the damaged ones.

    Parts are taken for sound until reading them fails: then each is read alone, and the action runs again without the
    damaged ones. A part may be sound for some columns and damaged in others. Raises duckdb.Error for what no part
    causes.
    """
    import duckdb

    try:
        return with_files(paths, view, columns, action), []
    except duckdb.Error:
        sound = set(_sound(paths, columns))
        damaged = [path for path in paths if path not in sound]
        if not damaged:
            raise
        return with_files([path for path in paths if path in sound], view, columns, action), damaged


def _missing(names: Collection[str]) -> list[str]:
    """Parts that a writer numbered and nobody finds: it wrote later ones."""
    last: dict[str, int] = {}
    for name in names:
        if found := _NUMBERED.fullmatch(name):
            last[found[1]] = max(last.get(found[1], -1), int(found[2]))
    expected = (f"{stem}-{number:06d}.parquet" for stem, end in sorted(last.items()) for number in range(end))
    return [name for name in expected if name not in names]


def with_files(
    paths: Sequence[Path], view: str, columns: str, action: Callable[["DuckDBPyConnection"], Result]
) -> Result:
    """Run `action` on a connection where `view` has all rows of these parts. Raises duckdb.Error, also for damage."""
    with connection() as opened:
        if paths:
            for name, own in ((view, paths), (some_of(view), paths[:: -(-len(paths) // _SOME_PARTS)])):
                opened.read_parquet([str(path) for path in own]).project(_names(columns)).create_view(name)
        else:
            for name in (view, some_of(view)):
                opened.execute(f"CREATE TABLE {name} ({columns})")
        return action(opened)


def _sound(paths: Sequence[Path], columns: str) -> list[Path]:
    """The parts whose needed columns can be read to the end."""
    statement = f"CREATE OR REPLACE TEMP TABLE part AS SELECT {_names(columns)} FROM read_parquet(?)"  # noqa: S608 - names of this module
    with connection() as opened:
        return [path for path in paths if _succeeds(opened, statement, path)]


def _names(columns: str) -> str:
    return ", ".join(column.split()[0] for column in columns.split(","))


def _succeeds(opened: "DuckDBPyConnection", statement: str, path: Path) -> bool:
    import duckdb

    try:
        opened.execute(statement, [str(path)])
    except duckdb.Error:
        return False
    return True
