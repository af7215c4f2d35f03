"""The picture of a run: a small PNG of a fixed size, whatever the run and its names are."""

import subprocess
import sys
import warnings
from io import BytesIO

import pytest
from PIL import Image

from include.loadtest import run
from include.loadtest.bundle import Bundle
from include.loadtest.profile import find_profile, load_profile
from include.loadtest.reporting.plot import HEIGHT_PX, WIDTH_PX, unbroken, write_plot
from include.loadtest.reporting.timeline import Window
from tests.loadtest.reporting.conftest import HOSTILE, write_samples

pytestmark = pytest.mark.unit
SMOKE = load_profile(find_profile("smoke"))
MAX_BYTES = 80_000


@pytest.fixture
def run_of(tmp_path) -> Bundle:
    return Bundle(tmp_path / "smoke-1")


def drawn(bundle: Bundle, profile=SMOKE) -> Image.Image:
    """The picture, which must come without a warning (a missing glyph is one) and within its size."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert write_plot(bundle, profile)
    content = (bundle.path / run.PLOT).read_bytes()
    picture = Image.open(BytesIO(content))
    assert (picture.format, picture.size) == ("PNG", (WIDTH_PX, HEIGHT_PX))
    assert len(content) <= MAX_BYTES
    assert picture.convert("RGB").getpixel((2, HEIGHT_PX // 2)) == (255, 255, 255)
    return picture.convert("RGB")


def colours(picture: Image.Image) -> set[tuple[int, ...]]:
    return {colour for _, colour in picture.getcolors(WIDTH_PX * HEIGHT_PX)}


def test_a_run_with_everything_is_a_small_png_on_white(run_of) -> None:
    """Many windows, bounds and failures: the file stays small."""
    rows = [(number * 0.01, 1000 + number * 7919 % 900_000, "ok") for number in range(12_000)]
    rows += [(number * 0.5, 8_000_000, ("timeout", "http_error", "dropped")[number % 3]) for number in range(240)]
    write_samples(run_of, rows)
    run_of.write(run.VERDICT, {"verdict": "SLA_BREACH"})
    run_of.update_manifest(target={"name": "demo"})
    assert len(colours(drawn(run_of))) > 10


def test_failures_are_seen_in_their_own_colour_only_where_there_are_some(run_of) -> None:
    """The same run without its failures has none of it."""
    failed = (136, 34, 85)
    write_samples(run_of, [(number * 0.1, 5000, "ok") for number in range(600)])
    assert failed not in colours(drawn(run_of))
    write_samples(run_of, [(30.0, 5000, "http_error")] * 20)
    assert failed in colours(drawn(run_of))


def test_one_sample_without_phases_or_verdict_is_drawn(run_of) -> None:
    """A generator that died at once leaves no more."""
    write_samples(run_of, [(0.0, 0, "censored")])
    drawn(run_of)


def test_only_failures_are_drawn_without_a_latency(run_of) -> None:
    """Nothing finished: the latency stays empty."""
    write_samples(run_of, [(number * 0.1, 5000, "connection_error") for number in range(50)])
    drawn(run_of)


def test_hostile_names_are_text_that_fits(run_of) -> None:
    """No formula, no line break, no glyph that the font lacks, nothing outside of the picture."""
    write_samples(run_of, [(0.0, 1000, "ok")])
    name = f"$\\frac{{1}}{{0}}$ {HOSTILE} 測試 🚀\n" * 200
    run_of.update_manifest(target={"name": name}, phases=[])
    run_of.write(run.VERDICT, {"verdict": "PASS"})
    picture = drawn(run_of, SMOKE.model_copy(update={"title": name}))
    assert {picture.getpixel((WIDTH_PX - 1, y)) for y in range(60)} == {(255, 255, 255)}


def test_a_run_without_samples_has_no_picture(run_of) -> None:
    """No file, rather than an empty frame."""
    run_of.update_manifest(target={"name": "demo"})
    assert not write_plot(run_of, SMOKE)
    assert not run_of.has(run.PLOT)


def test_a_line_ends_where_a_window_has_no_percentile() -> None:
    """No line is invented over a gap."""
    values = [1.0, 2.0, None, 3.0, None, None, 4.0, 5.0]
    windows = [Window(number, 30, *[value] * 4, *[False] * 4, 0, 0.0, 0, 0.0) for number, value in enumerate(values)]
    assert [[window.p95_ms for window in part] for part in unbroken(windows)] == [[1.0, 2.0], [3.0], [4.0, 5.0]]


def test_pyplot_stays_out_of_the_process(tmp_path) -> None:
    """Its figures are global and never freed by themselves; a worker draws for days."""
    program = (
        "import sys; from pathlib import Path\n"
        "from tests.loadtest.reporting.conftest import write_samples\n"
        "from tests.loadtest.reporting.test_plot import SMOKE, Bundle, write_plot\n"
        f"bundle = Bundle(Path({str(tmp_path / 'smoke-1')!r})); write_samples(bundle, [(0.0, 1000, 'ok')])\n"
        "assert 'matplotlib' not in sys.modules\n"
        "assert write_plot(bundle, SMOKE) and 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)
