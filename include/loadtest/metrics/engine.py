"""metrics.json: every figure of a run, computed once, exactly, from its samples and readings.

The document is `{"schema": 1, "metrics": [row, …], "stages": [entry, …], "outcomes": {phase: {outcome: requests}},
"unreadable_parts": [name, …]}`. A row has `metric`, `scope` (`all`, `scenario:…`, `endpoint:…`), `phase`, `value`,
`unit`, `n`, `ci_low`, `ci_high` (two-sided 95 %) and `direction`; a row of a percentile has also `lower_bound`, `max`
and `low_95` (see `rows.percentile_row`). What cannot be said is null, never 0; the row is there all the same, for every
phase that was planned or ran, every scenario that is planned and every endpoint that was called. A part that cannot be
read is named and left out.

`longest_stall_s` has also `from` and `waiting` (see `rows.stall_row`). The rows of a corrected percentile count what
was filled in; it is null for arrivals on a schedule and beside checks. Only a profile with a recovery has
`recovery_time_s` (with `lower_bound`, see `recovery`), only one with steps `saturation_users` and
`breaking_point_users` (with `looked_up_to`, see `stages.step_rows`), only one with a long hold the growth metrics (see
`growth`), only one with checks those of requirements (see `requirements`). Rows of the LLM's calls have also
`lower_bound` and `why` (see `llm`). `stages` are the stages that ran (see `stages.StageRow`).

A percentile is the smallest row with at least that share of the rows at or below it, over the outcomes ok, timeout,
censored and dropped. A time to first token has the rows that have one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from include.loadtest import run
from include.loadtest.bundle import Bundle
from include.loadtest.metrics.figures import SampleFigures
from include.loadtest.metrics.growth import Minutes, growth_rows, has_growth, hold_of, latency_minutes, server_minutes
from include.loadtest.metrics.llm import llm_readings, llm_rows
from include.loadtest.metrics.phases import PhaseSpan, Piece, Stretch, minutes_of, phase_spans, pieces, stretches
from include.loadtest.metrics.reading import reading
from include.loadtest.metrics.recovery import Window, planned_watch, recovery_rows, watched_windows
from include.loadtest.metrics.requirements import RequirementFigures, requirement_figures, requirement_rows
from include.loadtest.metrics.resources import ResourceFigure, resource_figures
from include.loadtest.metrics.rows import cell_rows, probe_row, resource_row, stall_row
from include.loadtest.metrics.samples import sample_figures
from include.loadtest.metrics.stages import stage_rows, step_rows
from include.loadtest.metrics.stalls import Stall, longest_stalls
from include.loadtest.parts import RESOURCE_COLUMNS, SAMPLE_COLUMNS, with_parts
from include.loadtest.profile import Profile
from include.loadtest.profile.vocabulary import PHASES, SCOPE_ALL

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True)
class _OfSamples:
    """What is computed from the samples."""

    figures: SampleFigures
    stalls: Mapping[str, Stall]
    windows: Sequence[Window]
    latencies: Mapping[str, Minutes]
    checked: RequirementFigures


def compute_metrics(bundle: Bundle, profile: Profile, phases: Sequence[PhaseSpan] | None = None) -> dict[str, Any]:
    """Compute all metrics, write metrics.json and return its content.

    `phases` are the phases as they ran; None reads them from the manifest. The module says what the document is.
    """
    manifest = bundle.read(run.MANIFEST) if bundle.has(run.MANIFEST) else {}
    spans = phase_spans(manifest) if phases is None else phases
    parts = stretches(spans)
    stages = pieces(spans)
    hold = hold_of(parts) if has_growth(profile) else None
    of_samples, bad_samples = _of_samples(bundle, profile, parts, stages)
    figures = of_samples.figures
    names = _phase_names(profile, spans, figures)
    (resources, readings, of_llm), bad_resources = with_parts(
        bundle.resources_dir,
        "resources",
        RESOURCE_COLUMNS,
        lambda opened: (resource_figures(opened, names, parts), server_minutes(opened, hold), llm_readings(opened)),
    )
    table = stage_rows(profile, stages, figures)
    further = [
        *(stall_row(name, of_samples.stalls.get(name)) for name in names),
        probe_row(manifest.get("cpu_probe_ms") or []),
        *llm_rows(of_llm, names, parts, (manifest.get("llm") or {}).get("price_eur_a_call")),
        *step_rows(profile, table),
        *recovery_rows(profile, of_samples.windows),
        *growth_rows(profile, {**readings, **of_samples.latencies}, hold),
        *(requirement_rows(of_samples.checked, _notes(bundle)) if profile.checks else ()),
    ]
    document = {
        "schema": 1,
        "metrics": _rows(figures, resources, names, parts) + further,
        "stages": [row.entry() for row in table],
        "outcomes": {name: dict(figures.outcomes.get((name, SCOPE_ALL), {})) for name in names},
        "unreadable_parts": [*bad_samples, *bad_resources],
    }
    bundle.write(run.METRICS, document)
    return document


def _of_samples(
    bundle: Bundle, profile: Profile, parts: Sequence[Stretch], stages: Sequence[Piece]
) -> tuple[_OfSamples, list[str]]:
    """What the samples give, and the names of the parts that cannot be read."""
    scenarios = [name for name, share in profile.scenario_shares.items() if share]
    hold = hold_of(parts) if has_growth(profile) else None
    is_closed = profile.load_model == "closed" and profile.checks is None

    def read_all(opened: "DuckDBPyConnection") -> _OfSamples:
        with reading(opened, parts, stages, is_closed=is_closed) as read:
            figures, stalls = sample_figures(read, scenarios), longest_stalls(read)
        return _OfSamples(
            figures,
            stalls,
            _windows(opened, profile, parts),
            latency_minutes(opened, hold),
            requirement_figures(opened) if profile.checks else RequirementFigures(),
        )

    return with_parts(bundle.samples_dir, "samples", SAMPLE_COLUMNS, read_all)


def _notes(bundle: Bundle) -> dict[str, Any]:
    """What the generator noted of the requirements that it checked; {} where it did not get so far."""
    notes: dict[str, Any] = bundle.read(run.CHECKS)["requirements"] if bundle.has(run.CHECKS) else {}
    return notes


def _windows(opened: "DuckDBPyConnection", profile: Profile, parts: Sequence[Stretch]) -> list[Window]:
    watch = planned_watch(profile, parts)
    if watch is None or profile.recovery is None:
        return []
    return watched_windows(opened, watch, profile.recovery.p95_limit_ms)


def _phase_names(profile: Profile, spans: Sequence[PhaseSpan], figures: SampleFigures) -> list[str]:
    """Phases that were planned, that ran, or that have samples, in the order of the vocabulary."""
    names = {stage.phase for stage in profile.stages()} | {span.name for span in spans} | set(figures.phases)
    known = [name for name in PHASES if name in names]
    return known + sorted(names - set(known))


def _rows(
    figures: SampleFigures,
    resources: Mapping[tuple[str, str], ResourceFigure],
    names: Sequence[str],
    parts: Sequence[Stretch],
) -> list[dict[str, Any]]:
    rows = []
    for phase in names:
        minutes = minutes_of(parts, phase)
        for scope in figures.scopes:
            rows += cell_rows(figures, (phase, scope), minutes)
        rows += [resource_row(metric, phase, figure) for (metric, own), figure in resources.items() if own == phase]
    return rows
