"""A bundle's files appear whole."""

import pytest

from include.loadtest.bundle import Bundle

pytestmark = pytest.mark.unit


def test_a_number_that_json_does_not_have_is_refused_and_the_old_file_stays(tmp_path) -> None:
    """NaN would be read differently by every tool."""
    bundle = Bundle(tmp_path / "smoke-1")
    bundle.write("metrics.json", {"value": 1})
    with pytest.raises(ValueError, match="not JSON compliant"):
        bundle.write("metrics.json", {"value": float("nan")})
    assert bundle.read("metrics.json") == {"value": 1}
    assert [path.name for path in bundle.path.iterdir()] == ["metrics.json"]


def test_the_manifest_keeps_what_earlier_stages_wrote(tmp_path) -> None:
    """Each stage adds its part."""
    bundle = Bundle(tmp_path / "smoke-1")
    bundle.update_manifest(profile={"name": "smoke"})
    bundle.update_manifest(load={"completed": True})
    assert bundle.read("manifest.json") == {
        "schema": 1,
        "run_id": "smoke-1",
        "profile": {"name": "smoke"},
        "load": {"completed": True},
    }
