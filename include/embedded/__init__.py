"""Servers that come as Python packages and run on this machine only."""
