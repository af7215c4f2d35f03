"""The demo target as a service: its database and cache are services beside it, its LLM stub a process of its own.

It listens on every address of its container, and has a switch for faults without a password: it belongs into a network
that nothing but the load tests can reach, as `demo` in docker-compose.yaml.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from include.demo_target.app import build_app
from include.demo_target.services import Settings, build_services
from include.demo_target.serving import AnnouncingServer, bind
from include.embedded.servers import wait_until

PORT = 8000
LLM_START_S = 60.0


def main() -> int:
    """Serve until told to stop; 1 where the LLM stub does not start."""
    state = Path(os.environ["DEMO_STATE"])
    address = state / "llm.json"
    address.unlink(missing_ok=True)
    llm = _start_llm(address)
    try:
        if not wait_until(lambda: address.exists() or llm.poll() is not None, LLM_START_S) or not address.exists():
            return 1
        listener = bind("0.0.0.0", PORT)  # noqa: S104 - in a network of its own
        settings = Settings(
            database_url=os.environ["DEMO_DATABASE_URL"],
            redis_url=os.environ["DEMO_REDIS_URL"],
            llm_url=_read(address),
            own_stub=True,
            directory=state,
        )
        AnnouncingServer(build_app(build_services(settings)), lambda: None).run(sockets=[listener])
        return 0
    finally:
        llm.terminate()
        llm.wait()


def _start_llm(address: Path) -> "subprocess.Popen[bytes]":
    """It ends at the latest when this process does."""
    command = [sys.executable, "-m", "include.demo_target.llm", "--ready-file", str(address), "--until-stdin-closes"]
    return subprocess.Popen(command, stdin=subprocess.PIPE)


def _read(ready_file: Path) -> str:
    return str(json.loads(ready_file.read_text())["llm_url"])


if __name__ == "__main__":
    sys.exit(main())
