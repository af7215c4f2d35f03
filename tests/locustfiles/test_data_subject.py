"""A client's data count as erased only where the target says so of this client, and had them before."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.integration
CLIENT = {"id": 2, "codice_fiscale": "RSSMRA80A01H501U", "nome": "Cliente di prova 1-5"}
GONE = {"id": 2, "codice_fiscale": "ANONIMIZZATO", "nome": "ANONIMIZZATO"}
OTHER = "access: an answer that is not about the erased client"
HELD, ERASED = (200, {"client": CLIENT}), (200, {"client_id": 2})
NOT_FOUND = (404, {"detail": "Not Found"})
# Locust patches sockets, so it is imported in a process of its own. Answers stand in for the network only.
PROBE = """
import json
import sys
from types import SimpleNamespace
from include.loadtest.profile import find_profile, load_profile
from include.locustfiles.checking import Checker
from include.locustfiles.call import Reply
from include.locustfiles.data_subject import DataSubject
from include.locustfiles import sending

class Answering(Checker):
    def request(self, scenario, call, timeout_s):
        status, body = answers[call.endpoint].pop(0)
        content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        return sending._judged(call, Reply(status, content, len(content)))

    def check(self, requirement, calls, figures=None):
        pass

for before, erase, after in json.loads(sys.argv[1]):
    answers = {"client_create": [(201, {"id": 2})], "access_client": [before, after], "erase_client": [erase]}
    profile = load_profile(find_profile("italian_market"))
    team = SimpleNamespace(plan=SimpleNamespace(profile=profile, stages=profile.stages()), run_key=1)
    session = SimpleNamespace(studio_id="s", user_id="8")
    user = SimpleNamespace(team=team, number=5, session=session, iteration=0)
    said = {}
    notes = SimpleNamespace(
        checked=lambda name, shown, **note: said.update(note),
        not_exposed=lambda name, text: said.update(not_exposed=text),
    )
    DataSubject(Answering(user, profile.checks, notes), 0.01).run()
    print(said.get("not_exposed") and "not exposed" or said.get("failed") or "gone")
"""
CASES = [
    (HELD, ERASED, (200, {"client": GONE}), "gone"),
    (HELD, ERASED, (404, {"detail": "Client not found"}), "gone"),
    (HELD, ERASED, (404, {"error": "client_not_found"}), "gone"),
    (HELD, ERASED, NOT_FOUND, 'HTTP 404: {"detail": "Not Found"}'),
    (HELD, ERASED, (405, ""), "HTTP 405: "),
    (HELD, ERASED, (404, "<html>nginx</html>"), "HTTP 404: <html>nginx</html>"),
    (HELD, ERASED, (404, ""), "HTTP 404: "),
    (HELD, ERASED, (500, "x"), "HTTP 500: x"),
    (HELD, ERASED, (200, {"error": "temporarily unavailable"}), OTHER),
    (HELD, ERASED, (200, ""), OTHER),
    (HELD, ERASED, (200, "<html>login</html>"), OTHER),
    (HELD, (200, {"error": "nothing was erased"}), HELD, "erasure: the answer does not name the client"),
    (HELD, NOT_FOUND, HELD, "not exposed"),
    (HELD, (404, ""), HELD, "HTTP 404: "),
    (NOT_FOUND, ERASED, HELD, "not exposed"),
    ((200, {"client": None}), ERASED, HELD, "access: not this client's data"),
]


def test_an_erasure_is_believed_only_where_the_target_tells_of_this_client() -> None:
    """Whatever else comes is a miss with its text; a route that answered before the erasure is not missing after it."""
    arguments = json.dumps([case[:3] for case in CASES])
    probe = subprocess.run(
        [sys.executable, "-c", PROBE, arguments],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert probe.stdout.splitlines() == [expected for *_, expected in CASES], probe.stdout + probe.stderr
