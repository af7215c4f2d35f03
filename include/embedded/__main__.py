"""The commands behind `make up`, `make down`, `make run` and `make demo`.

Exit codes: 0 done, or verdict PASS or WARN; 1 another verdict or a failure; 2 bad input; 130 interrupted.
"""

import argparse
import os
import secrets
import signal
import sys
from datetime import UTC, datetime
from types import FrameType

from include.embedded.airflow import USER, client_of
from include.embedded.client import ApiUnavailableError
from include.embedded.environment import down, is_running, running_state, up
from include.embedded.follow import Outcome, follow
from include.embedded.inputs import MANUAL_DAG, RunInputs, read_inputs, read_port
from include.embedded.ports import PortTakenError
from include.embedded.state import EmbeddedError, EnvironmentState, Layout
from include.loadtest.errors import ConfigError

DONE, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130
DEMO_PROFILE = "smoke"
_LAYOUT = Layout()


def main() -> int:
    """Run one command; returns its exit code."""
    commands = {"up": _up, "down": _down, "run": _run, "demo": _demo}
    parser = argparse.ArgumentParser(prog="python -m include.embedded", description=__doc__)
    parser.add_argument("command", choices=commands)
    command = commands[parser.parse_args().command]
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return command()
    except (ConfigError, PortTakenError) as error:
        print(" ".join(str(error).split()), file=sys.stderr)
        return BAD_INPUT
    except EmbeddedError as error:
        print(error, file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED


def _up() -> int:
    state = up(_LAYOUT, port=read_port(os.environ), say=_say)
    _say(f"Airflow: {state.url}  user: {USER}  password: in {_LAYOUT.passwords_file}")
    _say(f"for Prometheus: http://{state.exporter}/metrics")
    _say(f"default target: {state.default_target}; start a load test with `make run PROFILE={DEMO_PROFILE}`")
    return DONE


def _down() -> int:
    down(_LAYOUT, say=_say)
    return DONE


def _run() -> int:
    inputs = read_inputs(os.environ)
    state = running_state(_LAYOUT)
    if state is None:
        raise ConfigError("the environment is not running: start it with `make up`")
    return _report(_run_and_follow(state, inputs, "make run"))


def _demo() -> int:
    port, inputs = read_port(os.environ), read_inputs({"PROFILE": DEMO_PROFILE})
    state = running_state(_LAYOUT)
    if state is not None:
        _say(f"using the environment that runs already: {state.url}")
        return _report(_run_and_follow(state, inputs, "make demo"))
    state = up(_LAYOUT, port=port, say=_say)
    try:
        outcome = _run_and_follow(state, inputs, "make demo")
    finally:
        down(_LAYOUT, say=_say)
    return _report(outcome)


def _run_and_follow(state: EnvironmentState, inputs: RunInputs, reason: str) -> Outcome:
    client = client_of(_LAYOUT, state, is_alive=lambda: is_running(_LAYOUT, state))
    run_id = f"{reason.replace(' ', '_')}__{datetime.now(UTC):%Y%m%dT%H%M%S}_{secrets.token_hex(2)}"
    page = f"{state.url}/dags/{MANUAL_DAG}/runs/{run_id}"
    _say(inputs.load_text(state.default_target))
    try:
        client.unpause(MANUAL_DAG)  # for good: it has no schedule, and pausing it would freeze other people's runs
        client.trigger(MANUAL_DAG, run_id, inputs.conf(state.default_target, reason))
        _say(f"run {run_id}: {page}")
        return follow(client, MANUAL_DAG, run_id, say=_say, group=inputs.group)
    except ApiUnavailableError as error:
        if not is_running(_LAYOUT, state):
            raise EmbeddedError("the environment was stopped before the run ended") from error
        raise
    except KeyboardInterrupt:
        if reason == "make run":
            print(f"\nthe run goes on; to stop it, mark it as failed on {page} or `make down`", file=sys.stderr)
        raise
    finally:
        client.close()


def _report(outcome: Outcome) -> int:
    if outcome.verdict is None:
        failed = ", ".join(outcome.failed_tasks) or "none"
        print(f"the run ended ({outcome.state}) without a verdict; failed tasks: {failed}", file=sys.stderr)
        return FAILED
    _say(f"verdict: {outcome.verdict}")
    _say(f"bundle: {outcome.bundle}")
    return DONE if outcome.verdict in ("PASS", "WARN") else FAILED


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
