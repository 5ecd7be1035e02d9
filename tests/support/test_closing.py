"""Iterables that may have a method to close them."""

import asyncio

from costrel.support.closing import call_aclose, call_close


def pieces(log):
    try:
        yield b"a"
        yield b"b"
    finally:
        log.append("closed")


async def async_pieces(log):
    try:
        yield b"a"
        yield b"b"
    finally:
        log.append("closed")


def test_a_generator_is_closed():
    log = []
    generator = pieces(log)
    next(generator)
    call_close(generator)
    assert log == ["closed"]


def test_a_list_has_nothing_to_close():
    body = [b"a"]
    call_close(body)
    asyncio.run(call_aclose(body))
    assert body == [b"a"]


def test_an_asynchronous_generator_is_closed_where_it_runs():
    log = []

    async def read_one():
        generator = async_pieces(log)
        first = await anext(generator)
        await call_aclose(generator)
        return first

    assert asyncio.run(read_one()) == b"a"
    assert log == ["closed"]
