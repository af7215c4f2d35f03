"""A machine of its own gets this one's way to the registries, and nothing else of it."""

import os
import shutil
from pathlib import Path

import pytest

from experiments import fresh_machine
from experiments.fresh_machine import Machine, Place, apt_settings, changed, files_of, missing_here, registry_variables


@pytest.mark.unit
def test_settings_of_registries_are_handed_over_without_paths_of_this_machine() -> None:
    """Indexes, proxies and the system's certificates; no folder with packages, nothing of anything else."""
    environment = {
        "PIP_INDEX_URL": "https://packages.example.com/simple",
        "PIP_CERT": "/etc/ssl/certs/ca-certificates.crt",
        "PIP_FIND_LINKS": "/opt/wheels",
        "PIP_EXTRA_INDEX_URL": "https://a.example.com file:///opt/simple",
        "UV_DEFAULT_INDEX": "https://packages.example.com/simple",
        "https_proxy": "http://proxy.example.com:3128",
        "SSL_CERT_FILE": "/root/own.pem",
        "HOME": "/root",
        "AWS_SECRET_ACCESS_KEY": "x",
    }
    assert sorted(registry_variables(environment)) == ["PIP_CERT", "PIP_INDEX_URL", "UV_DEFAULT_INDEX", "https_proxy"]


@pytest.mark.unit
def test_of_apts_settings_the_way_to_the_archive_is_handed_over() -> None:
    """Not where its files lie or what it installs."""
    wanted = 'Acquire::http::Proxy "http://p:1";\nAcquire::Check-Valid-Until "false";\n'
    assert apt_settings(f'APT::Install-Recommends "1";\n{wanted}Dir "/";\n') == wanted


@pytest.mark.unit
def test_what_was_written_removed_or_changed_is_found(tmp_path: Path) -> None:
    """A file's content, a folder's mode; not what lies in the checkout or in /tmp."""
    for name in ("home/kept", "home/gone", "home/checkout/x", "tmp/x"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("before")
    before = files_of(tmp_path, ["home/checkout"])
    (tmp_path / "home/kept").write_text("changed")
    (tmp_path / "home/gone").unlink()
    (tmp_path / "home/new/folder").mkdir(parents=True)
    (tmp_path / "home/new/file").touch()
    (tmp_path / "home/checkout/y").touch()
    (tmp_path / "tmp/y").touch()
    new = ["home/new", "home/new/file", "home/new/folder"]
    assert changed(before, files_of(tmp_path, ["home/checkout"])) == ["home/gone", "home/kept", *new]
    (tmp_path / "home").chmod(0o711)
    assert "home" in changed(before, files_of(tmp_path, ["home/checkout"]))


@pytest.mark.unit
def test_without_root_or_its_programs_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """In one line, with what to install."""
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert missing_here() == "a machine of its own needs root (mounts)"
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr(shutil, "which", lambda name: None if name == "debootstrap" else name)
    assert missing_here() == "not on this machine: debootstrap (Debian: apt-get install debootstrap)"


@pytest.mark.integration
@pytest.mark.skipif(os.geteuid() != 0, reason="not run: only root may mount and unshare; no program is missing")
def test_what_outlives_its_command_is_seen_and_ends_with_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a process table of its own, with a clean environment: here of this system's files."""
    monkeypatch.setattr(fresh_machine, "SETTLE_S", 0.2)
    monkeypatch.setenv("PIP_INDEX_URL", "https://packages.example.com/simple")
    place = Place("root", "/", umask="027", extra=(("LC_ALL", "C"),), without=("HOME",))
    command = "sleep 71 & echo first; umask; env; exit 3"
    ran = Machine(Path("/")).run(place, command, limit_s=20, until="first")
    lines = ran.output.splitlines()
    assert (ran.exit_code, ran.left_running, lines[:2]) == (3, ("sleep 71",), ["first", "0027"])
    assert ran.seconds_to is not None
    assert {"LC_ALL=C", "PIP_INDEX_URL=https://packages.example.com/simple"} <= set(lines)
    assert not [line for line in lines if line.startswith("HOME=")]
    assert not list(_processes("sleep\x0071\x00"))


@pytest.mark.integration
@pytest.mark.skipif(os.geteuid() != 0, reason="not run: only root may mount and unshare; no program is missing")
def test_a_command_that_takes_too_long_is_killed_with_all_that_it_started() -> None:
    """Nothing of it is left on this machine."""
    ran = Machine(Path("/")).run(Place("root", "/"), "sleep 72 & sleep 72", limit_s=1)
    assert ran.exit_code == -9
    assert not list(_processes("sleep\x0072\x00"))


def _processes(command: str) -> list[Path]:
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if file.read_text() == command:
                found.append(file)
        except OSError:
            continue
    return found
