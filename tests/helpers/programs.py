"""Programs of Debian's packages that some tests run: absent, they fail in CI and are reported as not run elsewhere."""

import os
import shutil

import pytest


def program(name: str) -> str:
    """The path of a program; where it is missing the test fails in CI, and elsewhere says that it was not run."""
    found = shutil.which(name)
    if found is None:
        text = f"{name} is not on this machine: `make system-deps` as root installs it"
        if os.environ.get("CI"):
            pytest.fail(text)
        pytest.skip(f"not run: {text}")
    return found
