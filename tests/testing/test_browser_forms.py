"""The test client builds the bodies that Chromium sends for the same form."""

from io import BytesIO

from costrel import Costrel, request

from ..browsers import needs_browser, see
from ..server.conftest import serving

pytestmark = needs_browser

FIELDS = [
    ('say "hi"', "ü €"),
    ("lines", "a\nb\rc\r\nd"),
    ("line\nbreak", "%0A"),
    ("marks", "~!*'(),;/?:@&=+$# -._"),
    ("empty", ""),
]
FILES = [('a"b\r\nc;ü.txt', "text/plain", "x\ny"), ("dot.bin", "application/octet-stream", "")]

SUBMIT = """
const [fields, files, enctype, done] = arguments;
const form = document.createElement("form");
Object.assign(form, {method: "post", action: "/", enctype});
for (const [name, value] of fields) {
    const input = document.createElement("textarea");
    Object.assign(input, {name, value});
    form.append(input);
}
const list = new DataTransfer();
for (const [name, type, text] of files) list.items.add(new File([text], name, {type}));
const input = document.createElement("input");
Object.assign(input, {type: "file", name: "file", multiple: true, files: list.files});
if (files.length) form.append(input);
document.body.append(form);
form.submit();
done();
"""


def recording():
    """An application that keeps the content type and the body of each form."""
    app = Costrel("recording", static_folder=None)
    app.received = []

    @app.get("/")
    def page():
        return "<!doctype html><title>Form</title><body>"

    @app.post("/")
    def receive():
        app.received.append((request.content_type, request.get_data()))
        return "<!doctype html><title>Form</title><p>received"

    return app


def by_browser(browser, files, enctype):
    app = recording()
    with serving(app.asgi) as (_, port):
        browser.get(f"http://127.0.0.1:{port}/")
        browser.execute_async_script(SUBMIT, FIELDS, files, enctype)
        see(browser, "received")
    return app.received[0]


def by_client(files, enctype):
    app = recording()
    data = {**dict(FIELDS), "file": [(BytesIO(text.encode()), name, kind) for name, kind, text in files]}
    app.test_client().post("/", data=data, content_type=enctype)
    return app.received[0]


def test_multipart_forms(browser):
    def without_boundary(content_type, body):
        boundary = content_type.removeprefix("multipart/form-data; boundary=")
        assert boundary.startswith("----WebKitFormBoundary")
        assert len(boundary) == len("----WebKitFormBoundary") + 16
        return body.replace(boundary.encode(), b"boundary")

    sent = by_browser(browser, FILES, "multipart/form-data")
    assert without_boundary(*sent) == without_boundary(*by_client(FILES, "multipart/form-data"))


def test_urlencoded_forms(browser):
    enctype = "application/x-www-form-urlencoded"
    assert by_browser(browser, [], enctype) == by_client([], enctype)
