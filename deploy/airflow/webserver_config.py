"""Airflow's pages: people log in with a name and a password; nobody registers, and nobody is let in without a login.

For single sign-on set AUTH_TYPE and what it needs here, and map its groups to the roles Viewer, Operator and Admin.
"""

from flask_appbuilder.const import AUTH_DB

AUTH_TYPE = AUTH_DB
AUTH_ROLE_PUBLIC = None
AUTH_USER_REGISTRATION = False
WTF_CSRF_ENABLED = True
