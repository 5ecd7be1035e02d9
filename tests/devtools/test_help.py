"""Hints for exceptions, 404 and 405."""

import html
import re

import pytest

from costrel import Blueprint, Costrel, render_template, request, url_for
from costrel.devtools import editor
from costrel.devtools.debugger import DebuggedApplication
from costrel.devtools.development import DevelopmentApplication
from costrel.devtools.frames import report_of
from costrel.devtools.hints import Hint, hints_for
from costrel.devtools.near_rules import explain
from costrel.devtools.page import ErrorPage
from costrel.devtools.terminal import colours, format_report, painter
from costrel.devtools.values import HIDDEN, Describer
from costrel.testing.client import Client

from .asgi_client import get

HTML = {"accept": "text/html"}


def near(app, path, method="GET", **options):
    with app.test_request_context(path, method=method, **options) as ctx:
        found = explain(ctx.url_adapter, path, method)
    return {rule.rule: rule.reason for rule in found.near}


@pytest.fixture
def site():
    app = Costrel("site", static_folder=None, subdomain_matching=True)
    app.config["SERVER_NAME"] = "example.org"
    for rule, options in {
        "/items/<int:number>": {},
        "/items/<int:number>/edit": {"methods": ["GET", "POST"]},
        "/items": {"methods": ["POST"], "endpoint": "create"},
        "/files/<path:name>": {},
        "/v<int:a>.<int:b>/x": {},
        "/help": {"subdomain": "www", "endpoint": "www_help"},
        "/about/us": {},
        "/socket": {"websocket": True},
        "/<any(red, blue):colour>/paint": {},
    }.items():
        app.add_url_rule(rule, options.pop("endpoint", rule), lambda **values: "", **options)
    return app


@pytest.mark.parametrize(
    ("path", "method", "rule", "reason"),
    [
        ("/item/3", "GET", "/items/<int:number>", "has 'items' where the path has 'item'"),
        ("/items/three", "GET", "/items/<int:number>", "<int:number> does not accept 'three'"),
        ("/items/3/edit", "PUT", "/items/<int:number>/edit", "does not allow PUT"),
        ("/items/3/delete", "GET", "/items/<int:number>/edit", "has 'edit' where the path has 'delete'"),
        ("/items/3/edit/now", "GET", "/items/<int:number>/edit", "ends before '/now'"),
        ("/about/us/", "GET", "/about/us", "has no slash at its end"),
        ("/about", "GET", "/about/us", "continues with '/us'"),
        ("/items", "GET", "/items", "does not allow GET"),
        ("/files/", "GET", "/files/<path:name>", "requires a value for '<path:name>'"),
        ("/v1.x/x", "GET", "/v<int:a>.<int:b>/x", "v<int:a>.<int:b> does not accept 'v1.x'"),
        ("/help", "GET", "/help", "is for the subdomain 'www', but the request is for 'none'"),
        ("/socket", "GET", "/socket", "is for WebSockets"),
        ("/green/paint", "GET", "/<any(red, blue):colour>/paint", "<any(red, blue):colour> does not accept 'green'"),
    ],
)
def test_what_stands_in_the_way_of_a_rule(site, path, method, rule, reason):
    assert reason == near(site, path, method)[rule]


def test_the_likeliest_rule_comes_first(site):
    assert "/items/<int:number>" == next(iter(near(site, "/itens/3")))


def test_nothing_is_near(site):
    assert {} == near(site, "/qqqqqq/zzzzz/wwww/yyyyy")


def test_hosts_are_told(site):
    app = Costrel("hosts", static_folder=None, host_matching=True)
    app.add_url_rule("/", "index", lambda: "", host="a.example")
    assert {"/": "is for the host a.example, but the request is for b.example"} == near(
        app, "/", base_url="http://b.example"
    )


def test_a_404_shows_what_is_near(development):
    got = get(development, "/fial/3", headers=HTML)
    assert 404 == got.status
    assert "<code>/fails/&lt;int:number&gt;</code>" in got.text
    assert "has &#39;fails&#39; where the path has &#39;fial&#39;" in got.text
    assert str(len(got.body)) == got.headers["content-length"]


def test_a_404_of_the_view_itself_is_told(development):
    assert "its view <code>gone</code> answered 404 itself" in get(development, "/gone", headers=HTML).text


def test_a_405_shows_the_methods(development):
    got = get(development, "/form", headers=HTML)
    assert 405 == got.status
    assert "<td>POST</td>" in got.text
    assert "does not allow GET" in got.text


def test_a_page_of_the_applications_own_stays(app):
    app.register_error_handler(404, lambda error: ("mine", 404))
    assert "mine" == get(DevelopmentApplication(app, app.asgi), "/fial/3", headers=HTML).text


def test_programs_get_what_is_near_in_the_problem_details(development, capsys):
    text = get(development, "/fial/3", headers={"accept": "application/json"}).text
    assert "has 'fails' where the path has 'fial'" in text


