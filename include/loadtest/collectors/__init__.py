"""Readings of the servers beside a load, taken by a process of its own on a fixed schedule."""
