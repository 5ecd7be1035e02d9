"""Running coroutines from code without a loop, and from code that runs on a loop."""

import asyncio
import contextvars
import subprocess
import sys
import threading

import pytest

from costrel.support.coroutines import await_steps, run_coroutine, run_steps

from ..processes import environ

variable = contextvars.ContextVar("variable", default="unset")


async def where():
    await asyncio.sleep(0)
    variable.set("set by the coroutine")
    return threading.current_thread().name


async def fails():
    await asyncio.sleep(0)
    raise LookupError("the cause")


def run_on_a_running_loop(make):
    """The result of a coroutine in sync code that the loop of the same thread has called."""

    async def on_loop():
        return run_coroutine(make()), variable.get()

    return asyncio.run(on_loop())


def test_without_a_running_loop_this_thread_does_it():
    assert threading.current_thread().name == contextvars.copy_context().run(run_coroutine, where())


def test_a_running_loop_is_not_entered_twice():
    assert ("costrel-coroutine", "set by the coroutine") == run_on_a_running_loop(where)


@pytest.mark.parametrize("run", [lambda make: run_coroutine(make()), run_on_a_running_loop], ids=["no loop", "a loop"])
def test_an_error_is_raised_where_the_coroutine_was_run(run):
    with pytest.raises(LookupError, match="the cause"):
        run(fails)


def test_tasks_that_nobody_waits_for_are_cancelled():
    ended = []

    async def leaves_a_task():
        async def endless():
            try:
                await asyncio.Event().wait()
            finally:
                ended.append("cancelled")

        task = asyncio.ensure_future(endless())
        await asyncio.sleep(0)
        return task.done()

    assert run_coroutine(leaves_a_task()) is False
    assert ended == ["cancelled"]


PROGRAM = """
import threading
import types
import costrel

support = types.ModuleType("support")
app = costrel.Costrel("app")

@app.get("/")
async def index():
    return "index"

def ask():
    print(app.test_client().get("/").text)

ask()
thread = threading.Thread(target=ask)
thread.start()
thread.join()
"""


def test_loops_of_threads_are_closed_without_a_word_at_the_exit():
    result = subprocess.run(
        [sys.executable, "-X", "dev", "-c", PROGRAM], capture_output=True, text=True, timeout=60, env=environ()
    )
    assert (result.stdout, result.stderr) == ("index\nindex\n", "")


def two_digits():
    """Steps that ask for two numbers, and stand in for one that cannot be given."""
    first = yield "one"
    try:
        second = yield "two"
    except LookupError:
        second = 0
    return first * 10 + second


NUMBERS = {"one": 1, "two": 2}


def test_steps_get_the_values_that_they_ask_for():
    assert run_steps(two_digits(), NUMBERS.__getitem__) == 12


def test_an_error_is_raised_in_the_steps_that_asked():
    assert run_steps(two_digits(), {"one": 1}.__getitem__) == 10
    with pytest.raises(KeyError, match="one"):
        run_steps(two_digits(), {}.__getitem__)


def test_steps_that_were_started_go_on():
    steps = two_digits()
    assert run_steps(steps, NUMBERS.__getitem__, next(steps)) == 12


def test_steps_that_ask_for_nothing_end_at_once():
    assert run_steps((None for _ in ()), NUMBERS.__getitem__) is None


def test_a_loop_awaits_the_values():
    async def run(name):
        await asyncio.sleep(0)
        return NUMBERS[name]

    async def answer():
        return await await_steps(two_digits(), run)

    assert asyncio.run(answer()) == 12


def test_other_steps_can_give_the_values():
    def run(name):
        return 3 * (yield name)

    def steps():
        return (yield from await_steps(two_digits(), run))

    assert run_steps(steps(), NUMBERS.__getitem__) == 36
