"""What is not there: one clear line, and the nearest name that is."""

from fastapi import HTTPException

from include.loadtest.errors import InfrastructureError, printable
from include.loadtest.orchestration.web.sources import StoredBundle, find_bundle, nearest_id


def bundle_or_404(run_id: str) -> StoredBundle:
    """The bundle of a run or a suite. Raises HTTPException 404 for one that nobody knows."""
    bundle = find_bundle(run_id)
    if bundle is None:
        raise no_such_run(run_id)
    return bundle


def no_such_run(run_id: str) -> HTTPException:
    """The answer to an id that nobody knows."""
    try:
        near = nearest_id(run_id)
    except InfrastructureError:  # then there is no name to compare with
        near = None
    hint = f"; did you mean {near}?" if near else ""
    return HTTPException(404, f"There is no run or suite {printable(run_id, 100)}{hint}")
