"""`make system-deps` installs what only tests need where it may, names it otherwise, and leaves no service behind."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.helpers import programs

SCRIPT = Path(__file__).parents[1] / ".ci" / "system-deps"
PROGRAMS = ("prometheus", "promtool", "prometheus-alertmanager", "amtool", "chromium")
NEEDED = ("bash", "paste", "tail", "env", "chmod", "rm")
pytestmark = pytest.mark.unit


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A PATH of its own: the shell's helpers, and a user who is nobody."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in NEEDED:
        (folder / name).symlink_to(str(shutil.which(name)))
    program(folder, "id", "echo 1000")
    return folder


def program(folder: Path, name: str, body: str = "") -> None:
    (folder / name).write_text(f"#!{shutil.which('bash')}\n{body}\n")
    (folder / name).chmod(0o755)


def run(machine: Path) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": str(machine), "LOG": str(machine / "log")}
    return subprocess.run([SCRIPT], env=environment, capture_output=True, text=True, check=False, timeout=30)


def test_who_may_not_install_is_told_what_is_missing(machine: Path) -> None:
    """The other tests still run: it is no failure."""
    program(machine, "promtool")
    done = run(machine)
    assert done.returncode == 0
    assert "not on this machine: prometheus prometheus-alertmanager amtool chromium;" in done.stdout
    assert "make system-deps as root" in done.stdout


def test_where_all_is_there_nothing_is_done(machine: Path) -> None:
    """As root, too: a second call asks no archive."""
    for name in PROGRAMS:
        program(machine, name)
    program(machine, "id", "echo 0")
    program(machine, "apt-get", 'echo "$@" >> "$LOG"')
    done = run(machine)
    assert (done.returncode, done.stdout.split()) == (0, ["system", "packages", "all", "there"])
    assert not (machine / "log").exists()


def test_an_archive_that_does_not_answer_is_named(machine: Path) -> None:
    """Its own words, and what is missing now."""
    program(machine, "id", "echo 0")
    program(machine, "dpkg", "exit 1")
    program(machine, "apt-get", "echo 'E: Could not resolve the archives name' >&2; exit 100")
    done = run(machine)
    assert done.returncode == 0
    assert "E: Could not resolve the archives name" in done.stderr
    assert "not on this machine: prometheus" in done.stdout


def test_installed_services_are_kept_off(machine: Path) -> None:
    """Only those that this call has installed: somebody's own Prometheus stays as it is, and so does the policy."""
    program(machine, "id", "echo 0")
    program(machine, "dpkg", '[ "$2" = prometheus ]')  # that one was there
    program(machine, "apt-cache", "exit 1")
    makes = "\n".join(
        f'printf "#!{shutil.which("bash")}\\n" > {machine / name}; chmod 755 {machine / name}' for name in PROGRAMS
    )
    program(machine, "apt-get", f'echo "apt-get $@" >> "$LOG"\nif [[ "$*" == *install* ]]; then\n{makes}\nfi')
    for name in ("systemctl", "service", "update-rc.d"):
        program(machine, name, f'echo "{name} $@" >> "$LOG"')
    policy = Path("/usr/sbin/policy-rc.d")
    before = policy.read_text() if policy.exists() else None
    done = run(machine)
    assert (policy.read_text() if policy.exists() else None) == before
    assert (done.returncode, done.stdout.split()[:2]) == (0, ["system", "packages"]), done.stderr
    lines = (machine / "log").read_text().splitlines()
    assert lines[1] == "apt-get -qq install --yes --no-install-recommends prometheus prometheus-alertmanager chromium"
    off = [line for line in lines[2:] if "alertmanager" in line]
    assert off
    assert len(off) == len(lines[2:])


def test_a_test_without_its_program_fails_in_ci_and_is_named_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Never passed over in silence: both say which program is missing, and what installs it."""
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="no-such-program is not on this machine: `make system-deps`"):
        programs.program("no-such-program")
    monkeypatch.delenv("CI")
    with pytest.raises(pytest.skip.Exception, match="not run: no-such-program is not on this machine"):
        programs.program("no-such-program")
