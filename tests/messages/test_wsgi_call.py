"""Calling WSGI applications as a server does, and closing their results."""

import pytest

from costrel.messages.wsgi_call import run_wsgi_app

ENVIRON = {"REQUEST_METHOD": "GET"}


class Body(list):
    closed = False

    def close(self):
        self.closed = True


def test_a_body_is_closed_by_who_reads_it_to_its_end():
    body = Body([b"a", b"b"])

    def app(environ, start_response):
        start_response("200 OK", [])
        return body

    assert run_wsgi_app(app, ENVIRON, buffered=True)[0] == [b"a", b"b"]
    assert body.closed
    body.closed = False
    answer, _, _ = run_wsgi_app(app, ENVIRON)
    assert [list(answer), body.closed] == [[b"a", b"b"], False]
    answer.close()
    assert body.closed


def test_a_body_that_fails_is_closed():
    class Failing(Body):
        def __iter__(self):
            raise LookupError("half-way")

    body = Failing()

    def app(environ, start_response):
        start_response("200 OK", [])
        return body

    with pytest.raises(LookupError, match="half-way"):
        run_wsgi_app(app, ENVIRON, buffered=True)
    assert body.closed


def test_an_application_that_answers_nothing_is_named():
    def silent(environ, start_response):
        return [b"a"]

    for buffered in (True, False):
        with pytest.raises(RuntimeError, match=r"silent at .* returned without calling start_response\(\)"):
            run_wsgi_app(silent, ENVIRON, buffered)


def test_the_environ_is_copied():
    def app(environ, start_response):
        environ["changed"] = True
        start_response("200 OK", [])
        return []

    given = dict(ENVIRON)
    assert run_wsgi_app(app, given, buffered=True)[1] == "200 OK"
    assert given == ENVIRON


def test_headers_may_be_sent_again_with_an_error():
    def app(environ, start_response):
        start_response("200 OK", [("A", "b")])
        start_response("500 Oops", [("C", "d")])
        return []

    body, status, headers = run_wsgi_app(app, ENVIRON)
    assert [list(body), status, list(headers)] == [[], "500 Oops", [("C", "d")]]
