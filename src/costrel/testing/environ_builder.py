"""Builds the WSGI environ of a request from its parts, for test clients and for code under test."""

from __future__ import annotations

import json as stdlib_json
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from io import BytesIO
from itertools import chain
from typing import IO, TYPE_CHECKING, Any, cast
from urllib.parse import quote, unquote, urlsplit

from ..http.authentication import Authorization
from ..http.callback import CallbackDict
from ..http.grammar import dump_options_header, parse_options_header
from ..http.headers import Headers
from ..http.multidict import MultiDict
from ..http.uploads import FileMultiDict
from ..http.urls import encode_query, iri_to_uri
from ..messages.environ import EnvironHeaders, decode, encode
from ..messages.request import Request
from ..messages.response_head import get_content_type
from .form_body import encode_urlencoded, fields, stream_encode_multipart

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

Stream = IO[bytes]
File = Stream | tuple[Stream, str] | tuple[Stream, str, str]
"""A file of a form: a stream, and perhaps its name and content type."""
Query = Mapping[str, str] | str
Data = Stream | str | bytes | Mapping[str, object]
"""A body, or the fields and files of a form."""
Auth = Authorization | tuple[str, str]

URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"


def split_host(host: str) -> tuple[str, str]:
    """Divide ``name:port``; the port may be missing, and the name an IPv6 address in brackets."""
    name, colon, port = host.rpartition(":")
    return (name, port) if colon and "]" not in port else (host, "")


def origin_of(environ: WSGIEnvironment) -> tuple[str, str]:
    """Return the host, without a port, and the path of a request, as cookies are matched to them."""
    host = environ.get("HTTP_HOST") or environ.get("SERVER_NAME") or "localhost"
    return split_host(host)[0], url_path(environ)


def url_path(environ: WSGIEnvironment) -> str:
    """Return the path of a request as its URL has it, with the part that the application is mounted at."""
    path = environ.get("SCRIPT_NAME", "").rstrip("/") + "/" + environ.get("PATH_INFO", "").lstrip("/")
    return quote(path.encode("latin-1"), safe="%!$&'()*+,/:;=@")


