"""Tokens are for this user only. What else a run does to its target: test_pipeline, test_suite."""

import stat

import pytest

from include.loadtest.errors import ConfigError
from include.loadtest.orchestration.target_use import make_private

pytestmark = pytest.mark.unit


def test_folders_for_tokens_are_this_users_only(tmp_path) -> None:
    """Also those above; one that others may use is refused."""
    folder = tmp_path / "loadtest-0" / "weekly-1" / "smoke-1"
    make_private(folder)
    assert {stat.S_IMODE(path.stat().st_mode) for path in (folder, *list(folder.parents)[:2])} == {0o700}
    folder.chmod(0o755)
    with pytest.raises(ConfigError, match="others may use it"):
        make_private(folder)
