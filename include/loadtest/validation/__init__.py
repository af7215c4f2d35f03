"""Judging a run's metrics by its profile's limits."""
