"""What k6 runs: one function a scenario in scenarios.js, and the process beside it that turns its points into samples.

`load.js` is the script; all its numbers come from a plan that `include.loadtest.runners.k6` writes from the profile.
"""
