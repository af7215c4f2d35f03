"""The services of docker-compose.yaml on a private Docker daemon, with stand-in images: started, used, killed, removed.

It needs root on Debian, and about 7 GB of disk below `.embedded/docker`.
"""

from collections.abc import Iterator

from experiments.claims import Claim, Say
from experiments.compose import files, keeping, loads, running, standins
from experiments.compose.engine import private_docker
from experiments.compose.stack import project

NAME = "compose"


def claims(say: Say) -> Iterator[Claim]:
    """From the files to the last container."""
    with private_docker(say) as docker, project(docker, say) as own:
        yield from files.claims(own, NAME)
        standins.build(docker, say)
        yield from running.start(own, NAME)
        yield from running.observed(own, NAME)
        yield from running.roles(own, NAME)
        yield from loads.loads(own, NAME)
        yield keeping.cleaned(own, NAME)
        yield from keeping.keeping(own, NAME)
        yield from loads.kills(own, NAME)
        yield keeping.end(own, NAME)
