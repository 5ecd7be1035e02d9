"""Continuing a coroutine whose first step was run immediately."""

import asyncio

import pytest

from costrel.edges.drive import rest_of


def drive(function):
    """What `function` comes to when its first step is taken without awaiting it."""

    async def run():
        begun = function()
        return await rest_of(begun, begun.send(None))

    return asyncio.run(asyncio.wait_for(run(), 5))


def test_the_rest_waits_and_returns():
    async def function():
        first = await asyncio.sleep(0.001, "a")
        return first + await asyncio.sleep(0, "b")

    assert drive(function) == "ab"


def test_an_error_of_the_rest_comes_out():
    async def function():
        await asyncio.sleep(0)
        raise LookupError("there")

    with pytest.raises(LookupError, match="there"):
        drive(function)


def test_what_is_awaited_may_fail_and_be_caught():
    async def fail():
        await asyncio.sleep(0)
        raise LookupError

    async def function():
        try:
            await asyncio.ensure_future(fail())
        except LookupError:
            return "caught"

    assert drive(function) == "caught"


def test_cancelling_reaches_the_coroutine():
    seen = []

    async def function():
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise

    async def run():
        begun = function()
        first = begun.send(None)

        async def rest():
            await rest_of(begun, first)

        task = asyncio.create_task(rest())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task], timeout=5)
        return task.cancelled()

    assert asyncio.run(run()) is True
    assert seen == ["cancelled"]
