"""Redis' log of slow commands: how many there ever were, and which ones are new."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from redis import Redis

MAX_ENTRIES = 64
"""Asked for at once; the server keeps 128 unless it is told otherwise."""
MAX_SEEN = 20
_KEYED = """
APPEND BITCOUNT BITFIELD BITPOS DEL DECR DECRBY DUMP EXISTS EXPIRE EXPIREAT GET GETBIT GETDEL GETEX GETRANGE
GETSET HDEL HEXISTS HGET HGETALL HINCRBY HINCRBYFLOAT HKEYS HLEN HMGET HMSET HSCAN HSET HSETNX HSTRLEN HVALS INCR
INCRBY INCRBYFLOAT LINDEX LINSERT LLEN LPOP LPOS LPUSH LPUSHX LRANGE LREM LSET LTRIM MGET MSET MSETNX PERSIST
PEXPIRE PEXPIREAT PFADD PFCOUNT PSETEX PTTL RENAME RENAMENX RESTORE RPOP RPUSH RPUSHX SADD SCARD SDIFF SET SETBIT
SETEX SETNX SETRANGE SINTER SISMEMBER SMEMBERS SMISMEMBER SORT SORT_RO SPOP SRANDMEMBER SREM SSCAN STRLEN SUBSTR
SUNION TOUCH TTL TYPE UNLINK XADD XLEN XRANGE XREVRANGE XTRIM ZADD ZCARD ZCOUNT ZINCRBY ZLEXCOUNT ZPOPMAX ZPOPMIN
ZRANGE ZRANGEBYLEX ZRANGEBYSCORE ZRANK ZREM ZREMRANGEBYRANK ZREMRANGEBYSCORE ZREVRANGE ZREVRANGEBYSCORE ZREVRANK
ZSCAN ZSCORE"""
"""Commands whose first argument is a key. Of any other one nothing but the name is told."""
_FIRST_IS_KEY = frozenset(_KEYED.split())
_NAME = re.compile(r"[A-Za-z][A-Za-z_.|]{0,30}")
_PREFIX = re.compile(r"[A-Za-z][A-Za-z_-]{0,30}")


class SlowLog:
    """`slow_commands`: entries that were ever put into the log, and which ones are new since the last reading.

    Entries are numbered from the server's start. A log that is empty at the first reading counts as 0: what was in it
    before somebody emptied it is not known, and is no part of any growth.
    """

    def __init__(self, own_client: str) -> None:
        self._own_client = own_client.encode()
        self._run: object = None
        self._next_id: int | None = None
        self._count = 0
        self._seen: list[dict[str, Any]] = []

    def read(self, client: Redis, info: Mapping[str, Any]) -> dict[str, float]:
        """One reading; INFO tells by `run_id` whether the server is still the same process. Raises RedisError."""
        is_first, is_new_run = self._run is None, info.get("run_id") != self._run
        self._run = info.get("run_id")
        if is_new_run:
            self._next_id, self._count = None, 0
        newest = client.slowlog_get(1)
        if newest and int(newest[0]["id"]) + 1 != self._next_id:
            self._add(client.slowlog_get(MAX_ENTRIES), is_new_run=is_new_run, is_first=is_first)
        return {"slow_commands": float(self._count)}

    def _add(self, entries: Sequence[Mapping[str, Any]], *, is_new_run: bool, is_first: bool) -> None:
        if not entries:
            return
        known, self._next_id = self._next_id, int(entries[0]["id"]) + 1
        if known is not None:
            self._count += self._next_id - known
        else:
            self._count = self._next_id if is_new_run else self._count + len(entries)
        if is_first:  # they are from before the load
            return
        new = [entry for entry in entries if known is None or int(entry["id"]) >= known]
        others = [entry for entry in new if entry.get("client_name") != self._own_client]
        slowest = sorted(others, key=lambda entry: int(entry["duration"]), reverse=True)
        self._seen += [_observation(entry) for entry in slowest[:MAX_SEEN]]

    def observations(self) -> list[dict[str, Any]]:
        """Slow commands since the last call, but for the reader's own."""
        seen, self._seen = self._seen, []
        return seen


def _observation(entry: Mapping[str, Any]) -> dict[str, Any]:
    duration_ms = int(entry["duration"]) / 1000
    return {"kind": "slow_command", "command": command_pattern(bytes(entry["command"])), "duration_ms": duration_ms}


def command_pattern(command: bytes) -> str:
    """A command's name and its key's pattern, never a value: of a key only the prefix before the first colon stays.

    >>> command_pattern(b"HGETALL session:71:mario")
    'HGETALL session:*'
    """
    name, *rest = command.decode("utf-8", errors="replace").split(" ", 2)
    if not _NAME.fullmatch(name):
        return "?"
    name = name.upper()
    if name not in _FIRST_IS_KEY or not rest:
        return name
    prefix, colon, _ = rest[0].partition(":")
    return f"{name} {prefix}:*" if colon and _PREFIX.fullmatch(prefix) else f"{name} *"
