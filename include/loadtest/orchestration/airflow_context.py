"""From a running Airflow task to the context of its run or suite: equal in every task of a DAG run."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import quote

from airflow.sdk import get_current_context

from include.loadtest import run
from include.loadtest.bundle import Bundle
from include.loadtest.errors import InfrastructureError
from include.loadtest.orchestration import settings
from include.loadtest.orchestration.context import RunContext, SuiteContext
from include.loadtest.orchestration.generators import LOAD_MASTER
from include.loadtest.orchestration.order import RunOrder
from include.loadtest.orchestration.params import PRE_RELEASE_DAG
from include.loadtest.orchestration.storage import bundle_uri, local_bundle
from include.loadtest.profile import profile_names
from include.loadtest.profile.suites import Suite
from include.loadtest.reporting.suite import SuiteEntry
from include.loadtest.target.production import Trigger, refuse_production
from include.loadtest.target.settings import Target

SENDING = frozenset({"preflight", "seed_users", "warm_cache", "run_profile", "generators"})
"""Tasks that begin to send something to a target."""
_ENDED = frozenset({"success", "failed", "skipped", "upstream_failed", "removed"})
"""States of a task that runs no more."""


def owner_of(dag_run: Any) -> str:
    """The DAG run as it stands in a target's lock."""
    return settings.owner_name(dag_run.dag_id, dag_run.run_id)


def link_of(dag_run: Any) -> str:
    """The address of a DAG run's page."""
    return f"{settings.airflow_url()}/dags/{quote(dag_run.dag_id)}/runs/{quote(dag_run.run_id)}"


def _target(name: str) -> Target:
    """A target that the task's DAG run may use. Raises ConfigError: as `load_target`, or it is production's."""
    target = settings.load_target(name)
    refuse_production(target, trigger_of(get_current_context()))
    return target


def trigger_of(context: Any) -> Trigger:
    """Who started the task's DAG run. A confirmation counts only where the DAG's form asks for one."""
    dag_run = context["dag_run"]
    sends = context["ti"].task_id.rpartition(".")[2] in SENDING
    asked = "confirm_production" in context["dag"].params
    return Trigger(
        run_type=getattr(dag_run.run_type, "value", dag_run.run_type),
        user=getattr(dag_run, "triggering_user_name", None) or None,
        confirmed=context["params"].get("confirm_production") if asked else None,
        age_s=(datetime.now(UTC) - dag_run.run_after).total_seconds() if sends else None,
    )


def files_tickets(dag_run: Any, order: RunOrder) -> bool:
    """Whether findings of a run become GitHub issues: of a scheduled run, and of one before a release.

    A rehearsal with numbers of its own is another test than the profile's: it opens and closes nothing.
    """
    is_rehearsal = bool(order.overrides.changed) or order.profile_yaml is not None
    return bool(dag_run.run_type == "scheduled") or (dag_run.dag_id == PRE_RELEASE_DAG and not is_rehearsal)


def _suite_run_id(suite: Suite, dag_run: Any) -> str:
    name = f"{suite.name}_suite" if suite.name in profile_names() else suite.name  # its run has a bundle of its own
    return run.run_id_for(name, dag_run.run_after, owner_of(dag_run))


def _run_id_in(suite: Suite, index: int, dag_run: Any) -> str:
    return run.run_id_for(suite.runs[index].profile, dag_run.run_after, owner_of(dag_run))


@contextmanager
def suite_context(suite: Suite, *, keep: bool = True) -> Iterator[SuiteContext]:
    """The context of the task's suite; `keep` is False where its bundle is only read."""
    airflow_context = get_current_context()
    dag_run, params = airflow_context["dag_run"], airflow_context["params"]
    suite_run_id = _suite_run_id(suite, dag_run)
    with local_bundle(settings.results_uri(), suite_run_id, settings.work_root(), keep=keep) as bundle:
        yield SuiteContext(
            bundle=bundle,
            bundle_uri=bundle_uri(settings.results_uri(), suite_run_id),
            target_name=str(params["target"]),
            load_target=_target,
            history_url=settings.history_url(),
            work_dir=settings.work_root() / suite_run_id,
            owner=owner_of(dag_run),
            stop_requested=settings.StopSwitch(),
            ignore_blackout=params.get("ignore_blackout") is True,
            suite=suite,
            reason=str(params.get("reason") or ""),
            link=link_of(dag_run),
            find_services=settings.services,
        )


