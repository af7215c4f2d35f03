"""Who may open a page and who may change something: Airflow's own users, as its auth manager knows them.

Airflow puts a plugin's app beside its own, not behind its login: each route names one of the two kinds of user here.
"""

from typing import Annotated

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.base_auth_manager import ResourceMethod
from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity, DagDetails
from airflow.api_fastapi.core_api.security import GetUserDep
from airflow.configuration import conf
from airflow.models.dag import DagModel
from fastapi import Depends, HTTPException, Request, status

READ_DAG = "load_test_manual"
"""Who may see the runs of this DAG may see the pages."""
CHANGE_DAG = "load_test_housekeeping"
"""Who may start this DAG, which changes baselines, may change them from the pages."""
REQUEST_HEADER = "X-Loadtest"
"""A header that another site's page cannot send without being asked first, which this app never allows."""
_SAME_SITE = ("same-origin", "none")


def _reader(user: GetUserDep) -> BaseUser:
    """The user, who may read. Raises HTTPException 401 without a login, 403 without the permission."""
    _require("GET", READ_DAG, user)
    return user


def _operator(request: Request, user: GetUserDep) -> BaseUser:
    """The user, who may change baselines, from a page of this app. Raises HTTPException 401, 403 or 415."""
    _require("POST", CHANGE_DAG, user)
    if request.headers.get(REQUEST_HEADER) != "1":
        raise HTTPException(status.HTTP_403_FORBIDDEN, f"refused: the header {REQUEST_HEADER}: 1 is missing")
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in _SAME_SITE:
        raise HTTPException(status.HTTP_403_FORBIDDEN, "refused: the request comes from another site")
    if request.headers.get("Content-Type", "").partition(";")[0].strip().lower() != "application/json":
        raise HTTPException(status.HTTP_415_UNSUPPORTED_MEDIA_TYPE, "refused: the body has to be application/json")
    return user


def _require(method: ResourceMethod, dag_id: str, user: BaseUser) -> None:
    if not _may(method, dag_id, user):
        verb = "see runs of" if method == "GET" else "start"
        raise HTTPException(status.HTTP_403_FORBIDDEN, f"not allowed: it needs the permission to {verb} {dag_id}")


def _may(method: ResourceMethod, dag_id: str, user: BaseUser) -> bool:
    details = DagDetails(id=dag_id, team_name=_team_of(dag_id))
    entity = DagAccessEntity.RUN
    return bool(get_auth_manager().is_authorized_dag(method=method, access_entity=entity, details=details, user=user))


def _team_of(dag_id: str) -> str | None:
    """The team whose DAG it is, as Airflow's own pages ask; without teams its database is not asked."""
    return DagModel.get_team_name(dag_id) if conf.getboolean("core", "multi_team", fallback=False) else None


def may_change(user: BaseUser) -> bool:
    """Whether a page offers the user its changing actions."""
    return _may("POST", CHANGE_DAG, user)


def user_name(user: BaseUser) -> str:
    """How the user is named beside what they did."""
    return user.get_name()


Reader = Annotated[BaseUser, Depends(_reader)]
READS = Depends(_reader)
"""For a router whose functions do not need to know who reads."""
Operator = Annotated[BaseUser, Depends(_operator)]
