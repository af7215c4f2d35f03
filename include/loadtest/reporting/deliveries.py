"""Where a run was told of, as its report shows it: what is not there yet, is not hidden. Pure.

`manifest["deliveries"]` is a list of `{"what", "state", "text", "url"}`: `state` is delivered, waiting (tried again),
given_up or not_configured; `text` is one line; `url` leads to what was delivered, null where nothing is known.
"""

import re
from collections.abc import Mapping
from typing import Any

from include.loadtest.reporting.markdown import plain, section, table

Row = Mapping[str, Any]

_URL = re.compile(r"https?://[A-Za-z0-9._~:/?#@&=+%-]+")
_STATES = {
    "delivered": "✅ delivered",
    "waiting": "🟡 waiting, tried again",
    "given_up": "❌ given up",
    "not_configured": "⚪ not configured",
}


def deliveries_section(report: Row) -> str:
    """A row a delivery; empty where nothing was to be delivered."""
    rows = [(_what(entry), _STATES[entry["state"]], plain(entry["text"])) for entry in report.get("deliveries") or ()]
    return section("Deliveries", table(("what", "state", "how it went"), rows))


def _what(entry: Row) -> str:
    """With a link where there is one that cannot end the link's own markup."""
    what = plain(entry["what"])
    is_safe = _URL.fullmatch(entry.get("url") or "") is not None
    return f"[{what.replace(']', '&#93;')}]({entry['url']})" if is_safe else what
