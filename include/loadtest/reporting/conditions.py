"""Under what conditions a run was measured: gaps, restarts, the target's sizes, its environment. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from include.loadtest.reporting.markdown import NOT_MEASURED, bullets, figure, moment, plain, section, table

MAX_GAPS_SHOWN = 50
MAX_TABLES_SHOWN = 40
_TIMES = (("before", "before"), ("after_load", "after the load"))
"""The sizes after the clean-up stand in the manifest only: it follows the report."""
_BYTES = (("database_bytes", "database"), ("redis_used_memory_bytes", "Redis memory"))


def gaps_section(report: Mapping[str, Any]) -> str:
    """Everything that is missing, each with its name and cause."""
    manifest = report["manifest"] or {}
    faults = manifest.get("faults") or {}
    return section(
        "Gaps",
        bullets(
            [
                *(f"not measured: {name}" for name in report["not_measured"]),
                *(f"not configured: {name}" for name in report["not_configured"]),
                *(f"{plain(str(name))}: {plain(str(fault.get('text')))}" for name, fault in faults.items()),
                *_monitor_gaps(manifest.get("gaps") or ()),
            ]
        ),
    )


def _monitor_gaps(gaps: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for gap in gaps[:MAX_GAPS_SHOWN]:
        source, reason = plain(str(gap["source"])), plain(str(gap["reason"]))
        missed = "" if gap["missed"] is None else f" ({gap['missed']} missed)"
        if gap["start"] is None:
            yield f"readings of {source}: {reason}{missed}"
            continue
        end = moment(gap["end"]) if gap["end"] else "the end of the run"
        yield f"no readings of {source} from {moment(gap['start'])} to {end}{missed}: {reason}"
    if len(gaps) > MAX_GAPS_SHOWN:
        yield f"and {len(gaps) - MAX_GAPS_SHOWN} more gaps of monitors: see manifest.json"


def sizes_section(manifest: Mapping[str, Any]) -> str:
    """What the target stores before and after, and by how much the run made it grow."""
    sizes = manifest.get("sizes") or {}
    expected = bullets(_expected(manifest.get("growth") or {}))
    if not sizes:
        return section("Size of the data", expected)
    rows = [(title, *(_size(sizes, when, key) for when, _ in _TIMES), _growth(sizes, key)) for key, title in _BYTES]
    rows += [
        (f"rows of {plain(name)}", *(_rows_of(sizes, when, name) for when, _ in _TIMES), _row_growth(sizes, name))
        for name in _tables(sizes)
    ]
    header = ("what", *(title for _, title in _TIMES), "growth by the load")
    notes = [line for when, _ in _TIMES for line in _said(_at(sizes, when).get("notes"))]
    return section("Size of the data", expected, table(header, rows), bullets(dict.fromkeys(notes)))


def _expected(growth: Mapping[str, Any]) -> Iterator[str]:
    """What preflight expected the run to write, and what it could not estimate."""
    for disk in growth.get("disks") or ():
        needed, free = (f"{disk[key] / 1e6:,.0f} MB" for key in ("needed_bytes", "free_bytes"))
        yield f"expected before the run: about {needed} for {plain(disk['purpose'])}, {free} were free"
    yield from _said(growth.get("notes"))


def _at(sizes: Mapping[str, Any], when: str) -> Mapping[str, Any]:
    taken: Mapping[str, Any] = sizes.get(when) or {}
    return taken


def _size(sizes: Mapping[str, Any], when: str, key: str) -> str:
    return figure(_at(sizes, when).get(key), "bytes")


def _growth(sizes: Mapping[str, Any], key: str) -> str:
    before, after = (_at(sizes, when).get(key) for when in ("before", "after_load"))
    return "–" if before is None or after is None else f"{(after - before) / 2**20:+,.1f} MiB"


def _tables(sizes: Mapping[str, Any]) -> list[str]:
    """Tables whose number of rows the run changed, the largest change first."""
    before, after = (_at(sizes, when).get("row_counts") or {} for when in ("before", "after_load"))
    changed = {name: abs(after[name] - before[name]) for name in before.keys() & after.keys()}
    ordered = sorted((name for name, change in changed.items() if change), key=lambda name: (-changed[name], name))
    return ordered[:MAX_TABLES_SHOWN]


def _rows_of(sizes: Mapping[str, Any], when: str, name: str) -> str:
    count = (_at(sizes, when).get("row_counts") or {}).get(name)
    return NOT_MEASURED if count is None else f"{count:,}"


def _row_growth(sizes: Mapping[str, Any], name: str) -> str:
    before, after = (_at(sizes, when)["row_counts"][name] for when in ("before", "after_load"))
    return f"{after - before:+,}"


def changes_section(manifest: Mapping[str, Any]) -> str:
    """What happened to the target's processes during the run, and what its log says of ends and new starts."""
    said = _said((manifest.get("restart") or {}).get("text"))
    return section("The target during the run", bullets([*said, *_logged(manifest.get("target_log") or ())]))


def _logged(lines: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for line in lines:
        process = f" (killed: {plain(str(line['process']))})" if line["process"] else ""
        yield f"the target's log at {moment(line['ts'])}: {plain(str(line['words']))}{process}"


def environment_section(manifest: Mapping[str, Any]) -> str:
    """The target's environment as preflight found it; and the generators, where several shared the load."""
    environment = dict(manifest.get("environment") or {})
    for one in manifest.get("generators") or ():
        environment[f"generator {one.get('worker')}"] = {key: value for key, value in one.items() if key != "worker"}
    rows = [(plain(str(name)), plain(str(value))) for name, value in environment.items()]
    return section("Environment", table(("what", "value"), rows))


def _said(value: Any) -> list[str]:
    """A part of the manifest as lines: text, a list of texts, or names with values."""
    if value in (None, "", [], {}):
        return []
    if isinstance(value, Mapping):
        return [f"{plain(str(name))}: {plain(str(item))}" for name, item in value.items()]
    items = value if isinstance(value, list) else [value]
    return [plain(str(item)) for item in items]
