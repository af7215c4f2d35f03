"""A run's directory. Every file is written whole or not at all, so a reader never sees half of one."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from include.loadtest import run


@dataclass(frozen=True)
class Bundle:
    """The files of one run below `path`; the name of the directory is the run's id."""

    path: Path

    @property
    def run_id(self) -> str:
        """The run's id."""
        return self.path.name

    @property
    def samples_dir(self) -> Path:
        """One row a request, as Parquet parts."""
        return self.path / run.SAMPLES

    @property
    def resources_dir(self) -> Path:
        """One row a reading, as Parquet parts."""
        return self.path / run.RESOURCES

    def has(self, name: str) -> bool:
        """Whether the file exists."""
        return (self.path / name).is_file()

    def read(self, name: str) -> dict[str, Any]:
        """A JSON file's content. Raises FileNotFoundError."""
        content: dict[str, Any] = json.loads((self.path / name).read_text(encoding="utf-8"))
        return content

    def write(self, name: str, content: Mapping[str, Any]) -> Path:
        """Write a JSON file whole: NaN and infinities are refused, since JSON has none."""
        text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False, default=str)
        return self.write_text(name, text + "\n")

    def write_text(self, name: str, text: str) -> Path:
        """Write a text file whole."""
        return self.write_bytes(name, text.encode("utf-8"))

    def write_bytes(self, name: str, content: bytes) -> Path:
        """Write a file whole, by renaming a finished temporary file."""
        self.path.mkdir(parents=True, exist_ok=True)
        target = self.path / name
        temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
        temporary.write_bytes(content)
        temporary.replace(target)
        return target

    def update_manifest(self, **parts: Any) -> dict[str, Any]:
        """Add or replace top-level parts of the manifest. Stages run one after the other, so no lock is needed."""
        manifest = self.read(run.MANIFEST) if self.has(run.MANIFEST) else {"schema": 1, "run_id": self.run_id}
        manifest.update(parts)
        self.write(run.MANIFEST, manifest)
        return manifest
