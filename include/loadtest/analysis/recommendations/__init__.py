"""What to change: from the diagnosis' causes, the measured figures and the triggers of the cost file."""

from include.loadtest.analysis.recommendations.advice import recommend
from include.loadtest.analysis.recommendations.facts import Facts, facts_of

__all__ = ["Facts", "facts_of", "recommend"]
