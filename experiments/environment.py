"""An embedded environment of its own, in a temporary copy of this checkout: a running one is left alone."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from experiments.claims import Say
from include.embedded.airflow import HISTORY_DATABASE
from include.embedded.postgres import PostgresServer, running_postgres
from include.embedded.servers import free_port
from include.embedded.state import CHECKOUT, EmbeddedError, Layout
from include.embedded.valkey import ValkeyServer, running_valkey

NOT_COPIED = shutil.ignore_patterns(
    ".git", ".venv", ".embedded", "load_test_results", "__pycache__", ".*_cache", ".hypothesis", "tests"
)
NOT_INHERITED = ("LOAD_TEST", "LOADTEST", "AIRFLOW", "MAKE", "PROFILE", "SUITE", "USERS", "DURATION_S", "TARGET")
START_LIMIT_S, STOP_LIMIT_S, RUN_LIMIT_S = 900.0, 180.0, 900.0
SETTINGS = """from pathlib import Path
from experiments.injection import install as _install
_install(Path({folder!r}))
"""


@dataclass(frozen=True)
class Ran:
    """How a `make run` ended: the verdict that it showed (none: none), and the bundle that it made, if any."""

    exit_code: int
    shown: str
    bundle: Path | None
    output: str
    seconds: float


class Environment:
    """The copy in `folder`; its commands are those of `make up`, `make run` and `make down`."""

    def __init__(self, folder: Path, say: Say, settings: Mapping[str, str]) -> None:
        self.folder, self._say, self._settings = folder, say, settings
        self.layout = Layout(folder)
        self.results = folder / "load_test_results"
        self.faults = folder / ".embedded" / "planted"

    def up(self) -> None:
        """Start everything. Raises EmbeddedError with the command's output."""
        began_s = time.monotonic()
        config = self.layout.airflow_home / "config"
        config.mkdir(parents=True, exist_ok=True)
        (config / "airflow_local_settings.py").write_text(SETTINGS.format(folder=str(self.faults)))
        code, output = self._command("up", START_LIMIT_S, AIRFLOW_PORT=str(free_port()))
        if code:
            raise EmbeddedError(f"the environment does not start:\n{output}")
        self.results.mkdir(exist_ok=True)
        self._say(f"environment in {self.folder} is up after {time.monotonic() - began_s:.0f} s")

    def down(self) -> None:
        """Stop everything."""
        code, output = self._command("down", STOP_LIMIT_S)
        if code:
            raise EmbeddedError(f"the environment does not stop:\n{output}")

    def run(self, profile: Path, **inputs: str) -> Ran:
        """One run to its end."""
        before, began_s = self.bundles(), time.monotonic()
        code, output = self._command("run", RUN_LIMIT_S, PROFILE=str(profile), **inputs)
        shown = [line.removeprefix("verdict: ") for line in output.splitlines() if line.startswith("verdict: ")]
        made = sorted(self.bundles() - before)
        bundle = made[-1] if made else None
        return Ran(code, shown[-1] if shown else "none", bundle, output, time.monotonic() - began_s)

    def bundles(self) -> set[Path]:
        """The bundles that are there; none where the results' folder cannot be listed."""
        with suppress(OSError):
            return {path for path in self.results.iterdir() if path.is_dir() and path.name != "lost+found"}
        return set()

    @property
    def demo_url(self) -> str:
        """The demo target's address."""
        return self._demo("base_url")

    @property
    def database_url(self) -> str:
        """The demo target's database."""
        return self._demo("database_url")

    def _demo(self, key: str) -> str:
        return str(json.loads((self.layout.demo_target / "ready.json").read_text())[key])

    @property
    def history_url(self) -> str:
        """The history's database."""
        return self._server(self.layout.postgres).url(HISTORY_DATABASE)

    @property
    def admin_url(self) -> str:
        """Another database of the history's server."""
        return self._server(self.layout.postgres).url()

    def target_postgres(self) -> PostgresServer:
        """The demo target's PostgreSQL."""
        return self._server(self.layout.demo_target / "pg")

    def target_redis(self) -> ValkeyServer:
        """The demo target's Redis."""
        server = running_valkey(self.layout.demo_target / "valkey")
        if server is None:
            raise EmbeddedError("the demo target's Redis does not run")
        return server

    def _server(self, cluster: Path) -> PostgresServer:
        server = running_postgres(cluster)
        if server is None:
            raise EmbeddedError(f"no PostgreSQL runs in {cluster}")
        return server

    def _command(self, command: str, limit_s: float, **inputs: str) -> tuple[int, str]:
        """Exit code and output of a command; interrupted or too long, its process is told to end, then ended."""
        log = self.folder / f"{command}.log"
        arguments = [str(self.folder / ".venv" / "bin" / "python"), "-m", "include.embedded", command]
        with log.open("wb") as output:
            # A session of its own: Ctrl-C reaches this process, which ends what it started in its own order.
            process = subprocess.Popen(
                arguments,
                cwd=self.folder,
                env={**_clean(os.environ), **self._settings, **inputs},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            code = process.wait(limit_s)
        except subprocess.TimeoutExpired:
            code = -1
        finally:
            _end(process)
        return code, log.read_text(errors="replace")


def _clean(inherited: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in inherited.items() if not name.startswith(NOT_INHERITED)}


def _end(process: subprocess.Popen[bytes]) -> None:
    """The command stops what it is about to start when it is interrupted; that may take it a while."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def temporary_environment(say: Say, **settings: str) -> Iterator[Environment]:
    """A running environment in a copy of this checkout; afterwards nothing of it is left.

    `settings`: environment variables of its processes.
    """
    folder = Path(tempfile.mkdtemp(prefix="loadtest-prove-"))
    environment = Environment(folder / "checkout", say, settings)
    try:
        shutil.copytree(CHECKOUT, environment.folder, ignore=NOT_COPIED)
        (environment.folder / ".venv").symlink_to(CHECKOUT / ".venv")
        say("starting an environment of its own")
        environment.up()
        yield environment
    finally:
        with uninterrupted():
            say("stopping it")
            environment.down()
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """A second Ctrl-C must not leave half of it running; all that is done here is bounded."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
