"""A pytest plugin with fixtures for an application: ``pytest_plugins = ["costrel.testing.pytest"]`` in ``conftest.py``.

All of them use the fixture `app`, which the project defines. A project's own fixture of the same name takes precedence.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterator

import pytest

from ..app.application import Costrel
from .app_client import FlaskClient, FlaskCliRunner
from .async_client import AsyncTestClient
from .captures import CapturedLogs, RenderedTemplate
from .captures import captured_logs as capture_logs
from .captures import captured_templates as capture_templates
from .session_view import ClientSession

ASYNC_CLIENT = "async_client"

_NO_APP = """\
The fixtures of costrel.testing.pytest need a fixture 'app' that returns the application. Define it in conftest.py:

    import pytest
    from shop import create_app

    @pytest.fixture
    def app():
        return create_app({"SECRET_KEY": "a-key-for-tests-of-32-characters"})
"""


@pytest.fixture
def app() -> Costrel:
    """The application; each project defines its own."""
    pytest.fail(_NO_APP, pytrace=False)


@pytest.fixture
def client(app: Costrel) -> FlaskClient:
    """A test client of the application."""
    made: FlaskClient = app.test_client()
    return made


@pytest.fixture
def async_client(app: Costrel) -> AsyncTestClient:
    """A test client for ``async def`` tests, which run within its ``async with`` block."""
    made: AsyncTestClient = app.async_test_client()
    return made


@pytest.fixture
def cli_runner(app: Costrel) -> FlaskCliRunner:
    """A runner for the application's commands."""
    made: FlaskCliRunner = app.test_cli_runner()
    return made


@pytest.fixture
def client_session(client: FlaskClient) -> ClientSession:
    """The session of `client` as a dict."""
    return ClientSession(client)


@pytest.fixture
def captured_templates(app: Costrel) -> Iterator[list[RenderedTemplate]]:
    """The templates that the application renders during the test."""
    with capture_templates(app) as found:
        yield found


@pytest.fixture
def captured_logs(app: Costrel) -> Iterator[CapturedLogs]:
    """The messages of the application's logger during the test."""
    with capture_logs(app) as found:
        yield found


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> object:
    """Run an ``async def`` test that uses `async_client`, unless a mark gives it to another plugin."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj) or ASYNC_CLIENT not in pyfuncitem.funcargs:
        return None
    if any(pyfuncitem.get_closest_marker(name) is not None for name in ("asyncio", "anyio", "trio")):
        return None
    names = pyfuncitem._fixtureinfo.argnames
    asyncio.run(_in_client(pyfuncitem, {name: pyfuncitem.funcargs[name] for name in names}))
    return True


async def _in_client(pyfuncitem: pytest.Function, arguments: dict[str, object]) -> None:
    client = pyfuncitem.funcargs[ASYNC_CLIENT]
    if not isinstance(client, AsyncTestClient):
        await pyfuncitem.obj(**arguments)
        return
    async with client:
        await pyfuncitem.obj(**arguments)
