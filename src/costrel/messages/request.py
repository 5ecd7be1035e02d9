"""A request with its body, read from a WSGI environ: nothing is computed before it is used."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterable
from io import BytesIO
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, ClassVar, Literal, overload

from ..http.cookies import parse_cookie
from ..http.errors import BadRequest, HTTPException, SecurityError, UnsupportedMediaType
from ..http.grammar import parse_options_header
from ..http.headers import Headers
from ..http.multidict import CombinedMultiDict, ImmutableMultiDict, MultiDict, iter_multi_values
from ..http.uploads import FileStorage
from ..support.properties import cached_property
from ..support.seams import Seams
from .environ import EnvironHeaders, _get_server, decode, framed_stream, get_content_length
from .forms import (
    MULTIPART,
    URLENCODED,
    FormDataParser,
    MalformedForm,
    ParsedForm,
    default_stream_factory,
    read_multipart,
    read_urlencoded,
)
from .parts import PartLimits
from .properties import environ_property
from .request_head import RequestHead
from .source import ScopeSource, hot

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_UNREAD: Any = ...


_UPPER_CASE_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


FORM_STEPS = (
    "want_form_data_parsed",
    "make_form_data_parser",
    "form_data_parser_class",
    "form_data_parser_class.__init__",
    "form_data_parser_class._parse_multipart",
    "form_data_parser_class._parse_urlencoded",
    "form_data_parser_class.parse",
    "max_form_memory_size",
    "max_content_length",
    "max_form_parts",
    "max_form_files",
    "_get_file_stream",
    "_get_stream_for_parsing",
    "_cached_data",
    "stream",
    "shallow",
    "mimetype",
    "mimetype_params",
    "content_length",
)
"""The attributes of a request from which its form is made."""


class Request(RequestHead):
    """One request, its head and its body.

    :param environ: the WSGI environ; it is kept as :attr:`environ`, and nothing of it is read yet.
    :param populate_request: store the request as ``environ["werkzeug.request"]``.
    :param shallow: refuse to read the body, for code that must leave it to other code.
    """

    #: Limit of the body in bytes, None for no limit (``MAX_CONTENT_LENGTH``). More is answered with 413.
    max_content_length: int | None = None
    #: Limit of all form fields that are not files, in bytes (``MAX_FORM_MEMORY_SIZE``). More is answered with 413.
    max_form_memory_size: int | None = 500_000
    #: Limit of the number of form fields and files (``MAX_FORM_PARTS``). More is answered with 413.
    max_form_parts: int | None = 1_000
    #: Limit of the number of files of a form (``MAX_FORM_FILES``). More is answered with 413.
    max_form_files: int | None = None
    #: The class that parses forms.
    form_data_parser_class: type[FormDataParser] = FormDataParser
    #: A module or object with ``loads`` (and ``dumps``), for :meth:`get_json`.
    json_module: Any = json
    #: What :meth:`from_values` makes its environ with; ``costrel.wiring`` plugs it in.
    environ_builder: Callable[..., Any] | None = None

    shallow: bool = False
    #: The method, in upper case. PERF: hello. A plain attribute: a property would slow its reading down.
    method: str = "GET"

    _cached_json: tuple[Any, Any] = (_UNREAD, _UNREAD)
    _cached_data: bytes | None = None
    _parsed_files: MultiDict[str, FileStorage] | None = None
    _own_headers: Headers | None = None
    _own_query: bytes | None = None

    _form_steps: ClassVar[Seams]
    """The original attributes in `FORM_STEPS`: those of this class, or of a subclass that replaces some of them."""

    _populates = False
    #: The environ, or the ASGI scope that stands for it until `environ` is used.
    _source: WSGIEnvironment

    def __init__(self, environ: WSGIEnvironment, populate_request: bool = True, shallow: bool = False) -> None:
        # Found sooner in the instance than in its class, and read in most requests.
        self._own_headers = self._own_query = self._cookies = self._parsed_files = None
        self._source = environ
        method = hot(environ, "REQUEST_METHOD", "GET")
        self.method = method if method in _UPPER_CASE_METHODS else method.upper()
        if shallow:
            self.shallow = True
            populate_request = False
        if environ.__class__ is ScopeSource:
            self._populates = populate_request
        else:
            self.environ = environ
            if populate_request:
                environ["werkzeug.request"] = self

    @cached_property
    def environ(self) -> WSGIEnvironment:
        """The WSGI environ (PEP 3333). Under ASGI it is made on first use; changes to it are seen from then on."""
        source = self._source
        environ = source.whole() if isinstance(source, ScopeSource) else source
        self._source = environ
        if self._populates:
            environ["werkzeug.request"] = self
        return environ

    def _release(self) -> None:
        """Break the reference cycle of environ and request, so that both are freed without the garbage collector."""
        source = self._source
        if hot(source, "werkzeug.request") is not None:
            source["werkzeug.request"] = None

    # -- the head, from the environ (assignable: tests and middleware do)

    @cached_property
    def scheme(self) -> str:
        """``http``, ``https``, ``ws`` or ``wss``."""
        scheme: str = self._source.get("wsgi.url_scheme", "http")
        return scheme

    @cached_property
    def server(self) -> tuple[str, int | None] | None:
        """Name and port of the server, the port None for a Unix socket."""
        return _get_server(self._source)

    @cached_property
    def root_path(self) -> str:
        """The path at which the application is mounted, without a slash at its end."""
        return decode(hot(self._source, "SCRIPT_NAME") or "").rstrip("/")

    @cached_property
    def path(self) -> str:
        """The path below :attr:`root_path`, decoded, with a slash in front."""
        return "/" + decode(hot(self._source, "PATH_INFO") or "").lstrip("/")

    @property
    def query_string(self) -> bytes:
        """The bytes after the ``?``."""
        own = self._own_query
        if own is None:
            query: str = hot(self._source, "QUERY_STRING", "")
            return query.encode("latin1")
        return own

    @query_string.setter
    def query_string(self, value: bytes) -> None:
        self._own_query = value

    @query_string.deleter
    def query_string(self) -> None:
        self._own_query = None

    @property
    def headers(self) -> Headers:
        """The headers: a live view of the environ, unless others were assigned."""
        headers = self._own_headers
        if headers is None:
            headers = self._own_headers = EnvironHeaders(self._source)
        return headers

    @headers.setter
    def headers(self, value: Headers) -> None:
        self._own_headers = value

    @headers.deleter
    def headers(self) -> None:
        del self._own_headers

    def _parse_cookies(self) -> MultiDict[str, str]:
        headers = self._own_headers
        if headers is not None and type(headers) is not EnvironHeaders:
            return super()._parse_cookies()
        cookies: MultiDict[str, str] = parse_cookie(hot(self._source, "HTTP_COOKIE"), self.dict_storage_class)
        return cookies

    def _has_unread_cookies(self) -> bool:
        """Whether the cookies were not read yet, come from the source, and keep the first value of each name."""
        headers = self._own_headers
        return (
            self._cookies is None
            and self.dict_storage_class is ImmutableMultiDict
            and (headers is None or type(headers) is EnvironHeaders)
        )

    @cached_property
    def content_length(self) -> int | None:
        """Length of the body in bytes; None if unknown or sent in chunks, 0 if the header is malformed."""
        headers = self._own_headers
        if headers is not None and type(headers) is not EnvironHeaders:
            return super().content_length
        return get_content_length(self._source)

    def _parse_content_type(self) -> tuple[str, dict[str, str]]:
        headers = self._own_headers
        if headers is not None and type(headers) is not EnvironHeaders:
            return super()._parse_content_type()
        parsed = self._parsed_content_type = parse_options_header(hot(self._source, "CONTENT_TYPE"))
        return parsed

    @cached_property
    def remote_addr(self) -> str | None:
        """The address of the peer."""
        return self._source.get("REMOTE_ADDR")

    remote_user = environ_property[str | None]("REMOTE_USER")
    is_multithread = environ_property[bool]("wsgi.multithread")
    is_multiprocess = environ_property[bool]("wsgi.multiprocess")
    is_run_once = environ_property[bool]("wsgi.run_once")

    @cached_property
    def url_root(self) -> str:
        """Another name of :attr:`root_url`."""
        return self.root_url

    @property
    def script_root(self) -> str:
        """:attr:`root_path`, as WSGI calls it."""
        return self.root_path.rstrip("/")

    def check_host(self) -> None:
        """Refuse a request whose ``Host`` header names no host, by which URLs could be forged.

        :raises SecurityError: if it is malformed, or not among :attr:`trusted_hosts`.
        """
        header: str = hot(self._source, "HTTP_HOST", "")
        if header.isascii() or self.trusted_hosts is not None:
            self.host  # noqa: B018 - read for its check
            return
        try:
            header.encode("idna")
        except UnicodeError as error:
            raise SecurityError(f"The request's Host header {header[:100]!r} is not the name of a host.") from error

    # -- the body as a stream or as bytes

    #: The server's own stream, which may run past the body's end; use :attr:`stream`.
    input_stream = environ_property[IO[bytes]]("wsgi.input")

    @cached_property
    def stream(self) -> IO[bytes]:
        """The body, to be read once; empty after something else has read it.

        Reading it raises :exc:`ClientDisconnected` if the body was cut off, and :exc:`RequestEntityTooLarge` if it is
        above :attr:`max_content_length`.
        """
        if self.shallow:
            raise RuntimeError("The body cannot be read through this request: it was made with shallow=True.")
        source = self._source
        return framed_stream(source, get_content_length(source), self.max_content_length)

    @cached_property
    def data(self) -> bytes:
        """The body as bytes; empty if it is a form."""
        return self.get_data(parse_form_data=True)

    @overload
    def get_data(self, cache: bool = True, as_text: Literal[False] = False, parse_form_data: bool = False) -> bytes: ...
    @overload
    def get_data(self, cache: bool = True, as_text: Literal[True] = ..., parse_form_data: bool = False) -> str: ...
    def get_data(self, cache: bool = True, as_text: bool = False, parse_form_data: bool = False) -> bytes | str:
        """Read the whole body.

        :param cache: keep it for the next call and for the form parser; without, it can be read only once.
        :param as_text: decode it as UTF-8, with U+FFFD for what is not.
        :param parse_form_data: read the form first, which leaves nothing of a form's body.
        """
        data = self._cached_data
        if data is None:
            if parse_form_data:
                self._load_form_data()
            data = self.stream.read()
            if cache:
                self._cached_data = data
        return data.decode(errors="replace") if as_text else data

    # -- JSON

    @property
    def json(self) -> Any:
        """The parsed body: :meth:`get_json` as an attribute."""
        return self.get_json()

    @overload
    def get_json(self, force: bool = ..., silent: Literal[False] = ..., cache: bool = ...) -> Any: ...
    @overload
    def get_json(self, force: bool = ..., *, silent: bool, cache: bool = ...) -> Any | None: ...
    def get_json(self, force: bool = False, silent: bool = False, cache: bool = True) -> Any | None:
        """Parse the body as JSON.

        :param force: whatever the content type says.
        :param silent: return None if the body is no JSON, or its content type is another.
        :param cache: keep the result for the next call.
        :raises UnsupportedMediaType: through :meth:`on_json_loading_failed`, if the content type is not JSON.
        :raises BadRequest: likewise, if the body is not JSON.
        """
        if cache and self._cached_json[silent] is not _UNREAD:
            return self._cached_json[silent]
        if not (force or self.is_json):
            return None if silent else self.on_json_loading_failed(None)
        try:
            value = self._parse_json(self.get_data(cache=cache))
        except ValueError as error:
            value = None if silent else self.on_json_loading_failed(error)
            if cache:
                normal, quiet = self._cached_json
                self._cached_json = (normal, value) if silent else (value, quiet)
        else:
            if cache:
                self._cached_json = (value, value)
        return value

    def _parse_json(self, data: bytes) -> Any:
        try:
            return self.json_module.loads(data)
        except RecursionError:
            raise ValueError("its arrays and objects are nested too deeply") from None

    def on_json_loading_failed(self, e: ValueError | None) -> Any:
        """Called by :meth:`get_json` with the parser's error, or None if the content type is not JSON.

        What it returns is the result of :meth:`get_json`; this one raises :exc:`BadRequest` with the position of the
        error, or :exc:`UnsupportedMediaType`.
        """
        if e is not None:
            raise BadRequest(f"Failed to decode JSON object: {e}")
        raise UnsupportedMediaType(
            "Did not attempt to load JSON data because the request Content-Type was not 'application/json'."
        )

    # -- forms

    @property
    def want_form_data_parsed(self) -> bool:
        """Whether the body may be a form: whether it has a content type."""
        return bool(hot(self._source, "CONTENT_TYPE"))

    @cached_property
    def form(self) -> ImmutableMultiDict[str, str]:
        """The fields of the form."""
        self._load_form_data()
        form: ImmutableMultiDict[str, str] = self.__dict__["form"]
        return form

    @cached_property
    def files(self) -> ImmutableMultiDict[str, FileStorage]:
        """The uploaded files of the form."""
        self._load_form_data()
        files: ImmutableMultiDict[str, FileStorage] = self.__dict__["files"]
        return files

    @cached_property
    def values(self) -> CombinedMultiDict[str, str]:
        """:attr:`args` and, unless the method is GET, :attr:`form`; the first hides the second."""
        sources = [self.args] if self.method == "GET" else [self.args, self.form]
        return CombinedMultiDict([s if isinstance(s, MultiDict) else MultiDict(s) for s in sources])

    def make_form_data_parser(self) -> FormDataParser:
        """The parser of the form, with this request's limits."""
        parser = self.form_data_parser_class(
            stream_factory=self._get_file_stream,
            max_form_memory_size=self.max_form_memory_size,
            max_content_length=self.max_content_length,
            max_form_parts=self.max_form_parts,
            cls=self.parameter_storage_class,
        )
        parser.part_limits = self._part_limits
        parser.counts_fields = self._counts_fields
        return parser

    def _form_limits(self) -> tuple[int | None, int | None, int | None]:
        """The limits, unless a class replaces them: bytes of the fields, bytes of the body, number of the parts."""
        return self.max_form_memory_size, self.max_content_length, self.max_form_parts

    def _counts_fields(self) -> bool:
        """Whether the fields of a urlencoded form count as parts."""
        return False

    def _part_limits(self) -> PartLimits:
        return PartLimits(files=self.max_form_files)

    def _own_part_limits(self) -> PartLimits:
        """`_part_limits`, unless a class replaces one of the limits."""
        return self._part_limits()

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        """Open the stream that one uploaded file is written to; to be overridden."""
        return default_stream_factory(
            total_content_length=total_content_length,
            filename=filename,
            content_type=content_type,
            content_length=content_length,
        )

    def _get_stream_for_parsing(self) -> IO[bytes]:
        return self.stream if self._cached_data is None else BytesIO(self._cached_data)

    def _load_form_data(self) -> None:
        """Parse the form once; :attr:`form`, :attr:`files` and :attr:`stream` are plain attributes from then on."""
        attributes = self.__dict__
        if "form" in attributes:
            return
        attributes["stream"], attributes["form"], files = self._parse_form()
        attributes["files"] = files
        if files:
            self._parsed_files = files
        else:
            self._form_has_no_files()

    def _parse_form(self) -> ParsedForm:
        """Return the stream, the fields and the files."""
        headers = self._own_headers
        if (headers is None or type(headers) is EnvironHeaders) and not self._form_steps.replaced(self):
            return self._parse_own_form()
        if not self.want_form_data_parsed:
            return self.stream, self.parameter_storage_class(), self.parameter_storage_class()
        parser = self.make_form_data_parser()
        return parser.parse(self._get_stream_for_parsing(), self.mimetype, self.content_length, self.mimetype_params)

    def _parse_own_form(self) -> ParsedForm:
        """Parse a form whose steps are all Costrel's own: each would read the source again."""
        source = self._source
        max_memory, max_length, max_parts = self._form_limits()
        length = get_content_length(source)
        stream = framed_stream(source, length, max_length)
        cls = self.parameter_storage_class
        mimetype, options = self._parsed_content_type or parse_options_header(hot(source, "CONTENT_TYPE"))
        if not mimetype:
            return stream, cls(), cls()
        mimetype = mimetype.lower()
        try:
            if mimetype == URLENCODED:
                form = read_urlencoded(stream, length, cls, max_memory, max_parts, self._counts_fields)
                return stream, form, cls()
            boundary = options.get("boundary") if mimetype == MULTIPART else None
            if not boundary:
                return stream, cls(), cls()
            limits = self._own_part_limits()
            try:
                return stream, *read_multipart(
                    boundary, limits, stream, length, cls, max_memory, max_parts, default_stream_factory
                )
            except MalformedForm:
                raise
            except ValueError:  # as for `FormDataParser`, which is silent
                return stream, cls(), cls()
        except BaseException:
            self.__dict__["stream"] = stream  # nothing can be read a second time
            raise

    def _form_has_no_files(self) -> None:
        """Called when :attr:`form` and :attr:`files` have their values, and the latter is empty."""

    def close(self) -> None:
        """Close the uploaded files, which removes those that were spooled to disk."""
        files = self._parsed_files
        if files:
            for file in iter_multi_values(files):
                file.close()

    def __enter__(self) -> Request:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.close()

    # -- making requests and applications

    @classmethod
    def from_values(cls, *args: Any, **kwargs: Any) -> Request:
        """Make a request as the test client does; takes the arguments of ``EnvironBuilder``."""
        if cls.environ_builder is None:
            raise RuntimeError("Request.from_values() is not connected: import `costrel` itself, which plugs it in.")
        builder = cls.environ_builder(*args, **kwargs)
        try:
            request: Request = builder.get_request(cls)
            return request
        finally:
            builder.close()

    @classmethod
    def application(cls, f: Callable[..., WSGIApplication]) -> WSGIApplication:
        """Turn a function or method from a request to a response into a WSGI application.

        An :exc:`HTTPException` that it raises becomes the response.
        """

        @functools.wraps(f)
        def application(*args: Any) -> Iterable[bytes]:
            environ: WSGIEnvironment = args[-2]
            start_response: StartResponse = args[-1]
            with cls(environ) as request:
                try:
                    response: WSGIApplication = f(*args[:-2], request)
                except HTTPException as error:
                    response = error.get_response(environ)
                return response(environ, start_response)

        return application


Request._form_steps = Seams(Request, *FORM_STEPS)

REQUEST = Seams(Request, "__init__", "_release")
"""A class that replaces one of these is given a whole environ instead of an ASGI scope."""