def test_other_computers_get_the_plain_404(development, capsys):
    headers = {"accept": "application/json", "host": "shop.example"}
    assert "/fails/" not in get(development, "/fial/3", headers=headers).text
    assert "" == capsys.readouterr().err


FORM = {"content-type": "application/x-www-form-urlencoded"}


def post(development, path, body, **headers):
    length = {"content-length": str(len(body))}
    return get(development, path, method="POST", body=body, headers={**HTML, **FORM, **length, **headers}).text


def test_a_missing_field_shows_which_came(development, capsys):
    text = post(development, "/form", b"titel=x&text=y")
    assert "request.form has no &#39;title&#39;. Of fields, it came with &#39;titel&#39;, &#39;text&#39;." in text
    assert "Did you mean &#39;titel&#39;?" in text


def test_a_form_that_is_none_is_told(development, capsys):
    text = post(development, "/form", b"{}", **{"content-type": "application/json"})
    assert "The body is JSON. Read it with request.get_json() or request.json." in text
    text = post(development, "/form", b"x", **{"content-type": "text/plain"})
    assert "The body was sent as text/plain, but only application/x-www-form-urlencoded" in text


def test_a_field_that_is_elsewhere_is_told(development, capsys):
    got = get(development, "/form", method="POST", query="title=x", headers=HTML)
    assert "&#39;title&#39; is in request.args." in got.text


def test_a_missing_enctype_is_told(development, capsys):
    text = post(development, "/upload", b"picture=boat.png")
    assert "enctype=&#34;multipart/form-data&#34;" in text


def test_programs_and_the_terminal_get_the_hints(development, capsys):
    hints = (
        "Hint: Unknown endpoint 'fial'. Similar endpoints:\n"
        "  fails  /fails/<int:number>  takes 'number'\n"
    )  # fmt: skip
    got = get(development, "/link", headers={"accept": "application/json"})
    assert hints in got.text
    assert hints in capsys.readouterr().err


def test_the_terminal_knows_the_request(development, capsys):
    post(development, "/form", b"titel=x")
    assert capsys.readouterr().err.endswith(
        "Hint: request.form has no 'title'. Of fields, it came with 'titel'. Did you mean 'titel'?\n"
    )


def test_the_middleware_knows_the_request_where_it_has_consoles(app, capsys):
    for evalex, known in ((True, True), (False, False)):
        Client(DebuggedApplication(app.wsgi_app, evalex=evalex)).post("/form", data={"titel": "x"})
        assert known is ("Hint: request.form has no 'title'." in capsys.readouterr().err)
    Client(DebuggedApplication(app.wsgi_app)).get("/link")
    assert "Hint: Unknown endpoint 'fial'." in capsys.readouterr().err


def test_the_copies_have_the_hints(development, capsys):
    text = get(development, "/link", headers=HTML).text
    plain, markdown = (
        html.unescape(re.search(rf'id="{name}">(.*?)</textarea>', text, re.S)[1])
        for name in ("plain-text", "markdown-text")
    )
    assert plain.count("\nHint: Unknown endpoint 'fial'. Similar endpoints:\n  fails  /fails/<int:number>") == 1
    before, hint, after = markdown.partition("\n\nHint: Unknown endpoint 'fial'. Similar endpoints:\n")
    assert before.startswith("### BuildError: Could not build url for endpoint 'fial'")
    assert hint
    assert "- `fails  /fails/<int:number>` takes 'number'" in after
    assert markdown.count("Hint:") == 1


def test_html_in_a_hint_is_seen_in_markdown():
    page = ErrorPage(report_of(ValueError("x")), hints=[Hint('Write it as <form method="post">.')])
    assert 'Hint: Write it as \\<form method="post">.' in page.markdown()
    assert 'Hint: Write it as <form method="post">.' in page.text()


def test_an_argument_that_is_missing_in_a_get():
    app = Costrel("shop", static_folder=None)
    with app.test_request_context("/?q=1") as ctx:
        try:
            request.form["title"]
        except KeyError as error:
            hints = hints_for(report_of(error), ctx)
    assert [
        "request.form has no 'title'. Of fields, it came with none.",
        "A GET request has no form. Its parameters are in request.args.",
    ] == [hint.text for hint in hints]


def hints_of(function, ctx=None):
    try:
        function()
    except Exception as error:
        return [(hint.text, hint.rows) for hint in hints_for(report_of(error), ctx)]
    raise RuntimeError("it did not raise")