def _own_params() -> dict[str, Any]:
    """The DAG run's parameters, without a profile as text where the DAG's form has no place for one.

    Whoever triggers over the API may send fields that a form does not have: a release is tested with its own profile.
    """
    context = get_current_context()
    params = dict(context["params"])
    return params if "profile_yaml" in context["dag"].params else params | {"profile_yaml": None}


@contextmanager
def run_context(
    suite: Suite | None, index: int, keeps: Callable[[str], bool] = lambda _: True
) -> Iterator[RunContext]:
    """The context of the task's run: of its own, or the one with that index in a suite.

    `keeps`: the files of the bundle, by their path in it, that this task writes.
    """
    if suite is None:
        order = RunOrder.from_params(_own_params())
        dag_run = get_current_context()["dag_run"]
        run_id = run.run_id_for(order.profile, dag_run.run_after, owner_of(dag_run))
        with _run_context(order, run_id, None, 0, keeps) as context:
            yield context
        return
    with suite_context(suite, keep=False) as within:
        order = RunOrder.from_suite(suite.runs[index], get_current_context()["params"])
        run_id = _run_id_in(suite, index, get_current_context()["dag_run"])
        with _run_context(order, run_id, within, index, keeps) as context:
            yield context


@contextmanager
def _run_context(
    order: RunOrder, run_id: str, suite: SuiteContext | None, index: int, keeps: Callable[[str], bool]
) -> Iterator[RunContext]:
    dag_run = get_current_context()["dag_run"]
    work_root = suite.work_dir if suite else settings.work_root()
    with local_bundle(settings.results_uri(), run_id, settings.work_root(), keeps=keeps) as bundle:
        yield RunContext(
            bundle=bundle,
            bundle_uri=bundle_uri(settings.results_uri(), run_id),
            target_name=order.target,
            load_target=_target,
            history_url=settings.history_url(),
            work_dir=work_root / run_id,
            owner=owner_of(dag_run),
            stop_requested=settings.StopSwitch(),
            ignore_blackout=order.ignore_blackout,
            order=order,
            suite=suite,
            repeats=suite.suite.runs[index].repeated if suite else "confirm" in get_current_context()["dag"].task_ids,
            not_configured=settings.not_configured(order.target),
            find_services=settings.services,
            files_tickets=files_tickets(dag_run, order),
            bundle_of=lambda other: local_bundle(settings.results_uri(), other, settings.work_root()),
            link=link_of(dag_run),
            master_host=settings.master_host(),
            on_listening=partial(get_current_context()["ti"].xcom_push, LOAD_MASTER),
        )


def find_master() -> str | None:
    """Where the master of the task's load listens, as the `run_profile` beside it has said; None: not yet.

    Raises InfrastructureError where that task has ended, so that none comes any more.
    """
    instance = get_current_context()["ti"]
    task_id = f"{instance.task_id.rpartition('.')[0]}.run_profile".lstrip(".")
    address = instance.xcom_pull(task_ids=task_id, key=LOAD_MASTER, map_indexes=None)
    if address:
        return str(address)
    states = instance.get_task_states(dag_id=instance.dag_id, task_ids=[task_id], run_ids=[instance.run_id])
    state = (states.get(instance.run_id) or {}).get(task_id)
    if state in _ENDED:
        raise InfrastructureError(f"{task_id} has ended ({state}) and began no load: there is none to share")
    return None


def suite_entries(suite: Suite) -> Sequence[SuiteEntry]:
    """The suite's runs, as far as they got, from their bundles."""
    dag_run = get_current_context()["dag_run"]
    entries = []
    for index, entry in enumerate(suite.runs):
        run_id = _run_id_in(suite, index, dag_run)
        with local_bundle(settings.results_uri(), run_id, settings.work_root(), keep=False) as bundle:
            document = partial(_document, bundle)
            uri = bundle_uri(settings.results_uri(), run_id)
            entries.append(SuiteEntry(run_id, entry.profile, uri, document(run.MANIFEST), document(run.VERDICT)))
    return entries


def document_of(entry: SuiteEntry, name: str) -> dict[str, Any] | None:
    """A JSON file of a suite's run; None where it left none."""
    with local_bundle(settings.results_uri(), entry.run_id, settings.work_root(), keep=False) as bundle:
        return _document(bundle, name)


def _document(bundle: Bundle, name: str) -> dict[str, Any] | None:
    return bundle.read(name) if bundle.has(name) else None
