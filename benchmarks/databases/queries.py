"""The queries of the tests, with psycopg's pools: in threads (`Sync`) and on an event loop (`Async`)."""

from __future__ import annotations

import asyncio
import os
from random import randint, sample
from threading import Lock
from typing import Any, NamedTuple

DSN = "BENCH_POSTGRESQL"
"""The environment variable with the connection string."""

CONNECTIONS = 8
"""The connections of each application's pool."""

QUERIES = 20
ROWS = 10_000
ONE = "SELECT id, randomnumber FROM world WHERE id = %s"
FORTUNES = "SELECT id, message FROM fortune"
UPDATE = "UPDATE world SET randomnumber = %s WHERE id = %s"
MESSAGE = {"message": "Hello, World!"}


class Fortune(NamedTuple):
    id: int
    message: str


def as_world(row: Any) -> dict[str, int]:
    return {"id": row[0], "randomNumber": row[1]}


def sorted_fortunes(rows: Any) -> list[Fortune]:
    """The rows, and one that is added at each request, by their text."""
    fortunes = [Fortune(*row) for row in rows]
    fortunes.append(Fortune(0, "This line joined the others during the request."))
    return sorted(fortunes, key=lambda fortune: fortune.message)


def ids() -> list[int]:
    """Different ids in their order, so that no two updates wait for each other."""
    return sorted(sample(range(1, ROWS + 1), QUERIES))


class Sync:
    """The queries for ``def`` views."""

    def __init__(self) -> None:
        self._pool: Any = None
        self._opening = Lock()

    def _connection(self) -> Any:
        if self._pool is None:
            from psycopg_pool import ConnectionPool

            with self._opening:
                if self._pool is None:
                    keywords = {"autocommit": True}
                    pool = ConnectionPool(os.environ[DSN], kwargs=keywords, min_size=CONNECTIONS, open=True)
                    pool.wait()
                    self._pool = pool
        return self._pool.connection()

    def world(self) -> dict[str, int]:
        with self._connection() as connection:
            return as_world(connection.execute(ONE, (randint(1, ROWS),)).fetchone())

    def worlds(self) -> list[dict[str, int]]:
        with self._connection() as connection:
            return [as_world(connection.execute(ONE, (number,)).fetchone()) for number in ids()]

    def updated(self) -> list[dict[str, int]]:
        with self._connection() as connection:
            worlds = [as_world(connection.execute(ONE, (number,)).fetchone()) for number in ids()]
            with connection.transaction(), connection.cursor() as cursor:
                for world in worlds:
                    world["randomNumber"] = randint(1, ROWS)
                cursor.executemany(UPDATE, [(world["randomNumber"], world["id"]) for world in worlds])
            return worlds

    def fortunes(self) -> list[Fortune]:
        with self._connection() as connection:
            return sorted_fortunes(connection.execute(FORTUNES).fetchall())


class Async:
    """The queries for ``async def`` views."""

    def __init__(self) -> None:
        self._pool: Any = None
        self._opening = asyncio.Lock()

    async def _opened(self) -> Any:
        if self._pool is None:
            from psycopg_pool import AsyncConnectionPool

            async with self._opening:
                if self._pool is None:
                    keywords = {"autocommit": True}
                    pool = AsyncConnectionPool(os.environ[DSN], kwargs=keywords, min_size=CONNECTIONS, open=False)
                    await pool.open(wait=True)
                    self._pool = pool
        return self._pool

    async def world(self) -> dict[str, int]:
        async with (await self._opened()).connection() as connection:
            return as_world(await (await connection.execute(ONE, (randint(1, ROWS),))).fetchone())

    async def worlds(self) -> list[dict[str, int]]:
        async with (await self._opened()).connection() as connection:
            return [as_world(await (await connection.execute(ONE, (number,))).fetchone()) for number in ids()]

    async def updated(self) -> list[dict[str, int]]:
        async with (await self._opened()).connection() as connection:
            worlds = [as_world(await (await connection.execute(ONE, (number,))).fetchone()) for number in ids()]
            async with connection.transaction(), connection.cursor() as cursor:
                for world in worlds:
                    world["randomNumber"] = randint(1, ROWS)
                await cursor.executemany(UPDATE, [(world["randomNumber"], world["id"]) for world in worlds])
            return worlds

    async def fortunes(self) -> list[Fortune]:
        async with (await self._opened()).connection() as connection:
            return sorted_fortunes(await (await connection.execute(FORTUNES)).fetchall())
