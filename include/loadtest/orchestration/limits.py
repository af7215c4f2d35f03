"""How long each stage may take."""

from typing import cast

from include.loadtest.errors import LoadTestError
from include.loadtest.orchestration.context import Context, RunContext
from include.loadtest.profile.reference import requirements
from include.loadtest.profile.vocabulary import StageName


def stage_timeout_s(context: Context, name: str) -> float:
    """A stage's time-out in seconds: from the run's profile; the shared one where no profile can be had."""
    stage = cast("StageName", "publish" if name in ("publish_suite", "review") else name)
    if isinstance(context, RunContext):
        try:
            profile = context.profile() if "profile" in context.manifest() else context.order.load_profile()
            return profile.stage_timeout_s(stage)
        except LoadTestError:
            pass  # the stage itself says what is wrong with it
    return float(requirements().stage_timeouts_s[stage])
