"""The application class with the types of its test clients, which are in a room above its own.

Type checkers see a subclass; while the program runs, it is the class itself.
"""

from __future__ import annotations

import typing as t

from .app import application

if t.TYPE_CHECKING:
    from .testing.app_client import Edge, FlaskClient, FlaskCliRunner
    from .testing.async_client import AsyncTestClient

    class Costrel(application.Costrel):
        """A web application."""

        test_client_class: type[FlaskClient] | None
        test_cli_runner_class: type[FlaskCliRunner] | None

        def test_client(self, use_cookies: bool = True, *, edge: Edge = ..., **kwargs: object) -> FlaskClient: ...

        def async_test_client(self, use_cookies: bool = True, **kwargs: object) -> AsyncTestClient: ...

        def test_cli_runner(self, **kwargs: object) -> FlaskCliRunner: ...

else:
    Costrel = application.Costrel
