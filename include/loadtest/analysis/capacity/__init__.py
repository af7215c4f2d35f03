"""How much load the target carries, from a load in steps: where it breaks, what runs out, and when growth meets it."""

from include.loadtest.analysis.capacity.document import capacity_of

__all__ = ["capacity_of"]
