from pathlib import Path

import pytest

from include.loadtest.collectors.cgroups import Hierarchy, Limits, folders_of, hierarchies, limits_of

pytestmark = pytest.mark.unit


def _write(folder: Path, **files: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text + "\n")
    return folder


def test_version_2_gives_the_tightest_limit_on_the_way_up(tmp_path: Path) -> None:
    """A pod's limit holds for its containers; memory is that of the group that has the limit."""
    pod = _write(
        tmp_path / "pod",
        cpu__max="50000 100000",
        cpu__stat="usage_usec 9\nthrottled_usec 7000",
        memory__max="1000",
        memory__current="900",
    )
    own = _write(
        pod / "container",
        cpu__max="max 100000",
        cpu__stat="throttled_usec 2000",
        memory__max="max",
        memory__current="300",
        memory__events="low 0\noom 4\noom_kill 2",
    )
    folders = folders_of("0::/pod/container\n", [Hierarchy(tmp_path, "/", 2, frozenset())])
    assert folders["cpu"] == [own, pod, tmp_path]
    assert limits_of(folders) == Limits(0.5, 1000.0, 900.0, 9.0, 2.0)


def test_version_1_has_a_tree_for_each_controller(tmp_path: Path) -> None:
    """Docker on an older machine: µs and ns, and a number that means no limit."""
    _write(
        tmp_path / "cpu" / "docker",
        cpu__cfs_quota_us="-1",
        cpu__cfs_period_us="100000",
        cpu__stat="throttled_time 5000000",
    )
    memory = _write(
        tmp_path / "memory" / "docker",
        memory__limit_in_bytes="9223372036854771712",
        memory__usage_in_bytes="77",
        memory__oom_control="oom_kill_disable 0\nunder_oom 0\noom_kill 3",
    )
    trees = [
        Hierarchy(tmp_path / "cpu", "/", 1, frozenset({"rw", "cpu", "cpuacct"})),
        Hierarchy(tmp_path / "memory", "/", 1, frozenset({"rw", "memory"})),
        Hierarchy(tmp_path / "unified", "/", 2, frozenset()),
    ]
    folders = folders_of("4:memory:/docker\n2:cpu,cpuacct:/docker\n1:name=systemd:/x\n0::/\n", trees)
    assert folders["memory"][0] == memory
    assert limits_of(folders) == Limits(None, None, 77.0, 5.0, 3.0)


def test_a_container_sees_its_own_group_as_the_root(tmp_path: Path) -> None:
    """What is mounted may be a part of the tree; a group outside of it cannot be read, and is none of ours."""
    tree = Hierarchy(tmp_path, "/docker/abc", 2, frozenset())
    assert folders_of("0::/docker/abc/app\n", [tree])["cpu"] == [tmp_path / "app", tmp_path]
    for place in ("/docker/abcd", "/", "/docker/abc/../../../etc", "/../other"):
        assert folders_of(f"0::{place}\n", [tree]) == {}


def test_files_that_are_not_there_or_strange_give_nothing(tmp_path: Path) -> None:
    """No zeros."""
    own = _write(tmp_path / "a", cpu__max="x y", cpu__stat="throttled_usec x", memory__max="", memory__current="-3")
    assert limits_of({"cpu": [own], "memory": [own]}) == Limits(None, None, None, None, None)
    assert limits_of({}) == Limits(None, None, None, None, None)


def test_the_mounted_trees_are_found(tmp_path: Path) -> None:
    """Both versions may be there; other file systems are none."""
    mounts = tmp_path / "mountinfo"
    mounts.write_text(
        "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n"
        "32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu,cpuacct\n"
        "41 31 0:38 /docker /sys/fs/cgroup/unified rw shared:9 - cgroup2 cgroup2 rw\n"
    )
    assert hierarchies(mounts) == [
        Hierarchy(Path("/sys/fs/cgroup/cpu"), "/", 1, frozenset({"rw", "cpu", "cpuacct"})),
        Hierarchy(Path("/sys/fs/cgroup/unified"), "/docker", 2, frozenset()),
    ]
    assert hierarchies(tmp_path / "none") == []
