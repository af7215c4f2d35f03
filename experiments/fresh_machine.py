"""A Debian machine with nothing of this one: a system of its own in a folder, entered with a process table of its own.

It is no virtual machine: kernel, clock and network are this machine's, so its programs listen on this 127.0.0.1.
"""

import os
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from experiments.claims import Say
from experiments.debian import mirror
from include.loadtest.errors import ConfigError

RELEASE = "bookworm"
PROGRAMS = ("debootstrap", "unshare", "chroot", "mount")
CERTIFICATES, OWN_CERTIFICATES = Path("/etc/ssl/certs"), Path("/usr/local/share/ca-certificates")
SETTINGS = {
    "/etc/resolv.conf": "etc/resolv.conf",
    "/etc/pip.conf": "etc/pip.conf",
    "/etc/uv/uv.toml": "etc/uv/uv.toml",
    "~/.config/pip/pip.conf": "etc/xdg/pip/pip.conf",
    "~/.config/uv/uv.toml": "etc/xdg/uv/uv.toml",
}
"""A user's own become those of the whole machine."""
PREFIXES, PROXIES = ("PIP_", "UV_"), ("http_proxy", "https_proxy", "no_proxy", "all_proxy")
CERTIFICATE_VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
APT_SETTINGS = ("Acquire::http", "Acquire::Check-")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
USER = "visitor"
NOT_COMPARED = ("tmp", "proc", "sys", "dev", "run")
BUILD_LIMIT_S, INSTALL_LIMIT_S = 900.0, 600.0
SETTLE_S = 2.0
"""What ends by itself has this long after the command before it counts as left running."""
INSIDE = """
set -e
root=$1 left=$2; shift 2
mount --make-rprivate /
mount -t proc proc "$root/proc"
mount --bind -o ro /sys "$root/sys"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
hostname fresh
set +e
chroot "$@"
code=$?
sleep "$SETTLE_S"
for process in "$root"/proc/[0-9]*; do
	[ "${process##*/}" = 1 ] || { tr '\\0' ' ' <"$process/cmdline" && echo; } >>"$left" 2>/dev/null
done
exit $code
"""
"""Process 1 of the machine: mounts, runs the command, and notes the command lines of what still runs after it."""
Files = Mapping[str, tuple[int, int, int]]
"""Each path with its mode, size in bytes and time of change in ns."""
COMMAND = 'umask "$1" && cd "$2" && eval "$3"'


@dataclass(frozen=True)
class Ran:
    """How a command ended, what it said, and which processes outlived it; `seconds_to` is None: never said."""

    exit_code: int
    output: str
    seconds: float
    seconds_to: float | None
    left_running: tuple[str, ...]


@dataclass(frozen=True)
class Place:
    """Who works where, and how. `without`: variables that this user's environment lacks."""

    user: str
    folder: str
    umask: str = "022"
    extra: tuple[tuple[str, str], ...] = ()
    without: tuple[str, ...] = ()


def missing_here() -> str | None:
    """What this machine lacks for it, in one line; None where nothing is lacking."""
    if os.geteuid() != 0:
        return "a machine of its own needs root (mounts)"
    absent = [program for program in PROGRAMS if shutil.which(program) is None]
    return f"not on this machine: {' '.join(absent)} (Debian: apt-get install debootstrap)" if absent else None


def registry_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """What reaches the package registry: pip's and uv's settings, proxies, certificates.

    Without paths of this machine, but for the certificates of the system, which have the same place in the other.
    """
    return {name: value for name, value in environment.items() if _is_registry(name) and _is_portable(value)}


def _is_registry(name: str) -> bool:
    return name.startswith(PREFIXES) or name.lower() in PROXIES or name in CERTIFICATE_VARIABLES


def _is_portable(text: str) -> bool:
    """Whether it makes sense on another machine."""
    paths = [word for word in text.replace("=", " ").split() if word.startswith(("/", "file:"))]
    return all(Path(path).is_relative_to(CERTIFICATES) for path in paths)


def apt_settings(dump: str) -> str:
    """Of `apt-config dump`, what reaches the archive: proxies, and whether old lists will do."""
    return "".join(f"{line}\n" for line in dump.splitlines() if line.startswith(APT_SETTINGS))


def files_of(root: Path, without: Sequence[str]) -> Files:
    """Every file of a machine; not what lies in the folders `without`.

    Folders have their mode only: what comes and goes in them changes their time.
    """
    skipped, found = {root / folder for folder in (*NOT_COMPARED, *without)}, {}
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if Path(folder, name) not in skipped]
        for name in (*folders, *names):
            path = Path(folder, name)
            state = path.lstat()
            is_folder = stat.S_ISDIR(state.st_mode)
            change = (0, 0) if is_folder else (state.st_size, state.st_mtime_ns)
            found[str(path.relative_to(root))] = (state.st_mode, *change)
    return found


def changed(before: Files, after: Files) -> list[str]:
    """Paths that are new, gone or different, sorted."""
    return sorted(path for path in {*before, *after} if before.get(path) != after.get(path))


