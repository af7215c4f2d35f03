import json
import os
import resource
from dataclasses import asdict
from pathlib import Path

import pytest

from include.embedded.servers import free_port
from include.loadtest import machine
from include.loadtest.errors import ConfigError
from include.loadtest.target import facts
from include.loadtest.target.facts import generator_host, read_database_facts, redis_client, sizes
from include.loadtest.target.settings import Target
from tests.helpers.demo import DemoTarget
from tests.loadtest.target.conftest import Database

pytestmark = pytest.mark.integration


def test_rows_and_migration_are_read(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small tables are counted, large ones estimated, and one that was never analysed is left out."""
    database.run("CREATE TABLE alembic_version (version_num text); INSERT INTO alembic_version VALUES ('abc')")
    database.run("CREATE TABLE big AS SELECT generate_series(1, 5000) AS n")
    read = read_database_facts(database.target())
    assert read.migration_head == "abc"
    assert read.row_counts == {"big": 5000, "alembic_version": 1, "user": 0}
    assert read.settings["server_version"].startswith("18")
    assert read.size_bytes == database.run("SELECT pg_database_size(current_database())")[0][0]
    monkeypatch.setattr(facts, "EXACT_UP_TO_BYTES", 0)
    database.run("ALTER TABLE big SET (autovacuum_enabled = false)")
    assert "big" not in read_database_facts(database.target()).row_counts
    database.run("ANALYZE big")
    assert read_database_facts(database.target()).row_counts["big"] == 5000


def test_this_machine_is_described() -> None:
    """CPU count and memory are known everywhere that tests run."""
    host = generator_host()
    assert host.cpu_count
    assert host.memory_bytes > 2**28


def test_the_limits_of_one_process_are_told() -> None:
    """Open files, local ports and cores as the system itself tells them."""
    host = generator_host()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert host.open_files_soft == (None if soft == resource.RLIM_INFINITY else soft)
    assert host.open_files_hard == (None if hard == resource.RLIM_INFINITY else hard)
    assert host.usable_cores is not None
    assert 0 < host.usable_cores <= len(os.sched_getaffinity(0))
    first, last = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()
    assert host.ephemeral_port_range == (int(first), int(last))
    assert host.ephemeral_port_count == int(last) - int(first) + 1
    json.dumps(asdict(host))


@pytest.mark.parametrize(
    ("own", "files", "cores"),
    [
        ("0::/pod/box\n", {"pod/box/cpu.max": "150000 100000\n", "pod/cpu.max": "50000 100000\n"}, 0.5),
        ("0::/pod/box\n", {"pod/box/cpu.max": "max 100000\n"}, None),
        ("0::/\n", {"cpu.max": "25000 100000\n"}, 0.25),
        ("3:memory:/x\n2:cpu,cpuacct:/x\n",
         {"cpu/x/cpu.cfs_quota_us": "20000\n", "cpu/x/cpu.cfs_period_us": "100000\n"}, 0.2),
        ("2:cpu:/\n", {"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, None),
        ("odd\n", {}, None),
    ],
    ids=["the group above is narrower", "no quota", "root of a container", "version 1", "version 1, none", "garbage"],
)  # fmt: skip
def test_a_cpu_quota_bounds_the_cores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own: str, files: dict[str, str], cores: float | None
) -> None:
    """The smallest of the affinity and of the quotas of the group and those above it."""
    monkeypatch.setattr(machine, "CGROUPS", tmp_path)
    monkeypatch.setattr(machine, "OWN_CGROUPS", tmp_path / "own")
    (tmp_path / "own").write_text(own)
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    affinity = len(os.sched_getaffinity(0))
    assert generator_host().usable_cores == (affinity if cores is None else cores)


def test_what_a_system_does_not_say_is_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No port range elsewhere than on Linux."""
    monkeypatch.setattr(facts, "_PORT_RANGE", tmp_path / "none")
    assert generator_host().ephemeral_port_count is None


def test_sizes_are_the_servers_own(demo: DemoTarget, target: Target) -> None:
    """Database, Redis and rows at this moment, as JSON."""
    found = json.loads(json.dumps(sizes(target)))
    assert found["database_bytes"] == demo.sql("SELECT pg_database_size(current_database())")[0][0]
    assert found["row_counts"]["user"] == demo.sql('SELECT count(*) FROM "user"')[0][0]
    assert found["redis_used_memory_bytes"] > 100_000
    assert found["notes"] == []
    before = found["row_counts"]["audit_events"]
    demo.sql("INSERT INTO audit_events (user_id, event) VALUES ('0', 'test')")
    assert sizes(target)["row_counts"]["audit_events"] == before + 1


def test_sizes_of_dead_servers_are_none_with_a_note(target: Target) -> None:
    """Nothing is raised, nothing is 0, and no password is told; what lives is still read."""
    port = free_port()
    dead = Target.checked(
        target.file, target.base_url, f"postgresql://u:s3cret@127.0.0.1:{port}/d", f"redis://:s3cret@127.0.0.1:{port}/0"
    )
    found = sizes(dead)
    assert (found["database_bytes"], found["redis_used_memory_bytes"], found["row_counts"]) == (None, None, None)
    assert len(found["notes"]) == 2
    assert "s3cret" not in str(found)
    half = sizes(Target.checked(target.file, target.base_url, target.database_url))
    assert half["database_bytes"] > 0
    assert half["redis_used_memory_bytes"] is None
    assert [note for note in half["notes"] if "Redis: not configured" in note]


def test_a_wrong_redis_address_is_told() -> None:
    """Without its password."""
    with pytest.raises(ConfigError, match="write redis://host:port/0") as caught:
        redis_client("http://:s3cret@h")
    assert "s3cret" not in str(caught.value)
