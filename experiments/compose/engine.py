"""A Docker of the experiment's own: daemon, client, compose and buildx of Debian sid, unpacked, never installed.

Everything lies below `.embedded/docker` of the checkout: programs, base images as archives, the daemon's data, so that
a second time takes seconds. Sockets lie in a short temporary folder. It needs root, Debian's `runc`, `iptables` and
`debootstrap`, which it installs where they are missing, and Debian's mirror that this machine uses.
"""

import hashlib
import os
import shutil
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from experiments.claims import Say
from experiments.debian import mirror
from experiments.environment import uninterrupted
from include.embedded.state import Layout

PACKAGES = {
    "d/docker.io/docker.io_28.5.2+dfsg4-5_amd64.deb": (
        "69a59cc77a1fb8ee9ad6859abc2e6de5d76b70887405595c2b1307818fecf682"
    ),
    "d/docker.io/docker-cli_28.5.2+dfsg4-5_amd64.deb": (
        "8ea2428acdda666f41263f5a0d3a85681a696491361574eb7bd721a1194939b9"
    ),
    "c/containerd/containerd_2.1.9+ds1-5_amd64.deb": (
        "2dda86ce7033fd612fc50e136679d8174ccad680eb29cd4611e0d2a1b84cf591"
    ),
    "d/docker-buildx/docker-buildx_0.29.1+ds1-4_amd64.deb": (
        "6103bcc4eab8169ae679f806d3949ffc99a1545a61fddea6124da826f115f2bf"
    ),
    "d/docker-compose/docker-compose_2.40.3-3_amd64.deb": (
        "e7603d5e6df0f8404f7b03da478022b87d7b50644cffe68884b071e5cfc17fd3"
    ),
}
"""Below `pool/main` of the mirror, each with its SHA-256. Sid's own runc needs a newer libc than Debian 12 has."""
NEEDED = ("runc", "iptables", "debootstrap")
SUITES = ("bookworm", "trixie")
FIREWALLS = ("iptables", "ip6tables")
CGROUPS = Path("/sys/fs/cgroup")
START_S, STOP_S, COMMAND_S = 60.0, 60.0, 900.0


