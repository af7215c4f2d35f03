"""The judge: a great-expectations suite built from a profile's limits, run over one row of judged figures."""

import logging
import math
import os
from collections.abc import Mapping, Sequence
from typing import Any

from include.loadtest import run
from include.loadtest.bundle import Bundle
from include.loadtest.errors import InfrastructureError
from include.loadtest.profile import Profile, Slo
from include.loadtest.profile.vocabulary import METRICS
from include.loadtest.validation.figures import JudgedFigure, judged_figure, samples_in, warning_limit
from include.loadtest.verdict import Outcome, SloResult

SAMPLES, NOT_NULL, LIMIT, MARGIN = "samples", "not_null", "limit", "margin"
"""What an expectation checks; stands in its `meta`, by which its result is found again."""
Results = Mapping[tuple[str, str], Any]
"""Results of the expectations by column and check."""


def validate(bundle: Bundle, profile: Profile, *, shares_host: bool) -> tuple[list[SloResult], dict[str, Any]]:
    """Judge every limit of the profile by metrics.json; write validation.json and return both.

    `shares_host`: the target runs on the generator's machine; its host's figures are then shown, not judged. The
    document is `{"schema": 1, "suite": the suite as great-expectations' JSON, "results": [{"slo", "check", "type",
    "severity", "success", "observed"}], "slos": [SloResult]}`. Raises FileNotFoundError without metrics.json, and
    InfrastructureError when an expectation could not be evaluated.
    """
    metrics = bundle.read(run.METRICS)
    figures = [judged_figure(slo, metrics, shares_host=shares_host) for slo in profile.slos]
    samples: dict[str, int] = {
        phase: samples_in(metrics, phase) for phase in dict.fromkeys(slo.phase for slo in profile.slos)
    }
    suite, results = _run_suite(profile, figures, samples)
    found = {(_meta(result)["column"], _meta(result)["check"]): result for result in results}
    slos = [_slo_result(figure, _outcome(figure.slo, found)) for figure in figures]
    document = {
        "schema": 1,
        "suite": suite,
        "results": [_result_entry(result) for result in results],
        "slos": [vars(slo) for slo in slos],
    }
    bundle.write(run.VALIDATION, document)
    return slos, document


def column_of(slo: Slo) -> str:
    """Name of the column that holds the figure judged by a limit."""
    return f"{slo.key}|{slo.level}"


