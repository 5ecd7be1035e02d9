"""The worker threads where clients leave and clients are slow, and where other threads take their places."""

import asyncio
import functools
import threading
import time
from contextlib import contextmanager

from costrel.edges.threads import Workers, waiting_for_client

PATIENCE = 30
"""How many seconds a test waits for what is to happen at once."""


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


@contextmanager
def guest_of(workers):
    """Have this thread take the place of one of the workers' until the block ends."""
    assert workers.enter()
    try:
        yield
    finally:
        workers.leave()


async def until(condition):
    """Come back when `condition` holds."""
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.005)


async def until_held(workers, number):
    """Come back when so many functions have found no place."""
    await until(lambda: len(workers._held) == number)


def test_guests_are_taken_in_where_there_are_threads_to_spare():
    workers = Workers(size=2)

    assert [workers.enter() for _ in range(3)] == [True, True, False]
    workers.leave()
    assert [workers.enter() for _ in range(2)] == [True, False]


def test_a_function_that_runs_leaves_room_for_one_guest_less():
    workers = Workers(size=2)
    begun, ends = threading.Event(), threading.Event()

    async def run():
        running = asyncio.create_task(workers.run(lambda: (begun.set(), ends.wait(PATIENCE))))
        await until(begun.is_set)
        entered = [workers.enter() for _ in range(2)]
        ends.set()
        await running
        return entered, workers.enter()

    assert asyncio.run(run()) == ([True, False], True)
    workers.close()


def test_a_function_that_found_no_place_keeps_further_guests_out():
    workers = Workers(size=2)
    begun, ends = threading.Event(), threading.Event()

    async def run():
        with guest_of(workers):
            running = asyncio.create_task(workers.run(lambda: (begun.set(), ends.wait(PATIENCE))))
            await until(begun.is_set)
            waiting = asyncio.create_task(workers.run(lambda: "had to wait"))
            await until_held(workers, 1)
        entered = workers.enter()  # where the guest was is for the one who has waited
        ends.set()
        await running
        return entered, await waiting

    assert asyncio.run(run()) == (False, "had to wait")
    workers.close()


def test_functions_that_come_while_a_guest_is_inside_wait_for_it_and_keep_their_order():
    workers = Workers(size=1)
    seen = []

    async def run():
        with guest_of(workers):
            waiting = [asyncio.create_task(workers.run(functools.partial(seen.append, number))) for number in range(5)]
            await until_held(workers, 5)
            seen.append("the guest leaves")
        await asyncio.gather(*waiting)

    asyncio.run(run())
    assert seen == ["the guest leaves", 0, 1, 2, 3, 4]
    workers.close()


def test_a_function_that_found_no_place_goes_on_when_another_has_ended():
    workers = Workers(size=2)
    begun, ends = threading.Event(), threading.Event()

    async def run():
        with guest_of(workers):
            first = asyncio.create_task(workers.run(lambda: (begun.set(), ends.wait(PATIENCE))))
            await until(begun.is_set)
            second = asyncio.create_task(workers.run(lambda: "in its place"))
            await until_held(workers, 1)
            ends.set()
            await until(second.done)
        await first
        return await second

    assert asyncio.run(run()) == "in its place"
    workers.close()


def test_a_function_that_found_no_place_goes_on_when_another_waits_for_its_client():
    workers = Workers(size=2)
    begun, waits, comes = threading.Event(), threading.Event(), threading.Event()

    def slow():
        begun.set()
        waits.wait(PATIENCE)
        with waiting_for_client():
            return comes.wait(PATIENCE)

    async def run():
        with guest_of(workers):
            first = asyncio.create_task(workers.run(slow))
            await until(begun.is_set)
            second = asyncio.create_task(workers.run(lambda: "in its place"))
            await until_held(workers, 1)
            waits.set()
            await until(second.done)
        comes.set()
        return await second, await first

    assert asyncio.run(run()) == ("in its place", True)
    workers.close()


def test_functions_that_found_no_place_count_among_those_that_wait():
    workers = Workers(size=1, queue=1)

    async def run():
        with guest_of(workers):
            waiting = [asyncio.create_task(workers.run(lambda: "late")) for _ in range(2)]
            await until(lambda: workers.is_full)
        return await asyncio.gather(*waiting)

    assert asyncio.run(run()) == ["late", "late"]
    assert not workers.is_full
    workers.close()


def test_one_thread_means_that_nothing_runs_beside_anything():
    workers = Workers(size=1)
    inside, seen = [], []
    over = threading.Event()

    def alone(name):
        inside.append(name)
        time.sleep(0.0001)
        seen.append(tuple(inside))
        inside.remove(name)

    def come_and_go():
        while not over.wait(0.0001):
            if workers.enter():
                alone("guest")
                workers.leave()

    async def run():
        for _ in range(100):
            await asyncio.gather(*[workers.run(lambda: alone("function")) for _ in range(5)])
            met = seen.count(("guest",))
            await until(lambda met=met: seen.count(("guest",)) > met)

    guests = [threading.Thread(target=come_and_go) for _ in range(2)]
    for guest in guests:
        guest.start()
    try:
        asyncio.run(run())
    finally:
        over.set()
        for guest in guests:
            guest.join(PATIENCE)
    workers.close()
    assert seen.count(("function",)) == 500
    assert set(seen) == {("function",), ("guest",)}
