"""Common tax questions, FAQ-like: mostly answered from the cache."""

from include.locustfiles.call import Call
from include.locustfiles.chat import chat_call
from include.locustfiles.user_context import UserContext


def next_call(user: UserContext) -> Call:
    """Ask one question."""
    return chat_call("chat_simple", user.question("simple_query"))
