"""Werkzeug's development server and Costrel's WSGI server: the same environ, responses and addresses."""

import atexit
import http.client
import io
import re
import socket
from types import SimpleNamespace

import werkzeug.serving
from hypothesis import given
from hypothesis import strategies as st

import costrel.devserver.chunked
import costrel.devserver.wsgi_handler
import costrel.server.addresses
import costrel.server.terminal

HANDLERS = (werkzeug.serving.WSGIRequestHandler, costrel.devserver.wsgi_handler.WSGIRequestHandler)

targets = st.builds(
    lambda path, query: f"/{path}{query}",
    st.text("ab/;:%-.", max_size=8).map(lambda text: text.replace("%", "%41")),
    st.sampled_from(["", "?", "?a=b", "?a=%C3%BC&b", "?x#frag", "#frag"]),
)
absolute = st.builds(
    lambda host, path: f"http://{host}{path}", st.sampled_from(["a", "a.example:80", "[::1]:8000", "u@h"]), targets
)
headers = st.lists(
    st.tuples(
        st.sampled_from(["Accept", "X-One", "x-one", "X_One", "Content-Type", "Content-Length", "Host", "User-Agent"]),
        st.text("abc1, ;=/é", max_size=6).map(str.strip),
    ),
    max_size=5,
    unique_by=lambda pair: pair[0] if pair[0].startswith(("Content", "Host")) else object(),
)


ENDED, peer = socket.socketpair()
"""A connection on which nothing more will come."""
peer.close()
atexit.register(ENDED.close)


def handler(cls, method="GET", target="/", pairs=(), body=b"", version="HTTP/1.1", app=None, protocol="HTTP/1.1"):
    """A handler that has read this request, without a connection."""
    made = object.__new__(cls)
    made.server = SimpleNamespace(
        server_address=("127.0.0.1", 5000),
        ssl_context=None,
        multithread=True,
        multiprocess=False,
        _server_version="Server/1",
        app=app,
        passthrough_errors=False,
        log=lambda *args: None,
    )
    made.connection = made.request = None
    made.client_address = ("192.0.2.1", 6000)
    made.command, made.path, made.request_version = method, target, version
    made.requestline = f"{method} {target} {version}"
    head = "".join(f"{name}: {value}\r\n" for name, value in pairs)
    made.headers = http.client.parse_headers(io.BytesIO(f"{head}\r\n".encode("latin-1")))
    made.rfile, made.wfile = io.BytesIO(body), io.BytesIO()
    made.close_connection = True
    made.protocol_version = protocol
    made.log_request = lambda *args: None
    return made


@given(st.one_of(targets, absolute), headers)
def test_the_environ(target, pairs):
    werkzeugs, ours = [handler(cls, target=target, pairs=pairs).make_environ() for cls in HANDLERS]

    for environ in (werkzeugs, ours):
        environ.pop("wsgi.input")
        environ.pop("wsgi.errors")
    assert ours.pop("REMOTE_PORT") == str(werkzeugs.pop("REMOTE_PORT"))  # PEP 3333 wants text
    assert ours == werkzeugs


statuses = st.sampled_from(["200 OK", "201 Created", "204 No Content", "304 Not Modified", "404 Not Found", "200"])
answer_headers = st.lists(
    st.tuples(st.sampled_from(["X-One", "Content-Type", "Set-Cookie"]), st.text("ab=;é ", max_size=5)), max_size=3
)
pieces = st.lists(st.binary(max_size=4), max_size=3)


def answer(cls, status, pairs, chunks, with_length, **request):
    def app(environ, start_response):
        length = [("Content-Length", str(sum(map(len, chunks))))] if with_length else []
        start_response(status, [*pairs, *length])
        return chunks

    made = handler(cls, app=app, **request)
    made.connection = ENDED
    made.run_wsgi()
    return re.sub(rb"Date: [^\r]*", b"Date: D", made.wfile.getvalue())


@given(statuses, answer_headers, pieces, st.booleans(), st.sampled_from(["HTTP/1.0", "HTTP/1.1"]))
def test_the_answer(status, pairs, chunks, with_length, protocol):
    werkzeugs, ours = [answer(cls, status, pairs, chunks, with_length, protocol=protocol) for cls in HANDLERS]

    if status[:3] in ("204", "304"):  # they have no body, which Werkzeug leaves to the application
        werkzeugs = werkzeugs.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    assert ours == werkzeugs


chunked_bodies = st.lists(st.binary(min_size=1, max_size=20), max_size=4).map(
    lambda parts: b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
)


@given(chunked_bodies, st.integers(1, 9))
def test_bodies_in_chunks(body, size):
    results = []
    for cls in (werkzeug.serving.DechunkedInput, costrel.devserver.chunked.DechunkedInput):
        stream, read = cls(io.BytesIO(body)), []
        while data := stream.read(size):
            read.append(data)
        results.append(b"".join(read))

    assert results[1] == results[0]


@given(chunked_bodies, st.data())
def test_bodies_that_are_cut_are_refused_by_both(body, data):
    cut = body[: data.draw(st.integers(0, len(body) - 3))]
    for cls in (werkzeug.serving.DechunkedInput, costrel.devserver.chunked.DechunkedInput):
        try:
            io.BufferedReader(cls(io.BytesIO(cut))).read()
        except OSError:
            continue
        raise AssertionError(f"{cls.__module__} took {cut!r} for a whole body")


hosts = st.one_of(
    st.sampled_from(["127.0.0.1", "::1", "localhost", "0.0.0.0", "::", "unix:///tmp/a", "unix://a", ""]),
    st.text("a1.:/", max_size=6),
)


@given(hosts, st.integers(0, 65535))
def test_the_family_of_a_host(host, port):
    assert costrel.server.addresses.select_address_family(host, port) == werkzeug.serving.select_address_family(
        host, port
    )


@given(
    st.sampled_from(["127.0.0.1", "::1", "localhost", "0.0.0.0", "::", "unix:///tmp/a", "unix://a"]),
    st.integers(0, 65535),
)
def test_what_a_host_is_bound_to(host, port):
    family = werkzeug.serving.select_address_family(host, port)

    ours = costrel.server.addresses.get_sockaddr(host, port, family)

    assert ours == werkzeug.serving.get_sockaddr(host, port, family)


@given(
    st.text(max_size=5), st.lists(st.sampled_from(["bold", "red", "green", "yellow", "magenta", "cyan"]), min_size=1)
)
def test_styles(text, styles):
    assert costrel.server.terminal.paint(text, *styles) == werkzeug.serving._ansi_style(text, *styles)


def test_the_address_on_the_network():
    for family in (socket.AF_INET, socket.AF_INET6):
        assert costrel.server.addresses.get_interface_ip(family) == werkzeug.serving.get_interface_ip(family)
