import re
import resource
import subprocess
from collections.abc import Iterator

import pytest

from tests.github.conftest import SCRIPTS, Runner

pytestmark = pytest.mark.integration
# A kernel of its own: settings are files, and nothing of this machine is changed.
KERNEL = """
folder="$(dirname "$0")/../kernel"
case "$1" in
  -n) cat "$folder/$2" ;;
  *) if [ -e "$folder/refuses" ]; then echo "permission denied" >&2; exit 255; fi
     echo "${3#*=}" >"$folder/${3%%=*}" ;;
esac
"""
PORTS, BACKLOG = "net.ipv4.ip_local_port_range", "net.core.somaxconn"


@pytest.fixture
def kernel(runner: Runner) -> Runner:
    folder = runner.folder / "kernel"
    folder.mkdir()
    (folder / PORTS).write_text("32768\t60999\n")
    (folder / BACKLOG).write_text("4096\n")
    runner.fake("sysctl", KERNEL)
    runner.fake("sudo", '[ "$1" = -n ] && shift\nexec "$@"')
    return runner


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """Stands for the runner, whose children get the limits: 512 open files, and it may have 1024."""
    with subprocess.Popen(["sleep", "60"]) as process:
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (512, 1024))
        yield process
        process.kill()


def raise_limits(runner: Runner, pid: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", SCRIPTS / "limits.sh", str(pid)], env=runner.environment, capture_output=True, text=True, check=False
    )


def test_limits_are_shown_raised_and_shown_again(kernel: Runner, sleeper: subprocess.Popen[bytes]) -> None:
    """Ports and backlog get their values; the open files of the process are those that the machine allows."""
    done = raise_limits(kernel, sleeper.pid)
    assert done.returncode == 0, done.stderr
    assert f"before: {PORTS} 32768 60999" in done.stdout
    assert f"after: {PORTS} 10240 65535" in done.stdout
    assert f"before: {BACKLOG} 4096" in done.stdout
    assert f"after: {BACKLOG} 65535" in done.stdout
    after = re.search(r"^after: open files (\d+)", done.stdout, re.M)
    assert after is not None
    assert (int(after[1]) == 65536) != ("::warning::not set: open files 65536" in done.stdout)


def test_what_is_refused_is_named_and_the_job_goes_on(kernel: Runner, sleeper: subprocess.Popen[bytes]) -> None:
    """A machine that lets nothing be changed: three lines say so, and nothing is claimed."""
    (kernel.folder / "kernel" / "refuses").touch()
    kernel.fake("prlimit", 'case "$*" in *=*) exit 1 ;; *) echo "512 1024" ;; esac')
    done = raise_limits(kernel, sleeper.pid)
    assert done.returncode == 0, done.stderr
    warnings = [line for line in done.stdout.splitlines() if line.startswith("::warning::not set: ")]
    assert len(warnings) == 3
    assert f"after: {PORTS} 32768 60999" in done.stdout
    assert "after: open files 512 (at most 1024)" in done.stdout


def test_nothing_is_lowered(kernel: Runner, sleeper: subprocess.Popen[bytes]) -> None:
    """A machine that has more already is left alone."""
    (kernel.folder / "kernel" / PORTS).write_text("1024\t65535\n")
    (kernel.folder / "kernel" / BACKLOG).write_text("131072\n")
    kernel.fake("prlimit", 'echo "1048576 1048576"')
    done = raise_limits(kernel, sleeper.pid)
    assert done.returncode == 0, done.stderr
    assert not [call for call in kernel.calls if "-w" in call or "--nofile=" in call]
    assert "::warning::" not in done.stdout


def test_the_step_itself_runs_as_it_stands(kernel: Runner) -> None:
    """The step's own text names a process that exists: its caller."""
    kernel.fake("prlimit", 'echo "1048576 1048576"')
    done = kernel.run("load-test", "Raise the system's limits")
    assert done.returncode == 0, done.stderr
    assert "after: open files 1048576" in done.stdout
    assert re.search(r"^prlimit --pid [0-9]+ ", "\n".join(kernel.calls), re.M)
