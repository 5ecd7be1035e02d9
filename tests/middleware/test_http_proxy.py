"""Requests passed on to other servers."""

import io
import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from costrel.legacy.http_proxy import ProxyMiddleware


class Handler(BaseHTTPRequestHandler):
    """Return the request as the response."""

    def do_POST(self):
        if self.path == "/cut":
            self.wfile.write(b"nonsense")
            return
        if self.headers["Transfer-Encoding"] == "chunked":
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size + 2)[:-2]
            self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        answer = f"{self.command} {self.path}\n{self.headers}".encode() + body
        self.send_response(200, "Fine")
        self.send_header("Content-Length", str(len(answer)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST

    def log_message(self, *args):
        pass


@pytest.fixture
def target():
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def own_app(environ, start_response):
    start_response("200 OK", [])
    return [b"own"]


def request(options, path, body=b"", **keys):
    started = []
    app = ProxyMiddleware(own_app, {"/api": options})
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": path,
        "HTTP_HOST": "front",
        "SERVER_NAME": "x",
        "SERVER_PORT": "80",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        **keys,
    }
    result = app(environ, lambda *args: started.extend(args))
    content = b"".join(result).decode()
    if hasattr(result, "close"):
        result.close()
    return started[0], dict(started[1]), content


def test_a_request_is_passed_on_and_its_answer_back(target):
    status, headers, content = request(
        {"target": target}, "/api/a b", QUERY_STRING="q=%20\xe9", HTTP_X_Y="z", HTTP_TE="x", HTTP_ACCEPT_ENCODING="gzip"
    )
    assert status == "200 Fine"
    assert "Connection" not in headers
    expected = "GET /api/a%20b?q=%20%E9\nX-Y: z\nAccept-Encoding: gzip\nConnection: close\nHost: 127.0.0.1\n\n"
    assert content == expected


def test_other_paths_are_left_to_the_application():
    assert request({"target": "http://127.0.0.1:1"}, "/other")[2] == "own"


def test_a_path_is_passed_on_with_all_its_bytes(target):
    content = request({"target": target}, "/api/é%/ü".encode().decode("latin1"))[2]
    assert content.startswith("GET /api/%C3%A9%25/%C3%BC\n")


def test_a_prefix_is_replaced_and_headers_are_added(target):
    options = {"target": f"{target}/base/", "remove_prefix": True, "host": None, "headers": {"X-Added": "1"}}
    content = request(options, "/api/x", QUERY_STRING="")[2]
    assert content.startswith("GET /base/x\n")
    assert "Host: front\nX-Added: 1\n" in content


def test_without_a_host_none_is_sent(target):
    content = request({"target": target, "host": None}, "/api/x", HTTP_HOST="")[2]
    assert "Host: \n" in content


def test_bodies_of_a_known_length_and_in_chunks_are_passed_on(target):
    options = {"target": target}
    known = request(options, "/api/x", b"content", REQUEST_METHOD="POST", CONTENT_LENGTH="7")[2]
    assert known.endswith("Content-Length: 7\n\ncontent")
    chunked = {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True}
    content = request(options, "/api/x", b"content", REQUEST_METHOD="POST", **chunked)[2]
    assert content.endswith("Transfer-Encoding: chunked\n\ncontent")


@pytest.mark.parametrize(("path", "status"), [("/api/x", "502 BAD GATEWAY")])
def test_a_target_that_is_not_there_is_a_bad_gateway(path, status):
    with socket.create_server(("127.0.0.1", 0)) as unused:
        target = f"http://127.0.0.1:{unused.getsockname()[1]}"
    assert request({"target": target}, path)[0] == status
    assert request({"target": target.replace("http", "https")}, path)[0] == status


def test_an_answer_that_is_no_http_is_a_bad_gateway(target):
    assert request({"target": target, "remove_prefix": True}, "/api/cut")[0] == "502 BAD GATEWAY"


def test_a_body_that_is_cut_off_is_the_clients_fault(target):
    assert (
        request({"target": target}, "/api/x", b"con", REQUEST_METHOD="POST", CONTENT_LENGTH="7")[0] == "400 BAD REQUEST"
    )
    assert (
        request({"target": target}, "/api/x", b"con", REQUEST_METHOD="POST", CONTENT_LENGTH="+3")[0]
        == "400 BAD REQUEST"
    )


def test_a_target_must_be_an_http_url():
    with pytest.raises(ValueError, match="The options of the prefix '/api' have no 'target'"):
        ProxyMiddleware(own_app, {"/api": {}})
    with pytest.raises(RuntimeError, match="Target scheme must be 'http' or 'https', got 'ftp'"):
        request({"target": "ftp://127.0.0.1"}, "/api/x")