class Machine:
    """The system in `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def install(self, *packages: str) -> None:
        """Debian packages, with what they need and no more. Raises RuntimeError with apt's words."""
        names = " ".join(packages)
        command = f"apt-get -qq update && apt-get -qq install --yes --no-install-recommends {names}"
        ran = self.run(Place("root", "/"), command, INSTALL_LIMIT_S)
        if ran.exit_code:
            raise RuntimeError(f"{names} cannot be installed:\n{ran.output[-2000:]}")

    def run(self, place: Place, command: str, limit_s: float, until: str = "") -> Ran:
        """A shell command; what runs longer than `limit_s` is killed (exit code -9), with all that it started.

        `seconds_to`: after how long it first wrote the text `until`.
        """
        with tempfile.TemporaryDirectory(prefix="loadtest-fresh-") as folder:
            log, left = Path(folder, "log"), Path(folder, "left")
            left.touch()
            with log.open("wb") as output:
                process = subprocess.Popen(
                    self._arguments(place, command, left),
                    env={"PATH": PATH, "SETTLE_S": str(SETTLE_S)},
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,
                )
            seconds, seconds_to = _follow(process, log, limit_s, until)
            running = tuple(line.strip() for line in left.read_text().splitlines() if line.strip())
            return Ran(process.wait(), log.read_text(errors="replace"), seconds, seconds_to, running)

    def _arguments(self, place: Place, command: str, left: Path) -> list[str]:
        variables = {"PATH": PATH, "HOME": self._home(place.user), "TERM": "dumb", "DEBIAN_FRONTEND": "noninteractive"}
        variables |= registry_variables(os.environ) | dict(place.extra)
        environment = [f"{name}={value}" for name, value in variables.items() if name not in place.without]
        own = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--uts", "--ipc"]
        inside = ["sh", "-c", INSIDE, "machine", str(self.root), str(left)]
        entered = [f"--userspec={place.user}:{place.user}", str(self.root), "/usr/bin/env", "-i", *environment]
        return [*own, *inside, *entered, "/bin/sh", "-c", COMMAND, "command", place.umask, place.folder, command]

    @staticmethod
    def _home(user: str) -> str:
        return "/root" if user == "root" else f"/home/{user}"


def _follow(process: subprocess.Popen[bytes], log: Path, limit_s: float, until: str) -> tuple[float, float | None]:
    """Seconds to its end, and to the text; killed with all of its machine where it takes too long or we are stopped."""
    began_s, seconds_to = time.monotonic(), None
    try:
        while process.poll() is None and time.monotonic() - began_s < limit_s:
            if until and seconds_to is None and until in log.read_text(errors="replace"):
                seconds_to = time.monotonic() - began_s
            time.sleep(0.2)
        if until and seconds_to is None and until in log.read_text(errors="replace"):
            seconds_to = time.monotonic() - began_s
        return time.monotonic() - began_s, seconds_to
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def base_archive(cache: Path, say: Say) -> Path:
    """The archive of a system as debootstrap makes it, with certificates and a user; made where `cache` has none."""
    archive = cache / f"debian-{RELEASE}.tar"
    if archive.exists():
        say(f"the system in {archive} is used")
        return archive
    root, began_s = cache / "base", time.monotonic()
    shutil.rmtree(root, ignore_errors=True)
    options = ["--variant=minbase", "--include=ca-certificates"]
    checked(["debootstrap", *options, RELEASE, str(root), os.environ.get("FRESH_MIRROR") or mirror()])
    _hand_over(root)
    commands = f"update-ca-certificates && useradd --create-home --shell /bin/bash {USER}"
    checked(["chroot", str(root), "/usr/bin/env", "-i", f"PATH={PATH}", "/bin/sh", "-c", commands])
    unfinished = archive.with_suffix(".part")
    checked(["tar", "--create", "--one-file-system", "--file", str(unfinished), "--directory", str(root), "."])
    shutil.rmtree(root)
    unfinished.rename(archive)
    say(f"Debian {RELEASE} made in {time.monotonic() - began_s:.0f} s")
    return archive


@contextmanager
def machine(archive: Path, say: Say) -> Iterator[Machine]:
    """A new machine; afterwards it is gone."""
    folder = Path(tempfile.mkdtemp(prefix="loadtest-fresh-"))
    try:
        checked(["tar", "--extract", "--file", str(archive), "--directory", str(folder)])
        folder.chmod(0o755)
        yield Machine(folder)
    finally:
        say("the machine is removed")
        checked(["rm", "-rf", "--one-file-system", str(folder)])


def _hand_over(root: Path) -> None:
    """This machine's way to the registries: settings, names of servers, certificates. Nothing else of it."""
    for name, target in SETTINGS.items():
        source = Path(name).expanduser()
        if source.exists() and _is_portable(source.read_text()):
            _write(root / target, source.read_text())
    for certificate in OWN_CERTIFICATES.glob("*.crt"):
        _write(root / certificate.relative_to("/"), certificate.read_text())
    dump = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=True).stdout
    _write(root / "etc/apt/apt.conf.d/90-archive", apt_settings(dump))


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def checked(command: list[str]) -> None:
    """Run a command of this machine. Raises ConfigError with the end of what it said."""
    ran = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=BUILD_LIMIT_S
    )
    if ran.returncode:
        raise ConfigError(f"{command[0]} failed ({ran.returncode}): {(ran.stdout + ran.stderr)[-1000:]}")
