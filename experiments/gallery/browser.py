"""HTML to small PNGs by a headless Chromium, which talks to this process only."""

import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

MARGIN_PX = 14
COLOURS = 96
LIMIT_S = 60
_OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Nothing: the pictures tell."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The folder's files on 127.0.0.1; gives the address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def photograph(address: str, picture: Path, width_px: int, height_px: int) -> None:
    """The page as a picture as high as its content, at most `height_px`. Raises RuntimeError where Chromium fails."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        raise RuntimeError("the pictures need Chromium: apt-get install chromium fonts-noto-color-emoji")
    with tempfile.TemporaryDirectory(prefix="loadtest-gallery-") as profile:
        shot = Path(profile) / "shot.png"
        size = f"--window-size={width_px},{height_px}"
        command = [chromium, *_OPTIONS, f"--user-data-dir={profile}/data", f"--screenshot={shot}", size, address]
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=False)
        if not shot.exists():
            raise RuntimeError(f"Chromium made no picture of {address}: {done.stderr[-500:]}")
        _shrunk(shot, picture)


def _shrunk(shot: Path, picture: Path) -> None:
    """Without the empty rest of the page, in few colours."""
    from PIL import Image, ImageChops

    with Image.open(shot) as opened:
        page = opened.convert("RGB")
    ground = Image.new("RGB", page.size, page.getpixel((0, page.height - 1)))
    content = ImageChops.difference(page, ground).getbbox()
    end = min(page.height, (content[3] if content else 0) + MARGIN_PX)
    page.crop((0, 0, page.width, end)).quantize(
        COLOURS, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE
    ).save(picture, "PNG", optimize=True)
