"""A locustfile as people write it, without anything of this project: what Locust itself says of a frozen target."""

import os

from locust import FastHttpUser, between, task  # noqa: TID253 - a locustfile, read by Locust only


class PlainUser(FastHttpUser):
    """Reads its profile, and thinks for a second."""

    wait_time = between(0.5, 1.5)

    @task
    def read_profile(self) -> None:
        """One request."""
        self.client.get("/api/v1/users/me", headers={"Authorization": f"Bearer {os.environ['PLAIN_USER_TOKEN']}"})
