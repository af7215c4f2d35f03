"""Which runs are under way: of each target that somebody has, the run, or a suite's run, that has no verdict yet."""

from dataclasses import dataclass
from datetime import UTC, datetime

from include.loadtest import run
from include.loadtest.errors import InfrastructureError
from include.loadtest.history.overview import TargetUse
from include.loadtest.live.page_state import Kind
from include.loadtest.orchestration.web.progress import progress_of
from include.loadtest.orchestration.web.sources import StoredBundle, bundle_here, started_together
from include.loadtest.orchestration.web.told import document_of


@dataclass(frozen=True)
class Running:
    """A run that has its target now. `profile` None: it left no manifest yet where bundles are kept."""

    run_id: str
    target: str
    profile: str | None
    since: datetime | None
    suite_run_id: str | None


def running_of(use: TargetUse) -> list[Running]:
    """What runs on a target now: of a suite, its runs that began and have no verdict; between two runs none."""
    if use.run_id is None:
        return []
    bundle = bundle_here(use.run_id)
    manifest = document_of(bundle, run.MANIFEST) or {}
    if not isinstance(manifest.get("suite"), dict):
        is_over = document_of(bundle, run.VERDICT) is not None or _kind(bundle, manifest) == "silent"
        return [] if is_over else [Running(use.run_id, use.target, _profile(manifest), use.since, None)]
    members = (_member(run_id, use) for run_id in started_together(use.run_id) if run_id != use.run_id)
    return [member for member in members if member is not None]


def _member(run_id: str, use: TargetUse) -> Running | None:
    bundle = bundle_here(run_id)
    manifest = document_of(bundle, run.MANIFEST)
    if manifest is None or document_of(bundle, run.VERDICT) is not None:
        return None
    if _kind(bundle, manifest) in ("silent", "unknown"):
        return None
    return Running(run_id, use.target, _profile(manifest), use.since, use.run_id)


def _kind(bundle: StoredBundle, manifest: dict[str, object]) -> Kind:
    """What died without a verdict is not under way, though the target is held for it, or for its suite, still."""
    try:
        return progress_of(bundle, datetime.now(UTC), manifest).state.kind
    except InfrastructureError:
        return "unknown"


def _profile(manifest: dict[str, object]) -> str | None:
    profile = manifest.get("profile")
    return str(profile.get("name")) if isinstance(profile, dict) else None
