"""HTTP authentication: a client's credentials and a server's challenges (RFC 9110 §11, RFC 7617, RFC 7616)."""

from __future__ import annotations

import binascii
import typing as t
from base64 import b64decode, b64encode
from collections import abc

from .callback import CallbackDict
from .grammar import dump_header, parse_dict_header, quote_header_value


class Authorization:
    """The value of `Authorization`: a scheme in lower case with either parameters or a token.

    Parameters read as attributes and items; a missing parameter is None. Those of the scheme `basic` are `username` and
    `password`.
    """

    def __init__(self, auth_type: str, data: dict[str, str | None] | None = None, token: str | None = None) -> None:
        self.type = auth_type
        self.parameters = {} if data is None else data
        self.token = token

    def __getattr__(self, name: str) -> str | None:
        _refuse_protocol_name(self, name)
        return self.parameters.get(name)

    def __getitem__(self, name: str) -> str | None:
        return self.parameters.get(name)

    def get(self, key: str, default: str | None = None) -> str | None:
        """The parameter, or the default if it is missing."""
        return self.parameters.get(key, default)

    def __contains__(self, key: str) -> bool:
        return key in self.parameters

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Authorization):
            return NotImplemented
        return (other.type, other.token, other.parameters) == (self.type, self.token, self.parameters)

    __hash__ = None  # type: ignore[assignment]  # it can change

    @classmethod
    def from_header(cls, value: str | None) -> t.Self | None:
        """Read a header; None when it is missing, or its basic credentials cannot be decoded."""
        if not value:
            return None
        scheme, rest = _split_scheme(value)
        if scheme != "basic":
            return cls(scheme, *_parse_credentials(rest))
        try:
            # RFC 7617 §2.1: UTF-8 is the one charset that a server can ask for.
            username, _, password = b64decode(rest, validate=True).decode().partition(":")
        except (binascii.Error, ValueError):
            return None
        return cls(scheme, {"username": username, "password": password})

    def to_header(self) -> str:
        """Write the header."""
        if self.type == "basic":
            credentials = b64encode(f"{self.username}:{self.password}".encode()).decode("ascii")
            return f"Basic {credentials}"
        if self.token is not None:
            return f"{self.type.title()} {self.token}"
        return f"{self.type.title()} {dump_header(self.parameters)}"

    def __str__(self) -> str:
        return self.to_header()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.to_header()}>"


class WWWAuthenticate:
    """The value of `WWW-Authenticate`: a scheme in lower case with either parameters or a token.

    Parameters read, change and go as attributes and as items; one set to None is removed. Assigning any attribute sets
    a parameter of that name. Each change is reported to the response that holds the header.
    """

    _type: str
    _parameters: CallbackDict[str, str | None]
    _token: str | None
    _on_update: abc.Callable[[WWWAuthenticate], None] | None = None

    def __init__(self, auth_type: str, values: dict[str, str | None] | None = None, token: str | None = None):
        self._type = auth_type.lower()
        self._parameters = CallbackDict(values, self._parameters_changed)
        self._token = token

    def _parameters_changed(self, parameters: CallbackDict[str, str | None]) -> None:
        self._trigger_on_update()

    def _trigger_on_update(self) -> None:
        if self._on_update is not None:
            self._on_update(self)

    @property
    def type(self) -> str:
        """The scheme, in lower case."""
        return self._type

    @property
    def parameters(self) -> dict[str, str | None]:
        """The parameters; a change of the dict is reported too."""
        return self._parameters

    @property
    def token(self) -> str | None:
        """The token, if the scheme uses one in place of parameters."""
        return self._token

    def __getitem__(self, key: str) -> str | None:
        return self._parameters.get(key)

    def __setitem__(self, key: str, value: str | None) -> None:
        if value is None:
            self._parameters.pop(key, None)
        else:
            self._parameters[key] = value

    def __delitem__(self, key: str) -> None:
        self._parameters.pop(key, None)

    def __getattr__(self, name: str) -> str | None:
        _refuse_protocol_name(self, name)
        return self[name]

    def __setattr__(self, name: str, value: t.Any) -> None:
        if name in WWWAuthenticate.__annotations__:
            object.__setattr__(self, name, value)
        else:
            self[name] = value

    def __delattr__(self, name: str) -> None:
        del self[name]

    def __contains__(self, key: str) -> bool:
        return key in self._parameters

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, WWWAuthenticate):
            return NotImplemented
        return (other.type, other.token, other.parameters) == (self.type, self.token, self.parameters)

    __hash__ = None  # type: ignore[assignment]  # it can change

    def get(self, key: str, default: str | None = None) -> str | None:
        """The parameter, or the default if it is missing."""
        return self._parameters.get(key, default)

    @classmethod
    def from_header(cls, value: str | None) -> t.Self | None:
        """Read a header with one challenge; None when it is missing."""
        if not value:
            return None
        scheme, rest = _split_scheme(value)
        return cls(scheme, *_parse_credentials(rest))

    def to_header(self) -> str:
        """Write the header."""
        if self._token is not None:
            return f"{self._type.title()} {self._token}"
        if not self._parameters:
            return self._type.title()
        dump = _dump_digest_challenge if self._type == "digest" else dump_header
        return f"{self._type.title()} {dump(self._parameters)}"

    def __str__(self) -> str:
        return self.to_header()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.to_header()}>"


def _refuse_protocol_name(owner: object, name: str) -> None:
    """Every parameter is an attribute, but `copy` and `pickle` must not take `__setstate__` for one."""
    if name[:2] == "__" == name[-2:]:
        raise AttributeError(f"{type(owner).__name__!r} object has no attribute {name!r}")


def _split_scheme(value: str) -> tuple[str, str]:
    scheme, _, rest = value.partition(" ")
    return scheme.lower(), rest.strip(" \t")


def _parse_credentials(rest: str) -> tuple[dict[str, str | None] | None, str | None]:
    """Read the text after the scheme (RFC 9110 §11.4): parameters have an equals sign that does not end a token68."""
    if "=" in rest.rstrip("="):
        return parse_dict_header(rest), None
    return None, rest


# RFC 7616 §3.3 asks for quotes around these, and for none around the others.
_QUOTED_IN_DIGEST = frozenset({"realm", "domain", "nonce", "opaque", "qop"})


def _dump_digest_challenge(parameters: dict[str, str | None]) -> str:
    return ", ".join(
        [
            f"{key}={quote_header_value(value, allow_token=key not in _QUOTED_IN_DIGEST)}"
            for key, value in parameters.items()
        ]
    )
