"""Exit code 0 if Airflow's API server says that a component gives signs of life: COMPONENT [ADDRESS OF THE SERVER].

Airflow's own command for it imports all of Airflow, ten seconds of CPU each time; this asks a page.
"""

import json
import sys
import urllib.request

component, server = [*sys.argv[1:], "http://api-server:8080"][:2]

with urllib.request.urlopen(f"{server}/api/v2/monitor/health", timeout=8) as answer:  # noqa: S310 - http only
    status = json.load(answer)[component]["status"]
sys.exit(0 if status == "healthy" else f"{component} is {status}")
