"""Builds the DAGs. A DAG file names its schedule and its form; the graph is the same for all."""

from datetime import UTC, datetime
from typing import Any

from airflow.sdk import DAG, Param

from include.loadtest.orchestration.tasks import gate, stage_task

TAG = "load-test"


def load_test_dag(dag_id: str, *, description: str, doc_md: str | None, params: dict[str, Param]) -> DAG:
    """A DAG that makes one run: preflight to gate, with the users' clean-up as its teardown."""
    with DAG(
        dag_id,
        description=description,
        doc_md=doc_md,
        schedule=None,
        start_date=datetime(2024, 12, 1, tzinfo=UTC),
        catchup=False,
        max_active_runs=4,
        tags=[TAG],
        params=params,
        render_template_as_native_obj=True,
    ) as dag:
        build_run()
    return dag


def build_run() -> Any:
    """The tasks of one run, in order; returns its gate."""
    preflight, seed_users, warm_cache, run_profile, collect_metrics, validate_sla, diff_history, publish = (
        stage_task(name)
        for name in (
            "preflight",
            "seed_users",
            "warm_cache",
            "run_profile",
            "collect_metrics",
            "validate_sla",
            "diff_history",
            "publish",
        )
    )
    cleanup_users = stage_task("cleanup_users").as_teardown(setups=preflight)
    end = gate()
    preflight >> seed_users >> warm_cache >> run_profile >> collect_metrics
    collect_metrics >> validate_sla >> diff_history >> publish >> cleanup_users >> end
    publish >> end
    return end
