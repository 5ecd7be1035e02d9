"""Text of a client that cannot be used: it is refused, or its default is taken, and never a 500."""

import enum
import json
from decimal import Decimal
from fractions import Fraction
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from costrel import Costrel, abort, make_response, request, url_for
from costrel.app.application import Flask
from costrel.http.errors import BadRequestKeyError, NotFound
from costrel.http.headers import Headers
from costrel.http.multidict import CombinedMultiDict, ImmutableMultiDict, MultiDict

PROFILES = pytest.mark.parametrize("cls", [Costrel, Flask])


class Colour(enum.Enum):
    RED = "red"


def make(cls, view, **settings):
    app = cls("text", static_folder=None)
    app.config.from_mapping(SECRET_KEY="k" * 32, **settings)
    app.add_url_rule("/", "view", view, methods=["GET", "POST"])
    return app


def post_json(app, text):
    return app.test_client().post("/", data=text, content_type="application/json")


class TestNumbersInJson:
    LARGE = ["1e999", "-1e999", "1E+400", "9" * 400 + ".0", '{"a": [1, {"b": 1e999}]}', "[0.1e400]", "1e309"]
    FINE = ["1e308", "1e-999", "-0.0", "9" * 400, '"1e999"', '{"1e999": 1}']

    @pytest.mark.parametrize("text", LARGE)
    def test_that_no_float_can_hold_are_a_400(self, text):
        assert post_json(make(Costrel, lambda: request.get_json()), text).status_code == 400

    @pytest.mark.parametrize("text", FINE)
    def test_others_are_read(self, text):
        assert post_json(make(Costrel, lambda: [request.get_json()]), text).json == [json.loads(text)]

    def test_digits_beyond_pythons_limit_are_a_400(self):
        assert post_json(make(Costrel, lambda: [request.get_json()]), "9" * 5000).status_code == 400

    def test_flasks_profile_reads_infinities(self):
        assert post_json(make(Flask, lambda: str(request.get_json())), "1e999").text == "inf"

    def test_the_setting_allows_them(self):
        app = make(Costrel, lambda: str(request.get_json()), JSON_ALLOW_NAN=True)
        assert post_json(app, "[1e999, NaN]").text == "[inf, nan]"

    def test_an_own_function_for_numbers_is_used(self):
        app = make(Costrel, lambda: str(request.json_module.loads(request.data, parse_float=Decimal)))
        assert post_json(app, "1e999").text == "1E+999"


class TestSurrogatesInJson:
    HALVES = ['"\\ud800"', '{"\\udfff": 1}', '["\\ud83d x"]', '"\\udc00\\ud800"']

    @pytest.mark.parametrize("text", HALVES)
    def test_halves_are_a_400(self, text):
        assert post_json(make(Costrel, lambda: [request.get_json()]), text).status_code == 400

    @pytest.mark.parametrize("text", ['"\\ud83d\\ude00"', '"\\\\ud800"', '"\\u00e9"'])
    def test_pairs_are_read(self, text):
        assert post_json(make(Costrel, lambda: [request.get_json()]), text).json == [json.loads(text)]

    @PROFILES
    def test_halves_that_were_read_are_sent_as_replacements(self, cls):
        app = make(cls, lambda: f"<{request.get_json()}>", JSON_ALLOW_SURROGATES=True)
        assert post_json(app, '"\\ud800x"').text == "<\ufffdx>"

    @PROFILES
    def test_in_a_stream_too(self, cls):
        app = make(cls, lambda: make_response(iter([request.get_json()])), JSON_ALLOW_SURROGATES=True)
        assert post_json(app, '"\\ud800x"').text == "\ufffdx"


