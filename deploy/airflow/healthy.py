"""Exit code 0 if Airflow's API server says that a component gives signs of life; the component is the argument.

Airflow's own command for it imports all of Airflow, ten seconds of CPU each time; this asks a page.
"""

import json
import sys
import urllib.request

PAGE = "http://api-server:8080/api/v2/monitor/health"

with urllib.request.urlopen(PAGE, timeout=8) as answer:
    status = json.load(answer)[sys.argv[1]]["status"]
sys.exit(0 if status == "healthy" else f"{sys.argv[1]} is {status}")
