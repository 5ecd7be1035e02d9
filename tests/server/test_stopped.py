"""The page in the browser if the program has ended after a change."""

import http.client
import socket

import pytest

from costrel.devserver.stopped import HIDDEN, answering, syntax_error_of


@pytest.fixture
def listening():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        sock.setblocking(False)
        yield sock


def ask(sock, path="/", method="GET", **headers):
    connection = http.client.HTTPConnection(*sock.getsockname(), timeout=10)
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, body.decode()


def test_the_status_is_shown(listening):
    with answering(listening.fileno(), 7, list):
        status, body = ask(listening)
        assert (503, True) == (status, "Status 7" in body)
        status, events = ask(listening, "/__costrel__/events")
        start = body.partition('data-start="')[2].partition('"')[0]
        assert (200, f"retry: 200\nevent: start\ndata: {start}\n\n") == (status, events)
        assert (503, "") == ask(listening, method="HEAD")


def test_a_syntax_error_is_shown(listening, tmp_path):
    good, broken = tmp_path / "a.py", tmp_path / "b.py"
    good.write_text("a = 1")
    broken.write_text("def f(:\n    pass")
    with answering(listening.fileno(), 1, lambda: [str(good), str(broken), str(tmp_path / "gone.py"), "x.txt"]):
        body = ask(listening)[1]
    assert "SyntaxError" in body
    assert "b.py" in body


def test_only_this_computer_is_told(listening):
    with answering(listening.fileno(), 7, list):
        assert (503, HIDDEN.decode()) == ask(listening, Host="evil.example")
        assert (503, HIDDEN.decode()) == ask(listening, **{"X-Forwarded-For": "10.0.0.1"})


def test_the_socket_goes_on_listening(listening):
    for _ in range(2):
        with answering(listening.fileno(), 7, list):
            assert 503 == ask(listening)[0]
    assert listening.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)


def test_without_a_socket_nothing_is_answered():
    with answering(None, 7, list):
        pass


def test_no_error_is_found_where_there_is_none(tmp_path):
    (tmp_path / "a.py").write_bytes(b"a = '\0'")
    assert syntax_error_of([]) is None
    assert syntax_error_of([str(tmp_path / "none.py")]) is None