def _run_suite(
    profile: Profile, figures: Sequence[JudgedFigure], samples: Mapping[str, int]
) -> tuple[dict[str, Any], list[Any]]:
    """The suite as JSON and its results, from a context that keeps nothing and tells nobody."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"  # read at import
    logging.getLogger("great_expectations").setLevel(logging.WARNING)  # 200 lines a run about its own functions
    import great_expectations as gx
    import pandas as pd
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False, metric_calculations=False)
    suite = context.suites.add(
        gx.ExpectationSuite(name=f"sla_{profile.name}", expectations=_expectations(profile, samples))
    )
    if not suite.expectations:
        return suite.to_json_dict(), []
    # One float column each, so that an unknown figure is a null number.
    columns: dict[str, float | None] = {_samples_column(phase): n for phase, n in samples.items()}
    columns |= {column_of(figure.slo): figure.judged for figure in figures}
    frame = pd.DataFrame([columns], dtype="float64")
    asset = context.data_sources.add_pandas("metrics").add_dataframe_asset("judged")
    batch = asset.add_batch_definition_whole_dataframe("run").get_batch(batch_parameters={"dataframe": frame})
    results = list(batch.validate(suite).results)
    _check_evaluated(results)
    return suite.to_json_dict(), results


def _expectations(profile: Profile, samples: Mapping[str, int]) -> list[Any]:
    from great_expectations.expectations.core.expect_column_min_to_be_between import ExpectColumnMinToBeBetween

    rows: list[Any] = [
        ExpectColumnMinToBeBetween(
            column=_samples_column(phase),
            min_value=1,
            severity=_severity("critical"),
            meta={"slo": None, "check": SAMPLES, "column": _samples_column(phase)},
        )
        for phase in samples
    ]
    return rows + [
        expectation for slo in profile.slos for expectation in _slo_expectations(slo, profile.warning_margin)
    ]


def _slo_expectations(slo: Slo, margin: float) -> list[Any]:
    """Known, within the limit, and for a critical limit not near it."""
    from great_expectations.expectations.core.expect_column_values_to_not_be_null import ExpectColumnValuesToNotBeNull

    column = column_of(slo)
    known = ExpectColumnValuesToNotBeNull(column=column, severity=_severity(slo.level), meta=_slo_meta(slo, NOT_NULL))
    limit = _bound(slo, LIMIT, slo.limit, strict=slo.comparator in ("<", ">"), severity=slo.level)
    near_from = warning_limit(slo, margin)
    if near_from is None:
        return [known, limit]
    return [known, limit, _bound(slo, MARGIN, near_from, strict=True, severity="warning")]


def _bound(slo: Slo, check: str, limit: float, *, strict: bool, severity: str) -> Any:
    """An aggregate, not a column-map expectation: it fails on a null, and its result states the observed value."""
    from great_expectations.expectations.core.expect_column_max_to_be_between import ExpectColumnMaxToBeBetween
    from great_expectations.expectations.core.expect_column_min_to_be_between import ExpectColumnMinToBeBetween

    meta = _slo_meta(slo, check)
    if METRICS[slo.metric].direction == "lower":
        return ExpectColumnMaxToBeBetween(
            column=column_of(slo), max_value=limit, strict_max=strict, severity=_severity(severity), meta=meta
        )
    return ExpectColumnMinToBeBetween(
        column=column_of(slo), min_value=limit, strict_min=strict, severity=_severity(severity), meta=meta
    )


def _severity(name: str) -> Any:
    from great_expectations.expectations.metadata_types import FailureSeverity

    return FailureSeverity(name)


def _samples_column(phase: str) -> str:
    return f"samples_{phase}"


def _slo_meta(slo: Slo, check: str) -> dict[str, Any]:
    return {"slo": slo.key, "check": check, "column": column_of(slo)}


def _meta(result: Any) -> dict[str, Any]:
    meta: dict[str, Any] = result.expectation_config.meta
    return meta


def _check_evaluated(results: Sequence[Any]) -> None:
    """An expectation that could not be evaluated is no missed limit."""
    for result in results:
        if "'raised_exception': True" in str(result.exception_info):
            column = _meta(result)["column"]
            raise InfrastructureError(f"great-expectations could not evaluate {column}: {result.exception_info}")


def _outcome(slo: Slo, results: Results) -> Outcome:
    column = column_of(slo)
    if not results[_samples_column(slo.phase), SAMPLES].success or not results[column, NOT_NULL].success:
        return "not_judged"
    if not results[column, LIMIT].success:
        return "missed"
    margin = results.get((column, MARGIN))
    return "met" if margin is None or margin.success else "near"


def _slo_result(figure: JudgedFigure, outcome: Outcome) -> SloResult:
    slo = figure.slo
    return SloResult(
        metric=slo.metric,
        scope=slo.scope,
        phase=slo.phase,
        level=slo.level,
        required=figure.required,
        comparator=slo.comparator,
        observed=figure.observed,
        n=figure.n,
        ci_low=figure.ci_low,
        ci_high=figure.ci_high,
        limit=slo.limit,
        unit=METRICS[slo.metric].unit,
        outcome=outcome,
        close=figure.close,
    )


def _result_entry(result: Any) -> dict[str, Any]:
    meta = _meta(result)
    observed = result.result.get("observed_value")
    return {
        "slo": meta["slo"],
        "check": meta["check"],
        "type": result.expectation_config.type,
        "severity": result.expectation_config.severity.value,
        "success": bool(result.success),
        "observed": None if observed is None or not math.isfinite(observed) else float(observed),
    }
