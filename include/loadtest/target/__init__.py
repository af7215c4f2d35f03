"""All that touches the target besides the load: its settings, checks before a run, users, sessions, cache warming."""
