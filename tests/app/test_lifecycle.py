"""A request from end to end: order of the stages, errors, overrides, late changes, teardown."""

import logging
from unittest import mock

import pytest

from costrel import Blueprint, Costrel, abort, request, session
from costrel.app import lifecycle
from costrel.http.errors import NotFound
from costrel.support.signals import got_request_exception, request_finished, request_started, request_tearing_down


@pytest.fixture
def app():
    app = Costrel(__name__, static_folder=None)
    app.secret_key = "k" * 32
    return app


def test_the_stages_come_in_order_with_the_blueprint_inside(app):
    seen = []
    blueprint = Blueprint("bp", __name__)
    for name, scaffold in (("app", app), ("bp", blueprint)):
        scaffold.url_value_preprocessor(lambda endpoint, values, name=name: seen.append(f"{name} values"))
        scaffold.before_request(lambda name=name: seen.append(f"{name} before"))
        scaffold.after_request(lambda response, name=name: seen.append(f"{name} after") or response)
        scaffold.teardown_request(lambda error, name=name: seen.append(f"{name} teardown"))
    app.teardown_appcontext(lambda error: seen.append("appcontext"))
    blueprint.add_url_rule("/", "index", lambda: seen.append("view") or "ok")
    app.register_blueprint(blueprint)
    app.test_client().get("/")
    assert seen == [
        "app values", "bp values", "app before", "bp before", "view",
        "bp after", "app after", "bp teardown", "app teardown", "appcontext",
    ]  # fmt: skip


def test_a_value_from_before_the_request_is_the_answer(app):
    app.before_request(lambda: ("stopped", 403))
    app.add_url_rule("/", "index", lambda: pytest.fail("the view was called"))
    answered = app.test_client().get("/")
    assert (answered.status_code, answered.text) == (403, "stopped")


# -- errors


def test_an_error_goes_to_its_handler_and_else_is_logged_and_answered_with_500(app, caplog):
    app.add_url_rule("/handled", "handled", lambda: 1 / 0)
    app.add_url_rule("/not", "not", lambda: {}["missing"])
    app.register_error_handler(ZeroDivisionError, lambda error: ("handled", 418))
    client = app.test_client()
    assert client.get("/handled").status_code == 418
    assert client.get("/not").status_code == 500
    assert "Exception on /not [GET]" in caplog.text
    assert "KeyError: 'missing'" in caplog.text


def test_in_debug_and_tests_an_unhandled_error_comes_out(app):
    app.add_url_rule("/", "index", lambda: 1 / 0)
    app.testing = True
    with pytest.raises(ZeroDivisionError):
        app.test_client().get("/")


def test_an_error_while_an_error_is_finished_is_logged_and_the_first_one_answered(app, caplog):
    app.add_url_rule("/", "index", lambda: 1 / 0)
    app.after_request(lambda response: {}["missing"])
    assert app.test_client().get("/").status_code == 500
    assert "Request finalizing failed with an error while handling an error" in caplog.text


def test_the_handler_for_500_gets_the_original_error(app):
    app.add_url_rule("/", "index", lambda: 1 / 0)
    app.register_error_handler(500, lambda error: repr(error.original_exception))
    assert app.test_client().get("/").text == "ZeroDivisionError('division by zero')"


@pytest.mark.parametrize("failing", [0, 1, 2])
def test_all_teardown_functions_run_and_the_answer_is_kept(app, caplog, failing):
    seen = []
    for number in range(3):

        def teardown(error, number=number):
            seen.append(number)
            if number == failing:
                raise RuntimeError(f"teardown {number}")

        app.teardown_request(teardown)
        app.teardown_appcontext(teardown)
    app.add_url_rule("/", "index", lambda: "the answer")
    assert app.test_client().get("/").text == "the answer"
    assert seen == [2, 1, 0, 2, 1, 0]
    messages = [record for record in caplog.records if "teardown function" in record.message]
    assert len(messages) == 2


def test_teardown_gets_the_error(app):
    seen = []
    app.teardown_request(seen.append)
    app.add_url_rule("/", "index", lambda: 1 / 0)
    app.logger.setLevel(logging.CRITICAL)
    app.test_client().get("/")
    assert [type(error) for error in seen] == [ZeroDivisionError]


