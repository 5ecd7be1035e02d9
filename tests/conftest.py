"""What holds in every test: no context and no thread is left over, and every WSGI response keeps to PEP 3333.

The responses of the test clients pass `wsgiref.validate`. A test whose application breaks the protocol on purpose says
so with ``@pytest.mark.unvalidated("the reason")``.
"""

import gc
import os
import sys
import textwrap
import threading
from wsgiref.validate import validator

import pytest
from hypothesis import HealthCheck, settings

# HYPOTHESIS_PROFILE chooses the number of examples. There is no deadline, since a busy machine takes its time over an
# example. An unchanged tree gives an unchanged result; only `make fuzz-differential` searches for new examples.
settings.register_profile(
    "quick",
    max_examples=50,
    deadline=None,
    derandomize=True,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("ci", settings.get_profile("quick"), max_examples=300)
settings.register_profile("fuzz", settings.get_profile("quick"), max_examples=20_000, derandomize=False)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))

PATIENCE = 10.0
"""How many seconds a thread may take to end after its test."""

WORKERS = "costrel-worker-"
"""The threads of the ASGI edge: they are daemons, and wait for the next request."""


LEFT_OUT = {"browser", "ci", "npm", "slow"}
"""The markers of the tests that `make test` leaves to `make test-all`."""

left_out = pytest.StashKey[int]()


def pytest_configure(config):
    config.addinivalue_line("markers", "unvalidated(reason): the responses do not pass the WSGI validator")
    # It warns of methods that are not in RFC 9110 and of status lines without a reason: neither is an error.
    config.addinivalue_line("filterwarnings", "ignore::wsgiref.validate.WSGIWarning")


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """Exclude the objects of the whole run from garbage collection.

    There are 15,000 tests with their nodes, and some tests start a round a hundred times.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


def pytest_deselected(items):
    """Count the tests that are left out for their markers."""
    for item in items:
        if LEFT_OUT.intersection(marker.name for marker in item.iter_markers()):
            item.config.stash[left_out] = item.config.stash.get(left_out, 0) + 1


def pytest_sessionfinish(session):
    """Report the number of skipped tests from one process, since all workers skip the same tests."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["left_out"] = session.config.stash.get(left_out, 0)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node, error):
    node.config.stash[left_out] = getattr(node, "workeroutput", {}).get("left_out", 0)


def pytest_unconfigure(config):
    """Say how many tests are left, in the last line."""
    count = config.stash.get(left_out, 0)
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if count and reporter and not hasattr(config, "workeroutput"):
        reporter.write_line(f"Tests that are left to make test-all, for their real parts or duration: {count}")


@pytest.fixture(scope="module")
def short_rounds():
    """Keep the objects of earlier tests out of the garbage collector's rounds, for modules that start many."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def no_thread_is_left():
    """Fail a test if one of its threads is still running."""
    before = set(threading.enumerate())
    yield
    started = [
        thread for thread in threading.enumerate() if thread not in before and not thread.name.startswith(WORKERS)
    ]
    for thread in started:
        thread.join(PATIENCE)
    left = [thread.name for thread in started if thread.is_alive()]
    if left:
        pytest.fail(f"threads are still running: {left}")


@pytest.fixture(autouse=True)
def no_context_is_left():
    """Fail a test if a context is still current, and remove the context."""
    yield
    context = sys.modules.get("costrel.context")
    if context is None or not hasattr(context, "peek"):
        return
    left = context.peek()
    if left is not None:
        context._current.set(None)
        pytest.fail(f"a context is still current: {left!r}")


@pytest.fixture(scope="session")
def client_module():
    """The module of the test client; None while one of the rooms below it cannot be imported."""
    try:
        import costrel.testing.client
    except Exception:
        return None
    return costrel.testing.client


@pytest.fixture(autouse=True)
def every_response_is_validated(request, monkeypatch, client_module, no_context_is_left, no_thread_is_left):
    """Put the WSGI validator between the test clients and the applications; close the responses after the test."""
    marker = request.node.get_closest_marker("unvalidated")
    if marker is not None and not marker.args:
        pytest.fail("say why the responses of this test are not valid: @pytest.mark.unvalidated('reason')")
    if marker is not None or client_module is None:
        yield
        return
    bodies = []
    call = client_module.run_wsgi_app
    monkeypatch.setattr(
        client_module,
        "run_wsgi_app",
        lambda app, environ, buffered=False: call(Validated(app, bodies), environ, buffered=buffered),
    )
    yield
    for body in reversed(bodies):
        body.close()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty working directory; modules imported from it are removed afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        module = sys.modules[name]
        if (getattr(module, "__file__", None) or "").startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.fixture
def write(folder):
    """Write a file into the folder."""

    def write(name, text):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
        return path

    return write


@pytest.fixture
def browser(tmp_path):
    """A headless Chromium with a profile of its own; its tests are marked by `browsers.needs_browser`."""
    from .browsers import new_browser  # Selenium is slow to import

    driver = new_browser(tmp_path / "profile")
    try:
        yield driver
    finally:
        driver.quit()


class Validated:
    """A WSGI application whose calls and answers pass the validator."""

    def __init__(self, app, bodies):
        self.app = app
        self.bodies = bodies

    def __repr__(self):
        return repr(self.app)

    def __call__(self, environ, start_response):
        answers = []

        def app(environ, start_validated):
            def start(status, headers, exc_info=None):
                answers.append(headers)
                checked = without_content_type(headers) if status[:3] in ("204", "304") else headers
                return start_validated(status, checked, *([exc_info] if exc_info else []))

            return self.app(environ, start)

        def start_unchanged(status, headers, exc_info=None):
            return start_response(status, answers[-1], exc_info)

        body = ClosedOnce(validator(app)(environ, start_unchanged))
        self.bodies.append(body)
        return body


def without_content_type(headers):
    """Flask's responses without content keep their Content-Type, which RFC 9110 allows and the validator does not."""
    return [(name, value) for name, value in headers if name.lower() != "content-type"]


class ClosedOnce:
    """The body of a response, closed by the client or after the test, whichever comes first."""

    def __init__(self, body):
        self.body = body
        self.chunks = iter(body)
        self.closed = False

    def __iter__(self):
        return self.chunks

    def close(self):
        if not self.closed:
            self.closed = True
            self.body.close()
