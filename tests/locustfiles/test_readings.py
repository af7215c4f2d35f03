"""What any generator says of itself."""

import time
from pathlib import Path

import pytest

from include.loadtest.recorder import Sample
from include.locustfiles import readings
from include.locustfiles.readings import Clock, Window, Withheld

pytestmark = pytest.mark.unit


def test_waiting_for_a_core_is_the_kernels_own_sum() -> None:
    """The gain of the main thread's wait, as a rate; nothing is made up between two readings of the file."""
    file = Path("/proc/self/schedstat")
    if not file.exists():  # no Linux: the figure is absent, and no 0
        assert "run_queue_wait_ms_per_s" not in Withheld().read()
        return
    outer_before, outer_begin = int(file.read_text().split()[1]), time.monotonic()
    withheld = Withheld()
    inner_before, inner_begin = int(file.read_text().split()[1]), time.monotonic()
    while time.monotonic() < inner_begin + 0.5:
        sum(range(1000))
    inner_ms, inner_s = (int(file.read_text().split()[1]) - inner_before) / 1e6, time.monotonic() - inner_begin
    rate = withheld.read()["run_queue_wait_ms_per_s"]
    outer_ms, outer_s = (int(file.read_text().split()[1]) - outer_before) / 1e6, time.monotonic() - outer_begin
    assert inner_ms / outer_s <= rate <= outer_ms / inner_s


def test_rates_are_gains_of_the_interval_and_unknown_is_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    """60 ms of 2 s are 30 ms a second; a counter that began anew or is not there gives none."""
    waited = iter([{"a": 100.0, "b": 5.0}, {"a": 160.0, "b": 1.0, "c": 3.0}])
    now = iter([10.0, 12.0])
    monkeypatch.setattr(Withheld, "_waited_ms", lambda _self: next(waited))
    monkeypatch.setattr(readings.time, "monotonic", lambda: next(now))
    assert Withheld().read() == {"a": 30.0}


@pytest.mark.parametrize(
    ("text", "held_back_ms", "expected"),
    [
        ("1 2500000 3", 7.0, {"run_queue_wait_ms_per_s": 2.5, "cpu_throttled_ms_per_s": 7.0}),
        ("odd", None, {}),
        (None, 0.0, {"cpu_throttled_ms_per_s": 0.0}),
    ],
)
def test_the_kernels_files_are_read_in_ms(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    text: str | None,
    held_back_ms: float | None,
    expected: dict[str, float],
) -> None:
    """Nanoseconds of waiting are milliseconds; what the kernel does not say is absent."""
    file = tmp_path / "schedstat"
    if text is not None:
        file.write_text(text)
    monkeypatch.setattr(readings, "throttled_ms", lambda: held_back_ms)
    assert Withheld(lambda: [file])._waited_ms() == expected


def test_waits_of_all_threads_are_shared_by_the_cores_that_they_can_use(tmp_path: Path) -> None:
    """Two threads that waited 30 and 50 ms on two cores: 40 ms; a thread that has ended counts for nothing."""
    for name, wait_ns in (("1", 30_000_000), ("2", 50_000_000)):
        (tmp_path / name).write_text(f"9 {wait_ns} 9")
    files = [tmp_path / "1", tmp_path / "2", tmp_path / "gone"]
    assert Withheld(lambda: files, cores=2)._waited_ms()["run_queue_wait_ms_per_s"] == 40.0


def sample(outcome: str, latency_us: int) -> Sample:
    return Sample(0, 0, latency_us, None, "s", "e", 0, "hold", "hold", outcome, None, 200, 1, None, "w0", 1)


def test_a_line_of_progress_is_about_the_time_since_the_last_one() -> None:
    """Rate, P95 of the answers and share of errors of ten seconds; then nothing was asked."""
    window = Window()
    for latency_ms in range(1, 20):
        window.note(sample("ok", latency_ms * 1000))
    window.note(sample("timeout", 9_000_000))
    line = window.line("5 users", 70.4, 65.0)
    assert line == ("progress: 1:10 elapsed, 0:00 left | 5 users | 120 req/min | P95 19 ms | errors 5.0 % (last 10 s)")
    assert "P95 no answer | errors no request" in window.line("5 users", 80, 100)


def test_a_generator_may_live_by_anothers_clock() -> None:
    """All its times are the other's from then on; whether somebody sets its own clock is still seen."""
    clock = Clock()
    before = clock.wall_ns(1000)
    clock.adopt(7_000_000_000)
    assert clock.wall_ns(1000) == before + 7_000_000_000
    assert clock.own_wall_ns(1000) == before
    assert clock.monotonic_ns(clock.wall_ns(1000)) == 1000
    assert abs(clock.step_ms()) < 100
