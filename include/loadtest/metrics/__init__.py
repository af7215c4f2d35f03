"""Exact figures from a run's samples and readings."""
