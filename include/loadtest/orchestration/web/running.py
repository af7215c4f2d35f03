"""Which runs are under way: of each target that somebody has, the run, or a suite's run, that has no verdict yet."""

from dataclasses import dataclass
from datetime import datetime

from include.loadtest import run
from include.loadtest.history.overview import TargetUse
from include.loadtest.orchestration.web.sources import bundle_here, started_together
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
    manifest = document_of(bundle_here(use.run_id), run.MANIFEST) or {}
    if not isinstance(manifest.get("suite"), dict):
        return [Running(use.run_id, use.target, _profile(manifest), use.since, None)]
    members = (_member(run_id, use) for run_id in started_together(use.run_id) if run_id != use.run_id)
    return [member for member in members if member is not None]


def _member(run_id: str, use: TargetUse) -> Running | None:
    bundle = bundle_here(run_id)
    manifest = document_of(bundle, run.MANIFEST)
    if manifest is None or document_of(bundle, run.VERDICT) is not None:
        return None
    return Running(run_id, use.target, _profile(manifest), use.since, use.run_id)


def _profile(manifest: dict[str, object]) -> str | None:
    profile = manifest.get("profile")
    return str(profile.get("name")) if isinstance(profile, dict) else None
