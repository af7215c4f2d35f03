"""Codes of the reasons that a verdict gives: what sets each, and what a person does about it."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["aborted", "untrusted", "breach", "missing", "regression", "warning", "note"]
"""Kinds of reasons, in the order in which they decide; a note decides nothing."""


@dataclass(frozen=True)
class ReasonCode:
    """A kind of reason, what sets it, and what a person does about it."""

    code: str
    kind: Kind
    trigger: str
    action: str

    @property
    def page(self) -> str:
        """The page that says how to go on, below `docs/`."""
        return next(f"runbooks/{page}.md" for page, codes in _PAGES.items() if self.code in codes.split())


_PAGES = {
    "stopped": "operator",
    "high-response-times": "auto_stop_latency stall",
    "high-error-rates": "auto_stop_errors",
    "cache": "warm_up_unsettled",
    "llm": "cost_cap cap_unwatched",
    "memory": "target_restarted",
    "rate-limiter": "rate_limiter",
    "setup": "target_unreachable setup_failed",
    "shared-target": "target_locked overlap blackout",
    "generator": "generator_died scenario_failed load_not_achieved generator_starved phases_cut clock_trouble",
    "results": "samples_unreadable stage_failed no_samples too_few_samples",
    "metric-collection": "source_missing source_silent not_exposed nothing_found growth_unknown",
    "limits": "slo_missed slo_near slo_warning no_limits",
    "slower": "regression regression_suspected regression_disproved not_confirmed improved host_noise too_few_runs "
    "not_comparable",
}
REASON_CODES: dict[str, ReasonCode] = {
    reason.code: reason
    for reason in (
        ReasonCode(
            "operator",
            "aborted",
            "A person stopped the load: the Airflow variable loadtest_stop is on, or the task was ended from outside.",
            "If the variable is on, delete it or set it to false when the cause is gone; then start the run again.",
        ),
        ReasonCode(
            "auto_stop_errors",
            "aborted",
            "Nearly all requests of the last window failed (auto_stop.error_share), so the load was ended.",
            "Look at the target: is it up? errors.json in the bundle has examples of the answers.",
        ),
        ReasonCode(
            "auto_stop_latency",
            "aborted",
            "The P95 of the last window was above auto_stop.latency_p95_ms, so the load was ended.",
            "Look at the target: what was saturated? The load was more than the profile lets it bear.",
        ),
        ReasonCode(
            "cost_cap",
            "aborted",
            "The calls of the target's LLM came near the profile's cap (llm), so the load was ended, or none was sent.",
            "Raise the cap in the profile if the load is worth its price; the text has the calls that were counted.",
        ),
        ReasonCode(
            "generator_died",
            "untrusted",
            "The load generator ended before the load was complete; or one of several was lost, or did not come.",
            "Look at generator.log in the bundle and at the machine's memory; start the run again.",
        ),
        ReasonCode(
            "scenario_failed",
            "untrusted",
            "A scenario's own code raised an error, so the load was ended: without it the load is not the profile's.",
            "Mend the scenario that the text names; generator.log in the bundle says more. Then start the run again.",
        ),
        ReasonCode(
            "rate_limiter",
            "untrusted",
            "The target's limiter of one address answered, so the test measured the limiter.",
            "Set RATELIMIT_ENABLED=false on the target, or forwarded_for: true in its target file (if it trusts it).",
        ),
        ReasonCode(
            "target_locked",
            "untrusted",
            "Another run has the target, for longer than this one may wait; or this one lost its lease in use.",
            "Wait until the other has ended; the text names it. If a lease was lost, look why: the task's log says it.",
        ),
        ReasonCode(
            "load_not_achieved",
            "untrusted",
            "Fewer users ran, or fewer arrivals were made, than planned; a slow target is no cause of that.",
            "Look at generator.log in the bundle: why could the users not start?",
        ),
        ReasonCode(
            "generator_starved",
            "untrusted",
            "The generator was held back, so it added to latencies; or nobody knows, as it left no readings.",
            "Move the generator to a machine of its own, or stop what runs beside it.",
        ),
        ReasonCode(
            "phases_cut",
            "untrusted",
            "The load ended before its planned end, and nobody ordered it.",
            "Look at generator.log in the bundle: who ended the generator? Start the run again.",
        ),
        ReasonCode(
            "clock_trouble",
            "untrusted",
            "The generator's wall clock was set during the load; or the clocks of several cannot be compared.",
            "Let the clock be slewed, not stepped (chrony, ntpd), and start the run again.",
        ),
        ReasonCode(
            "overlap",
            "untrusted",
            "The target counted more requests in the hold than this run sent it.",
            "Find who else sends requests to the target; start the run again when it has ended.",
        ),
        ReasonCode(
            "samples_unreadable",
            "untrusted",
            "A part of the samples cannot be read, or a generator sent more requests than there are samples of.",
            "Check the disk of the results folder; start the run again.",
        ),
        ReasonCode(
            "slo_missed",
            "breach",
            "A critical limit was missed.",
            "Read the SLO table of the summary; compare with the last good run.",
        ),
        ReasonCode(
            "target_restarted",
            "breach",
            "The target's process started anew during the load, or did not answer any more after it.",
            "Look at the target's log and its machine for a crash or a process killed for want of memory.",
        ),
        ReasonCode(
            "target_unreachable",
            "missing",
            "The target did not answer before the load; no load was sent.",
            "Start the target, check its address in the connection loadtest_target, then start the run again.",
        ),
        ReasonCode(
            "blackout",
            "missing",
            "The calendar forbids load on the target now, or before its end: a deadline is near. No load was sent.",
            "Start the run after the date in the text, or with ignore_blackout if it must run now.",
        ),
        ReasonCode(
            "setup_failed",
            "missing",
            "Users, sessions or the cache could not be prepared; no load was sent.",
            "The text names the step and its cause.",
        ),
        ReasonCode(
            "stage_failed",
            "missing",
            "A stage ended without its result.",
            "Open the named task's log in Airflow; start the run again.",
        ),
        ReasonCode(
            "no_samples",
            "missing",
            "Not one request lies in the judged phase.",
            "Look at generator.log in the bundle.",
        ),
        ReasonCode(
            "too_few_samples",
            "missing",
            "A required limit could not be judged: too few requests.",
            "Run longer, or with more users.",
        ),
        ReasonCode(
            "source_missing",
            "missing",
            "A required limit could not be judged: its source gave no readings.",
            "Check the connection and permissions of the named source.",
        ),
        ReasonCode(
            "source_silent",
            "missing",
            "A source that a required limit needs gave readings for a part of the phase only.",
            "The text names the source; collectors.log and the gaps in the manifest say why it was silent.",
        ),
        ReasonCode(
            "cap_unwatched",
            "missing",
            "The profile caps the LLM's calls, and they cannot be counted (any more): no load is sent, or it is ended.",
            "Set connection loadtest_llm to the metrics page of the LLM or its gateway, or take llm from the profile.",
        ),
        ReasonCode(
            "no_limits",
            "missing",
            "No limit is defined for this number of users; nothing was judged.",
            "Read the figures as a measurement; for a verdict use at most 100 users.",
        ),
        ReasonCode(
            "regression",
            "regression",
            "Slower than its baseline by more than the relevant change, and the repeats showed it again.",
            "Read in the summary what got slower. If the change is intended, mark it (DAG load_test_housekeeping).",
        ),
        ReasonCode(
            "slo_near",
            "warning",
            "A limit holds, but by less than the profile's warning margin.",
            "Plan capacity before the limit breaks.",
        ),
        ReasonCode(
            "slo_warning",
            "warning",
            "A limit of level warning was missed.",
            "Look at the named scenario or resource.",
        ),
        ReasonCode(
            "not_exposed",
            "warning",
            "The target has nothing that a requirement could be measured by, so nothing is said of it.",
            "The text names what was tried. If the target has it elsewhere, set check_paths in its target file.",
        ),
        ReasonCode(
            "nothing_found",
            "warning",
            "Searches of a requirement found nothing: their times say little of a search that has something to find.",
            "Fill the target's knowledge base, or look why its index does not find what is there.",
        ),
        ReasonCode(
            "growth_unknown",
            "warning",
            "The profile limits how fast something may grow, and that could not be measured: a leak would not be seen.",
            "Hold the load for 30 minutes or more; target memory is measured where one process gives the readings.",
        ),
        ReasonCode(
            "stall",
            "warning",
            "Nothing finished for longer than the profile's stall limit, while requests waited; percentiles hide it.",
            "Look at what the target did at that time: a lock, a long pause, a restart of a part.",
        ),
        ReasonCode(
            "not_confirmed",
            "warning",
            "The run is suspected of being slower, and its repeats did not decide: they failed, or too few were valid.",
            "Open the log of the task confirm; start the profile again before you rely on this run.",
        ),
        ReasonCode(
            "regression_suspected",
            "note",
            "Slower than its baseline by more than unchanged runs differ; too few repeats have shown it so far.",
            "Nothing yet: the DAG repeats the run. If the repeats failed, start the profile again.",
        ),
        ReasonCode(
            "regression_disproved",
            "note",
            "Suspected of being slower, or compared with the current release: its repeats do not show it.",
            "Nothing; if a profile is suspected again and again, look at what else runs on the host at that time.",
        ),
        ReasonCode(
            "improved",
            "note",
            "The latest runs are faster than those before them by more than the relevant change.",
            "Check that the same work is done (no errors, no cache that should miss); then pin a new baseline.",
        ),
        ReasonCode(
            "host_noise",
            "note",
            "Slower, but the target's host was slow: its CPU was taken away, so nothing is said of the product.",
            "Find what else ran on the host (another guest, a backup, a job); run the profile again when it has ended.",
        ),
        ReasonCode(
            "too_few_runs",
            "note",
            "There are not enough comparable runs to tell a change from noise; only the limits count so far.",
            "Nothing: each valid run adds one.",
        ),
        ReasonCode(
            "not_comparable",
            "note",
            "The latest run of the profile had other conditions, so there is no comparison; limits are judged.",
            "The text names the fields. If the change is meant to stay, new runs build a new history.",
        ),
        ReasonCode(
            "warm_up_unsettled",
            "note",
            "The cache's hit rate had not settled when the load began.",
            "Raise warm_up.max_s in the profile if this recurs.",
        ),
    )
}
