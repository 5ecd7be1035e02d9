"""Checks of the settings when an application starts to serve, so that none of them fails only in a request."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator

from ..http.cookies import dump_cookie
from ..http.errors import HTTPException
from ..http.hosts import host_is_trusted
from ..services.setting_checks import misspelt, unusable
from ..sessions.interface import SecureCookieSessionInterface, SessionInterface, check_size, refuse_async_methods
from ..sessions.lifetimes import cookie_lifetime, lifetimes

if t.TYPE_CHECKING:
    from ..context import AppContract


class WrongSetting(ValueError):
    """A setting has a value with which requests fail."""


def check_settings(app: AppContract) -> None:
    """Refuse values with which requests fail, or log them if ``REFUSE_WRONG_SETTINGS`` is off.

    :raises WrongSetting: for the first of them. The message begins with the name of the setting.
    :raises TypeError: if a method of the session interface is ``async def``.
    """
    for problem in (*_wrong_values(app), *_wrong_uses(app)):
        if app.config.get("REFUSE_WRONG_SETTINGS"):
            raise WrongSetting(problem)
        app.logger.warning("%s Requests will fail.", problem)
    refuse_async_methods(app.session_interface)


def name_misspelt(app: AppContract) -> None:
    """Log a warning for each setting that has no effect, since its name is misspelt."""
    if app.__dict__.get("_named_misspelt"):
        return  # in tests this is called for each request
    app.__dict__["_named_misspelt"] = True
    for name, near in misspelt(app.config):
        app.logger.warning("Unknown setting %r: did you mean %r?", name, near)


def _wrong_values(app: AppContract) -> Iterator[str]:
    for name, problem in unusable(app.config):
        yield f"{name}: {problem}"


def _wrong_uses(app: AppContract) -> Iterator[str]:
    """Use the settings that are first used in a request, as a request does."""
    for name, use in (
        ("TRUSTED_HOSTS", _compare_hosts),
        ("SERVER_NAME", lambda app: app.create_url_adapter(None)),
        ("SECRET_KEY", _check_key),
        ("SESSION_COOKIE", _make_cookie),
    ):
        try:
            use(app)
        except (HTTPException, TypeError, ValueError, OverflowError, AttributeError, RuntimeError) as error:
            yield f"{name}: {error}"


def _compare_hosts(app: AppContract) -> None:
    host_is_trusted("example.org", app.config["TRUSTED_HOSTS"])


def _check_key(app: AppContract) -> None:
    if app.secret_key and isinstance(app.session_interface, SecureCookieSessionInterface):
        check_size(app, app.secret_key)


def _make_cookie(app: AppContract) -> None:
    """Make the cookie of a permanent session."""
    interface = app.session_interface
    lifetimes(app)
    if not isinstance(interface, SessionInterface):
        return
    dump_cookie(
        interface.get_cookie_name(app),
        "value",
        max_age=cookie_lifetime(app),
        path=interface.get_cookie_path(app),
        domain=interface.get_cookie_domain(app) or None,
        secure=bool(interface.get_cookie_secure(app)),
        httponly=interface.get_cookie_httponly(app),
        samesite=interface.get_cookie_samesite(app),
        partitioned=interface.get_cookie_partitioned(app),
    )
