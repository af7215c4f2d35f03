"""The load-test library: drive load truthfully, measure it, judge it, explain it."""
