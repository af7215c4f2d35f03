import pytest

from include.loadtest.errors import ConfigError
from include.loadtest.target import facts
from include.loadtest.target.facts import generator_host, read_database_facts, redis_client
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


def test_a_wrong_redis_address_is_told() -> None:
    """Without its password."""
    with pytest.raises(ConfigError, match="write redis://host:port/0") as caught:
        redis_client("http://:s3cret@h")
    assert "s3cret" not in str(caught.value)