TYPES = [
    (Decimal, "abc"),
    (Decimal, "1.2.3"),
    (UUID, "abc"),
    (Colour, "blue"),
    (Colour.__getitem__, "BLUE"),
    ({"a": 1}.__getitem__, "b"),
    (Fraction, "1/0"),
    (lambda text: "abc"[int(text)], "7"),
    (lambda text: 1 // int(text), "0"),
    (lambda text: float(text) ** 9999, "1e300"),
    (json.loads, "[" * 100_000),
    (ZoneInfo, "No/Where"),
    (int, "9" * 5000),
    (int, "x"),
]


@pytest.mark.parametrize(("type_", "text"), TYPES)
class TestConversions:
    def test_of_a_multidict(self, type_, text):
        for kind in (MultiDict, ImmutableMultiDict):
            values = kind([("v", text)])
            assert (values.get("v", "d", type_), values.getlist("v", type_)) == ("d", [])

    def test_of_combined_ones(self, type_, text):
        values = CombinedMultiDict([MultiDict([("v", text)])])
        assert (values.get("v", "d", type_), values.getlist("v", type_)) == ("d", [])

    def test_of_headers(self, type_, text):
        headers = Headers([("V", text)])
        assert (headers.get("v", "d", type_), headers.getlist("v", type_)) == ("d", [])

    @PROFILES
    def test_of_a_request(self, type_, text, cls):
        def view():
            sources = (request.args, request.form, request.values, request.cookies, request.headers)
            return [source.get("v", "d", type=type_) for source in sources]

        if len(text) > 10_000:
            text = text[:5_000]
        app = make(cls, view)
        found = app.test_client().post("/", query_string={"v": text}, data={"v": text}, headers={"V": text})
        assert found.json == [found.json[0], "d", "d", "d", "d"] == ["d"] * 5


class TestErrorsThatPass:
    """What a function raises on purpose reaches the application."""

    @pytest.mark.parametrize("error", [RuntimeError, AttributeError, OSError])
    def test_others(self, error):
        def fail(text):
            raise error

        with pytest.raises(error):
            MultiDict([("v", "1")]).get("v", type=fail)

    def test_http_errors(self):
        with pytest.raises(NotFound):
            MultiDict([("v", "1")]).get("v", type=lambda text: abort(404))
        with pytest.raises(BadRequestKeyError):
            MultiDict([("v", "1")]).get("v", type=lambda text: MultiDict()[text])


HOSTILE = [
    "", "\0", "\x7f", "%", "%00", "%ff", "9" * 5000, "1e999", "²", "\xff", '"', "bytes=-" + "9" * 5000,
    "bytes=²-³", "a/b;q=nan", "a;q=" + "9" * 5000, "text/plain;charset=rot13", "multipart/form-data; boundary=\xff",
    "Basic \xff", "Digest nc=²", "Mon, 01 Jan 0001 00:00:00 +2359", "Fri, 31 Dec 9999 23:59:59 -2359",
    "Sun, 06 Nov 1994 08:49:" + "9" * 400, 'W/"', 'w/"', "max-age=²", "session=a.b.c", "session=" + "." * 50, "[::1",
    "localhost:²", "xn--a", "." * 300, "http://[", "for=\"[", "fe80::1%",
]  # fmt: skip
HEADERS = [
    "Accept", "Accept-Charset", "Accept-Encoding", "Accept-Language", "Authorization", "Cache-Control",
    "Content-Length", "Content-Type", "Cookie", "Date", "Host", "If-Match", "If-Modified-Since", "If-None-Match",
    "If-Range", "If-Unmodified-Since", "Max-Forwards", "Origin", "Range", "Referer", "Sec-Fetch-Site",
    "Transfer-Encoding", "X-CSRF-Token",
]  # fmt: skip
READ = [
    "accept_charsets", "accept_encodings", "accept_languages", "accept_mimetypes", "access_control_request_headers",
    "access_route", "args", "authorization", "base_url", "cache_control", "content_length", "cookies", "date", "form",
    "full_path", "host", "if_match", "if_modified_since", "if_none_match", "if_range", "if_unmodified_since",
    "is_json", "json", "max_forwards", "mimetype_params", "origin", "range", "referrer", "remote_addr", "root_url",
    "url", "user_agent", "values",
]  # fmt: skip


@PROFILES
@pytest.mark.parametrize("header", HEADERS)
@pytest.mark.parametrize("method", ["GET", "POST"])
class TestHeaders:
    def test_no_value_is_a_500(self, cls, header, method):
        def view():
            for name in READ:
                try:
                    value = getattr(request, name)
                    if name != "if_range":  # its text is for senders
                        str(value)
                except Exception as error:
                    if getattr(error, "code", 500) >= 500 and header != "Transfer-Encoding":
                        raise
            response = make_response("0123456789")
            response.last_modified, response.date = 1, 1
            response.set_etag("x")
            url_for("view", _external=True)
            return response.make_conditional(request, accept_ranges=True, complete_length=10)

        app = make(cls, view, CSRF_REQUIRE_TOKEN=True, CORS_POLICY="https://a.example")
        failed = []
        for value in HOSTILE:
            key = header.upper().replace("-", "_")
            key = key if key in ("CONTENT_LENGTH", "CONTENT_TYPE") else f"HTTP_{key}"
            with app.test_request_context("/", method=method, data=b"a=1") as ctx:
                environ = {**ctx.request.environ, key: value}
            environ.pop("werkzeug.request", None)
            status = []
            body = app(environ, lambda line, headers, error=None, status=status: status.append(line))
            b"".join(body)
            getattr(body, "close", lambda: None)()
            if status[0].startswith("500"):
                failed.append(value)
        assert failed == []


@PROFILES
@pytest.mark.parametrize(
    "path",
    [
        "/%00", "/%ff", "/%ED%A0%80", "/%", "/%zz", "//", "/..%2f..%2fetc/passwd", "/static/%00", "/static/..%2f",
        "/static/%ff", "/static/" + "a" * 5000, "/static/" + "a/" * 5000, "/int/" + "9" * 5000, "/int/%D9%A1",
        "/float/" + "9" * 5000 + ".0", "/uuid/" + "0" * 36, "/any/%00", "/path/%00/%ff", "/?%ff=%00&&=&%",
        "/?a=%ED%A0%80",
    ],
)  # fmt: skip
class TestPaths:
    def test_no_path_is_a_500(self, cls, path, tmp_path):
        app = cls("text", static_folder=tmp_path)
        for name in ("int", "float", "uuid", "path", "any(a, b)"):
            app.add_url_rule(f"/{name.partition('(')[0]}/<{name}:v>", name, lambda v: url_for(request.endpoint, v=v))
        app.add_url_rule("/", "index", lambda: str(list(request.args.items())) + request.full_path + request.url)
        assert app.test_client().get(path).status_code < 500
