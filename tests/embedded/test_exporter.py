"""The page for Prometheus comes and goes with the environment."""

import os
import socket
import sys
from pathlib import Path

import httpx
import pytest

from include.embedded.exporter import MODULE, NAME, exporter_address, exporter_environment
from include.embedded.postgres import PostgresServer
from include.embedded.processes import MARKER, find_process, start_process, stop_processes
from include.embedded.servers import free_port, listens, wait_until
from include.embedded.state import EnvironmentState, Layout

pytestmark = pytest.mark.integration


def test_the_address_is_the_default_one_a_free_one_or_the_one_that_is_set() -> None:
    """Two environments on a machine never stop each other."""
    with exporter_address({}) as first, exporter_address({}) as second:
        assert first != second
        assert all(address.startswith("127.0.0.1:") for address in (first, second))
    with exporter_address({"LOADTEST_EXPORTER_ADDRESS": "127.0.0.1:1"}) as own:
        assert own == "127.0.0.1:1"


def test_it_serves_with_what_the_environment_gives_and_is_found_again(tmp_path: Path) -> None:
    """It carries the marker by which `down` ends it; a history that does not answer is said to be away."""
    layout = Layout(tmp_path)
    address = f"127.0.0.1:{free_port()}"
    state = EnvironmentState(environment_id="exporter-test", port=1, default_target="demo", exporter=address)
    nowhere = PostgresServer(tmp_path / "pg", tmp_path, free_port(), os.getpid())
    environment = exporter_environment(layout, state, nowhere, os.environ, address)
    environment["PYTHONPATH"] = str(Path(__file__).parents[2])
    log = layout.logs / "exporter.log"
    record = start_process(NAME, [sys.executable, "-m", MODULE], environment=environment, log=log, cwd=tmp_path)
    try:
        assert wait_until(lambda: listens(address), 60), log.read_text()

        def says_away() -> bool:
            return "loadtest_history_up 0" in httpx.get(f"http://{address}/metrics", trust_env=False).text

        assert wait_until(says_away, 30), log.read_text()
        process = find_process(record)
        assert process is not None
        assert process.environ()[MARKER] == "exporter-test"
    finally:
        stop_processes("exporter-test", [record], patience_s=5)
    assert find_process(record) is None


def test_an_address_that_is_taken_ends_it_with_2(tmp_path: Path) -> None:
    """One line in its log says so."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        assert listens(address)
        environment = os.environ | {"LOADTEST_EXPORTER_ADDRESS": address, "PYTHONPATH": str(Path(__file__).parents[2])}
        log = tmp_path / "exporter.log"
        record = start_process(NAME, [sys.executable, "-m", MODULE], environment=environment, log=log, cwd=tmp_path)
        assert wait_until(lambda: find_process(record) is None, 60)
    assert "Address already in use" in log.read_text()
