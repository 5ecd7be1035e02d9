"""Group G: routing, JSON, templates, timing, compressed bodies."""

import ast
import gc
import hmac
import json
import tracemalloc
import zlib
from pathlib import Path

import pytest
from examples.gallery import accounts, create_app

import costrel
import costrel.views
from costrel import render_template_string, request, session
from costrel.support import passwords

from .calls import assert_linear, over_asgi, over_wsgi

JSON = [("Content-Type", "application/json")]
SOURCES = Path(costrel.__file__).parent


@pytest.mark.parametrize("path", ["/admin%0a", "/admin%0d", "/admin%20", "/admin%00", "/admin%0aX"])
def test_g1_a_line_break_is_part_of_the_path(make, send, path):
    app = make()
    app.add_url_rule("/admin", "admin", lambda: "admin")
    app.add_url_rule("/<int:number>/x", "number", lambda number: "number")
    assert 404 == send(app, path).status
    assert 404 == send(app, "/1%0a/x").status


def test_g2_several_paths_in_a_rule_are_matched_in_linear_time(make):
    app = make()
    app.add_url_rule("/<path:a>/x/<path:b>/y/<path:c>/z", "paths", lambda a, b, c: "found")
    assert_linear(lambda size: over_wsgi(app, "/a/x/b/y/c" * (size // 10)), 16_000)
    assert_linear(lambda size: over_wsgi(app, "/" * size), 16_000)


def test_g3_what_clients_make_up_is_not_kept(make, send):
    app = make()
    app.add_url_rule("/<name>", "name", lambda name: request.headers.get("X-Name", "") + str(request.accept_languages))

    def round_of(start, count):
        for n in range(start, start + count):
            send(
                app,
                f"/p{n}?q{n}=1",
                headers=[
                    ("Host", f"h{n}.example"),
                    (f"X-N{n}", "x"),
                    ("Cookie", f"c{n}=v{n}"),
                    ("Accept-Language", f"l{n}"),
                    ("Content-Type", f"t{n}/x"),
                ],
            )

    round_of(0, 1_100)
    gc.collect()
    tracemalloc.start()
    try:
        round_of(10_000, 200)
        growth = []
        for start in (20_000, 30_000, 40_000):
            gc.collect()
            before = tracemalloc.get_traced_memory()[0]
            round_of(start, 250)
            gc.collect()
            growth.append(tracemalloc.get_traced_memory()[0] - before)
    finally:
        tracemalloc.stop()
    # A hundred bytes a request would be 25,000 each time; a table of the interpreter's own grows in one step.
    assert min(growth) < 15_000


def test_g4_a_header_may_be_repeated(make):
    app = make()
    app.add_url_rule("/", "index", lambda: str(len(request.headers.get("X-Same", ""))))
    assert str(1_000 * 2 - 1) == over_asgi(app, "/", headers=[("X-Same", "a")] * 1_000).text
    assert_linear(lambda size: over_asgi(app, "/", headers=[("X-Same", "a")] * size), 5_000)


@pytest.mark.parametrize("kind", ["int", "float", "int(signed=True)"])
def test_g5_a_number_of_many_digits_is_not_found(make, send, kind):
    app = make()
    app.add_url_rule(f"/<{kind}:number>", "number", lambda number: "number")
    digits = "9" * 5_000 + ("" if kind.startswith("int") else "." + "9" * 5_000)
    answer = send(app, f"/{digits}")
    # A float of many digits is one, or infinite.
    assert answer.status == 404 if kind != "float" else answer.status in (200, 404)


@pytest.mark.parametrize("path", ["%ff", "%c3", "%ed%a0%80", "%f8%88%80%80%80", "%fe%ff"])
def test_g6_a_path_that_is_no_utf_8_reaches_its_view(make, send, path):
    app = make()
    app.add_url_rule("/<name>", "name", lambda name: f"{request.path} {request.url}".encode("utf-8", "replace"))
    assert 200 == send(app, f"/{path}?{path}={path}").status


@pytest.mark.parametrize("method", ["DISPATCH", "dispatch_request", "__init__", "AS_VIEW", "ensure_sync", "G"])
def test_g7_an_odd_method_calls_nothing(make, send, method):
    app = make()

    class Page(costrel.views.MethodView):
        def get(self):
            return "get"

        def dispatch(self):
            return "dispatched"

    app.add_url_rule("/class", view_func=Page.as_view("page"))
    app.add_url_rule("/function", "function", lambda: "function")
    assert 405 == send(app, "/class", method).status
    assert 405 == send(app, "/function", method).status


@pytest.fixture
def reader(make):
    """Answers with the type of the JSON that it gets."""
    app = make()
    app.add_url_rule("/", "read", lambda: type(request.get_json()).__name__, methods=["POST"])
    return app


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 100_000,
        b"9" * 5_000,
        b"[" * 20_000 + b"NaN",
        b"",
        b"\xff",
        b"\x00",
        b'"\\ud800',
        b"[1,]",
    ],
    ids=lambda body: f"{body[:8]}{len(body)}",
)
def test_g8_json_that_cannot_be_read_is_refused(reader, send, body):
    assert 400 == send(reader, "/", "POST", JSON, body).status


@pytest.mark.parametrize("piece", [b"[", b'{"a":', b'"\\u00', b"1,", b'"', b"-", b"\\"])
def test_g8_json_is_read_in_linear_time(reader, piece):
    assert_linear(lambda size: over_wsgi(reader, "/", "POST", JSON, b"[" + piece * (size // len(piece))), 200_000)


@pytest.mark.parametrize(
    "kind", ["text/plain", "text/json", "application/x-www-form-urlencoded", "", "application/jsonx"]
)
def test_g9_json_of_another_type_is_refused(reader, send, kind):
    headers = [("Content-Type", kind)] if kind else []
    assert 415 == send(reader, "/", "POST", headers, b"{}").status


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-32", "utf-32-be", "utf-8-sig"])
def test_g10_json_in_another_encoding_is_bounded(make, reader, send, encoding):
    body = json.dumps({"a": "b" * 1_000}).encode(encoding)
    assert send(reader, "/", "POST", JSON, body).status in (200, 400)
    reader.config["MAX_CONTENT_LENGTH"] = 500
    assert 413 == send(reader, "/", "POST", JSON, body).status


@pytest.mark.parametrize("charset", ["utf-7", "zip", "rot13", "hex", "bz2", "x" * 1_000, "idna"])
def test_g10_the_charset_of_a_client_is_no_codec_of_ours(reader, send, charset):
    answer = send(reader, "/", "POST", [("Content-Type", f"application/json; charset={charset}")], b"{}")
    assert (200, "dict") == (answer.status, answer.text)


def test_g11_values_are_escaped(make, send, tmp_path):
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "page.html").write_text("{{ v }}")
    app = make(root_path=str(tmp_path))
    evil = "<script>'\""
    app.add_url_rule("/string", "string", lambda: render_template_string("{{ v }}", v=evil))
    app.add_url_rule("/file", "file", lambda: costrel.render_template("page.html", v=evil))
    for target in ("/string", "/file"):
        assert "&lt;script&gt;&#39;&#34;" == send(app, target).text


@pytest.mark.parametrize("key", ["a b", "a/b", "a>b", "a=b"])
def test_g12_a_key_of_xmlattr_is_one_name(make, key):
    with make().app_context(), pytest.raises(ValueError, match="Invalid character in attribute name"):
        render_template_string("{{ {key: 1}|xmlattr }}", key=key)


@pytest.mark.parametrize("piece", ["a.", "http://", "(", "x@y.", "<", "&", "www.", "...)", "<a ", "<!--"])
@pytest.mark.parametrize("name", ["urlize", "striptags"])
def test_g13_the_filters_for_text_take_linear_time(make, name, piece):
    app = make()
    with app.app_context():
        assert_linear(
            lambda size: render_template_string("{{ v|" + name + " }}", v=piece * (size // len(piece))), 25_000
        )


def test_g15_a_password_is_compared_in_constant_time(monkeypatch):
    compared = []
    compare = hmac.compare_digest
    monkeypatch.setattr(hmac, "compare_digest", lambda a, b: compared.append(1) or compare(a, b))
    stored = passwords.generate_password_hash("x", "pbkdf2:sha256:1")
    assert passwords.check_password_hash(stored, "x")
    assert not passwords.check_password_hash(stored, "y")
    assert [1, 1] == compared


@pytest.mark.parametrize("name", ["ada", "nobody"])
def test_g15_an_unknown_user_costs_one_hash_as_a_known_one_does(monkeypatch, tmp_path, name):
    # Logins are the application's: the example's, which is what the documentation shows.
    checked = []
    check = accounts.check_password_hash
    monkeypatch.setattr(accounts, "check_password_hash", lambda *given: checked.append(check(*given)) or checked[-1])
    app = create_app({"TESTING": True, "INSTANCE": str(tmp_path), "SAMPLES": False})
    app.test_client().post("/sign-up", data={"name": "ada", "password": "a long password"})
    answer = app.test_client().post("/sign-in", data={"name": name, "password": "another password"})
    assert (400, [False]) == (answer.status_code, checked)


def test_g15_no_secret_is_compared_by_its_characters():
    # What is called a digest, a signature, a secret or a pin goes through compare_digest.
    secret = {"digest", "signature", "csrf_token", "secret", "hmac", "pin"}
    found = []
    for path in SOURCES.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Compare) and isinstance(node.ops[0], (ast.Eq, ast.NotEq)):
                sides = [node.left, *node.comparators]
                names = {getattr(side, "id", getattr(side, "attr", None)) for side in sides}
                if names & secret and not any(isinstance(side, ast.Constant) for side in sides):
                    found.append(f"{path.relative_to(SOURCES)}:{node.lineno}")
    assert [] == found


def test_g21_a_body_is_not_inflated_unasked(make, send):
    app = make()
    app.add_url_rule("/", "read", lambda: str(len(request.get_data())), methods=["POST"])
    body = zlib.compress(b"x" * 1_000_000)
    answer = send(app, "/", "POST", [("Content-Encoding", "deflate")], body)
    assert str(len(body)) == answer.text


def test_g21_a_session_cookie_is_inflated_no_further_than_it_may_be(make, send):
    # Only who has the key can make one: what is not signed is not inflated at all.
    import base64

    app = make()
    app.add_url_rule("/", "read", lambda: str(len(session)))
    bomb = "." + base64.urlsafe_b64encode(zlib.compress(b"x" * 10_000_000)).decode().rstrip("=")
    tracemalloc.start()
    try:
        answer = send(app, "/", headers=[("Cookie", f"session={bomb}.aaaa.bbbb")])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (200, "0") == (answer.status, answer.text)
    assert peak < 5_000_000
