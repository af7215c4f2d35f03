"""The README's two commands on a fresh Debian machine, as root and as an ordinary user, and in an awkward place.

`FRESH` selects what is run, comma-separated: `missing`, `demo-root`, `demo-user`, `demo-awkward`, `test-root`,
`test-user`; without it all but the last, since one `make test` takes a quarter of an hour. `FRESH_CACHE` names a folder
in which the system stays for the next time; `FRESH_MIRROR` another archive of Debian.
"""

import os
import re
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from experiments.claims import Claim, Say
from experiments.fresh_machine import (
    USER,
    Files,
    Machine,
    Place,
    Ran,
    base_archive,
    changed,
    checked,
    files_of,
    machine,
    missing_here,
)
from include.embedded.state import CHECKOUT
from include.loadtest.errors import ConfigError, nearest

NAME = "fresh"
NEEDED = ("make", "python3", "python3-venv")
"""What the README names; git only fetches the clone."""
SOURCE = "srv/loadtest"
DEMO, TEST = "make demo", "make test"
VERDICT, LACKING = "verdict: ", "not on this machine: "
CLONE_LIMIT_S, DEMO_LIMIT_S, TEST_LIMIT_S = 60.0, 900.0, 3600.0
VERDICT_WITHIN_S = 300.0
ROOT_PLACE = Place("root", "/root/loadtest")
USER_PLACE = Place(USER, f"/home/{USER}/loadtest")
AWKWARD_PLACE = Place(
    USER, "/srv/only read/load test's", umask="077", extra=(("LC_ALL", "C"),), without=("HOME", "TERM")
)
CACHES = re.compile(r"^(root|home/[^/]+)/\.cache(/(uv|pip)(/.*)?)?$")
"""Where pip and uv keep what they fetched, as they do for every project."""
PACKAGES = re.compile(r"^(usr|etc|var|boot|opt|lib|bin|sbin)(/|$)")
"""Where Debian's packages lie, which `make test` installs as root."""
SHOWN = 5


@dataclass(frozen=True)
class _Visit:
    """One command of one user on a machine of its own; `until` is what its verdict's line contains."""

    who: str
    place: Place
    command: str
    limit_s: float
    until: str
    packages: tuple[str, ...] = (*NEEDED, "git")
    may_install: bool = False


VISITS = {
    "demo-root": _Visit("root", ROOT_PLACE, DEMO, DEMO_LIMIT_S, f"\n{VERDICT}"),
    "demo-user": _Visit("an ordinary user", USER_PLACE, DEMO, DEMO_LIMIT_S, f"\n{VERDICT}"),
    "demo-awkward": _Visit(
        "no git, no HOME, locale C, umask 077, a blank and a quote in the path, a parent that cannot be written",
        AWKWARD_PLACE,
        DEMO,
        DEMO_LIMIT_S,
        f"\n{VERDICT}",
        packages=NEEDED,
    ),
    "test-root": _Visit("root", ROOT_PLACE, TEST, TEST_LIMIT_S, "", may_install=True),
    "test-user": _Visit("an ordinary user", USER_PLACE, TEST, TEST_LIMIT_S, ""),
}
MISSING, LONG = "missing", "test-user"


def claims(say: Say) -> Iterator[Claim]:
    """Each on a new machine. Raises ConfigError: an unknown name in FRESH, or no way to make one."""
    steps = steps_of(os.environ.get("FRESH", ""))
    lack = missing_here()
    if lack is not None:
        raise ConfigError(f"a fresh machine cannot be made here: {lack}")
    _say_what_is_not_committed(say)
    with _cache() as cache:
        archive = base_archive(cache, say)
        for step in steps:
            say(f"fresh machine: {step}")
            with machine(archive, say) as fresh:
                yield from _nothing_there(fresh) if step == MISSING else _visit(fresh, VISITS[step], say)


def steps_of(chosen: str) -> list[str]:
    """The steps in `chosen` (comma-separated), the usual ones for none. Raises ConfigError for an unknown one."""
    known = [MISSING, *VISITS]
    steps = [name.strip() for name in chosen.split(",") if name.strip()]
    for name in steps:
        if name not in known:
            raise ConfigError(f"FRESH: unknown step {name!r}; {nearest(name, known)}")
    return steps or [name for name in known if name != LONG]


def _nothing_there(fresh: Machine) -> Iterator[Claim]:
    """What the README asks for is installed piece by piece; until it is there, the command names what is not."""
    fresh.install("make", "git")
    _check_out(fresh, USER_PLACE, has_git=True)
    for package, named in (("python3", "no Python 3.11, 3.12 or 3.13 found"), ("python3-venv", "venv module")):
        ran = fresh.run(USER_PLACE, DEMO, DEMO_LIMIT_S)
        lines = [line for line in ran.output.splitlines() if named in line]
        says = lines[0] if lines else ran.output[-200:]
        ok = bool(lines) and ran.exit_code != 0
        yield Claim(
            NAME,
            f"{DEMO} without Debian's {package}",
            f"fails and says: {named}",
            f"exit code {ran.exit_code}: {says}",
            ok,
        )
        fresh.install(package)


