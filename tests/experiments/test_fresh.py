"""What a command on a fresh machine is judged by."""

import stat

import pytest

from experiments.fresh import VISITS, opened, outside, packages_time, steps_of, summary, verdict_of
from include.loadtest.errors import ConfigError

pytestmark = pytest.mark.unit
FOLDER = stat.S_IFDIR


def test_the_last_verdict_at_a_lines_begin_counts() -> None:
    """The lines that follow a task name a verdict too, one that may still change."""
    output = "04:19:58  validate_sla    | verdict: WARN\nverdict: SLA_BREACH\nverdict: PASS\nbundle: x\n"
    assert verdict_of(output) == "PASS"
    assert verdict_of("04:19:58  validate_sla    | verdict: PASS\n") == "none"


def test_the_time_of_the_packages_is_read_from_the_commands_own_line() -> None:
    """And its absence is said."""
    assert packages_time("a\npackages installed        17 s\nPostgreSQL 1.7 s\n") == "packages 17 s"
    assert packages_time("PostgreSQL 1.7 s\n") == "packages were not installed"


def test_pytests_own_count_is_shown_and_without_one_the_last_line() -> None:
    """What stands below the count is make's."""
    assert summary("== 3 failed, 2 passed in 1.0s ==\nmake: *** [Makefile:54: test] Error 1\n") == (
        "3 failed, 2 passed in 1.0s"
    )
    assert summary("no Python found\n\n") == "no Python found"
    assert summary("") == ""


def test_only_caches_may_be_written_outside_and_as_root_packages_too() -> None:
    """A home's other folders, and a cache of another program's, are named; of a folder nothing that lies in it."""
    paths = ["root/.cache", "root/.cache/uv", "home/visitor/.cache/pip/http", "root/.cache/matplotlib", "usr/bin/x"]
    assert outside(paths, may_install=False) == ["root/.cache/matplotlib", "usr/bin/x"]
    more = ["root/.cache/matplotlib/fonts", "root/.config"]
    assert outside([*paths, *more], may_install=True) == ["root/.cache/matplotlib", "root/.config"]


def test_a_folder_on_the_way_that_others_may_now_pass_is_told_apart() -> None:
    """Only that one bit, and only on the way to the checkout."""
    before = dict.fromkeys(("root", "srv", "home"), (FOLDER | 0o700, 0, 0))
    after = {
        "root": (FOLDER | 0o701, 0, 0),
        "srv": (FOLDER | 0o701, 0, 0),
        "home": (FOLDER | 0o755, 0, 0),
    }
    assert opened(before, after, "root/loadtest") == ["root"]
    assert opened(before, after, "home/loadtest") == []
    assert opened(before, before, "root/loadtest") == []


def test_both_commands_are_run_by_root_and_by_an_ordinary_user() -> None:
    """The README's two, each on a machine of its own."""
    visits = {(visit.command, visit.place.user) for visit in VISITS.values()}
    assert visits == {(command, user) for command in ("make demo", "make test") for user in ("root", "visitor")}


def test_only_the_second_long_step_has_to_be_asked_for() -> None:
    """An unknown name is refused with the near one."""
    assert steps_of("") == ["missing", "demo-root", "demo-user", "demo-awkward", "test-root"]
    assert steps_of(" test-user, demo-root") == ["test-user", "demo-root"]
    with pytest.raises(ConfigError, match=r"FRESH: unknown step 'demo-rot'.*demo-root"):
        steps_of("demo-rot")
