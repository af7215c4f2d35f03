"""What a load generator is told, as far as the master, the only one, and one of several have it in common."""

from pathlib import Path

from include.loadtest import run
from include.loadtest.orchestration.context import RunContext
from include.loadtest.profile import Profile
from include.loadtest.runners.generator import LoadRequest
from include.loadtest.scenarios.taxes import CAPS_BY_CITY


def load_request(
    context: RunContext, profile: Profile, sessions_file: Path, user_numbers: tuple[int, ...], lease_file: Path
) -> LoadRequest:
    """The load of these users, with their sessions and the target's lease in these files."""
    target, caps = context.target, context.bundle.read(run.MANIFEST)["cities"]
    return LoadRequest(
        bundle=context.bundle,
        profile=profile,
        base_url=target.base_url,
        addresses=target.addresses,
        api_prefix=target.file.api_prefix,
        forwarded_for=target.file.forwarded_for,
        sessions_file=sessions_file,
        user_numbers=user_numbers,
        work_dir=context.work_dir,
        caps=tuple(caps.values()) or CAPS_BY_CITY["Milano"],
        check_paths=target.file.check_paths.model_dump(),
        lease_file=lease_file,
    )
