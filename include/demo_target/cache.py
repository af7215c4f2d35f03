"""Answers kept in Redis by normalised question. Nothing else is kept there, so its hit rate is that of the answers."""

import hashlib
import random
import re
import uuid

from redis.asyncio import Redis
from redis.exceptions import RedisError

ANSWER_TTL_S = 3600
_NOT_WORD = re.compile(r"\W+")


def normalise(question: str) -> str:
    """Questions that differ in case, spaces and punctuation only are the same question."""
    return _NOT_WORD.sub(" ", question.casefold()).strip()


class AnswerCache:
    """The cache of answers; `miss_share` is the share of look-ups that a fault turns into misses."""

    def __init__(self, url: str, seed: int = 1) -> None:
        self.url = url
        self.hits = 0
        self.lookups = 0
        self.miss_share = 0.0
        self._redis = Redis.from_url(url, decode_responses=True)
        self._rng = random.Random(seed)

    async def get(self, question: str) -> str | None:
        """The kept answer, or None; a cache that is down knows no answers."""
        key = _key(question)
        if self.miss_share and self._rng.random() < self.miss_share:
            key = f"{key}:{uuid.uuid4()}"
        self.lookups += 1
        try:
            answer = await self._redis.get(key)
        except RedisError:
            return None
        self.hits += answer is not None
        return None if answer is None else str(answer)

    async def put(self, question: str, answer: str) -> bool:
        """Keep an answer for an hour; whether the cache took it."""
        try:
            await self._redis.set(_key(question), answer, ex=ANSWER_TTL_S)
        except RedisError:
            return False
        return True

    async def flush(self) -> None:
        """Forget every answer."""
        await self._redis.flushdb()

    async def is_up(self) -> bool:
        """Whether the server answers."""
        try:
            return bool(await self._redis.ping())
        except RedisError:
            return False

    async def close(self) -> None:
        """Close the connections."""
        await self._redis.aclose()


def _key(question: str) -> str:
    return f"answer:{hashlib.sha256(normalise(question).encode()).hexdigest()}"
