import json
import resource
import shutil
from collections import namedtuple
from dataclasses import replace
from pathlib import Path

import pytest

from include.loadtest.errors import ConfigError
from include.loadtest.profile import Overrides, Profile, find_profile, load_profile
from include.loadtest.recorder import SAMPLE_SCHEMA, PartWriter, Sample
from include.loadtest.target import growth
from include.loadtest.target.growth import check_disk, check_open_files, planned_requests, shown_bytes
from include.loadtest.target.settings import Target, load_target_file
from tests.helpers.demo import DemoTarget
from tests.loadtest.target.conftest import Database

pytestmark = pytest.mark.integration
Usage = namedtuple("Usage", "total used free")
GIB = 10**9


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> object:
    """Sets how much every disk has free."""

    def set_free(free_bytes: int) -> None:
        monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(10 * free_bytes, 9 * free_bytes, free_bytes))

    return set_free


def _profile(name: str = "peak_hours", **overrides: int) -> Profile:
    return load_profile(find_profile(name), Overrides(**overrides))


def test_requests_are_those_of_the_throughput_that_is_aimed_at() -> None:
    """The target of 2,000 a minute for 10 min 30 s; a profile without a target: twice what its users require."""
    assert planned_requests(_profile()) == 2000 * (30 + 600) // 60
    assert planned_requests(_profile("smoke")) == 2 * 10 * 20 * 65 // 60


def test_the_bundles_estimate_fits_real_parts(tmp_path: Path) -> None:
    """A minute of parts of 50 and of 450 samples each 3 s, as a load writes them: the constants are within a half."""
    endpoints = ("chat_stream", "tax_calculate", "documents_upload", "legal_search", "users_me")
    for rows in (50, 450):
        writer = PartWriter(tmp_path / str(rows), "w0-1", SAMPLE_SCHEMA)
        for number in range(20 * rows):
            start_ns = 1_795_579_000_000_000_000 + number * 3_000_000_000 // rows + number * 7919 % 1_000_003
            latency_us = 5_000 + number * 104_729 % 700_000
            writer.add(
                Sample(start_ns, start_ns + 40_000, latency_us, latency_us // 2 if number % 2 else None,
                       "simple_query", endpoints[number % 5], number // 20, "hold", "hold", "ok", None, 200,
                       400 + number * 31 % 9000, None, "w0", number % 20)
            )  # fmt: skip
            if number % rows == rows - 1:
                writer.flush()
        parts = list((tmp_path / str(rows)).glob("*.parquet"))
        assert len(parts) == 20
        written = sum(part.stat().st_size for part in parts)
        estimated = 20 * rows * growth.SAMPLE_BYTES + 60 * (5_150 / 3)
        assert 0.5 < written / estimated < 1.5


def test_a_demo_run_fits_and_says_what_it_writes(tmp_path: Path, target: Target, demo: DemoTarget) -> None:
    """Bundle and database on one file system are added up, the database's on its own data directory."""
    profile = _profile("smoke")
    estimate = check_disk(target, [profile], tmp_path / "not" / "yet" / "there")
    requests = 400 * 65 // 60
    assert estimate.requests == pytest.approx(requests, abs=1)
    assert estimate.database_bytes == pytest.approx(estimate.requests * 0.55 * 4100, abs=4100)
    assert estimate.notes == ()
    document = json.loads(json.dumps(estimate.document()))
    same = tmp_path.stat().st_dev == Path(demo.sql("SHOW data_directory")[0][0]).stat().st_dev
    assert len(document["disks"]) == (1 if same else 2)
    assert sum(disk["needed_bytes"] for disk in document["disks"]) == estimate.bundle_bytes + estimate.database_bytes
    assert all(line.startswith("disk: about ") and "are free" in line for line in estimate.lines())


def test_a_disk_that_is_too_small_refuses_the_run(tmp_path: Path, target: Target, free) -> None:
    """One line: what is needed, what is free, where, what to do. PratikoAI's 4 MB a chat are 46 GB at peak hours."""
    real = target.file.model_copy(
        update={"growth_bytes_a_chat": load_target_file("pratikoai").growth_bytes_a_chat, "name": "pratikoai"}
    )
    pratikoai = replace(target, file=real)
    free(48 * GIB)
    assert check_disk(pratikoai, [_profile()], tmp_path).database_bytes == 21_000 * 55 // 100 * 4_000_000
    free(40 * GIB)
    with pytest.raises(ConfigError) as caught:
        check_disk(pratikoai, [_profile()], tmp_path)
    text = str(caught.value)
    assert "\n" not in text
    for part in ("peak_hours", "21,000 requests", "46.2 GB", "40.0 GB are free", "file system of /", "pratikoai.yaml"):
        assert part in text


def test_the_real_disk_is_asked(tmp_path: Path, target: Target) -> None:
    """No disk holds the readings of a hundred billion seconds; without a database there is nothing else to repair."""
    silent = target.file.model_copy(update={"growth_bytes_a_chat": None})
    profile = _profile().model_copy(update={"duration_s": 10**11})
    with pytest.raises(ConfigError, match=r"the bundle on the file system of .*shorten the run$"):
        check_disk(replace(target, file=silent), [profile], tmp_path)


def test_what_is_not_known_is_a_note_and_no_number(tmp_path: Path, target: Target, database: Database, free) -> None:
    """Another machine's disk, a target file without the key, a role that may not see the data directory."""
    free(100 * GIB)
    profile = _profile("smoke")
    elsewhere = target.file.model_copy(update={"shares_host": False})
    silent = target.file.model_copy(update={"growth_bytes_a_chat": None})
    for file, url, note in (
        (elsewhere, target.database_url, "on another machine"),
        (target.file, "postgresql://u@192.0.2.1/d", "on another machine"),
        (target.file, None, "is not configured"),
        (silent, target.database_url, r"demo.yaml has no growth_bytes_a_chat"),
    ):
        estimate = check_disk(replace(target, file=file, database_url=url), [profile], tmp_path)
        assert estimate.database_bytes is None
        assert [disk.purpose for disk in estimate.disks] == ["the bundle"]
        assert note in estimate.notes[0]
        assert estimate.lines()[-1] == estimate.notes[0]
    database.run("DO $$ BEGIN CREATE ROLE blind LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
    blind = replace(target, database_url=database.url.replace("postgres@", "blind@"))
    estimate = check_disk(blind, [profile], tmp_path)
    assert "data directory is not known" in estimate.notes[0]
    assert estimate.disks[0].purpose == "the bundle and the target's database"
    assert estimate.disks[0].path == str(tmp_path)


def test_too_few_open_files_refuse_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two a user and 200; no limit is enough."""
    profile = _profile()
    for limit in (300, resource.RLIM_INFINITY):
        monkeypatch.setattr(resource, "getrlimit", lambda _which, limit=limit: (limit, 4096))
        check_open_files(profile)
    monkeypatch.setattr(resource, "getrlimit", lambda _which: (299, 4096))
    with pytest.raises(ConfigError, match=r"50 users need 300 .*may open 299; raise the limit"):
        check_open_files(profile)


@pytest.mark.parametrize(("count", "text"), [(0, "0.0 MB"), (1_500_000, "1.5 MB"), (23_100_000_000, "23.1 GB")])
def test_bytes_are_shown_in_decimal_units(count: int, text: str) -> None:
    """As disks are sold and as the log says it."""
    assert shown_bytes(count) == text
