"""The scenarios of a load: a module of this package each, imported only where the profile gives it a share."""

from collections.abc import Callable
from importlib import import_module

from include.loadtest.profile import Profile
from include.locustfiles.call import Call
from include.locustfiles.user_context import UserContext

NextCall = Callable[[UserContext], Call]


def next_calls(profile: Profile) -> dict[str, NextCall]:
    """What each scenario of the profile asks next, by its name. Raises ImportError for a module that is not there."""
    return {name: next_call_of(name) for name, cards in profile.deck().items() if cards}


def called(answer: object) -> Call:
    """What a scenario's `next_call` gave. Raises TypeError for anything but a call."""
    if not isinstance(answer, Call):
        raise TypeError(f"next_call gave {type(answer).__name__}, not a Call")
    return answer


def next_call_of(scenario: str) -> NextCall:
    """What one scenario asks next. Raises ImportError for a module that is not there."""
    next_call: NextCall = import_module(f"{__package__}.{scenario}").next_call
    return next_call
