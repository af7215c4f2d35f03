from collections.abc import Iterator

import pytest
import redis

from include.embedded.valkey import ValkeyServer, start_valkey, stop_valkey
from include.loadtest.collectors.slow_log import MAX_ENTRIES, SlowLog, command_pattern

pytestmark = pytest.mark.integration
OWN = "the-reader"


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyServer]:
    """A server of its own: it is restarted, and its log emptied."""
    running = start_valkey(tmp_path_factory.mktemp("valkey"))
    yield running
    stop_valkey(running)


def slow_sets(client: redis.Redis, *keys: str) -> None:
    """Commands that are in the log, and nothing else is."""
    client.config_set("slowlog-log-slower-than", 0)
    for key in keys:
        client.set(key, "s3cret")
    client.config_set("slowlog-log-slower-than", -1)


def read(log: SlowLog, client: redis.Redis) -> float:
    return log.read(client, client.info())["slow_commands"]


def test_new_entries_are_told_once_and_counted_as_the_server_numbers_them(server: ValkeyServer) -> None:
    """Entries of before the load are counted, not told; an emptied log takes nothing back."""
    client, log = redis.Redis.from_url(server.url), SlowLog(OWN)
    slow_sets(client, "old:1")
    before = read(log, client)
    assert before == client.slowlog_get(1)[0]["id"] + 1
    assert log.observations() == []
    slow_sets(client, "session:1:mario", "session:2:rossi")
    assert read(log, client) == client.slowlog_get(1)[0]["id"] + 1
    commands = [seen["command"] for seen in log.observations()]
    assert sorted(commands) == ["CONFIG", "SET session:*", "SET session:*"]
    grown = read(log, client)
    client.slowlog_reset()
    assert read(log, client) == grown
    slow_sets(client, "late")
    assert read(log, client) == grown + 2
    assert [seen["command"] for seen in log.observations()].count("SET *") == 1
    client.close()


def test_more_entries_than_are_asked_for_count_all(server: ValkeyServer) -> None:
    """Their numbers tell how many there were; the slowest of the last ones are told."""
    client, log = redis.Redis.from_url(server.url), SlowLog(OWN)
    slow_sets(client, "first")
    before = read(log, client)
    slow_sets(client, *(f"k:{number}" for number in range(3 * MAX_ENTRIES)))
    assert read(log, client) - before == 3 * MAX_ENTRIES + 1
    assert 0 < len(log.observations()) < MAX_ENTRIES
    client.close()


def test_a_log_that_was_empty_counts_what_comes(server: ValkeyServer) -> None:
    """Somebody emptied it before the load: its numbers do not begin at 0, its growth is right."""
    client, log = redis.Redis.from_url(server.url), SlowLog(OWN)
    slow_sets(client, "a", "b", "c")
    client.slowlog_reset()
    assert read(log, client) == 0
    slow_sets(client, "d")
    assert read(log, client) == 2  # SET, and the CONFIG that ended it
    client.close()


def test_after_a_restart_it_counts_anew(tmp_path_factory: pytest.TempPathFactory) -> None:
    """All entries of the new process are new."""
    folder, log = tmp_path_factory.mktemp("restarted"), SlowLog(OWN)
    counts, told = [], []
    for keys in (("a", "b", "c"), ("d",)):
        server = start_valkey(folder)
        try:
            client = redis.Redis.from_url(server.url)
            slow_sets(client, *keys)
            counts.append(read(log, client))
            told.append([seen["command"] for seen in log.observations()])
            client.close()
        finally:
            stop_valkey(server)
    assert counts == [4, 2]
    assert (told[0], sorted(told[1])) == ([], ["CONFIG", "SET *"])


def test_the_readers_own_commands_are_not_told(server: ValkeyServer) -> None:
    """It is known by its client's name."""
    client, log = redis.Redis.from_url(server.url, client_name=OWN), SlowLog(OWN)
    read(log, client)
    slow_sets(client, "a")
    read(log, client)
    assert log.observations() == []
    client.close()


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        (b"GET session:71:mario", "GET session:*"),
        (b"hset user:1 email mario@rossi.it", "HSET user:*"),
        (b"GET mario", "GET *"),
        (b"GET 7:x", "GET *"),
        (b"KEYS user:mario*", "KEYS"),
        (b"EVAL return(1) 1 user:mario s3cret", "EVAL"),
        (b"AUTH mario s3cret", "AUTH"),
        (b"FLUSHALL", "FLUSHALL"),
        (b"\xff\x00\x1b[31m s3cret", "?"),
        (b"", "?"),
    ],
)
def test_a_command_is_shown_without_key_and_values(command: bytes, shown: str) -> None:
    """Its name, and of a key the prefix before the first colon."""
    assert command_pattern(command) == shown
