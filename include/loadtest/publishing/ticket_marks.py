"""The hidden marks by which an issue and its comments are found again."""


def ticket_mark(fingerprint: str, generation: int) -> str:
    """The hidden first line of an issue's text; a later issue of the same problem has its number of issue in it."""
    later = f" {generation}" if generation > 1 else ""
    return f"<!-- load-test-ticket: {fingerprint}{later} -->"


def event_mark(fingerprint: str, run_id: str) -> str:
    """The hidden first line of a comment."""
    return f"<!-- load-test-event: {fingerprint} {run_id} -->"


def has_mark(text: str | None, mark: str) -> bool:
    """Whether a line of it is the mark; foreign text never makes such a line."""
    return any(line.strip() == mark for line in (text or "").splitlines())
