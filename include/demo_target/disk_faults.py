"""A fault of the disk: somebody writes to it without end, and documents have to get through to it."""

import asyncio
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

WRITERS = 4  # one alone waits for the disk half of its time, and does not fill it
WRITE_PERIOD_S = 0.1
LARGEST_PIECE_BYTES, LARGEST_FILE_BYTES = 8_000_000, 64_000_000


class DiskFaults:
    """Writes to files of its own in a directory of the target."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    async def write(self, mb_per_s: float, in_force: Callable[[], None]) -> None:
        """Write so many MB a second, or as many as the disk takes, each piece of them forced to the disk."""
        stop = threading.Event()
        bytes_per_s = mb_per_s * 1_000_000 / WRITERS
        writers = [
            threading.Thread(target=self._write_on, args=(number, bytes_per_s, stop)) for number in range(WRITERS)
        ]
        for writer in writers:
            writer.start()
        in_force()
        try:
            await asyncio.Event().wait()
        finally:
            stop.set()
            for writer in writers:
                await asyncio.to_thread(writer.join)

    async def store(self, name: str, content: bytes) -> None:
        """Write one file, force it to the disk and remove it."""
        await asyncio.to_thread(self._store, self._directory / f"disk_fault_{name}.bin", content)

    def _store(self, path: Path, content: bytes) -> None:
        try:
            with path.open("wb", buffering=0) as file:
                file.write(content)
                os.fsync(file.fileno())
        finally:
            path.unlink(missing_ok=True)

    def _write_on(self, number: int, bytes_per_s: float, stop: threading.Event) -> None:
        piece = os.urandom(int(min(bytes_per_s * WRITE_PERIOD_S, LARGEST_PIECE_BYTES)))
        path = self._directory / f"disk_fault_{number}.bin"
        try:
            with path.open("wb", buffering=0) as file:
                due_s = time.monotonic()
                while not stop.wait(max(due_s - time.monotonic(), 0)):
                    # What the disk did not take within a second is given up.
                    due_s = max(due_s, time.monotonic() - 1) + len(piece) / bytes_per_s
                    if file.tell() > LARGEST_FILE_BYTES:
                        file.seek(0)
                    file.write(piece)
                    os.fsync(file.fileno())
        finally:
            path.unlink(missing_ok=True)
