"""What Locust runs: one file a scenario, the users, the load shape. Loaded in Locust's own process only.

A module with a function `next_call(user)` is a scenario, and a profile may give it a share of its mix by its name: see
docs/custom-scenarios.md. `user_context.UserContext` is what it may know, `call.Call` what it returns.
"""