def test_a_system_exit_passes_through_and_the_context_is_left(app):
    def leave():
        raise SystemExit(3)

    app.add_url_rule("/", "index", leave)
    with pytest.raises(SystemExit):
        app.test_client().get("/")


def test_http_errors_and_redirects_are_answers(app):
    app.add_url_rule("/slash/", "slash", lambda: "")
    app.add_url_rule("/gone", "gone", lambda: abort(410))
    client = app.test_client()
    assert client.get("/slash").status_code == 308
    assert client.get("/gone").status_code == 410
    assert client.get("/nowhere").status_code == 404
    for answered in (client.post("/gone"), client.options("/gone")):
        assert set(answered.allow) == {"GET", "HEAD", "OPTIONS"}


# -- signals are sent where somebody listens


def test_signals(app):
    app.add_url_rule("/", "index", lambda: "")
    app.add_url_rule("/error", "error", lambda: 1 / 0)
    app.logger.setLevel(logging.CRITICAL)
    seen = []
    signals = (request_started, request_finished, request_tearing_down, got_request_exception)
    listeners = [
        signal.connected_to(lambda sender, name=signal.name, **kwargs: seen.append(name), app) for signal in signals
    ]
    for listener in listeners:
        listener.__enter__()
    app.test_client().get("/")
    assert seen == ["request-started", "request-finished", "request-tearing-down"]
    app.test_client().get("/error")
    assert "got-request-exception" in seen
    for listener in listeners:
        listener.__exit__(None, None, None)


# -- what an application overrides

OVERRIDABLE = {
    "async_to_sync",
    "create_url_adapter",
    "dispatch_request",
    "do_teardown_appcontext",
    "do_teardown_request",
    "ensure_sync",
    "finalize_request",
    "full_dispatch_request",
    "handle_exception",
    "handle_http_exception",
    "handle_user_exception",
    "make_response",
    "preprocess_request",
    "process_response",
    "request_context",
}


def test_each_stage_that_a_subclass_overrides_is_called(app):
    called = []

    def overriding(name):
        original = getattr(Costrel, name)

        def method(self, *args, **kwargs):
            called.append(name)
            return original(self, *args, **kwargs)

        return method

    own_class = type("Own", (Costrel,), {name: overriding(name) for name in OVERRIDABLE})
    own = own_class(__name__, static_folder=None)
    own.before_request(lambda: None)

    @own.route("/")
    async def index():
        return "ok"

    own.add_url_rule("/error", "error", lambda: 1 / 0)
    own.logger.setLevel(logging.CRITICAL)
    client = own.test_client()
    assert client.get("/").text == "ok"
    client.get("/nowhere")
    client.get("/error")
    assert set(called) == OVERRIDABLE


@pytest.mark.parametrize("name", ["full_dispatch_request", "dispatch_request"])
def test_a_method_assigned_after_the_first_request_counts(app, name):
    app.add_url_rule("/", "index", lambda: "view")
    client = app.test_client()
    assert client.get("/").text == "view"
    setattr(app, name, lambda: app.response_class("assigned"))
    assert client.get("/").text == "assigned"
    delattr(app, name)
    assert client.get("/").text == "view"


def test_in_tests_a_class_may_be_patched_between_requests(app):
    app.testing = True
    app.add_url_rule("/", "index", lambda: "view")
    client = app.test_client()
    assert client.get("/").text == "view"
    with mock.patch.object(Costrel, "dispatch_request", return_value="patched"):
        assert client.get("/").text == "patched"
    assert client.get("/").text == "view"


def test_registries_changed_and_replaced_late_count(app):
    app.add_url_rule("/", "index", lambda: "view")
    client = app.test_client()
    assert client.get("/").text == "view"
    app.before_request_funcs.setdefault(None, []).insert(0, lambda: "late before")
    assert client.get("/").text == "late before"
    app.before_request_funcs = {}
    app.view_functions = {"index": lambda: "another view"}
    assert client.get("/").text == "another view"
    app.view_functions["index"] = lambda: "a third"
    app.after_request_funcs = {None: [lambda response: app.response_class(response.data + b"!")]}
    assert client.get("/").text == "a third!"
    app.error_handler_spec[None][404][NotFound] = lambda error: "late handler"
    assert client.get("/nowhere").text == "late handler!"