@dataclass(frozen=True)
class Done:
    """How a command ended; `out`, `err`: what it printed."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Docker:
    """A running daemon; `environment` is that of its client's commands."""

    environment: Mapping[str, str]

    def __call__(
        self,
        *arguments: str,
        limit_s: float = COMMAND_S,
        into: IO[bytes] | None = None,
        out: IO[bytes] | None = None,
    ) -> Done:
        """One `docker` command, to its end; raises RuntimeError when it takes too long.

        `into`, `out`: files that it reads and writes instead of nothing and `Done.out`.
        """
        try:
            done = subprocess.run(
                ["docker", *arguments],
                env=dict(self.environment),
                stdin=into or subprocess.DEVNULL,
                stdout=out or subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                timeout=limit_s,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise RuntimeError(f"docker {' '.join(arguments[:4])} took longer than {limit_s:.0f} s") from error
        return Done(done.returncode, done.stdout or "", done.stderr)

    def must(self, *arguments: str, limit_s: float = COMMAND_S) -> str:
        """What the command prints; raises RuntimeError with the end of its output where it fails."""
        done = self(*arguments, limit_s=limit_s)
        if done.code:
            raise RuntimeError(f"docker {' '.join(arguments[:4])}: {(done.err or done.out)[-1500:]}")
        return done.out


@contextmanager
def private_docker(say: Say) -> Iterator[Docker]:
    """A running daemon; afterwards it is stopped and neither mounts nor firewall rules of it are left."""
    if os.geteuid() != 0:
        raise RuntimeError("a Docker daemon of its own needs root")
    home, run = Layout().root / "docker", Path(tempfile.mkdtemp(prefix="loadtest-docker-"))
    _install_needed()
    environment = _environment(home, run)
    _programs(home, environment)
    mounted = _mount_cgroups()
    rules = {program: _run(f"{program}-save").stdout for program in FIREWALLS}
    daemon = _start(home, run, environment)
    docker = Docker(environment)
    try:
        _await(docker, daemon, home)
        say("a private Docker daemon runs")
        for suite in SUITES:
            _base_image(docker, home, suite, say)
        yield docker
    finally:
        with uninterrupted():
            _stop(daemon, run)
            for program, before in rules.items():
                _restore_firewall(program, before)
            if mounted:
                _run("umount", str(CGROUPS))
            say("the daemon is stopped")


def _environment(home: Path, run: Path) -> dict[str, str]:
    tools = home / "tools" / "usr"
    own = {
        "DOCKER_HOST": f"unix://{run}/docker.sock",
        "DOCKER_CONFIG": str(home / "client"),
        "PATH": os.pathsep.join([str(tools / "bin"), str(tools / "sbin"), os.environ.get("PATH", os.defpath)]),
    }
    kept = ("HOME", "LANG", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
    return {name: os.environ[name] for name in kept if name in os.environ} | own


def _install_needed() -> None:
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing:
        _must("apt-get", "-qq", "update")
        _must("apt-get", "-qq", "install", "--yes", "--no-install-recommends", *missing)


def _programs(home: Path, environment: Mapping[str, str]) -> None:
    """Unpack the packages once; each is checked before it is used."""
    _link_plugins(home, environment)  # each time: a checkout may have been moved
    done = home / "tools" / ".complete"
    if done.exists():
        return
    for path, digest in PACKAGES.items():
        package = home / "deb" / Path(path).name
        if not package.exists():
            _download(f"{mirror()}/pool/main/{path}", package)
        if hashlib.sha256(package.read_bytes()).hexdigest() != digest:
            package.unlink()
            raise RuntimeError(f"{package.name} is not the package that was meant: its SHA-256 differs")
        _must("dpkg-deb", "-x", str(package), str(home / "tools"))
    done.touch()


def _link_plugins(home: Path, environment: Mapping[str, str]) -> None:
    """The client's `compose` and `buildx`, found where the packages were unpacked, now or in a moment."""
    plugins = Path(environment["DOCKER_CONFIG"]) / "cli-plugins"
    plugins.mkdir(parents=True, exist_ok=True)
    for name in ("docker-buildx", "docker-compose"):
        (plugins / name).unlink(missing_ok=True)
        (plugins / name).symlink_to(home / "tools" / "usr" / "libexec" / "docker" / "cli-plugins" / name)


def _download(url: str, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    part = to.with_suffix(".part")
    try:
        with urllib.request.urlopen(url, timeout=120) as answer, part.open("wb") as file:  # noqa: S310 - a mirror's
            shutil.copyfileobj(answer, file)
    except OSError as error:
        raise RuntimeError(f"{url}: {error}; sid keeps its latest versions only: see PACKAGES in engine.py") from error
    part.rename(to)


def _mount_cgroups() -> bool:
    """Whether they had to be mounted, as on machines without an init system."""
    if CGROUPS.is_mount():
        return False
    _must("mount", "-t", "cgroup2", "none", str(CGROUPS))
    return True


def _start(home: Path, run: Path, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """The daemon; no bridge of its own, published ports on the loopback address only."""
    (home / "data").mkdir(parents=True, exist_ok=True)
    places = ["--data-root", str(home / "data"), "--exec-root", str(run / "exec"), "--pidfile", str(run / "pid")]
    network = ["-H", environment["DOCKER_HOST"], "--ip", "127.0.0.1", "--bridge", "none"]
    with (home / "dockerd.log").open("wb") as log:
        return subprocess.Popen(
            ["dockerd", *places, *network],
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def _await(docker: Docker, daemon: subprocess.Popen[bytes], home: Path) -> None:
    deadline = time.monotonic() + START_S
    while docker("version", limit_s=10).code:
        if daemon.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the daemon does not start:\n{(home / 'dockerd.log').read_text()[-1500:]}")
        time.sleep(0.5)


def _stop(daemon: subprocess.Popen[bytes], run: Path) -> None:
    daemon.terminate()
    try:
        daemon.wait(STOP_S)
    except subprocess.TimeoutExpired:
        daemon.kill()
        daemon.wait()
    for line in reversed(Path("/proc/self/mounts").read_text().splitlines()):
        place = line.split()[1]
        if place.startswith(f"{run}/"):
            _run("umount", place)
    shutil.rmtree(run, ignore_errors=True)


def _restore_firewall(program: str, before: str) -> None:
    """The rules of before. A table that there was not is emptied: restoring nothing would leave it as it is."""
    known = set(before.splitlines())
    emptied: list[str] = []
    for table in _run(f"{program}-save").stdout.split("COMMIT")[:-1]:
        rows = [line for line in lines(table) if not line.startswith("#")]
        if rows[0] not in known:
            chains = [line.split()[0] for line in rows if line.startswith(":") and " - " not in line]
            emptied += [rows[0], *(f"{chain} ACCEPT [0:0]" for chain in chains), "COMMIT"]
    _run(f"{program}-restore", text="\n".join([before, *emptied, ""]))


def _base_image(docker: Docker, home: Path, suite: str, say: Say) -> None:
    """`debian:SUITE-slim`, made by debootstrap; its archive is kept."""
    name, archive = f"debian:{suite}-slim", home / "bases" / f"{suite}.tar.gz"
    if not docker("image", "inspect", name).code:
        return
    if not archive.exists():
        say(f"making {name}, about a minute and a half")
        _bootstrap(suite, archive)
    docker.must("import", "--change", 'CMD ["bash"]', str(archive), name)


def _bootstrap(suite: str, archive: Path) -> None:
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=archive.parent) as folder:
        root, part = Path(folder) / "root", Path(folder) / "archive"
        try:
            _must("debootstrap", "--variant=minbase", "--include=ca-certificates", suite, str(root), mirror())
        finally:
            _run("umount", str(root / "proc"))
        for unneeded in ("var/cache/apt/archives", "var/lib/apt/lists"):
            shutil.rmtree(root / unneeded)
        _must("tar", "-C", str(root), "--use-compress-program", "gzip -1", "-cf", str(part), ".")
        part.rename(archive)


def _run(*command: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    return subprocess.run(command, input=text, capture_output=True, text=True, env=environment, check=False)


def _must(*command: str) -> None:
    done = _run(*command)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {(done.stderr or done.stdout)[-800:]}")


def lines(text: str) -> Sequence[str]:
    """The lines that are not empty."""
    return [line for line in text.splitlines() if line.strip()]