def _visit(fresh: Machine, visit: _Visit, say: Say) -> Iterator[Claim]:
    fresh.install(*visit.packages)
    _check_out(fresh, visit.place, has_git="git" in visit.packages)
    checkout = visit.place.folder.lstrip("/")
    before = files_of(fresh.root, [checkout])
    ran = fresh.run(visit.place, visit.command, visit.limit_s, visit.until)
    after = files_of(fresh.root, [checkout])
    through = opened(before, after, checkout)
    touched = [path for path in outside(changed(before, after), visit.may_install) if path not in through]
    for line in ran.output.splitlines()[-SHOWN:]:
        say(f"  {line}")
    what = f"{visit.command} from a fresh clone, {visit.who}"
    yield _tested(what, visit, ran) if visit.command == TEST else _shown(what, ran)
    yield Claim(NAME, f"{what}: left running", "none", _listed(ran.left_running), not ran.left_running)
    rest = [*touched, *_kept(fresh.root)]
    beside = "the caches of pip and uv and Debian's packages" if visit.may_install else "the caches of pip and uv"
    passed = f"; others may now pass {', '.join(through)}, as PostgreSQL's user must" if through else ""
    claim = f"{what}: written outside of the checkout, but for {beside}"
    yield Claim(NAME, claim, "none", _listed(rest) + passed, not rest)


def _kept(root: Path) -> list[str]:
    """Files that lie in /tmp still; the last sessions of pytest keep theirs on purpose."""
    files = (path.relative_to(root) for path in (root / "tmp").rglob("*") if not path.is_dir())
    return sorted(str(path) for path in files if not path.parts[1].startswith("pytest-of-"))


def _tested(what: str, visit: _Visit, ran: Ran) -> Claim:
    lacking = next((line for line in ran.output.splitlines() if line.startswith(LACKING)), "")
    said = f"{summary(ran.output)}; {lacking or 'no package is missing'}"
    expected = "exit code 0, " + ("all tests" if visit.may_install else "and it names what only root can install")
    ok = ran.exit_code == 0 and visit.may_install != bool(lacking)
    return Claim(NAME, what, expected, f"exit code {ran.exit_code} after {ran.seconds:.0f} s: {said}", ok)


def _shown(what: str, ran: Ran) -> Claim:
    verdict, took = verdict_of(ran.output), ran.seconds_to
    in_time = took is not None and took <= VERDICT_WITHIN_S
    after = "no verdict" if took is None else f"verdict: {verdict} after {took:.0f} s"
    measured = f"exit code {ran.exit_code}, {after}, of which {packages_time(ran.output)}"
    ok = ran.exit_code == 0 and verdict == "PASS" and in_time
    return Claim(NAME, what, f"exit code 0, verdict: PASS within {VERDICT_WITHIN_S:.0f} s", measured, ok)


def verdict_of(output: str) -> str:
    """The verdict that a command showed last; none: `none`."""
    shown = [line.removeprefix(VERDICT) for line in output.splitlines() if line.startswith(VERDICT)]
    return shown[-1] if shown else "none"


def packages_time(output: str) -> str:
    """How long the packages took, in the command's words."""
    found = re.search(r"^packages installed +(\d+ s)$", output, re.MULTILINE)
    return f"packages {found[1]}" if found else "packages were not installed"


def summary(output: str) -> str:
    """pytest's last line, without its frame; none: the last line."""
    lines = [line.strip(" =") for line in output.splitlines() if line.strip()]
    counted = [line for line in lines if re.search(r"\d+ (passed|failed|error)", line)]
    return (counted or lines or [""])[-1]


def outside(paths: list[str], may_install: bool) -> list[str]:
    """Of what changed, all but the caches of pip and uv and, where allowed, Debian's packages; of a folder it alone."""
    allowed = (CACHES, PACKAGES) if may_install else (CACHES,)
    found = [path for path in paths if not any(pattern.match(path) for pattern in allowed)]
    return [path for path in found if str(Path(path).parent) not in found]


def opened(before: Files, after: Files, checkout: str) -> list[str]:
    """Folders on the way to the checkout that others may now pass, not list: root's PostgreSQL is another user's."""
    way = [str(parent) for parent in Path(checkout).parents]
    return [
        path
        for path in way
        if path in before and path in after and before[path][0] != after[path][0] == before[path][0] | stat.S_IXOTH
    ]


def _listed(found: Sequence[str]) -> str:
    """The first few, and how many more there are."""
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return ("; ".join(found[:SHOWN]) + more) if found else "none"


def _check_out(fresh: Machine, place: Place, *, has_git: bool) -> None:
    """The committed state of this checkout in a folder of the user's: a clone, or without git the files alone."""
    source, folder = fresh.root / SOURCE, fresh.root / place.folder.lstrip("/")
    form = ["bundle", "create", str(source)] if has_git else ["archive", "--format=tar", f"--output={source}"]
    checked(["git", "-C", str(CHECKOUT), *form, "HEAD"])
    folder.mkdir(parents=True)
    if place.user == USER:
        home = (fresh.root / "home" / USER).stat()
        os.chown(folder, home.st_uid, home.st_gid)
    take = f"git clone --quiet /{SOURCE} ." if has_git else f"tar --extract --file /{SOURCE}"
    ran = fresh.run(place, take, CLONE_LIMIT_S)
    if ran.exit_code:
        raise RuntimeError(f"no clone in {place.folder}:\n{ran.output}")


def _say_what_is_not_committed(say: Say) -> None:
    """A clone has what is committed, and no more."""
    ran = subprocess.run(
        ["git", "-C", str(CHECKOUT), "status", "--porcelain"], capture_output=True, text=True, check=False, timeout=60
    )
    if ran.stdout:
        say(f"not committed, so not tried: {len(ran.stdout.splitlines())} files")


@contextmanager
def _cache() -> Iterator[Path]:
    """The folder that FRESH_CACHE names, or one for this time."""
    named = os.environ.get("FRESH_CACHE")
    folder = Path(named) if named else Path(tempfile.mkdtemp(prefix="loadtest-fresh-"))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield folder
    finally:
        if not named:
            shutil.rmtree(folder, ignore_errors=True)
