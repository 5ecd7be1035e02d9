"""Methods that an application overrides: both call them for the same functions, in the same order."""

import flask
import pytest

from costrel.app.application import Flask

SIDES = (flask.Flask, Flask)


def on_both(story, *args):
    """The results on Flask and on Costrel."""
    theirs, ours = (story(side, *args) for side in SIDES)
    assert theirs == ours
    return ours


def functions_made_sync(side, path):
    made_sync = []

    class Own(side):
        def ensure_sync(self, func):
            made_sync.append(func.__name__)
            return super().ensure_sync(func)

    def before():
        pass

    def after(response):
        return response

    def teardown(error):
        pass

    def handle(error):
        return "handled"

    def view():
        return "hello"

    def fails():
        raise ValueError

    app = Own("own", static_folder=None)
    app.before_request(before)
    app.after_request(after)
    app.teardown_request(teardown)
    app.register_error_handler(ValueError, handle)
    app.add_url_rule("/", view_func=view)
    app.add_url_rule("/fails", view_func=fails)
    made_sync.clear()
    return app.test_client().get(path).text, made_sync


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/", ("hello", ["before", "view", "after", "teardown"])),
        ("/fails", ("handled", ["before", "fails", "handle", "after", "teardown"])),
    ],
)
def test_every_function_of_a_request_goes_through_ensure_sync(path, told):
    assert told == on_both(functions_made_sync, path)


def error_that_is_told(side, ignored):
    told = []

    class Own(side):
        def should_ignore_error(self, error):
            return ignored

    app = Own("own", static_folder=None)
    app.testing = True
    app.teardown_request(lambda error: told.append(type(error)))
    app.add_url_rule("/", "index", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        app.test_client().get("/")
    return told


@pytest.mark.parametrize(("ignored", "told"), [(True, [type(None)]), (False, [ZeroDivisionError])])
def test_an_error_that_is_ignored_is_not_told_to_the_teardown_functions(ignored, told):
    assert told == on_both(error_that_is_told, ignored)


def views_through(side, name):
    """Let an overridden stage record its arguments."""
    given = []

    def stage(self, *args):
        given.append([type(arg).__name__ for arg in args])
        return getattr(side, name)(self, *args)

    app = type("Own", (side,), {name: stage})("own", static_folder=None)
    app.after_request(lambda response: response)
    app.add_url_rule("/", "index", lambda: "hello")
    return app.test_client().get("/").text, given


@pytest.mark.parametrize(
    "name",
    ["full_dispatch_request", "preprocess_request", "dispatch_request", "finalize_request", "make_response",
     "process_response"],
)  # fmt: skip
def test_an_overridden_stage_is_given_the_same(name):
    text, given = on_both(views_through, name)
    assert (text, 1) == ("hello", len(given))
