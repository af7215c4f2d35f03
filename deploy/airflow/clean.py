"""Once a day removes what Airflow itself keeps for ever: tasks' logs and the old rows of its own database.

What the product needs later (runs, baselines, leases, deliveries) is in the history, a database that this never opens;
samples and reports are the DAG load_test_housekeeping's. Of each DAG Airflow keeps the latest scheduled run.
"""

import logging
import os
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

LOG = logging.getLogger("loadtest.clean")
LOGS = Path("/opt/airflow/logs")
STAMP = Path("/tmp/cleaned")  # noqa: S108 - of this container; its health check looks how old it is
LOGS_DAYS, ROWS_DAYS = 90, 180
EVERY_S, AFTER_A_FAILURE_S = 24 * 3600, 3600


def main() -> None:
    """Clean, for ever; the stamp is renewed only when all went well."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    while True:
        time.sleep(EVERY_S if _succeeds() else AFTER_A_FAILURE_S)


def _succeeds() -> bool:
    now = datetime.now(UTC)
    try:
        removed = remove_logs(LOGS, (now - timedelta(days=LOGS_DAYS)).timestamp())
        LOG.info("%s: %d files older than %d days removed", LOGS, removed, LOGS_DAYS)
        subprocess.run(rows_command(now), check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        LOG.error("not cleaned, the next try is in %d minutes: %s", AFTER_A_FAILURE_S // 60, error)
        return False
    STAMP.touch()
    return True


def remove_logs(root: Path, before_s: float) -> int:
    """Remove files last written before that (seconds since 1970), then folders that are empty and as old.

    Returns the number of files. Links are neither followed nor removed. Raises OSError.
    """
    count, old_folders = 0, []
    for folder, _, files in os.walk(root):
        if Path(folder).stat().st_mtime < before_s and folder != str(root):
            old_folders.append(Path(folder))  # before its files go, which makes it new
        for file in (Path(folder, name) for name in files):
            if not file.is_symlink() and file.stat().st_mtime < before_s:
                file.unlink()
                count += 1
    for old in reversed(old_folders):
        if not any(old.iterdir()):
            old.rmdir()
    return count


def rows_command(now: datetime) -> list[str]:
    """Airflow's own command, without copies of what it removes; it fails where a table cannot be cleaned."""
    before = (now - timedelta(days=ROWS_DAYS)).isoformat(timespec="seconds")
    options = ["--skip-archive", "--yes", "--error-on-cleanup-failure"]
    return ["airflow", "db", "clean", "--clean-before-timestamp", before, *options]


if __name__ == "__main__":
    main()
