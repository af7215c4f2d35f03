from pathlib import Path

import pytest

from include.loadtest import machine
from include.loadtest.machine import ThrottledRate, child_environment, cpu_probe_ms, is_own_address, throttled_ms

pytestmark = pytest.mark.unit


@pytest.fixture
def groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tree of control groups of its own; the file `own` says where this process is."""
    monkeypatch.setattr(machine, "CGROUPS", tmp_path)
    monkeypatch.setattr(machine, "OWN_CGROUPS", tmp_path / "own")
    return tmp_path


def _stat(groups: Path, place: str, text: str) -> None:
    (groups / place).mkdir(parents=True, exist_ok=True)
    (groups / place / "cpu.stat").write_text(text)


def test_both_versions_are_read_in_ms(groups: Path) -> None:
    """Version 2 counts µs, version 1 ns; a container's own group may be the root of what it sees."""
    (groups / "own").write_text("0::/a/b\n")
    _stat(groups, "a/b", "usage_usec 9\nthrottled_usec 2500\n")
    assert throttled_ms() == 2.5
    (groups / "own").write_text("4:memory:/x\n3:cpu,cpuacct:/hidden/by/the/container\n")
    _stat(groups, "cpu", "nr_throttled 1\nthrottled_time 7000000\n")
    assert throttled_ms() == 7.0


@pytest.mark.parametrize("text", ["usage_usec 9\n", "throttled_usec x\n", "throttled_usec\n", ""])
def test_a_group_without_the_counter_says_nothing(groups: Path, text: str) -> None:
    """None, never 0."""
    assert throttled_ms() is None
    (groups / "own").write_text("0::/a\nodd line\n")
    _stat(groups, "a", text)
    assert throttled_ms() is None
    assert ThrottledRate().read() is None


def test_the_rate_is_the_gain_of_an_interval(groups: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """300 ms held back in 2 s; a counter that began anew gives no rate."""
    now = iter([100.0, 102.0, 104.0])
    monkeypatch.setattr(machine.time, "monotonic", lambda: next(now))
    (groups / "own").write_text("0::/\n")
    _stat(groups, "", "throttled_usec 500000\n")
    rate = ThrottledRate()
    _stat(groups, "", "throttled_usec 800000\n")
    assert rate.read() == 150.0
    _stat(groups, "", "throttled_usec 0\n")
    assert rate.read() is None


def test_a_program_that_is_started_gets_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its environment is a list of what it needs, not ours without what we know of."""
    monkeypatch.setenv("DATABASE_URL", "postgresql://user:secret@127.0.0.1/app")
    monkeypatch.setenv("PATH", "/bin")
    assert child_environment()["PATH"] == "/bin"
    assert child_environment().keys() <= {"PATH", "HOME", "LANG", "TMPDIR"}


def test_the_probe_measures_the_work_and_not_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten times the work takes several times as long, on any machine."""
    usual_ms = cpu_probe_ms()
    monkeypatch.setattr(machine, "_PROBE_ROUNDS", 10 * machine._PROBE_ROUNDS)
    monkeypatch.setattr(machine, "PROBES", 3)
    assert cpu_probe_ms() > 3 * usual_ms > 0


def test_own_addresses_are_told_from_others() -> None:
    """Loopback is one's own whatever its number; what is no address is nobody's."""
    assert is_own_address("127.0.0.1")
    assert is_own_address("127.9.9.9")
    assert is_own_address("::1")
    assert not is_own_address("192.0.2.1")
    assert not is_own_address("localhost")
