"""What every generator of a load is told alike."""

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from include.loadtest.bundle import Bundle
from include.loadtest.orchestration.context import RunContext
from include.loadtest.orchestration.load_request import load_request
from include.loadtest.profile import Overrides, find_profile, load_profile
from include.loadtest.scenarios.taxes import CAPS_BY_CITY
from include.loadtest.target.settings import Target, TargetFile

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("cities", "caps"), [({"Milano": "20121", "Roma": "00184"}, ("20121", "00184")), ({}, CAPS_BY_CITY["Milano"])]
)
def test_a_generator_gets_the_checked_addresses_and_the_postal_codes_that_the_target_knows(
    tmp_path: Path, cities: dict[str, str], caps: tuple[str, ...]
) -> None:
    """Milan's where the warm-up found none: calculations then fail, and are counted."""
    target = Target(TargetFile(name="live"), "http://127.0.0.1:9", addresses=("127.0.0.1",))
    bundle = Bundle(tmp_path / "smoke-1")
    bundle.update_manifest(cities=cities)
    context = cast("RunContext", SimpleNamespace(bundle=bundle, target=target, work_dir=tmp_path))
    profile = load_profile(find_profile("smoke"), Overrides())
    request = load_request(context, profile, tmp_path / "sessions.json", (3, 5), tmp_path / "lease.json")
    assert (request.base_url, request.addresses) == ("http://127.0.0.1:9", ("127.0.0.1",))
    assert (request.user_numbers, request.caps) == ((3, 5), caps)
    assert (request.sessions_file, request.lease_file) == (tmp_path / "sessions.json", tmp_path / "lease.json")
