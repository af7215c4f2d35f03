"""What calendar.yaml says: deadlines as rules, and windows of the company's own."""

import calendar
from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from include.loadtest.profile.shape import Frozen

AUGUST = 8
MAX_NIGHTS_BEFORE = 7
_COMMON_YEAR = 2027

Text = Annotated[str, Field(min_length=1, max_length=200)]


def _one_line(text: str) -> str:
    if not text.isprintable():
        raise ValueError("write it on one line, without control characters")
    return text


class Rule(Frozen):
    """A deadline that returns every year: `day` of each of `months` (1..12), in August `august_day` where it is set.

    `day` is a day of the month or `last`; `title` is for people, `source` the act and article.
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_]{0,39}$")]
    title: Text
    source: Text
    day: int | Literal["last"]
    months: Annotated[tuple[int, ...], Field(strict=False)]
    august_day: Annotated[int, Field(ge=1, le=31)] | None = None

    _texts = field_validator("title", "source")(_one_line)

    @field_validator("day", mode="before")
    @classmethod
    def _day(cls, day: object) -> object:
        if day != "last" and (type(day) is not int or not 1 <= day <= 31):
            raise ValueError("expected a day from 1 to 31, or last")
        return day

    @field_validator("months")
    @classmethod
    def _months(cls, months: tuple[int, ...]) -> tuple[int, ...]:
        if not months or len(set(months)) < len(months) or not set(months) <= set(range(1, 13)):
            raise ValueError("expected at least one month from 1 to 12, each once")
        return months

    @model_validator(mode="after")
    def _days_exist(self) -> Self:
        if self.august_day is not None and AUGUST not in self.months:
            raise ValueError("august_day is set, but months has no 8: add it or leave august_day out")
        for month in self.months:
            if self.day != "last" and self.day > calendar.monthrange(_COMMON_YEAR, month)[1]:
                raise ValueError(f"month {month} has no day {self.day} in every year: use last")
        return self

    def dates(self, year: int) -> list[date]:
        """Its dates of a year as the law names them, before any shift."""
        return [date(year, month, self._day_in(year, month)) for month in sorted(self.months)]

    def _day_in(self, year: int, month: int) -> int:
        if month == AUGUST and self.august_day is not None:
            return self.august_day
        return calendar.monthrange(year, month)[1] if self.day == "last" else self.day


class Window(Frozen):
    """Days of the company's own without load, the first and the last included (keys `from` and `to`)."""

    first: Annotated[date, Field(alias="from")]
    last: Annotated[date, Field(alias="to")]
    reason: Text

    _texts = field_validator("reason")(_one_line)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.last < self.first:
            raise ValueError("`to` is before `from`: exchange them")
        return self


class CalendarFile(Frozen):
    """The whole file; its comments explain each key."""

    nights_before: Annotated[int, Field(ge=0, le=MAX_NIGHTS_BEFORE)]
    rules: Annotated[tuple[Rule, ...], Field(strict=False)]
    extra: Annotated[tuple[Window, ...], Field(strict=False)] = ()
