"""Cookies as browsers send them: the value of a script goes up to the next semicolon, whatever it contains."""

import pytest

from costrel import Costrel, request, session
from costrel.app.application import Flask
from costrel.http.cookies import find_cookie, parse_cookie

SENT = [
    ('prefs={"theme":"dark"}; session=abc', [("prefs", '{"theme":"dark"}'), ("session", "abc")]),
    ('prefs={"theme": "dark", "n": [1, 2]}; s=1', [("prefs", '{"theme": "dark", "n": [1, 2]}'), ("s", "1")]),
    ("a=hello world; b=2", [("a", "hello world"), ("b", "2")]),
    ("a=[1, 2]", [("a", "[1, 2]")]),
    ('a="x"y; b=1', [("a", '"x"y'), ("b", "1")]),
    ('a=x"y"; b=1', [("a", 'x"y"'), ("b", "1")]),
    ('a="not ended; b=1', [("a", '"not ended'), ("b", "1")]),
    ('a="b\\"; d=1', [("a", '"b\\"'), ("d", "1")]),
    ('a="x; b="y"', [("a", '"x'), ("b", "y")]),
    ('a="b\\"c"; d=1', [("a", 'b"c'), ("d", "1")]),
    ('a="\\073" ; b=1', [("a", ";"), ("b", "1")]),
    ("a b=1; c=2", [("a b", "1"), ("c", "2")]),
    ('"a"=1; b=2', [('"a"', "1"), ("b", "2")]),
    ("a=1,b=2; c=3", [("a", "1,b=2"), ("c", "3")]),
    ("a=b=c==; d", [("a", "b=c=="), ("d", "")]),
    ("a=1; a=2; b=x; a=3", [("a", "1"), ("a", "2"), ("a", "3"), ("b", "x")]),
    ("=v; a=1; =session=evil", [("a", "1")]),
    (' ; ;;a=1;b="2";', [("a", "1"), ("b", "2")]),
    ("a=x\ty\t; b=\t1", [("a", "x\ty"), ("b", "1")]),
    ("a=\\x; b=%7B%22k%22%3A1%7D", [("a", "\\x"), ("b", "%7B%22k%22%3A1%7D")]),
]


@pytest.mark.parametrize(("header", "pairs"), SENT)
def test_values_go_up_to_the_semicolon(header, pairs):
    cookies = parse_cookie(header)
    assert list(cookies.items(multi=True)) == pairs
    for name in cookies:
        assert find_cookie(header, name) == cookies[name]


@pytest.mark.parametrize("edge", ["wsgi", "asgi"])
@pytest.mark.parametrize("cls", [Costrel, Flask])
def test_a_view_gets_them_beside_its_session(cls, edge):
    app = cls("cookies")
    app.secret_key = "k" * 32

    @app.get("/set")
    def put():
        session["user"] = "anna"
        return "set"

    @app.get("/")
    def get():
        return {**request.cookies, "user": session.get("user")}

    client = app.test_client(edge=edge, use_cookies=False)
    cookie = client.get("/set").headers["Set-Cookie"].partition(";")[0]
    header = f'prefs={{"theme": "dark"}}; {cookie}; name=Jörg M; q="a'
    found = client.get("/", headers={"Cookie": header}).json
    found.pop("session")
    assert found == {"prefs": '{"theme": "dark"}', "name": "Jörg M", "q": '"a', "user": "anna"}
