"""When a problem becomes an issue, and when it is closed, as data."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator

from include.loadtest.profile.loading import PROFILES_DIR
from include.loadtest.profile.shape import Frozen
from include.loadtest.profile.yaml_source import model_of, read_yaml

TICKETS_FILE = PROFILES_DIR / "tickets.yaml"
EXAMPLE = "include/profiles/tickets.yaml"

Label = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 _:./-]{0,48}[A-Za-z0-9]$")]
"""GitHub takes up to 50 characters; a comma would be two labels when issues are listed by them."""


class TicketRules(Frozen):
    """The content of tickets.yaml.

    labels                  of every issue; the first one is how issues are found again
    label_colour            of labels that have to be created, six hex digits
    close_after_clean_runs  runs in a row that show the problem gone
    reopen_within_days      after its closing the same issue is opened again; later a new one names the old
    max_issues_a_run        further problems of the run are told in the last of them
    """

    labels: Annotated[tuple[Label, ...], Field(min_length=1, max_length=10)]
    label_colour: Annotated[str, Field(pattern=r"^[0-9a-f]{6}$")]
    close_after_clean_runs: Annotated[int, Field(ge=1, le=100)]
    reopen_within_days: Annotated[int, Field(ge=0, le=3650)]
    max_issues_a_run: Annotated[int, Field(ge=1, le=20)]

    @field_validator("labels")
    @classmethod
    def _each_once(cls, labels: tuple[str, ...]) -> tuple[str, ...]:
        for name in labels:
            if [other.lower() for other in labels].count(name.lower()) > 1:
                raise ValueError(f"the label {name} stands twice; keep one")
        return labels


def load_ticket_rules(path: Path = TICKETS_FILE) -> TicketRules:
    """Read and check a file of ticket rules. Raises ConfigError with `file:line` of what is wrong in it."""
    return model_of(read_yaml(path), TicketRules, {}, EXAMPLE)
