"""A bundle is kept at the results URI, whatever happens to the task."""

import pytest

from include.loadtest.orchestration import storage
from include.loadtest.orchestration.storage import bundle_uri, has_folder, list_folder, local_bundle

pytestmark = pytest.mark.unit


def test_a_local_results_folder_is_used_in_place(tmp_path) -> None:
    """With and without the scheme of a file."""
    for uri in (str(tmp_path), f"file://{tmp_path}"):
        with local_bundle(uri, "smoke-1", tmp_path / "work") as bundle:
            assert bundle.path == tmp_path / "smoke-1"
        assert bundle_uri(uri, "smoke-1") == str(tmp_path / "smoke-1")


def test_another_store_gets_the_files_also_when_the_task_fails(tmp_path) -> None:
    """The next task finds what the failed one had written; nothing stays on this machine."""
    with pytest.raises(RuntimeError), local_bundle("memory://results", "smoke-2", tmp_path) as bundle:
        bundle.write("manifest.json", {"schema": 1})
        raise RuntimeError
    assert not list(tmp_path.rglob("*.json"))
    with local_bundle("memory://results", "smoke-2", tmp_path) as bundle:
        assert bundle.read("manifest.json") == {"schema": 1}


def test_a_store_that_is_reached_through_a_connection_gives_its_folders_back(tmp_path) -> None:
    """`scheme://connection@place`: the connection is no part of a file's path."""
    uri = "memory://store@of-a-connection"
    with local_bundle(uri, "smoke-3", tmp_path) as bundle:
        bundle.samples_dir.mkdir(parents=True)
        (bundle.samples_dir / "w0-1.parquet").write_text("rows")
    with local_bundle(uri, "smoke-3", tmp_path) as bundle:
        assert [path.read_text() for path in bundle.samples_dir.iterdir()] == ["rows"]


def test_a_bundle_that_is_only_read_is_not_written_back(tmp_path) -> None:
    """A task of one run must not undo what another has meanwhile written into the suite's bundle."""
    with local_bundle("memory://results", "weekly-1", tmp_path) as bundle:
        bundle.write("manifest.json", {"schema": 1})
    with local_bundle("memory://results", "weekly-1", tmp_path, keep=False) as bundle:
        assert bundle.read("manifest.json") == {"schema": 1}
        bundle.write("manifest.json", {"schema": 2})
    with local_bundle("memory://results", "weekly-1", tmp_path) as bundle:
        assert bundle.read("manifest.json") == {"schema": 1}


def test_a_folder_that_is_not_there_has_nothing_in_it(tmp_path) -> None:
    """Before the first run there is none, and that is no fault; later all that lies in it is named."""
    folder = tmp_path / "results"
    assert (has_folder(str(folder)), list_folder(str(folder))) == (False, [])
    for name in ("smoke-2", "smoke-1"):
        (folder / name).mkdir(parents=True)
    assert (has_folder(str(folder)), list_folder(str(folder))) == (True, ["smoke-1", "smoke-2"])


def test_a_task_beside_another_writes_its_own_files_only(tmp_path) -> None:
    """What both have a copy of stays as the other left it."""
    with local_bundle("memory://results", "smoke-3", tmp_path) as bundle:
        bundle.write("manifest.json", {"schema": 1})
    with local_bundle("memory://results", "smoke-3", tmp_path, keeps=lambda name: name == "samples/w1.json") as bundle:
        bundle.write("manifest.json", {"schema": 2})
        bundle.samples_dir.mkdir()
        (bundle.samples_dir / "w1.json").write_text("1")
        (bundle.samples_dir / "w2.json").write_text("2")
    with local_bundle("memory://results", "smoke-3", tmp_path) as bundle:
        assert bundle.read("manifest.json") == {"schema": 1}
        assert [path.name for path in bundle.samples_dir.iterdir()] == ["w1.json"]


def test_an_upload_that_breaks_off_leaves_no_account_of_what_is_not_there(tmp_path, monkeypatch) -> None:
    """Samples go first, then readings; a generator's account is the last."""
    written: list[str] = []
    write_bytes = storage.ObjectStoragePath.write_bytes

    def write(path, content: bytes) -> int:
        written.append("/".join(path.parts[-2:]))
        return write_bytes(path, content)

    monkeypatch.setattr(storage.ObjectStoragePath, "write_bytes", write)
    with local_bundle("memory://results", "smoke-4", tmp_path) as bundle:
        for name in ("generator-w1.json", "generator-w1.log", "resources/a.parquet", "samples/w1-1.parquet"):
            (bundle.path / name).parent.mkdir(parents=True, exist_ok=True)
            (bundle.path / name).write_text("x")
    assert written == [
        "samples/w1-1.parquet", "resources/a.parquet", "smoke-4/generator-w1.log", "smoke-4/generator-w1.json"
    ]  # fmt: skip
