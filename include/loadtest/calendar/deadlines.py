"""Working days in Italy, and the deadlines of a year on the working days to which they move."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from include.loadtest.calendar.model import Rule

ONE_DAY = timedelta(days=1)
SATURDAY = 5


@dataclass(frozen=True)
class Deadline:
    """A rule's deadline: `day` is the working day that counts, `named` the day that the rule names."""

    rule: Rule
    day: date
    named: date

    def text(self) -> str:
        """For a person: title, date, rule, source; and the shift where there is one."""
        shift = f", shifted from {day_text(self.named)}" if self.day != self.named else ""
        return f"{self.rule.title}: deadline {day_text(self.day)}{shift} (rule {self.rule.name}: {self.rule.source})"


def day_text(day: date) -> str:
    """As texts name a day: `Wed 2027-06-16`."""
    return f"{day:%a %Y-%m-%d}"


@lru_cache(maxsize=64)
def national_holidays(year: int) -> frozenset[date]:
    """Italy's national holidays, Easter Monday among them; without the feasts of towns."""
    import holidays

    return frozenset(holidays.country_holidays("IT", years=year))


def working_day(day: date) -> date:
    """That day, or the next one that is no Saturday, Sunday or national holiday."""
    while day.weekday() >= SATURDAY or day in national_holidays(day.year):
        day += ONE_DAY
    return day


def deadlines_of(rules: Sequence[Rule], year: int) -> Mapping[date, tuple[Deadline, ...]]:
    """The deadlines on the working days of a year, by date, in the rules' order.

    The end of the year before is looked at too: a deadline of December may move into January.
    """
    found: dict[date, tuple[Deadline, ...]] = {}
    for rule in rules:
        for named in rule.dates(year - 1)[-1:] + rule.dates(year):
            moved = working_day(named)
            if moved.year == year:
                found[moved] = (*found.get(moved, ()), Deadline(rule, moved, named))
    return found
