"""The limits on the parts of a request: each a setting of its own, in both profiles and with the strict one."""

import io

import pytest

from costrel import Costrel, request
from costrel.app.application import Flask

BOUNDARY = "limit"


def make(cls=Costrel, **settings):
    app = cls("sized", static_folder=None)
    app.config.from_mapping(SECRET_KEY="k" * 32, CSRF_PROTECTION=False, **settings)
    app.add_url_rule("/form", "form", lambda: f"{len(request.form)} {len(request.files)}", methods=["POST"])
    app.add_url_rule("/query", "query", lambda: str(len(request.args)))
    app.add_url_rule("/json", "json", lambda: str(request.json is not None), methods=["POST"])
    return app


def strict():
    return make(Flask, SECURITY_PROFILE="strict")


def files(count):
    return {f"f{n}": (io.BytesIO(b"x"), "name.txt") for n in range(count)}


def part(headers=(), boundary=BOUNDARY):
    head = b"".join(line + b"\r\n" for line in (b'Content-Disposition: form-data; name="a"', *headers))
    dashed = b"--" + boundary.encode()
    body = dashed + b"\r\n" + head + b"\r\nvalue\r\n" + dashed + b"--\r\n"
    return {"data": body, "content_type": f"multipart/form-data; boundary={boundary}"}


def posted(app, **options):
    return app.test_client().post("/form", **options).status_code


def queried(app, count):
    return app.test_client().get("/query?" + "&".join(f"a{n}=1" for n in range(count))).status_code


def deep(app, depth):
    body = "[" * depth + "]" * depth
    return app.test_client().post("/json", data=body, content_type="application/json").status_code


SIZES = {
    "body": lambda app: posted(app, data=b"x" * (16 * 1024 * 1024 + 1), content_type="text/plain"),
    "fields": lambda app: posted(app, data={f"a{n}": "1" for n in range(1_001)}),
    "memory": lambda app: posted(app, data={"a": "x" * 500_001}),
    "files": lambda app: posted(app, data=files(101)),
    "part headers": lambda app: posted(app, **part([b"X: y"] * 16)),
    "part header": lambda app: posted(app, **part([b"X: " + b"y" * 8192])),
    "boundary": lambda app: posted(app, **part(boundary="b" * 257)),
    "query": lambda app: queried(app, 1_001),
    "json": lambda app: deep(app, 201),
}


@pytest.mark.parametrize(
    ("what", "native", "flask"),
    [
        ("body", 413, 200),
        ("fields", 413, 200),
        ("memory", 413, 413),
        ("files", 413, 200),
        ("part headers", 413, 413),
        ("part header", 413, 413),
        ("boundary", 400, 400),
        ("query", 414, 200),
        ("json", 400, 200),
    ],
)
def test_what_is_too_much(what, native, flask):
    def read_all():
        return str(len(request.get_data()))

    def with_body(app):
        if what == "body":
            app.view_functions["form"] = read_all
        return app

    expected = (native, native, flask)
    assert expected == tuple(SIZES[what](with_body(app)) for app in (make(), strict(), make(Flask)))


@pytest.mark.parametrize("cls", [Costrel, Flask])
@pytest.mark.parametrize(
    ("setting", "value", "ask", "refused"),
    [
        ("MAX_CONTENT_LENGTH", 5, lambda app: posted(app, data={"a": "12345"}), 413),
        ("MAX_FORM_PARTS", 1, lambda app: posted(app, data=files(2)), 413),
        ("MAX_FORM_MEMORY_SIZE", 5, lambda app: posted(app, data={"a": "12345"}), 413),
        ("MAX_FORM_FILES", 1, lambda app: posted(app, data=files(2)), 413),
        ("MAX_FORM_PART_HEADERS", 2, lambda app: posted(app, **part([b"X: y"] * 2)), 413),
        ("MAX_FORM_PART_HEADER_SIZE", 50, lambda app: posted(app, **part([b"X: " + b"y" * 50])), 413),
        ("MAX_FORM_BOUNDARY_SIZE", 4, lambda app: posted(app, **part()), 400),
        ("MAX_QUERY_PARAMS", 2, lambda app: queried(app, 3), 414),
        ("JSON_MAX_DEPTH", 2, lambda app: deep(app, 3), 400),
    ],
)
def test_each_setting_holds_alone_in_both_profiles(cls, setting, value, ask, refused):
    assert (refused, 200) == (ask(make(cls, **{setting: value})), ask(make(cls)))


def test_more_may_be_allowed():
    app = make(
        MAX_FORM_FILES=200,
        MAX_FORM_PART_HEADERS=100,
        MAX_FORM_PART_HEADER_SIZE=100_000,
        MAX_FORM_BOUNDARY_SIZE=1_000,
        MAX_QUERY_PARAMS=2_000,
        JSON_MAX_DEPTH=500,
    )
    names = ("files", "part headers", "part header", "boundary", "query", "json")
    assert [200] * 6 == [SIZES[name](app) for name in names]
    wide = part([b"X: " + b"y" * 20_000] * 20)
    assert 200 == posted(app, **wide)


def test_a_view_may_set_its_own():
    app = make()

    @app.before_request
    def more():
        request.max_form_files, request.max_query_params = 200, 2_000

    assert (200, 200) == (SIZES["files"](app), SIZES["query"](app))


def test_the_answer_names_the_setting():
    client = make(PROPAGATE_EXCEPTIONS=False).test_client()
    text = client.post("/form", data=files(101)).text
    assert "The form has more than the 100 files that MAX_FORM_FILES allows." in text
    text = client.get("/query?" + "a&" * 1_001).text
    assert "The query has more than the 1,000 parameters that MAX_QUERY_PARAMS allows." in text
