"""Warnings about applications and servers."""

import io

import pytest

from costrel.legacy.lint import (
    ErrorStream,
    GuardedIterator,
    HTTPWarning,
    InputStream,
    LintMiddleware,
    WSGIWarning,
    check_type,
)


def environ_of(**keys):
    return {
        "REQUEST_METHOD": "GET",
        "SERVER_NAME": "x",
        "SERVER_PORT": "80",
        "wsgi.version": (1, 0),
        "wsgi.input": io.BytesIO(b"a\nb"),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        **keys,
    }


def run(status="200 OK", headers=(), body=(), exc_info=None, start=True, writes=(), **keys):
    def app(environ, start_response):
        if start:
            write = start_response(status, list(headers), exc_info)
            for data in writes:
                write(data)
        return body

    result = LintMiddleware(app)(environ_of(**keys), lambda status, headers, exc_info: lambda data: None)
    content = b"".join(result)
    result.close()
    return content


def test_a_faultless_application_passes_without_a_warning():
    body = io.BytesIO(b"ab")
    assert (
        run(headers=[("Content-Length", "3"), ("ETag", 'W/"x"'), ("Location", "http://a/b")], body=body, writes=[b"-"])
        == b"ab"
    )
    assert body.closed


@pytest.mark.parametrize(
    ("arguments", "category", "message"),
    [
        ({"status": "200"}, WSGIWarning, "The status '200' is not a code of"),
        ({"status": "099 X"}, WSGIWarning, "Status code < 100 detected"),
        ({"headers": [["a", "b"]]}, WSGIWarning, "Header items must be 2-item tuples"),
        ({"headers": [("a", 5)]}, WSGIWarning, "Header keys and values must be strings"),
        ({"headers": [("Status", "x")]}, WSGIWarning, "A header named Status means something else in CGI"),
        ({"headers": [("ETag", "x")]}, HTTPWarning, "Unquoted etag"),
        ({"headers": [("ETag", 'w/"x"')]}, HTTPWarning, "Weak etag indicator should be upper case"),
        ({"headers": [("Location", "/x")]}, HTTPWarning, "Absolute URLs required"),
        ({"headers": [("Content-Length", "5")]}, WSGIWarning, "Content-Length says 5 bytes, and 0 were sent"),
        ({"exc_info": "x"}, WSGIWarning, "Invalid value for exc_info"),
        ({"start": False, "body": [b"x"]}, WSGIWarning, "returned before it started the response"),
        ({"status": "304 X", "headers": [("Allow", "GET")]}, HTTPWarning, "Entity header 'allow' found in 304"),
        ({"status": "304 X", "body": [b"x"]}, HTTPWarning, "304 responses must not have a body"),
        ({"status": "204 X"}, HTTPWarning, "204 responses must have an empty content length"),
        (
            {"status": "199 X", "headers": [("Content-Length", "0")], "body": [b"x"]},
            HTTPWarning,
            "199 responses must not",
        ),
        ({"wsgi.version": (1, 1)}, WSGIWarning, "Environ is not a WSGI 1.0 environ"),
        ({"PATH_INFO": "x"}, WSGIWarning, "'PATH_INFO' does not start with a slash: 'x'"),
    ],
)
def test_a_mistake_is_warned_of(arguments, category, message):
    with pytest.warns(category, match=message):
        run(**arguments)


def test_a_status_has_three_digits():
    with pytest.warns(WSGIWarning) as caught:
        run(status="2000 OK")
    assert [str(warning.message) for warning in caught] == [
        "Status code must be three digits.",
        "The status '2000 OK' is not a code of three digits, a space and a reason.",
    ]


def test_a_missing_key_is_warned_of():
    environ = environ_of()
    del environ["SERVER_NAME"]
    with pytest.warns(WSGIWarning, match="Required environment key 'SERVER_NAME' not found"):
        LintMiddleware(None).check_environ(environ)


def test_an_environ_and_headers_must_be_of_the_plain_types():
    class Environ(dict):
        pass

    with pytest.warns(WSGIWarning, match="not a standard Python dict"):
        LintMiddleware(None).check_environ(Environ(environ_of()))
    with pytest.warns(WSGIWarning, match="Header list is not a list"):
        LintMiddleware(None).check_start_response("200 OK", (), None)
    with pytest.warns(WSGIWarning, match="'x' requires 'int', got 'bool'"):
        check_type("x", True, int)
    with pytest.warns(WSGIWarning, match="The application returned a string"):
        LintMiddleware(None).check_iterator("x")


def test_calls_with_the_wrong_arguments_are_warned_of():
    def app(environ, start_response):
        with pytest.warns(WSGIWarning, match="Invalid number of arguments: 4"):
            start_response("200 OK", [], None, None)
        with pytest.warns(WSGIWarning) as caught, pytest.raises(IndexError):
            start_response(status="200 OK", headers=[])
        assert [str(warning.message) for warning in caught] == [
            "Invalid number of arguments: 0, expected 2 or 3.",
            "'start_response' does not take keyword arguments.",
        ]
        return []

    with pytest.warns(WSGIWarning, match="A WSGI app takes two arguments"):
        LintMiddleware(app)(environ_of(), lambda *args: None, None).close()
    with pytest.warns(WSGIWarning, match="A WSGI app does not take keyword arguments"):
        LintMiddleware(app)(environ_of(), lambda *args: None, x=1).close()


def test_reading_without_an_end_is_warned_of():
    stream = InputStream(io.BytesIO(b"a\nb\nc"))
    assert stream.read(1) == b"a"
    with pytest.warns(WSGIWarning, match="was called without a size"):
        stream.read()
    with pytest.warns(WSGIWarning, match="need not end with the body"):
        stream.readline()
    with pytest.warns(WSGIWarning, match="called with a size, which"):
        stream.readline(1)
    with pytest.warns(WSGIWarning, match="Too many parameters"), pytest.raises(TypeError):
        stream.read(1, 2)
    with pytest.raises(TypeError, match="Too many arguments"):
        stream.readline(1, 2)
    assert list(stream) == []
    with pytest.warns(WSGIWarning, match="closed the input stream"):
        stream.close()


def test_errors_are_text():
    errors = ErrorStream(io.StringIO())
    errors.writelines(["a", "b"])
    errors.flush()
    with (
        pytest.warns(WSGIWarning, match="'wsgi.error.write\\(\\)' requires 'str', got 'bytes'"),
        pytest.raises(TypeError),
    ):
        errors.write(b"x")
    with pytest.warns(WSGIWarning, match="closed the error stream"):
        errors.close()


def test_a_body_must_be_closed_once_and_not_read_after():
    body = GuardedIterator([b"x"], (), [])
    assert iter(body) is body
    body.close()
    with pytest.warns(WSGIWarning) as caught:
        next(body)
    assert [str(warning.message) for warning in caught] == [
        "Iterated over closed 'app_iter'.",
        "The application returned before it started the response.",
    ]
    body.closed = False
    with pytest.warns(WSGIWarning, match="garbage collected before it was closed"):
        del body


def test_what_cannot_be_iterated_is_not_left_open():
    with pytest.raises(TypeError, match="not iterable"):
        GuardedIterator(None, (), [])
