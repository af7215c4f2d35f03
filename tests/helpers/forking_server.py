"""A server that forks workers, as a tested process of this machine."""

import os
import signal
import subprocess
import sys
from contextlib import suppress

from include.loadtest.collectors.plan import Listener

SERVER = """
import os, socket, sys, time
port, workers = int(sys.argv[1]), int(sys.argv[2])
listener = socket.create_server(("127.0.0.1", port), backlog=64, reuse_port="--reuse-port" in sys.argv)
for _ in range(workers):
    if os.fork() == 0:
        time.sleep(600)
if "--with-database" in sys.argv and os.fork() == 0:
    listener.close()
    other = socket.create_server(("127.0.0.1", 0))
    time.sleep(600)
print(listener.getsockname()[1], flush=True)
for order in sys.stdin:
    if order.strip() == "burn":
        end = time.process_time() + 0.3
        while time.process_time() < end:
            pass
    if order.strip() == "child":
        if os.fork() == 0:
            end = time.process_time() + 0.3
            while time.process_time() < end:
                pass
            os._exit(0)
        os.wait()
    print("done", flush=True)
os.killpg(0, 9)
"""
"""A server whose workers inherit its socket, and that works when it is told to on standard input."""


class ForkingServer:
    """A running `SERVER`."""

    def __init__(self, port: int = 0, workers: int = 0, *options: str) -> None:
        command = [sys.executable, "-c", SERVER, str(port), str(workers), *options]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())

    @property
    def listener(self) -> Listener:
        """Where it listens."""
        return Listener(port=self.port, addresses=("127.0.0.1",))

    def order(self, what: str) -> None:
        """Have it done."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{what}\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "done\n"

    def stop(self) -> None:
        """End it and its workers."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            assert stream is not None
            stream.close()
