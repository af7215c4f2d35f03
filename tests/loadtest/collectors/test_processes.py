import time
from collections.abc import Callable

import psutil
import pytest

from include.embedded.postgres import PostgresServer
from include.embedded.valkey import ValkeyServer
from include.loadtest.collectors.plan import Listener, ProcessSource
from include.loadtest.collectors.processes import ProcessReader
from include.loadtest.collectors.reader import ReadingError, unit_of
from tests.helpers.forking_server import ForkingServer

pytestmark = pytest.mark.integration


def _cpu_s(reader: ProcessReader, work: Callable[[], None]) -> float:
    """CPU time that the reader sees between two readings around a piece of work."""
    reader.read()
    begin_s = reader._app._before_s
    work()
    return reader.read()["app_cpu_cores"] * (reader._app._before_s - begin_s)


def test_work_of_the_application_is_seen(forking_server: Callable[..., ForkingServer]) -> None:
    """0.3 s of its own, and 0.3 s of a child that has ended before anybody looked; the first reading has no rate."""
    server = forking_server(0, 2)
    reader = ProcessReader(ProcessSource(instance="here", app=server.listener))
    first = reader.read()
    assert "app_cpu_cores" not in first
    assert first["app_processes"] == first["app_threads"] == 3
    assert first["app_rss_bytes"] > 1e6
    assert first["app_start_time_s"] == pytest.approx(psutil.Process(server.process.pid).create_time(), abs=0.1)
    assert _cpu_s(reader, lambda: server.order("burn")) == pytest.approx(0.3, abs=0.06)
    assert _cpu_s(reader, lambda: server.order("child")) == pytest.approx(0.3, abs=0.06)
    assert all(unit_of(metric) for metric in reader.read())


def test_servers_beside_it_are_told_apart(
    forking_server: Callable[..., ForkingServer], postgres: PostgresServer, valkey: ValkeyServer
) -> None:
    """PostgreSQL with all its processes, and Redis."""
    source = ProcessSource(
        instance="here",
        app=forking_server().listener,
        postgres=Listener(port=5432, socket_dir=str(postgres.socket_dir)),
        redis=Listener(port=valkey.port, addresses=("127.0.0.1",)),
    )
    reader = ProcessReader(source)
    reader.read()
    time.sleep(0.1)
    values = reader.read()
    assert {"app_cpu_cores", "postgres_cpu_cores", "redis_cpu_cores"} <= set(values)
    rss = psutil.Process(valkey.pid).memory_info().rss
    assert values["redis_rss_bytes"] == pytest.approx(rss, rel=0.2)
    assert values["postgres_rss_bytes"] > 5e6


def test_a_server_that_has_gone_is_a_gap_and_a_restart_is_seen(forking_server: Callable[..., ForkingServer]) -> None:
    """The others' figures are there; the new process has a new start time and no CPU time of the old one."""
    app, database = forking_server(), forking_server()
    reader = ProcessReader(ProcessSource(instance="here", app=app.listener, redis=database.listener))
    first = reader.read()
    app.stop()
    with pytest.raises(ReadingError, match=rf"^the application: nobody serves port {app.port} any more$") as caught:
        reader.read()
    assert "redis_rss_bytes" in caught.value.values
    time.sleep(0.05)
    forking_server(app.port)
    second = reader.read()
    assert second["app_start_time_s"] > first["app_start_time_s"]
    assert "app_cpu_cores" not in second


def test_what_cannot_be_seen_is_told_once_and_is_no_gap(caplog: pytest.LogCaptureFixture) -> None:
    """A port that another machine's program serves, say."""
    caplog.set_level("INFO")
    reader = ProcessReader(ProcessSource(instance="here", app=Listener(port=1, addresses=("127.0.0.1",))))
    assert [reader.read(), reader.read()] == [{}, {}]
    lines = [record.getMessage() for record in caplog.records]
    assert lines == ["process: the application is not read: port 1: nobody who may be seen from here serves it"]
