"""What the experiment builds is what the compose file asks for."""

import pytest

from experiments.compose.standins import FOLDER, wanted_images

pytestmark = pytest.mark.unit


def test_every_image_of_the_compose_file_has_a_stand_in() -> None:
    """A new image without one would be asked of a registry, which the experiment cannot reach."""
    images = wanted_images()
    assert {name.rpartition(":")[0] for name in images} >= {"postgres", "redis", "apache/airflow", "grafana/grafana"}
    for name, stand_in in images.items():
        assert (FOLDER / stand_in.folder / "Dockerfile").exists(), name
