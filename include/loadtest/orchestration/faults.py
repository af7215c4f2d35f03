"""A stage's fault, kept in the manifest: the verdict and the report name it, whatever becomes of the process."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from include.loadtest import run
from include.loadtest.errors import InvalidTestError, LoadTestError
from include.loadtest.orchestration.context import Context

MAX_TEXT = 500


@contextmanager
def stage(context: Context, name: str) -> Iterator[None]:
    """Note a stage's fault in the manifest, and forget the one of an earlier try that this try mended."""
    try:
        yield
    except Exception as error:
        code = error.code if isinstance(error, InvalidTestError) else None
        text = str(error) if isinstance(error, LoadTestError) else f"{type(error).__name__}: {error}"
        note_fault(context, name, text, code)
        raise
    faults = context.manifest().get("faults") or {}
    if faults.pop(name, None):
        context.bundle.update_manifest(faults=faults)


def note_fault(context: Context, name: str, text: str, code: str | None = None) -> None:
    """Put a stage's fault into the manifest; `code` is a reason code, None for `stage_failed`."""
    fault = {"code": code, "text": text[:MAX_TEXT], "at": run.utc_text(datetime.now(UTC))}
    context.bundle.update_manifest(faults={**(context.manifest().get("faults") or {}), name: fault})
