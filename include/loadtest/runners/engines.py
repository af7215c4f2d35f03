"""Which engine sends a load: the profile says it, and this is the only place that knows how each is started."""

from collections.abc import Callable

from include.loadtest.profile import Profile
from include.loadtest.runners.generator import LoadRequest, LoadResult
from include.loadtest.runners.k6 import check_k6, run_k6
from include.loadtest.runners.locust import run_locust

Runner = Callable[[LoadRequest, Callable[[str], None], Callable[[], bool]], LoadResult]
RUNNERS: dict[str, Runner] = {"locust": run_locust, "k6": run_k6}


def run_load(
    request: LoadRequest, on_progress: Callable[[str], None], stop_requested: Callable[[], bool] = lambda: False
) -> LoadResult:
    """Send the load with the engine of its profile, and wait for its end; see `process.watch`."""
    return RUNNERS[request.profile.engine](request, on_progress, stop_requested)


def check_engine(profile: Profile) -> dict[str, str]:
    """The version of an engine that is no Python package, by its name, for the manifest.

    Raises ConfigError where the profile's engine is not on this machine, or cannot send its load.
    """
    if profile.engine != "k6":
        return {}
    return {"k6": check_k6(profile)}
