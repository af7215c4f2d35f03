"""A made bundle of a run whose target answers with texts that want to be more than texts."""

from datetime import timedelta

from experiments.big_bundle import STARTED
from include.loadtest.bundle import Bundle
from include.loadtest.profile import Profile
from include.loadtest.recorder import SAMPLE_SCHEMA, PartWriter, Sample
from include.loadtest.run import utc_text
from include.loadtest.scenarios.checks import fingerprint

DISTINCT = 1_000_000
OFTEN = 1_000
"""So many requests failed with the worst text of all; every other text came once."""
ANSWERED = 20_000
SECONDS = 60
_FORMS = (
    "<script>window.hacked=1;alert(1)</script>{}",
    "</script><script>window.hacked=1</script>{}",
    "<img src=x onerror='window.hacked=1'>{}",
    '"><svg/onload=window.hacked=1>{}',
    "javascript:window.hacked=1//{}",
    "{}</title></style></textarea><iframe srcdoc='<script>parent.hacked=1</script>'>",
    "\u202e\u2066{}\x00\x1b[31m\u200f</td></table>",
    "{{{{constructor.constructor('window.hacked=1')()}}}} ${{window.hacked=1}} {} {{% include 'x' %}}",
    "<a href='http://127.0.0.1:1/{0}'>{0}</a><link rel=stylesheet href=//127.0.0.1:1/>",
    "<!--{}--!><base href=//127.0.0.1:1/>\u2028\u2029",
)
_WORST = "<script>window.hacked=1;confirm('x')</script><img src=http://127.0.0.1:1/ onerror=window.hacked=1>"


def hostile_text(number: int) -> str:
    """The text of that number; no two are equal, although numbers in a text are masked where it is recorded."""
    letters = "".join(chr(97 + number // 26**place % 26) for place in range(5))
    return _FORMS[number % len(_FORMS)].format(letters)


def write_hostile(bundle: Bundle, profile: Profile) -> int:
    """Manifest and samples of a run of the profile; returns how many of its requests failed.

    Every other text is recorded as a generator does it, the rest as it came: nothing may rely on that first defence.
    """
    phases = [{"name": "hold", "stage": "hold", "start": utc_text(STARTED)}]
    phases[0]["end"] = utc_text(STARTED + timedelta(seconds=SECONDS))
    bundle.update_manifest(
        started=utc_text(STARTED),
        profile=profile.model_dump(mode="json"),
        parameters={"profile": profile.name, "overrides": {}, "target": "demo", "reason": hostile_text(0)},
        target={"name": "demo", "shares_host": True},
        environment={"app": {"git_sha": hostile_text(1)}},
        faults={},
        phases=phases,
    )
    errors: list[str | None] = [None] * ANSWERED + [_WORST] * OFTEN
    errors += [
        fingerprint(text) if number % 20 < 10 else text
        for number, text in enumerate(map(hostile_text, range(1, DISTINCT)))
    ]
    _write(bundle, errors)
    return len(errors) - ANSWERED


def _write(bundle: Bundle, errors: list[str | None]) -> None:
    writer = PartWriter(bundle.samples_dir, "w0-1", SAMPLE_SCHEMA)
    step_ns = SECONDS * 1_000_000_000 // len(errors)
    first_ns = int(STARTED.timestamp()) * 1_000_000_000
    for number in range(len(errors)):
        error = errors[number * 7919 % len(errors)]  # a prime: failures and answers take turns
        at_ns = first_ns + number * step_ns
        status, outcome = (200, "ok") if error is None else (500, "http_error")
        named = ("simple_query", "chat", number // 100, "hold", "hold", outcome, error, status)
        writer.add(Sample(at_ns, at_ns, 5_000 + number % 4_000, None, *named, 100, None, "w0", number % 100 + 1))
    writer.flush()
