import asyncio
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from include.demo_target.database import Database
from include.demo_target.inner_metrics import InnerMetrics
from include.embedded.servers import wait_until
from tests.helpers.demo import DemoTarget

pytestmark = pytest.mark.integration
Switch = Callable[..., httpx.Response]
IVA = {"tax_type": "iva", "amount": 1000}
OTHERS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


def test_growing_rows_slow_down_calculations_and_are_taken_back(
    demo: DemoTarget, tokens: tuple[str, str], switch: Switch
) -> None:
    """The table grows at the rate that was set, the statement over it takes longer, and the end leaves what was."""
    explain = "EXPLAIN (ANALYZE, FORMAT JSON) SELECT FROM tax_notices WHERE lower(body) LIKE '%none%'"

    def rows_and_ms() -> tuple[int, float]:
        plan: Any = demo.sql(explain)[0][0][0]
        return demo.sql("SELECT count(*) FROM tax_notices")[0][0], plan["Execution Time"]

    few, quick_ms = rows_and_ms()
    begin_s = time.monotonic()
    switch(growing_rows_per_s=10_000)
    time.sleep(2)
    most = (time.monotonic() - begin_s) * 10_000
    rows, slow_ms = rows_and_ms()
    assert few + 5_000 < rows <= few + most + 10_000
    assert slow_ms > 3 * quick_ms
    with demo.client() as client:
        client.delete("/admin/faults").raise_for_status()
    assert demo.sql("SELECT count(*) FROM tax_notices") == [(few,)]
    assert demo.timed(tokens[1], "italian/tax/calculate", IVA)[1] == 200


def test_leaked_connections_fill_the_server_until_they_are_given_back(
    demo: DemoTarget, tokens: tuple[str, str], switch: Switch
) -> None:
    """They are idle in transaction; with too many of them requests fail, and afterwards none is left."""
    leaked = "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction'"
    switch(leaked_connections=30)
    assert demo.sql(leaked) == [(30,)]
    switch(leaked_connections=500)
    statuses = {demo.timed(tokens[1], "italian/tax/calculate", IVA)[1] for _ in range(3)}
    assert 500 in statuses or wait_until(lambda: demo.timed(tokens[1], "italian/tax/calculate", IVA)[1] == 500, 10)
    with demo.client() as client:
        client.delete("/admin/faults").raise_for_status()
    assert demo.timed(tokens[1], "italian/tax/calculate", IVA)[1] == 200
    assert wait_until(lambda: demo.sql(leaked) == [(0,)], 10)


def test_search_without_its_index_reads_the_whole_table(
    demo: DemoTarget, tokens: tuple[str, str], switch: Switch
) -> None:
    """It takes several times as long, although it is the only one."""
    search = {"keywords": ["fatturazione elettronica"]}

    def fastest_s() -> float:
        return min(demo.timed(tokens[1], "italian/legal/search", search)[0] for _ in range(3))

    usual_s = fastest_s()
    switch(missing_index=True)
    assert fastest_s() > 5 * usual_s


def test_pool_has_as_many_connections_as_its_size_says(demo: DemoTarget) -> None:
    """A smaller pool closes the others, which its users may keep to the end; further users wait."""
    metrics = InnerMetrics()

    async def story() -> None:
        database = Database(demo.database_url, metrics, 5)
        await database.open(create=False)

        async def held(go_on: asyncio.Event) -> None:
            async with database.connection():
                await go_on.wait()

        before, go_on = demo.sql(OTHERS)[0][0], asyncio.Event()
        users = [asyncio.create_task(held(go_on)) for _ in range(5)]
        await asyncio.sleep(0.3)
        assert demo.sql(OTHERS)[0][0] == before + 3
        await database.resize(2)
        go_on.set()
        await asyncio.gather(*users)
        await asyncio.sleep(0.3)
        assert demo.sql(OTHERS)[0][0] == before - 2
        go_on = asyncio.Event()
        users = [asyncio.create_task(held(go_on)) for _ in range(5)]
        await asyncio.sleep(0.3)
        page = metrics.page().decode().splitlines()
        assert {"db_pool_size 2.0", "db_pool_checked_out 2.0", "db_pool_waiting 3.0"} <= set(page)
        assert demo.sql(OTHERS)[0][0] == before
        go_on.set()
        await asyncio.gather(*users)
        await database.close()

    asyncio.run(story())
