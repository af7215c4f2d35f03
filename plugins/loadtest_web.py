"""Shows the pages of the load tests inside Airflow."""

from airflow.plugins_manager import AirflowPlugin

from include.loadtest.orchestration.web.mounting import PREFIX, VIEWS, LazyApp


class LoadTestWeb(AirflowPlugin):
    """The pages, and where Airflow links them."""

    name = "loadtest_web"
    fastapi_apps = [{"app": LazyApp(), "name": "Load tests", "url_prefix": PREFIX}]  # noqa: RUF012 - as in its base
    external_views = VIEWS
