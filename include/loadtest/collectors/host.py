"""Reads this machine with psutil."""

import psutil

from include.loadtest.collectors.plan import HostSource


class HostReader:
    """CPU, memory, load and processes of this machine, and of the target's processes where they are known.

    CPU figures are means since the last reading; `target_cpu_pct` is 100 for one busy core.
    """

    def __init__(self, plan: HostSource) -> None:
        self.source, self.instance = plan.source, plan.instance
        self._watched: list[psutil.Process] = []
        for pid in plan.target_pids:
            try:
                process = psutil.Process(pid)
                process.cpu_percent(None)
                self._watched.append(process)
            except psutil.Error:
                continue  # it has ended: the metrics of what is left say so by being absent
        psutil.cpu_percent(None)  # the first call only starts the interval

    def read(self) -> dict[str, float]:
        """One reading."""
        memory = psutil.virtual_memory()
        load_1m, load_5m, load_15m = psutil.getloadavg()
        values = {
            "cpu_pct": psutil.cpu_percent(None),
            "memory_pct": memory.percent,
            "memory_used_bytes": float(memory.used),
            "load_1m": load_1m,
            "load_5m": load_5m,
            "load_15m": load_15m,
            "process_count": float(len(psutil.pids())),
        }
        return values | self._target()

    def _target(self) -> dict[str, float]:
        readings = []
        for process in self._watched:
            try:
                readings.append((process.cpu_percent(None), float(process.memory_info().rss)))
            except psutil.Error:
                continue
        if not readings:
            return {}
        return {
            "target_cpu_pct": sum(cpu for cpu, _ in readings),
            "target_rss_bytes": sum(rss for _, rss in readings),
        }

    def close(self) -> None:
        """Nothing is held."""
