"""What a load generator may send under which lease, and that a stopped process finds out how late it is."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from include.loadtest import lease_file
from include.loadtest.lease_file import Lease, LeaseGuard, now_s, read_lease, why_not, write_lease

pytestmark = pytest.mark.unit
ROOT = Path(__file__).parents[2]
WAITING = """
import sys
from pathlib import Path
from include.loadtest.lease_file import LeaseGuard
guard = LeaseGuard(Path(sys.argv[1]))
print(guard.holds(), flush=True)
sys.stdin.readline()
print(guard.holds(), guard.check(), flush=True)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lease.json"


def test_a_valid_lease_is_read_as_it_was_written(path: Path) -> None:
    """For this user only, and as often as it is renewed."""
    for token in (7, 8):
        lease = Lease(token, now_s() + 60)
        write_lease(path, lease)
        assert read_lease(path) == lease
        assert LeaseGuard(path).check() is None
    assert path.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("content", [None, "", "{", "[]", '{"token": 1}', '{"token": null, "until_s": 9e9}'])
def test_a_file_that_says_nothing_allows_nothing(path: Path, content: str | None) -> None:
    """Missing, cut or of another kind: no request is sent."""
    if content is not None:
        path.write_text(content, encoding="utf-8")
    guard = LeaseGuard(path)
    assert not guard.holds()
    assert "lost: it" in str(guard.check())


def test_an_ended_and_a_lost_lease_say_why(path: Path) -> None:
    """How long ago, or who has the target now."""
    assert "(token 3) ended 1" in str(why_not(Lease(3, now_s() - 10.0)))
    write_lease(path, Lease(3, now_s() + 60, "target demo is held by other"))
    assert LeaseGuard(path).check() == "the lease of the target was lost: target demo is held by other"


def test_a_renewed_lease_is_found_when_the_old_one_ends(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two looks at the file only the clock is asked; one that is not renewed ends by the clock alone."""
    write_lease(path, Lease(3, now_s() + 60))
    guard = LeaseGuard(path)
    assert guard.check() is None
    path.unlink()
    assert guard.holds()
    ahead_s = now_s() + 61
    monkeypatch.setattr(lease_file, "now_s", lambda: ahead_s)
    assert not guard.holds()
    write_lease(path, Lease(3, ahead_s + 60))
    assert guard.holds()


def test_a_load_without_a_lease_file_needs_no_lease() -> None:
    """Its target is reached by nothing else."""
    guard = LeaseGuard(None)
    assert (guard.holds(), guard.check()) == (True, None)


def test_a_process_that_was_stopped_finds_its_lease_ended(path: Path) -> None:
    """SIGSTOP between the check and what follows it: the clock has gone on meanwhile."""
    write_lease(path, Lease(3, now_s() + 3))
    process = subprocess.Popen(
        [sys.executable, "-c", WAITING, str(path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "True\n"
        process.send_signal(signal.SIGSTOP)
        while why_not(read_lease(path)) is None:
            time.sleep(0.05)
        process.send_signal(signal.SIGCONT)
        answer, _ = process.communicate("\n", timeout=30)
    finally:
        process.kill()
    assert answer.startswith("False the lease of the target (token 3) ended")
