"""The context in threads, and the errors without one: they name the proxy, the line and the fix."""

import io
import string
import threading

import pytest

import costrel
from costrel import (
    ContextExecutor,
    Costrel,
    context_thread,
    current_app,
    g,
    render_template_string,
    request,
    session,
    url_for,
    websocket,
)

PATIENCE = 30


@pytest.fixture
def app():
    app = Costrel("threads", static_folder=None)
    app.config.update(TESTING=True, CSRF_PROTECTION=False, SECRET_KEY="a key that is long enough for signatures")
    return app


@pytest.fixture
def seen():
    return []


# -- context_thread and ContextExecutor


@pytest.mark.parametrize("edge", ["wsgi", "asgi"])
def test_a_thread_sees_the_request(app, seen, edge):
    def work(*args, **kwargs):
        seen.append((args, kwargs, request.path, request.args["q"], session["user"], current_app.name))

    @app.route("/page")
    def page():
        session["user"] = "ada"
        thread = context_thread(work, 1, a=2)
        thread.start()
        thread.join(PATIENCE)
        return "page"

    app.test_client(edge=edge).get("/page?q=3")
    assert [((1,), {"a": 2}, "/page", "3", "ada", "threads")] == seen


def test_it_is_the_target_of_another_thread_as_well(app, seen):
    with app.test_request_context("/page"):
        work = context_thread(lambda number: seen.append((number, request.path)))
        threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
    assert [(0, "/page"), (1, "/page"), (2, "/page")] == sorted(seen)


def test_a_thread_has_its_own_g_and_tears_its_application_context_down(app, seen):
    app.teardown_appcontext(lambda error: seen.append(threading.current_thread() is not threading.main_thread()))
    with app.app_context():
        g.user = "ada"
        thread = context_thread(lambda: seen.append("user" in g))
        thread.start()
        thread.join(PATIENCE)
        assert [False, True] == seen


def test_a_thread_outlives_the_request_and_its_files_stay_open(app, seen):
    go = threading.Event()

    def work():
        assert go.wait(PATIENCE)
        seen.append(request.files["file"].read())

    @app.post("/")
    def upload():
        request.files["file"]
        thread = context_thread(work)
        thread.start()
        app.thread = thread
        return "hello"

    app.test_client().post("/", data={"file": (io.BytesIO(b"content"), "a.txt")})
    go.set()
    app.thread.join(PATIENCE)
    assert [b"content"] == seen


def test_an_async_function_runs_to_its_end(app, seen):
    async def work():
        seen.append(current_app.name)

    with app.app_context():
        thread = context_thread(work)
    thread.start()
    thread.join(PATIENCE)
    assert ["threads"] == seen


def test_an_executor_carries_the_context_of_each_call(app, seen):
    with ContextExecutor(2) as executor:
        for path in ("/a", "/b"):
            with app.test_request_context(path):
                seen.append(executor.submit(lambda: request.path))
        assert ["/a", "/b"] == [future.result(PATIENCE) for future in seen]


def test_an_executor_maps_within_the_context(app):
    with ContextExecutor(2) as executor, app.app_context():
        assert ["threads0", "threads1"] == [*executor.map(lambda n: f"{current_app.name}{n}", range(2))]


def test_an_executor_runs_functions_without_a_context_too():
    with ContextExecutor(1) as executor:
        assert 3 == executor.submit(lambda: 3).result(PATIENCE)


def test_outside_of_a_context_a_thread_has_nothing_to_take_along():
    with pytest.raises(RuntimeError, match="Working outside of application context"):
        context_thread(print)


def test_something_that_cannot_be_called_is_refused(app):
    with app.app_context(), pytest.raises(TypeError, match="takes a function and its arguments, not 3"):
        context_thread(3)


# -- the errors outside of a context

PROXIES = {
    "request": lambda: request.path,
    "session": lambda: session["user"],
    "current_app": lambda: current_app.name,
    "g": lambda: g.user,
    "websocket": lambda: websocket.receive(),
    "app_ctx": lambda: costrel.context.app_ctx.app,
    "request_ctx": lambda: costrel.context.request_ctx.request,
}


@pytest.mark.parametrize("name", PROXIES)
def test_the_error_names_the_proxy_and_the_line(name):
    with pytest.raises(RuntimeError) as caught:
        PROXIES[name]()
    line = PROXIES[name].__code__.co_firstlineno
    first, used, *_ = str(caught.value).split("\n\n")
    assert first.startswith("Working outside of")
    assert f'\'{name}\' was used here:\n  File "{__file__}", line {line}, in <lambda>\n    "{name}": ' in used
    assert "context_thread" not in str(caught.value)


@pytest.mark.parametrize(
    "use",
    [
        lambda: url_for("index"),
        lambda: costrel.flash("hello"),
        lambda: costrel.jsonify(1),
        lambda: render_template_string("x"),
        lambda: costrel.stream_template("x"),
    ],
    ids=["url_for", "flash", "jsonify", "render_template_string", "stream_template"],
)
def test_functions_that_need_a_context_name_the_line_too(use):
    with pytest.raises(RuntimeError) as caught:
        use()
    assert f'File "{__file__}", line {use.__code__.co_firstlineno}, in <lambda>' in str(caught.value)


def test_the_line_is_the_users_even_inside_a_library():
    with pytest.raises(RuntimeError) as caught:
        sorted([1, 2], key=lambda number: request.args[number])
    assert f'File "{__file__}"' in str(caught.value)
    with pytest.raises(RuntimeError, match="test_threads"):
        string.Formatter().vformat("{0.path}", (request,), {})


def test_in_another_thread_the_error_names_the_two_ways(app, seen):
    def work():
        try:
            request.path
        except RuntimeError as error:
            seen.append(str(error))

    with app.test_request_context("/"):
        thread = threading.Thread(target=work, name="importer")
        thread.start()
        thread.join(PATIENCE)
    assert "This is the thread 'importer'" in seen[0]
    assert "costrel.context_thread(fn)" in seen[0]
    assert "costrel.ContextExecutor" in seen[0]


def test_an_unbound_proxy_is_false_and_has_a_text():
    assert not current_app
    assert "unbound" in repr(request)


def test_the_name_of_the_executor_is_imported_late_and_once():
    assert costrel.ContextExecutor is ContextExecutor
    assert "ContextExecutor" in vars(costrel)
