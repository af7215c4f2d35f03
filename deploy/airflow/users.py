"""Makes the three users and the role of operators; run again, it sets passwords and roles to what is wanted now.

Passwords: `LOADTEST_VIEWER_PASSWORD`, `LOADTEST_OPERATOR_PASSWORD`, `LOADTEST_ADMIN_PASSWORD`. A user who was made by
hand stays as they are.
"""

import logging
import os
from typing import TYPE_CHECKING

from airflow.providers.fab.auth_manager.cli_commands.utils import get_application_builder
from airflow.providers.fab.www.security import permissions
from airflow.utils.providers_configuration_loader import providers_configuration_loaded

if TYPE_CHECKING:
    from airflow.providers.fab.auth_manager.security_manager.override import FabAirflowSecurityManagerOverride

LOG = logging.getLogger("loadtest.users")
OPERATOR = "Operator"
ROLES = {"viewer": "Viewer", "operator": OPERATOR, "admin": "Admin"}
"""A user each, by the role that they have."""
OPERATORS_MAY = (
    (permissions.ACTION_CAN_EDIT, permissions.RESOURCE_DAG),
    (permissions.ACTION_CAN_CREATE, permissions.RESOURCE_DAG_RUN),
    (permissions.ACTION_CAN_EDIT, permissions.RESOURCE_DAG_RUN),
    (permissions.ACTION_CAN_EDIT, permissions.RESOURCE_TASK_INSTANCE),
    (permissions.ACTION_CAN_EDIT, permissions.RESOURCE_HITL_DETAIL),
    (permissions.ACTION_CAN_ACCESS_MENU, permissions.RESOURCE_HITL_DETAIL),
    (permissions.ACTION_CAN_ACCESS_MENU, permissions.RESOURCE_ADMIN_MENU),
    (permissions.ACTION_CAN_ACCESS_MENU, permissions.RESOURCE_VARIABLE),
    (permissions.ACTION_CAN_READ, permissions.RESOURCE_VARIABLE),
    (permissions.ACTION_CAN_CREATE, permissions.RESOURCE_VARIABLE),
    (permissions.ACTION_CAN_EDIT, permissions.RESOURCE_VARIABLE),
    (permissions.ACTION_CAN_DELETE, permissions.RESOURCE_VARIABLE),
)
"""Beyond what a viewer may: start and stop runs, pause DAGs, answer questions, set the switch `loadtest_stop`.

Airflow's permissions know no single variable: whoever sets the switch reads, changes and deletes all variables. No
connection, and no deletion of DAGs or runs.
"""


@providers_configuration_loaded
def main() -> None:
    """Roles first, then the users."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    with get_application_builder() as builder:
        builder.add_permissions(update_perms=True)
        builder.sm.sync_roles()
        _make_operators(builder.sm)
        for name, role in ROLES.items():
            _make_user(builder.sm, name, role, os.environ[f"LOADTEST_{name.upper()}_PASSWORD"])


def _make_operators(manager: "FabAirflowSecurityManagerOverride") -> None:
    """Exactly these permissions: one that an earlier version gave is taken away."""
    role = manager.add_role(OPERATOR)
    wanted = [*manager.VIEWER_PERMISSIONS, *OPERATORS_MAY]
    for permission in list(role.permissions):
        if (permission.action.name, permission.resource.name) not in wanted:
            manager.remove_permission_from_role(role, permission)
    for action, resource in wanted:
        manager.add_permission_to_role(role, manager.create_permission(action, resource))


def _make_user(manager: "FabAirflowSecurityManagerOverride", name: str, role_name: str, password: str) -> None:
    role, user = manager.find_role(role_name), manager.find_user(username=name)
    if user is None:
        made = manager.add_user(name, name, "load tests", f"{name}@localhost", role, password)
        if not made:
            raise RuntimeError(f"user {name} could not be made")
    else:
        user.roles = [role]
        manager.update_user(user)
        manager.reset_password(user.id, password)
    LOG.info("user %s has role %s", name, role_name)


if __name__ == "__main__":
    main()
