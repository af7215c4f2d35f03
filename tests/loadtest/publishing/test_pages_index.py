import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from include.loadtest.publishing.pages_index import (
    MAX_TEXT_CHARS,
    MOST_RUNS,
    IndexEntry,
    entry_of,
    index_json,
    is_run_folder,
    is_run_id,
    merged,
    read_index,
)

pytestmark = pytest.mark.unit
RUN = "smoke-20260105-060000-abc123"


def entry(number: int, **fields: str) -> IndexEntry:
    """The run that began so many minutes after the first."""
    return IndexEntry(f"smoke-{number}", **{"time": f"2026-01-05T06:{number:02}:00.000000Z", **fields})


def test_a_runs_line_comes_from_its_verdict_and_its_manifest() -> None:
    """Verdict, profile, target, and when it began."""
    verdict = {"run_id": RUN, "suite": "weekly", "profile": "smoke", "verdict": "WARN"}
    manifest = {"target": {"name": "demo"}, "started": "2026-01-05T06:00:01.5Z"}
    expected = IndexEntry(RUN, "WARN", "smoke", "weekly", "demo", "2026-01-05T06:00:01.500000Z")
    assert entry_of(verdict, manifest) == expected


def test_a_suites_line_has_no_profile() -> None:
    """Without a manifest its id says when it began, and nothing says which target it had."""
    document = {"suite_run_id": "weekly-20260104-020000-abc123", "suite": "weekly", "verdict": "PASS", "runs": []}
    expected = IndexEntry("weekly-20260104-020000-abc123", "PASS", None, "weekly", None, "2026-01-04T02:00:00.000000Z")
    assert entry_of(document, None) == expected


def test_a_document_without_a_run_has_no_line() -> None:
    """It could not be found again."""
    with pytest.raises(ValueError, match="without the id of a run"):
        entry_of({"verdict": "PASS"}, None)


@pytest.mark.parametrize("name", ["..", "", "a/b", "smoke\n", "Smoke", "<b>", "x" * 201, None, 7])
def test_only_a_runs_id_becomes_a_part_of_an_address(name: object) -> None:
    """Everything else is no run."""
    assert not is_run_id(name)
    assert IndexEntry.checked({"run_id": name}) is None


def test_what_an_index_says_is_checked() -> None:
    """An unknown verdict, a text of two lines or of any length, a time that is none: nothing of it is believed."""
    line = {"run_id": RUN, "verdict": "FINE", "profile": "a\nb", "target": "t" * 500, "suite": 7, "time": "yesterday"}
    found = IndexEntry.checked(line)
    assert found == IndexEntry(RUN, None, "a b", None, "t" * MAX_TEXT_CHARS, "2026-01-05T06:00:00.000000Z")


@pytest.mark.parametrize("field", ["verdict", "profile", "suite", "target", "time"])
@pytest.mark.parametrize("value", [["x"], {"x": 1}, 7, 1.5, True])
def test_a_field_that_is_no_text_is_not_known(field: str, value: object) -> None:
    """The run keeps its line."""
    [found] = read_index(json.dumps({"runs": [{"run_id": "smoke-1", field: value}]}).encode())
    assert found == IndexEntry("smoke-1")


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
_FIELDS = ("verdict", "profile", "suite", "target", "time")
_TEXTS = st.sampled_from(["PASS", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-01-05T06:00:00Z"])
_LINES = st.fixed_dictionaries(
    {"run_id": st.sampled_from([RUN, "smoke-1", "smoke-99999999-999999-x"]) | _JSON},
    optional=dict.fromkeys(_FIELDS, _TEXTS | _JSON),
)


@settings(deadline=None)
@given(st.one_of(_JSON, st.lists(_LINES | _JSON, max_size=5), st.fixed_dictionaries({"runs": st.lists(_LINES)})))
def test_any_json_is_read(document: object) -> None:
    """And what is believed of it can be sorted and written: the list is on a branch that others write to."""
    found = read_index(json.dumps(document).encode())
    lines = merged(entry(1), found, [line.run_id for line in found])
    assert read_index(index_json(lines).encode()) == lines


@pytest.mark.parametrize("target", ["demo", ["demo"], 7])
def test_a_manifest_of_another_form_names_no_target(target: object) -> None:
    """Only the table that a run writes has a name in it."""
    assert entry_of({"run_id": RUN}, {"target": target}).target is None


@pytest.mark.parametrize("time", ["2026-01-05T06:00:00", "0001-01-01T00:00:00+14:00", 7, None])
def test_a_time_that_cannot_be_placed_is_not_known(time: object) -> None:
    """Without a zone, or before all times; the id of this run has none either."""
    found = IndexEntry.checked({"run_id": "smoke-1", "time": time})
    assert found is not None
    assert found.time is None


@pytest.mark.parametrize("content", [None, b"", b"{", b"7", b'{"runs": 7}', b'["x"]', b"\xff", b"[" * 100_000])
def test_a_damaged_index_is_empty(content: bytes | None) -> None:
    """It stops nothing: the folders themselves say what is there."""
    assert read_index(content) == []


def test_an_index_is_read_as_it_was_written() -> None:
    """Also by other programs, as JSON with a schema number."""
    entries = [entry(2, verdict="PASS", profile="smoke", target="demo"), entry(1)]
    content = index_json(entries)
    assert json.loads(content)["schema"] == 1
    assert read_index(content.encode()) == entries


def test_the_list_of_an_earlier_version_is_read() -> None:
    """Its runs are not lost by the update."""
    old = [{"run_id": RUN, "verdict": "PASS", "published": "2026-01-05 06:02 UTC", "files": ["verdict.json"]}]
    [found] = read_index(json.dumps(old).encode())
    assert (found.run_id, found.verdict, found.time) == (RUN, "PASS", "2026-01-05T06:00:00.000000Z")


def test_the_latest_run_comes_first_and_the_list_is_bounded() -> None:
    """The time when a run began decides, not the order of publication."""
    known = [entry(number) for number in range(MOST_RUNS)]
    folders = [line.run_id for line in known]
    found = merged(entry(MOST_RUNS), known, folders)
    assert [line.run_id for line in found] == [f"smoke-{number}" for number in range(MOST_RUNS, 0, -1)]


def test_a_run_that_is_published_again_has_one_line() -> None:
    """In its old place, with its new verdict."""
    found = merged(entry(1, verdict="REGRESSION"), [entry(2), entry(1, verdict="PASS")], ["smoke-1", "smoke-2"])
    assert [(line.run_id, line.verdict) for line in found] == [("smoke-2", None), ("smoke-1", "REGRESSION")]


def test_the_folders_decide_what_is_there() -> None:
    """A line without a folder goes, a run's folder without a line comes back, a folder of somebody else is no run."""
    found = merged(entry(1), [entry(3)], [RUN, "assets", "css-2026"])
    assert {line.run_id for line in found} == {"smoke-1", RUN}
    assert [is_run_folder(name) for name in (RUN, "assets", "css-2026", f"{RUN}-repeat1")] == [True, False, False, True]
