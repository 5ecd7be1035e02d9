"""The common base of all test clients, async or not: their cookies, and a function for each method of HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ..http.cookies import dump_cookie
from .cookie_jar import Cookie, CookieJar

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

R = TypeVar("R")
"""The result of a request: a response, or an awaitable of one."""

COOKIES_DISABLED = "Cookies are disabled. Create a client with 'use_cookies=True'."


class Browser(Generic[R]):
    """A client with the cookies of one user.

    :param use_cookies: keep the cookies that responses set, and send them with later requests.
    """

    def __init__(self, use_cookies: bool) -> None:
        self._cookies: CookieJar | None = CookieJar() if use_cookies else None

    # -- cookies --------------------------------------------------------------------------------------------------

    def _jar(self) -> CookieJar:
        if self._cookies is None:
            raise TypeError(COOKIES_DISABLED)
        return self._cookies

    def get_cookie(self, key: str, domain: str = "localhost", path: str = "/") -> Cookie | None:
        """Return the cookie `key` that was set for exactly `domain` and `path`, or None.

        Raises TypeError if the client keeps no cookies.
        """
        return self._jar().get((domain, path, key))

    def set_cookie(
        self,
        key: str,
        value: str = "",
        *,
        domain: str = "localhost",
        origin_only: bool = True,
        path: str = "/",
        **kwargs: Any,
    ) -> None:
        """Set a cookie as if a response of `domain` had set it; `kwargs` go to `dump_cookie`.

        With `origin_only`, it is not sent to subdomains of `domain`. Raises TypeError if the client keeps no cookies,
        and ValueError if `key` cannot be the name of a cookie.
        """
        jar = self._jar()
        if not jar.put(domain, dump_cookie(key, value, domain=domain, path=path, **kwargs), origin_only):
            raise ValueError(f"{key!r} cannot be the name of a cookie.")

    def delete_cookie(self, key: str, *, domain: str = "localhost", path: str = "/") -> None:
        """Delete the cookie `key` of exactly `domain` and `path`, if there is one.

        Raises TypeError if the client keeps no cookies.
        """
        self._jar().pop((domain, path, key), None)

    def _add_cookies_to_wsgi(self, environ: WSGIEnvironment) -> None:
        """Put the cookies that match the request into it, in place of any that are there."""
        if self._cookies is not None:
            self._cookies.add_to(environ)

    def _update_cookies_from_response(self, server_name: str, path: str, headers: list[str]) -> None:
        """Keep the cookies in the ``Set-Cookie`` headers of a response to `server_name` and `path`."""
        if self._cookies is not None:
            self._cookies.receive(server_name, path, headers)

    # -- requests -------------------------------------------------------------------------------------------------

    def open(self, *args: object, **kwargs: Any) -> R:
        """Make a request, described by arguments for `EnvironBuilder`, or by one builder, environ or request."""
        raise NotImplementedError

    def get(self, *args: object, **kw: object) -> R:
        """Call `open` with the method GET."""
        return self.open(*args, **kw | {"method": "GET"})

    def post(self, *args: object, **kw: object) -> R:
        """Call `open` with the method POST."""
        return self.open(*args, **kw | {"method": "POST"})

    def put(self, *args: object, **kw: object) -> R:
        """Call `open` with the method PUT."""
        return self.open(*args, **kw | {"method": "PUT"})

    def delete(self, *args: object, **kw: object) -> R:
        """Call `open` with the method DELETE."""
        return self.open(*args, **kw | {"method": "DELETE"})

    def patch(self, *args: object, **kw: object) -> R:
        """Call `open` with the method PATCH."""
        return self.open(*args, **kw | {"method": "PATCH"})

    def options(self, *args: object, **kw: object) -> R:
        """Call `open` with the method OPTIONS."""
        return self.open(*args, **kw | {"method": "OPTIONS"})

    def head(self, *args: object, **kw: object) -> R:
        """Call `open` with the method HEAD."""
        return self.open(*args, **kw | {"method": "HEAD"})

    def trace(self, *args: object, **kw: object) -> R:
        """Call `open` with the method TRACE."""
        return self.open(*args, **kw | {"method": "TRACE"})
