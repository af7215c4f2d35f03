"""What a scenario may know of its user."""

from dataclasses import dataclass

from include.loadtest.scenarios.draws import Draws, Zipf


@dataclass(slots=True)
class UserContext:
    """One virtual user: number, own draws, popularity of questions, studio (None: none), postal codes to use."""

    number: int
    draws: Draws
    popularity: Zipf
    pool_size: int
    studio_id: str | None
    caps: tuple[str, ...]
