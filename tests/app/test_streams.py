"""Streams that keep their request's context: each has its own `g`, and teardown runs at the end."""

import contextvars
import gc
import threading

import pytest

from costrel import Costrel, Response, g, has_app_context, has_request_context, request, stream_with_context
from costrel.context import peek, request_ctx
from costrel.testing.environ_builder import EnvironBuilder


class Recorded:
    """An application whose views name the user of their `g`, and whose teardown says for whom it ran."""

    def __init__(self):
        self.app = Costrel(__name__, static_folder=None)
        self.torn_down = []
        self.kept = []
        self.app.teardown_request(lambda error: self.torn_down.append((g.get("user"), repr(error))))
        self.app.add_url_rule("/who", "who", lambda: repr(g.get("user")))

    def stream_for(self, user, items="ab"):
        g.user = user
        return stream_with_context(f"{item}{g.user}{request.path}" for item in items)

    def call(self, path, method="GET"):
        """The answer, of which nothing was read yet."""
        return self.app(EnvironBuilder(path, method=method).get_environ(), lambda status, headers: None)

    def text(self, path):
        return b"".join(self.call(path)).decode()


@pytest.fixture
def recorded():
    return Recorded()


def test_a_stream_that_an_error_replaced_leaves_nothing_to_the_next_request(recorded):
    @recorded.app.errorhandler(Exception)
    def sorry(error):
        recorded.kept.append(error)  # and with it the frame that has the stream
        return "sorry"

    @recorded.app.route("/fails")
    def fails():
        stream = recorded.stream_for("ada")
        raise ValueError(stream)

    assert recorded.text("/fails") == "sorry"
    assert recorded.torn_down == [("ada", "None")]
    assert not has_request_context()
    assert recorded.text("/who") == "None"
    recorded.kept.clear()
    assert recorded.torn_down == [("ada", "None"), (None, "None")]


def test_a_stream_that_is_not_answered_keeps_no_teardown_waiting(recorded):
    @recorded.app.route("/plain")
    def plain():
        recorded.kept.append(recorded.stream_for("ada"))
        return "plain"

    assert recorded.text("/plain") == "plain"
    assert recorded.torn_down == [("ada", "None")]
    assert recorded.text("/who") == "None"
    assert list(recorded.kept.pop()) == ["aada/plain", "bada/plain"]
    assert recorded.torn_down == [("ada", "None"), (None, "None")]


def test_an_error_that_nobody_handles_keeps_no_teardown_waiting(recorded):
    recorded.app.testing = True

    @recorded.app.route("/fails")
    def fails():
        recorded.kept.append(recorded.stream_for("ada"))
        raise ValueError

    with pytest.raises(ValueError):
        recorded.text("/fails")
    assert recorded.torn_down == [("ada", "ValueError()")]
    assert not has_app_context()


def test_an_answer_that_nobody_reads_is_torn_down(recorded):
    recorded.app.add_url_rule("/stream", "stream", lambda: Response(recorded.stream_for("ada")))
    gc.disable()
    try:
        with recorded.app.app_context() as ctx:
            answer = recorded.call("/stream")
            assert peek() is ctx
            del answer
            assert peek() is ctx
    finally:
        gc.enable()
    assert recorded.torn_down == [("ada", "None")]


def test_streams_that_are_read_in_turns_keep_apart(recorded):
    recorded.app.add_url_rule("/<user>", "stream", lambda user: Response(recorded.stream_for(user)))
    one, other = recorded.call("/ada"), recorded.call("/bob")
    pairs = zip(iter(one), iter(other), strict=True)

    assert next(pairs) == (b"aada/ada", b"abob/bob")
    assert not has_app_context()
    assert list(pairs) == [(b"bada/ada", b"bbob/bob")]
    assert recorded.torn_down == [("ada", "None"), ("bob", "None")]


