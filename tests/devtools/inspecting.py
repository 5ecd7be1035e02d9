"""Asks for the pages of the inspector, as a browser does that has entered the PIN."""

import re
from urllib.parse import urlencode

from costrel.devtools import pin

from . import asgi_client
from .asgi_client import Got

REQUESTS = "/__costrel__/requests"
SAME_ORIGIN = {"origin": "http://localhost:5000", "sec-fetch-site": "same-origin"}


def get(development, path: str = "/", *, headers: dict[str, str] | None = None, body: bytes = b"", **more) -> Got:
    """The response to a request, whose body has a length."""
    length = {"content-length": str(len(body))} if body else {}
    return asgi_client.get(development, path, headers={**length, **(headers or {})}, body=body, **more)


def unlocked(development, cookie: str = "") -> dict[str, str]:
    """The header with the cookie of the PIN, and another one."""
    debugger = development.debugger
    own = f"{debugger.pin_cookie_name}={pin.make_ticket(debugger.pin)}"
    return {"cookie": f"{cookie}; {own}" if cookie else own}


def urlencoded(fields: dict[str, str]) -> dict:
    """A body and its headers, for `get`."""
    body = urlencode(fields).encode()
    return {"headers": {"content-type": "application/x-www-form-urlencoded"}, "body": body}


def newest(development) -> Got:
    """The page of the newest record."""
    number = development.inspector.records.newest
    return get(development, f"{REQUESTS}/{number}", headers=unlocked(development))


def token_of(development) -> str:
    """The token in the form of a record's page."""
    return re.search(r'name="token" value="([^"]+)"', newest(development).text)[1]


def replay(development, *, cookie: str = "", headers: dict[str, str] | None = None, **fields: str) -> Got:
    """Send the newest request again with the form of its page. `headers` replace those of the browser."""
    number = development.inspector.records.newest
    form = urlencoded({"token": token_of(development), **fields})
    sent = {**form["headers"], **unlocked(development, cookie), **(SAME_ORIGIN if headers is None else headers)}
    return get(development, f"{REQUESTS}/{number}/replay", method="POST", headers=sent, body=form["body"])