class EnvironBuilder:
    """Describes a request by its parts, and makes a WSGI environ, or a `Request`, of it.

    :param path: the path, percent-encoded or not, and perhaps a query after ``?``.
    :param base_url: scheme, host and the path that the application is mounted at; ``http://localhost/`` by default.
    :param query_string: a string, or a mapping that is then found as `args`.
    :param method: the method; ``GET`` by default.
    :param data: the body as text, bytes or a stream; or a mapping with form fields and files. A file is a stream, or a
        tuple of a stream, a file name and a content type, as `FileMultiDict.add_file` takes them.
    :param json: an object to send as the body, with the content type ``application/json``.
    :param input_stream: a stream to read the body from, instead of `data`.
    :param auth: an `Authorization`, or a user name and a password for the Basic scheme (RFC 7617).
    :param environ_base: entries that the request's own replace.
    :param environ_overrides: entries that replace the request's own.

    The remaining parameters are headers, and entries of the environ. Forms are encoded as browsers encode them.
    `close` closes the files among the data. Raises TypeError if more than one of `data`, `json` and `input_stream` is
    given, and ValueError if `path` and `query_string` both hold a query, or `base_url` holds one.
    """

    server_protocol = "HTTP/1.1"
    """The entry ``SERVER_PROTOCOL``."""
    wsgi_version = (1, 0)
    """The entry ``wsgi.version``."""
    request_class: type[Request] = Request
    """The class of the requests that `get_request` makes."""

    json_dumps = staticmethod(stdlib_json.dumps)
    """Writes the parameter `json`."""

    _args: MultiDict[str, str] | None
    _query_string: str | None
    _input_stream: Stream | None
    _form: MultiDict[str, str] | None
    _files: FileMultiDict | None

    def __init__(
        self,
        path: str = "/",
        base_url: str | None = None,
        query_string: Query | None = None,
        method: str = "GET",
        input_stream: Stream | None = None,
        content_type: str | None = None,
        content_length: int | None = None,
        errors_stream: IO[str] | None = None,
        multithread: bool = False,
        multiprocess: bool = False,
        run_once: bool = False,
        headers: Headers | Iterable[tuple[str, str]] | None = None,
        data: Data | None = None,
        environ_base: Mapping[str, object] | None = None,
        environ_overrides: Mapping[str, object] | None = None,
        mimetype: str | None = None,
        json: object = None,
        auth: Auth | None = None,
    ) -> None:
        self._set_url(path, base_url, query_string)
        self.method = method
        self.headers = headers if isinstance(headers, Headers) else Headers(headers)
        if content_type is not None:
            self.content_type = content_type
        self.errors_stream = sys.stderr if errors_stream is None else errors_stream
        self.multithread = multithread
        self.multiprocess = multiprocess
        self.run_once = run_once
        self.environ_base = environ_base
        self.environ_overrides = environ_overrides
        self.content_length = content_length
        self._form = self._files = self._input_stream = None
        self.closed = False
        if auth is not None:
            self._set_authorization(auth)
        self._set_body(data, json, input_stream)
        if mimetype is not None:
            self.mimetype = mimetype

    def _set_url(self, path: str, base_url: str | None, query_string: Query | None) -> None:
        url = urlsplit(path)
        if query_string is not None and "?" in path:
            raise ValueError("The path has a query already: pass it there or as 'query_string', not both.")
        if "?" in path:
            query_string = url.query
        self.path = iri_to_uri(url.path)
        self.request_uri = path
        self.base_url = iri_to_uri(base_url) if base_url is not None else None
        if isinstance(query_string, str):
            self.query_string = query_string
        else:
            self.args = query_string if isinstance(query_string, MultiDict) else MultiDict(query_string)

    def _set_authorization(self, auth: Auth) -> None:
        if isinstance(auth, tuple):
            auth = Authorization("basic", {"username": auth[0], "password": auth[1]})
        self.headers["Authorization"] = auth.to_header()

    def _set_body(self, data: Data | None, json: object, input_stream: Stream | None) -> None:
        if json is not None:
            if data is not None:
                raise TypeError("can't provide both json and data: the request has one body.")
            data = self.json_dumps(json)
            if self.content_type is None:
                self.content_type = "application/json"
        if not data:
            self.input_stream = input_stream
            return
        if input_stream is not None:
            raise TypeError("can't provide input stream and data: the request has one body.")
        if hasattr(data, "read"):
            data = data.read()
        if isinstance(data, str):
            data = data.encode()
        if isinstance(data, bytes):
            self.input_stream = BytesIO(data)
            if self.content_length is None:
                self.content_length = len(data)
            return
        self._add_form(data)

    def _add_form(self, data: Mapping[str, object]) -> None:
        for key, value in fields(data):
            if isinstance(value, tuple | dict) or hasattr(value, "read"):
                self._add_file_from_data(key, cast("File", value))
            else:
                self.form.setlistdefault(key).append(cast("str", value))  # any object, written as text

    def _add_file_from_data(self, key: str, value: File) -> None:
        if isinstance(value, tuple):
            self.files.add_file(key, *value)
        else:
            self.files.add_file(key, value)

    @classmethod
    def from_environ(cls, environ: WSGIEnvironment, **kwargs: Any) -> EnvironBuilder:
        """Make a builder of the request that `environ` describes; the other arguments replace its parts.

        Entries that other software has put into the environ are left out.
        """
        headers = Headers(EnvironHeaders(environ))
        parts = {
            "base_url": cls._make_base_url(
                environ["wsgi.url_scheme"], headers.pop("Host"), decode(environ["SCRIPT_NAME"])
            ),
            "query_string": decode(environ["QUERY_STRING"]),
            "method": environ["REQUEST_METHOD"],
            "input_stream": environ["wsgi.input"],
            "content_type": headers.pop("Content-Type", None),
            "content_length": headers.pop("Content-Length", None),
            "errors_stream": environ["wsgi.errors"],
            "multithread": environ["wsgi.multithread"],
            "multiprocess": environ["wsgi.multiprocess"],
            "run_once": environ["wsgi.run_once"],
            "headers": headers,
        }
        builder = cls(**(parts | kwargs))
        if "path" not in kwargs:
            # Not by way of the parameter, which is a URL: two slashes at the start of a path are part of it.
            builder.path = quote(decode(environ["PATH_INFO"]))
            builder.request_uri = decode(environ.get("REQUEST_URI", builder.path))
        return builder

    @staticmethod
    def _make_base_url(scheme: str, host: str, script_root: str) -> str:
        root = script_root.strip("/")
        return f"{scheme}://{host}/{root}/" if root else f"{scheme}://{host}/"

    @property
    def base_url(self) -> str:
        """Scheme, host and the path that the application is mounted at, with a slash at the end."""
        return self._make_base_url(self.url_scheme, self.host, self.script_root)

    @base_url.setter
    def base_url(self, value: str | None) -> None:
        url = urlsplit("http://localhost" if value is None else value)
        if url.query or url.fragment:
            raise ValueError(f"base url must not contain a query string or fragment, as {value!r} does")
        self.script_root = url.path.rstrip("/")
        self.host = url.netloc
        self.url_scheme = url.scheme

    @property
    def content_type(self) -> str | None:
        """The header ``Content-Type``; without one, the type that the form or the files call for."""
        content_type = self.headers.get("Content-Type")
        if content_type is None and not self._input_stream:
            if self._files:
                return MULTIPART
            if self._form:
                return URLENCODED
            return None
        return content_type

    @content_type.setter
    def content_type(self, value: str | None) -> None:
        self._set_header("Content-Type", value)

    def _set_header(self, name: str, value: str | None) -> None:
        if value is None:
            self.headers.pop(name, None)
        else:
            self.headers[name] = value

    @property
    def mimetype(self) -> str | None:
        """The content type without its parameters."""
        content_type = self.content_type
        return content_type.split(";")[0].strip() if content_type else None

    @mimetype.setter
    def mimetype(self, value: str) -> None:
        self.content_type = get_content_type(value, "utf-8")

    @property
    def mimetype_params(self) -> Mapping[str, str]:
        """The parameters of the content type, as a dict; the header follows its changes."""

        def write(changed: CallbackDict[str, str]) -> None:
            self.headers["Content-Type"] = dump_options_header(self.mimetype, changed)

        return CallbackDict(parse_options_header(self.headers.get("Content-Type", ""))[1], write)

    @property
    def content_length(self) -> int | None:
        """The header ``Content-Length``; `get_environ` sets its own if it has the body."""
        return self.headers.get("Content-Length", type=int)

    @content_length.setter
    def content_length(self, value: int | None) -> None:
        self._set_header("Content-Length", None if value is None else str(value))

    @property
    def form(self) -> MultiDict[str, str]:
        """The form's fields. Raises AttributeError if the request has an input stream."""
        if self._form is None:
            self._refuse_beside_stream("form")
            self._form = MultiDict()
        return self._form

    @form.setter
    def form(self, value: MultiDict[str, str]) -> None:
        self._input_stream = None
        self._form = value

    @property
    def files(self) -> FileMultiDict:
        """The form's files. Raises AttributeError if the request has an input stream."""
        if self._files is None:
            self._refuse_beside_stream("files")
            self._files = FileMultiDict()
        return self._files

    @files.setter
    def files(self, value: FileMultiDict) -> None:
        self._input_stream = None
        self._files = value

    def _refuse_beside_stream(self, name: str) -> None:
        if self._input_stream is not None:
            raise AttributeError(f"an input stream is defined: set it to None to use {name!r} instead")

    @property
    def input_stream(self) -> Stream | None:
        """The stream that the body is read from; setting it drops the form and the files."""
        return self._input_stream

    @input_stream.setter
    def input_stream(self, value: Stream | None) -> None:
        self._input_stream = value
        self._form = self._files = None

    @property
    def query_string(self) -> str:
        """The query as a string; setting it drops `args`."""
        if self._query_string is None:
            return encode_query(self._args) if self._args is not None else ""
        return self._query_string

    @query_string.setter
    def query_string(self, value: str | None) -> None:
        self._query_string = value
        self._args = None

    @property
    def args(self) -> MultiDict[str, str]:
        """The query as a `MultiDict`. Raises AttributeError if it was given as a string."""
        if self._query_string is not None:
            raise AttributeError("a query string is defined: set it to None to use 'args' instead")
        if self._args is None:
            self._args = MultiDict()
        return self._args

    @args.setter
    def args(self, value: MultiDict[str, str] | None) -> None:
        self._query_string = None
        self._args = value

    @property
    def server_name(self) -> str:
        """The host without its port."""
        return split_host(self.host)[0]

    @property
    def server_port(self) -> int:
        """The port of the host, or the default port of the scheme."""
        port = split_host(self.host)[1]
        if port.isdecimal():
            return int(port)
        return 443 if self.url_scheme == "https" else 80

    def __del__(self) -> None:
        with suppress(Exception):  # __init__ may have failed, or the interpreter be shutting down
            self.close()

    def close(self) -> None:
        """Close the files among the data; a second call does nothing."""
        if self.closed:
            return
        for file in chain.from_iterable(self._files.listvalues() if self._files else ()):
            with suppress(Exception):  # an error must not keep the others open
                file.close()
        self.closed = True

    def get_environ(self) -> WSGIEnvironment:
        """Return the WSGI environ of the request."""
        stream, length, content_type = self._body()
        environ: WSGIEnvironment = dict(self.environ_base or {})
        environ.update(
            {
                "REQUEST_METHOD": self.method,
                "SCRIPT_NAME": _pathencode(self.script_root),
                "PATH_INFO": _pathencode(self.path),
                "QUERY_STRING": encode(self.query_string),
                "REQUEST_URI": encode(self.request_uri),  # not in PEP 3333; mod_wsgi, uWSGI
                "RAW_URI": encode(self.request_uri),  # gunicorn
                "SERVER_NAME": self.server_name,
                "SERVER_PORT": str(self.server_port),
                "HTTP_HOST": self.host,
                "SERVER_PROTOCOL": self.server_protocol,
                "wsgi.version": self.wsgi_version,
                "wsgi.url_scheme": self.url_scheme,
                "wsgi.input": stream,
                "wsgi.errors": self.errors_stream,
                "wsgi.multithread": self.multithread,
                "wsgi.multiprocess": self.multiprocess,
                "wsgi.run_once": self.run_once,
            }
        )
        environ.update(self._header_entries(content_type, length))
        environ.update(self.environ_overrides or {})
        return environ

    def _body(self) -> tuple[Stream, int | None, str | None]:
        """Return the body as a stream, its length and its content type."""
        content_type = self.content_type
        if self._input_stream is not None:
            return self._input_stream, _bytes_left(self._input_stream), content_type
        mimetype = self.mimetype
        if mimetype == MULTIPART:
            parts = MultiDict([*self._fields(), *self.files.items(multi=True)])
            stream, length, boundary = stream_encode_multipart(parts)
            return stream, length, f"{mimetype}; boundary={boundary}"
        if mimetype == URLENCODED:
            body = encode_urlencoded(self._fields())
            return BytesIO(body), len(body), content_type
        return BytesIO(), self.content_length, content_type

    def _fields(self) -> Iterator[tuple[str, object]]:
        """The fields of the form as they are sent."""
        return fields(self.form)

    def _header_entries(self, content_type: str | None, length: int | None) -> dict[str, str]:
        headers = self.headers.copy()
        headers.remove("Content-Type")
        headers.remove("Content-Length")
        entries: dict[str, str] = {}
        if content_type is not None:
            entries["CONTENT_TYPE"] = content_type
        if length is not None:
            entries["CONTENT_LENGTH"] = str(length)
        joined: dict[str, list[str]] = {}
        for name, value in headers.to_wsgi_list():
            joined.setdefault(f"HTTP_{name.upper().replace('-', '_')}", []).append(value)
        return entries | {name: ", ".join(values) for name, values in joined.items()}

    def get_request(self, cls: type[Request] | None = None) -> Request:
        """Return the request as an object of `cls`, or of `request_class`."""
        return (self.request_class if cls is None else cls)(self.get_environ())


def _pathencode(path: str) -> str:
    return encode(unquote(path))


def _bytes_left(stream: Stream) -> int:
    start = stream.tell()
    end = stream.seek(0, 2)
    stream.seek(start)
    return end - start


def create_environ(*args: Any, **kwargs: Any) -> WSGIEnvironment:
    """Return the WSGI environ of a request; the arguments go to `EnvironBuilder`."""
    builder = EnvironBuilder(*args, **kwargs)
    try:
        return builder.get_environ()
    finally:
        builder.close()
