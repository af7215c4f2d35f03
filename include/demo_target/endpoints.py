"""The bounded set of endpoint names that faults, limits and metrics speak of."""

import re
from dataclasses import dataclass

API = "/api/v1"


@dataclass(frozen=True)
class Endpoint:
    """One call: its name, method and path template."""

    name: str
    method: str
    template: str


ENDPOINTS = (
    Endpoint("login", "POST", f"{API}/auth/login"),
    Endpoint("refresh", "POST", f"{API}/auth/refresh"),
    Endpoint("register", "POST", f"{API}/auth/register"),
    Endpoint("session", "POST", f"{API}/auth/session"),
    Endpoint("chat_stream", "POST", f"{API}/chatbot/chat/stream"),
    Endpoint("chat", "POST", f"{API}/chatbot/chat"),
    Endpoint("chat_messages", "GET", f"{API}/chatbot/messages"),
    Endpoint("chat_clear", "DELETE", f"{API}/chatbot/messages"),
    Endpoint("tax_calculate", "POST", f"{API}/italian/tax/calculate"),
    Endpoint("tax_rates", "GET", f"{API}/italian/tax/rates"),
    Endpoint("tax_imu", "POST", f"{API}/taxes/regional-taxes/calculate/imu"),
    Endpoint("tax_irpef_addizionali", "POST", f"{API}/taxes/regional-taxes/calculate/irpef-addizionali"),
    Endpoint("documents_upload", "POST", f"{API}/documents/upload"),
    Endpoint("documents_search", "GET", f"{API}/documents/search"),
    Endpoint("documents_list", "GET", f"{API}/documents/"),
    Endpoint("documents_get", "GET", f"{API}/documents/{{document_id}}"),
    Endpoint("documents_delete", "DELETE", f"{API}/documents/{{document_id}}"),
    Endpoint("legal_search", "POST", f"{API}/italian/legal/search"),
    Endpoint("users_me", "GET", f"{API}/users/me"),
    Endpoint("subscription", "GET", f"{API}/payments/subscription"),
    Endpoint("invoices", "GET", f"{API}/payments/invoices"),
    Endpoint("billing_usage", "GET", f"{API}/billing/usage"),
    Endpoint("analytics_usage", "GET", f"{API}/analytics/usage/current"),
    Endpoint("settings_get", "GET", f"{API}/settings"),
    Endpoint("settings_put", "PUT", f"{API}/settings"),
    Endpoint("clients_list", "GET", f"{API}/clients"),
    Endpoint("clients_create", "POST", f"{API}/clients"),
    Endpoint("data_subject_request", "POST", f"{API}/privacy/data-subject-request"),
    Endpoint("compliance_status", "GET", f"{API}/privacy/compliance/status"),
    Endpoint("data_rights_access", "GET", f"{API}/data-rights/access/{{client_id}}"),
    Endpoint("data_rights_export", "GET", f"{API}/data-rights/export/{{client_id}}"),
    Endpoint("data_rights_erase", "DELETE", f"{API}/data-rights/erase/{{client_id}}"),
    Endpoint("gdpr_audit", "GET", f"{API}/gdpr/audit/run"),
    Endpoint("audit_log", "GET", f"{API}/audit/events"),
    Endpoint("compliance", "GET", f"{API}/compliance"),
    Endpoint("health", "GET", "/health"),
    Endpoint("api_health", "GET", f"{API}/health"),
    Endpoint("metrics", "GET", "/metrics"),
    Endpoint("monitoring_metrics", "GET", f"{API}/monitoring/metrics"),
)
NAMES = tuple(endpoint.name for endpoint in ENDPOINTS)
UNKNOWN = Endpoint("unknown", "", "unmatched")

_EXACT = {(endpoint.method, endpoint.template): endpoint for endpoint in ENDPOINTS if "{" not in endpoint.template}
_PATTERNS = [
    (endpoint, re.compile(re.sub(r"\{\w+\}", "[^/]+", endpoint.template)))
    for endpoint in ENDPOINTS
    if "{" in endpoint.template
]


def find_endpoint(method: str, path: str) -> Endpoint:
    """The endpoint that serves `method` and `path`; `UNKNOWN` when none does."""
    exact = _EXACT.get((method, path))
    if exact is not None:
        return exact
    for endpoint, pattern in _PATTERNS:
        if endpoint.method == method and pattern.fullmatch(path):
            return endpoint
    return UNKNOWN