def test_an_endpoint_that_is_missing():
    app = Costrel("shop", static_folder=None)
    app.add_url_rule("/items/<int:number>", "item", lambda number: "")
    shop = Blueprint("shop", __name__)
    shop.add_url_rule("/list", "list", lambda: "")
    app.register_blueprint(shop)
    with app.test_request_context():
        text, rows = hints_of(lambda: url_for("itme"))[0]
        assert text == "Unknown endpoint 'itme'. Similar endpoints:"
        assert rows[0] == ("item  /items/<int:number>", "needs 'number'")
        text, rows = hints_of(lambda: url_for("list"))[0]
        assert rows[0] == ("shop.list  /list", "takes no values")
        text, rows = hints_of(lambda: url_for("item", numer=1))[0]
        assert "The endpoint 'item' exists, but its URL cannot be built from these values." == text
        assert [("item  /items/<int:number>", "needs 'number'")] == rows
        assert "is for GET, HEAD, OPTIONS" == hints_of(lambda: url_for("item", number=1, _method="PUT"))[0][1][0][1]
        assert "and none is similar" in hints_of(lambda: url_for("xyzxyz"))[0][0]


def test_a_template_that_is_missing(tmp_path):
    (tmp_path / "index.html").write_text("")
    app = Costrel("shop", static_folder=None, template_folder=str(tmp_path))
    with app.test_request_context() as ctx:
        hints = hints_of(lambda: render_template("indx.html"), ctx)
    assert [("Did you mean 'index.html'?", []), ("These folders were searched:", [(str(tmp_path), "of shop")])] == hints


def test_a_name_that_is_misspelt():
    def misspelt():
        number = 1
        return numbr + number  # noqa: F821 - this is what is tested

    assert hints_of(misspelt) == [("Did you mean 'number'?", [])]
    assert hints_of(lambda: [].apend(1)) == [("Did you mean 'append'?", [])]
    assert hints_of(lambda: [].qqqqqqqqq) == []


def test_help_that_fails_hides_nothing():
    assert [] == hints_for(None)


# -- the terminal


def test_a_traceback_for_the_terminal():
    def outer():
        try:
            raise KeyError("\x1b[31mfirst")
        except KeyError as error:
            raise ValueError("second") from error

    try:
        outer()
    except ValueError as error:
        error.add_note("a note")
        report = report_of(error)
    text = format_report(report)
    assert text.endswith("ValueError: second\na note\n")
    assert "The above exception was the direct cause of the following exception:" in text
    assert "\x1b" not in text
    assert "  ◀ your code" in text
    assert "\x1b[1;31mValueError\x1b[0m: second" in format_report(report, colours)


def test_hints_for_the_terminal():
    hints = [
        Hint("The \x1b[2Jform has no 'a-secret'.", [("/\x1b<x>", "needs 'x'"), ("/long/<y>", "is at a-secret")]),
        Hint("The request is a GET."),
    ]
    report = report_of(ValueError("second"))
    text = format_report(report, describer=Describer(["a-secret"]), hints=hints)
    assert text.splitlines()[1:] == [
        "ValueError: second",
        f"Hint: The \\x1b[2Jform has no '{HIDDEN}'.",
        "  /\\x1b<x>   needs 'x'",
        f"  /long/<y>  is at {HIDDEN}",
        "Hint: The request is a GET.",
    ]
    assert "\x1b[1;36mHint:\x1b[0m The request" in format_report(report, colours, hints=hints)


def test_a_group_for_the_terminal():
    text = format_report(report_of(ExceptionGroup("several", [ValueError(str(n)) for n in range(10)])))
    assert "  1.\n  │ Traceback (most recent call last):\n  │ ValueError: 0\n" in text
    assert "  … and 2 more exceptions in the group" in text


def test_colours_are_for_terminals(monkeypatch):
    class Terminal:
        def isatty(self):
            return True

    monkeypatch.delenv("NO_COLOR", raising=False)
    assert painter(Terminal()) is colours
    assert "text" == painter(None)("text", "red")
    monkeypatch.setenv("NO_COLOR", "1")
    assert painter(Terminal()) is not colours


def test_an_unknown_editor_is_the_usual_one(monkeypatch):
    monkeypatch.setenv("COSTREL_EDITOR", "my own")
    assert editor.link(__file__, 3) == f"vscode://file/{__file__.lstrip('/')}:3"
    assert "" == editor.link("<string>", 3)


@pytest.mark.parametrize(
    ("failing", "hint"),
    [
        (lambda app: app.jinja_env.from_string("{{ 1 | uper }}"), "Did you mean the filter 'upper'"),
        (lambda app: app.jinja_env.from_string("{{ 1 is od }}"), "Did you mean the test 'odd'"),
        (lambda app: app.config["SECRT_KEY"], "app.config has no key 'SECRT_KEY'. Did you mean 'SECRET_KEY'?"),
    ],
)
def test_filters_tests_and_settings_that_are_misspelt(failing, hint):
    app = Costrel("shop")
    with app.app_context() as ctx:
        hints = hints_of(lambda: failing(app), ctx)

    assert hint in " ".join(text for text, _ in hints)


@pytest.mark.parametrize("key", ["name", "WHOLLY_ELSEWHERE", "DEBUG"])
def test_other_missing_keys_have_no_hint(key):
    app = Costrel("shop")
    with app.app_context() as ctx:
        assert [] == hints_of(lambda: {}[key], ctx)
