"""Requests for a detailed analysis: long answers of the LLM."""

from include.loadtest.scenarios.texts import question_pool
from include.locustfiles.call import Call
from include.locustfiles.chat import chat_call
from include.locustfiles.user_context import UserContext


def next_call(user: UserContext) -> Call:
    """Ask one question of the pool; popular ones are asked more often."""
    questions = question_pool("complex_query", user.pool_size)
    return chat_call("chat_complex", questions[user.popularity.rank(user.draws)])
