"""Load tests for PratikoAI: the library, its data and its stand-in target."""
