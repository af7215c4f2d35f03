"""What Locust runs: one file a scenario, the users, the load shape. Loaded in Locust's own process only."""
