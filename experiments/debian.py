"""Where Debian's packages come from on this machine."""

import subprocess

from include.loadtest.errors import ConfigError


def mirror() -> str:
    """The address of Debian's main archive that this machine uses. Raises ConfigError where there is none."""
    command = ["apt-get", "indextargets", "--format", "$(REPO_URI)"]
    found = subprocess.run(command, capture_output=True, text=True, check=False).stdout.split()
    mirrors = [uri.rstrip("/") for uri in found if uri.rstrip("/").endswith("/debian")]
    if not mirrors:
        raise ConfigError("no mirror of Debian is set up on this machine: see /etc/apt/sources.list.d")
    return mirrors[0]