def test_the_stages_are_methods_that_can_be_called(app):
    app.before_request(lambda: "stopped" if "stop" in request.args else None)
    app.add_url_rule("/", "index", lambda: "view")
    with app.test_request_context("/"):
        assert app.preprocess_request() is None
        assert app.dispatch_request() == "view"
        assert app.full_dispatch_request().data == b"view"
        assert app.process_response(app.make_response("made")).data == b"made"
        assert app.handle_user_exception(NotFound()).code == 404
    with app.test_request_context("/?stop"):
        assert app.preprocess_request() == "stopped"


def test_a_plain_value_is_made_a_response_without_a_request(app):
    assert app.make_response(("made", 201, {"X-A": "1"})).status_code == 201
    assert app.make_response(b"made").data == b"made"
    with app.app_context():
        assert app.make_response({"a": 1}).json == {"a": 1}
    with pytest.raises(RuntimeError, match="outside of request context"):
        app.make_response(lambda environ, start_response: [])


def test_a_wsgi_application_that_names_no_type_is_plain_text(app):
    def application(environ, start_response):
        start_response("200 OK", [])
        return [b"<p>"]

    app.add_url_rule("/wsgi", "wsgi", lambda: application)
    response = app.test_client().get("/wsgi")
    assert (response.content_type, response.data) == ("text/plain; charset=utf-8", b"<p>")


# -- sessions open late


def test_a_request_that_never_touches_the_session_does_not_open_it(app):
    app.add_url_rule("/", "index", lambda: "")
    app.add_url_rule("/count", "count", lambda: str(session.setdefault("n", 1)))
    opened = []

    class Watched(type(app.session_interface)):
        opens_late = True

        def open_session(self, app, request):
            opened.append(request.path)
            return super().open_session(app, request)

    app.session_interface = Watched()
    client = app.test_client()
    assert "Vary" not in client.get("/").headers
    answered = client.get("/count")
    assert answered.headers["Vary"] == "Cookie"
    assert "Vary" not in client.get("/").headers
    assert opened == ["/count"]


def test_a_permanent_session_is_sent_again_though_nobody_touched_it(app):
    @app.route("/permanent")
    def permanent():
        session.permanent = True
        session["n"] = 1
        return ""

    app.add_url_rule("/", "index", lambda: "")
    client = app.test_client()
    client.get("/permanent")
    answered = client.get("/")
    assert "Expires" in answered.headers["Set-Cookie"]
    assert answered.headers["Vary"] == "Cookie"


# -- running generators of steps


def test_what_is_async():
    async def coroutine_function():
        pass

    class Callable:
        async def __call__(self):
            pass

    assert lifecycle.is_async(coroutine_function)
    assert lifecycle.is_async(Callable())
    assert not lifecycle.is_async(lambda: None)
    assert not lifecycle.is_async(len)


def test_async_code_under_wsgi_shares_variables_and_leaves_no_task(app):
    import asyncio
    import contextvars

    variable = contextvars.ContextVar("variable", default="unset")
    left_over = []

    async def background():
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            left_over.append("cancelled")
            raise

    @app.before_request
    async def before():
        variable.set("from before")

    @app.route("/")
    async def index():
        task = asyncio.create_task(background())
        await asyncio.sleep(0)
        assert not task.done()
        return variable.get()

    assert app.test_client().get("/").text == "from before"
    assert left_over == ["cancelled"]


def test_the_client_may_be_used_while_a_loop_runs(app):
    import asyncio

    @app.route("/")
    async def index():
        await asyncio.sleep(0)
        return request.path

    async def in_a_loop():
        return app.test_client().get("/").text

    assert asyncio.run(in_a_loop()) == "/"


def test_an_async_iterable_is_streamed_under_wsgi(app):
    @app.route("/")
    async def index():
        async def numbers():
            for number in range(3):
                yield str(number)

        return numbers()

    assert app.test_client().get("/").text == "012"
