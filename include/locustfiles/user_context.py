"""What a scenario may know of its user."""

from dataclasses import dataclass, field
from typing import Any

from include.loadtest.scenarios.draws import Draws, Zipf
from include.loadtest.scenarios.texts import QuestionKind, new_question, question_pool


@dataclass(slots=True)
class UserContext:
    """One virtual user: number, own draws, popularity of questions, studio (None: none), postal codes to use.

    `memory` is what its scenarios keep from one iteration to the next, under keys of their own.
    """

    number: int
    draws: Draws
    popularity: Zipf
    pool_size: int
    new_share: float
    run_key: int
    studio_id: str | None
    caps: tuple[str, ...]
    new_questions: int = 0
    memory: dict[str, Any] = field(default_factory=dict)

    def question(self, kind: QuestionKind) -> str:
        """The next question of a kind: a popular one more often, and some that nobody has asked before."""
        question = question_pool(kind, self.pool_size)[self.popularity.rank(self.draws)]
        if self.draws.uniform(0, 1) >= self.new_share:
            return question
        self.new_questions += 1
        return new_question(question, self.run_key, self.number, self.new_questions)
