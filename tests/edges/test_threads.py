"""The worker threads with slow clients and clients that disconnect."""

import asyncio
import threading
import time

import pytest

from costrel.edges.threads import IDLE, NoThreadLeft, Workers, waiting_for_client
from costrel.http.errors import ServiceUnavailable


def test_a_task_that_is_cancelled_when_its_function_has_just_ended_goes_on():
    workers = Workers(size=1)
    loops = []

    def function():
        loops[0].call_soon_threadsafe(tasks[0].cancel)  # the loop finds this first, and then that the function ended

    tasks = []

    async def run():
        loops.append(asyncio.get_running_loop())
        for _ in range(100):
            tasks[:] = [asyncio.create_task(workers.run(function))]
            await asyncio.wait(tasks, timeout=5)
            assert tasks[0].done()

    asyncio.run(run())
    workers.close()


def test_a_thread_that_waits_for_its_client_has_another_in_its_place():
    workers = Workers(size=1)
    waits, comes = threading.Event(), threading.Event()

    def slow():
        with waiting_for_client():
            waits.set()
            return comes.wait(5)

    async def run():
        first = asyncio.create_task(workers.run(slow))
        second = asyncio.create_task(workers.run(lambda: "at once"))  # it is there when the first begins to wait
        while not waits.is_set():
            await asyncio.sleep(0.01)
        others = [await second, *[await workers.run(lambda: "too") for _ in range(3)]]
        assert len(workers._threads) == 2
        comes.set()
        return others, await first

    assert asyncio.run(run()) == (["at once", "too", "too", "too"], True)
    assert len(workers._threads) == 1
    assert asyncio.run(workers.run(lambda: "again")) == "again"
    workers.close()
    with waiting_for_client():
        pass  # in a thread of somebody else's


def test_many_outcomes_reach_those_who_wait_for_them_each_its_own():
    workers = Workers(size=4)

    def function(number):
        if number % 3 == 0:
            raise ValueError(number)
        return number

    async def run():
        calls = [workers.run(lambda number=number: function(number)) for number in range(300)]
        return await asyncio.wait_for(asyncio.gather(*calls, return_exceptions=True), 10)

    outcomes = asyncio.run(run())
    workers.close()
    assert [str(outcome) for outcome in outcomes] == [str(number) for number in range(300)]
    assert [type(outcome) for outcome in outcomes[:3]] == [ValueError, int, int]


def test_workers_answer_the_loop_that_asks():
    workers = Workers(size=1)
    assert [asyncio.run(workers.run(lambda number=number: number)) for number in range(3)] == [0, 1, 2]
    workers.close()


def test_up_to_half_of_the_threads_are_given_away_and_never_the_last_two():
    given = {size: Workers(size=size).give_away(4) for size in (1, 2, 3, 4, 7, 8, 32)}

    assert given == {1: 0, 2: 0, 3: 1, 4: 2, 7: 3, 8: 4, 32: 4}


def test_what_is_left_is_as_many_functions_at_once():
    workers = Workers(size=4)
    workers.give_away(1)
    go_on, inside = threading.Event(), []

    def function():
        inside.append(threading.current_thread().name)
        return go_on.wait(5)

    async def run():
        calls = [asyncio.create_task(workers.run(function)) for _ in range(5)]
        while len(inside) < 3:
            await asyncio.sleep(0.01)
        await asyncio.wait(calls, timeout=0.1)
        at_once = len(inside)
        go_on.set()
        return at_once, await asyncio.gather(*calls)

    assert asyncio.run(run()) == (3, [True] * 5)
    assert sorted(set(inside)) == [f"costrel-worker-{number}" for number in (1, 2, 3)]
    workers.close()


def test_a_thread_that_is_kept_has_another_in_its_place():
    workers = Workers(2)

    async def run():
        lanes = [await workers.run(workers.keep_thread) for _ in range(5)]
        found = await asyncio.wait_for(workers.run(threading.get_ident), 10)
        kept = [await workers.run(threading.get_ident, lane) for lane in lanes]
        for lane in lanes:
            lane.close()
        return found, kept

    found, kept = asyncio.run(run())
    assert len({found, *kept}) == 6
    workers.close()
    assert workers._lent == 0


def test_to_close_takes_no_longer_for_many_threads():
    workers = Workers(8)
    waits = threading.Event()

    async def run():
        waiting = [asyncio.create_task(workers.run(lambda: waits.wait(30))) for _ in range(8)]
        await asyncio.sleep(0.1)
        begun = time.monotonic()
        workers.close(0.5)
        seconds = time.monotonic() - begun
        waits.set()
        await asyncio.gather(*waiting)
        return seconds

    assert asyncio.run(run()) < 2


def test_a_body_has_a_thread_of_its_own_which_the_next_one_gets():
    workers = Workers(2, streams=2)

    async def run():
        first, second = workers.lend_to_body(), workers.lend_to_body()
        idents = [await workers.run(threading.get_ident, lane) for lane in (first, second, first)]
        with pytest.raises(NoThreadLeft):
            workers.lend_to_body()
        first.close()
        while workers._streams == 2:
            await asyncio.sleep(0.01)
        third = workers.lend_to_body()
        idents.append(await workers.run(threading.get_ident, third))
        for lane in (second, third):
            lane.close()
        return [*idents, await workers.run(threading.get_ident)]

    first, second, again, third, other = asyncio.run(run())
    assert (first, 3) == (again, len({first, second, other}))
    assert first == third
    workers.close()


def test_few_threads_of_bodies_stay():
    workers = Workers(2, streams=IDLE + 10)
    others = set(threading.enumerate())
    lanes = [workers.lend_to_body() for _ in range(IDLE + 10)]
    threads = set(threading.enumerate()) - others
    for lane in lanes:
        lane.close()
    for _ in range(1000):
        if sum(thread.is_alive() for thread in threads) <= IDLE:
            break
        time.sleep(0.01)
    assert IDLE == sum(thread.is_alive() for thread in threads) == len(workers._idle)
    workers.close()
    for thread in threads:
        thread.join(5)
        assert not thread.is_alive()


def test_a_single_thread_computes_bodies_too():
    assert Workers(1).lend_to_body() is None


def test_no_more_threads_than_allowed_wait_for_clients():
    workers = Workers(2, streams=3)
    comes, refused = threading.Event(), []

    def slow():
        try:
            with waiting_for_client():
                return comes.wait(20)
        except ServiceUnavailable as error:
            refused.append(error.retry_after)

    async def run():
        waiting = [asyncio.create_task(workers.run(slow)) for _ in range(20)]
        while len(refused) < 17:
            await asyncio.sleep(0.01)
        at_once = await asyncio.wait_for(workers.run(lambda: "at once"), 10)
        comes.set()
        return at_once, await asyncio.gather(*waiting)

    at_once, waited = asyncio.run(run())
    assert ("at once", 3, [5] * 17) == (at_once, waited.count(True), refused)
    workers.close()