def test_a_stream_that_is_found_by_the_garbage_collector_of_another_thread_disturbs_nobody(recorded):
    asked, collected = threading.Event(), threading.Event()

    @recorded.app.route("/waits")
    def waits():
        g.user = "bob"
        gc.collect()
        return f"{g.user} {request.path}"

    @recorded.app.route("/plain")
    def plain():
        cycle = [Response(recorded.stream_for("ada"))]
        cycle.append(cycle)
        return Response(iter(["plain"]))

    answers = []

    def ask():
        asked.wait(10)
        answers.append(recorded.text("/waits"))
        collected.set()

    thread = threading.Thread(target=ask)
    thread.start()
    gc.disable()
    try:
        assert recorded.text("/plain") == "plain"
        assert recorded.torn_down == []
        asked.set()
        assert collected.wait(10)
    finally:
        gc.enable()
        thread.join()
    assert answers == ["bob /waits"]
    assert recorded.torn_down == [("ada", "None"), ("bob", "None")]


def test_a_context_may_stay_entered_between_two_items(recorded):
    other = Costrel("other")

    def items():
        with other.app_context():
            yield g.get("user", "nobody")
        yield g.user

    @recorded.app.route("/stream")
    def stream():
        g.user = "ada"
        return Response(stream_with_context(items()))

    assert recorded.text("/stream") == "nobodyada"
    assert recorded.torn_down == [("ada", "None")]


def test_a_stream_in_a_stream(recorded):
    @recorded.app.route("/stream")
    def stream():
        inner = recorded.stream_for("ada")
        return Response(stream_with_context(f"<{item}>" for item in inner))

    assert recorded.text("/stream") == "<aada/stream><bada/stream>"
    assert recorded.torn_down == [("ada", "None")]


def test_a_stream_that_the_view_reads_itself_is_over_then(recorded):
    recorded.app.add_url_rule("/joined", "joined", lambda: "".join(recorded.stream_for("ada")) + g.user)

    assert recorded.text("/joined") == "aada/joinedbada/joinedada"
    assert recorded.torn_down == [("ada", "None")]


@pytest.mark.parametrize(
    ("method", "read", "error"), [("HEAD", 0, None), ("GET", 0, None), ("GET", 1, GeneratorExit())]
)
def test_what_the_teardown_is_told_of_a_stream_that_is_closed(recorded, method, read, error):
    recorded.app.add_url_rule("/stream", "stream", lambda: Response(recorded.stream_for("ada")))
    answer = recorded.call("/stream", method)
    items = iter(answer)
    for _ in range(read):
        next(items)
    assert recorded.torn_down == []
    answer.close()

    assert recorded.torn_down == [("ada", repr(error))]


def test_the_teardown_is_told_of_an_error_in_the_stream(recorded):
    recorded.app.add_url_rule("/stream", "stream", lambda: Response(recorded.stream_for("ada", map(int, "1x"))))
    items = iter(recorded.call("/stream"))
    next(items)
    with pytest.raises(ValueError) as caught:
        next(items)

    assert recorded.torn_down == [("ada", repr(caught.value))]


def test_a_handler_that_fails_does_not_hide_the_error_from_the_teardown(recorded):
    @recorded.app.errorhandler(500)
    def fails(error):
        raise KeyError("handler")

    recorded.app.add_url_rule("/fails", "fails", lambda: 1 // 0)

    with pytest.raises(KeyError):
        recorded.text("/fails")
    assert recorded.torn_down == [(None, "ZeroDivisionError('integer division or modulo by zero')")]


def test_a_stream_may_be_made_where_the_variables_of_a_request_were_kept(recorded):
    @recorded.app.route("/kept")
    def kept():
        recorded.kept.append(contextvars.copy_context())
        return ""

    recorded.text("/kept")

    assert recorded.kept.pop().run(lambda: list(recorded.stream_for("ada"))) == ["aada/kept", "bada/kept"]
    assert recorded.text("/who") == "None"


def test_a_stream_may_be_dropped_where_its_context_was_entered_again(recorded):
    @recorded.app.route("/again")
    def again():
        stream = recorded.stream_for("ada")
        with recorded.app.app_context(), request_ctx._get_current_object():
            del stream
        return g.user

    assert recorded.text("/again") == "ada"
    assert recorded.torn_down == [("ada", "None")]
    assert not has_app_context()
