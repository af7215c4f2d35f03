"""`python -m include.demo_target.worker`: one process of a target that has several; `workers.py` starts it.

The first line of its standard input says how it is set up; it ends when its standard input does.
"""

import json
import os
import socket
import sys
import threading
from pathlib import Path
from typing import Any

from include.demo_target.app import build_app
from include.demo_target.llm import announce
from include.demo_target.services import Settings, build_services
from include.demo_target.serving import AnnouncingServer


def main() -> int:
    """Serve until stopped."""
    order: dict[str, Any] = json.loads(sys.stdin.buffer.readline())
    settings = Settings.from_json(order["settings"])
    listeners = [socket.socket(fileno=number) for number in order["listeners"]]
    ready_file = Path(order["ready_file"])
    server = AnnouncingServer(build_app(build_services(settings)), lambda: announce({"pid": os.getpid()}, ready_file))
    threading.Thread(target=_stop_at_end_of_stdin, args=(server,), daemon=True).start()
    server.run(sockets=listeners)
    return 0 if server.started else 1


def _stop_at_end_of_stdin(server: AnnouncingServer) -> None:
    sys.stdin.buffer.read()
    server.should_exit = True


if __name__ == "__main__":
    sys.exit(main())
