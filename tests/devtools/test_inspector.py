"""The inspector: the requests that it records, and the actions on them."""

import ast
import io
import json
import logging
import re
import shlex
import subprocess
import sys

import pytest

from costrel import Costrel, Response, g, render_template_string, request, session
from costrel.devtools.development import DevelopmentApplication
from costrel.devtools.inspector.records import MAX_BYTES, MAX_RECORDS, Record, Records
from costrel.testing.client import EnvironBuilder

from .inspecting import REQUESTS, get, newest, replay, unlocked, urlencoded

LOG = logging.getLogger("shop.orders")


@pytest.fixture
def app():
    app = Costrel("shop", static_folder=None)
    app.debug = True
    app.config["SECRET_KEY"] = "a-very-long-secret-key-of-this-shop"
    app.orders = []

    @app.before_request
    def note():
        g.visitor = "Ada"

    @app.get("/")
    def index():
        return render_template_string("<title>{{ name }}</title>", name="Shop")

    @app.route("/orders/<int:number>", methods=["GET", "POST", "PUT"])
    def order(number):
        session["cart"] = number
        LOG.warning("Order %d of %s", number, g.visitor)
        app.orders.append((request.method, request.get_data(cache=True, parse_form_data=False)))
        return Response("made", 201, {"X-Order": str(number)})

    @app.post("/form")
    def form():
        app.orders.append((request.form.to_dict(), {name: file.read() for name, file in request.files.items()}))
        return "taken"

    @app.get("/async")
    async def asynchronous():
        return "done"

    @app.get("/fails")
    def fails():
        LOG.error("It fails soon")
        raise ValueError("no more paper")

    @app.get("/whoami")
    def whoami():
        app.orders.append(request.cookies.to_dict())
        return "you"

    return app


def recorded(development) -> Record:
    return development.inspector.records.all()[0]


def group(record: Record, title: str) -> list[tuple[str, str]]:
    return dict(record.groups).get(title, [])


def test_a_record_has_the_request_and_what_it_did(development):
    get(development, "/orders/7", method="PUT", query="colour=red", body=b'{"size": [1]}')
    record = recorded(development)
    assert ("PUT", "/orders/7?colour=red", 201) == (record.method, record.target, record.status)
    assert ("/orders/<int:number>", "order") == (record.rule, record.endpoint)
    assert [("colour", "red")] == group(record, "query")
    assert {"size": [1]} == json.loads(group(record, "JSON")[0][1])
    assert [("number", "7")] == group(record, "view arguments")
    assert [("cart", "7")] == group(record, "session")
    assert [("visitor", "'Ada'")] == group(record, "g")
    assert ("WARNING", "shop.orders", "Order 7 of Ada") in record.logs
    assert ("x-order", "7") in [(name.lower(), value) for name, value in record.response_headers]
    assert len("made") == record.response_size


@pytest.mark.parametrize("path", ["/", "/async"])
def test_the_stages_follow_each_other_inside_the_request(development, path):
    get(development, path)
    record = recorded(development)
    names = [name for name, *_ in record.stages]
    inner = ["before_request", "view", "response"]
    assert inner == [name for name in names if name in inner]
    times = {name: (begin, begin + length) for name, _, begin, length in record.stages}
    assert times["before_request"][1] <= times["view"][0] <= times["view"][1] <= times["response"][0]
    assert times["response"][1] <= times["dispatch"][1] <= record.ms


def test_templates_are_named_with_their_time(development):
    get(development, "/")
    ((name, ms),) = recorded(development).templates
    assert "<string>" == name
    assert ms >= 0


def test_a_form_with_a_file_is_shown_by_its_parts(development):
    builder = EnvironBuilder(method="POST", data={"title": "Boat", "picture": (io.BytesIO(b"PNG"), "boat.png")})
    environ = builder.get_environ()
    headers = {"content-type": environ["CONTENT_TYPE"]}
    get(development, "/form", method="POST", headers=headers, body=environ["wsgi.input"].read())
    record = recorded(development)
    assert [("title", "Boat")] == group(record, "form")
    assert [("picture", "boat.png, image/png, 3 bytes")] == group(record, "files")


def test_an_error_is_named_in_its_record_and_the_error_page_shows_what_came_before(development, capsys):
    got = get(development, "/fails", headers={"accept": "text/html"})
    assert "ValueError: no more paper" == recorded(development).error
    assert "It fails soon" in got.text
    assert "before_request" in got.text


def test_sql_is_recorded_with_its_parameters(app):
    sqlalchemy = pytest.importorskip("sqlalchemy")
    engine = sqlalchemy.create_engine("sqlite://")
    columns = [sqlalchemy.Column(name, sqlalchemy.String) for name in ("name", "password_hash")]
    people = sqlalchemy.Table("people", sqlalchemy.MetaData(), *columns)

    @app.get("/sql")
    def sql():
        with engine.begin() as connection:
            people.create(connection)
            connection.execute(people.insert(), {"name": "Ada", "password_hash": "correct-horse"})
            connection.exec_driver_sql("UPDATE people SET password_hash = ?", ("battery-staple",))
            return str(connection.execute(sqlalchemy.select(people.c.name)).all())

    development = DevelopmentApplication(app, app.asgi)
    assert 200 == get(development, "/sql").status
    record = recorded(development)
    text = repr(record.sql)
    done = [sql.split()[0] for sql, *_ in record.sql if not sql.startswith("PRAGMA")]
    assert ["CREATE", "INSERT", "UPDATE", "SELECT"] == done
    assert "'Ada'" in text
    assert "correct-horse" not in text
    assert "battery-staple" not in text
    assert all(ms > 0 for *_, ms in record.sql)
    engine.dispose()


def test_two_requests_at_once_have_records_of_their_own(development):
    import asyncio

    from .asgi_client import ask

    async def both():
        await asyncio.gather(ask(development, "/orders/1"), ask(development, "/orders/2"))

    asyncio.run(both())
    lines = {record.path: [message for *_, message in record.logs] for record in development.inspector.records.all()}
    assert {"/orders/1": ["Order 1 of Ada"], "/orders/2": ["Order 2 of Ada"]} == lines


def test_only_the_last_requests_are_kept():
    records = Records()
    for number in range(MAX_RECORDS + 5):
        records.add(a_record(f"/{number}"))
    kept = records.all()
    assert (MAX_RECORDS, "/204", "/5") == (len(kept), kept[0].path, kept[-1].path)


def test_large_requests_leave_room_for_fewer():
    records = Records()
    for number in range(30):
        records.add(a_record(f"/{number}", body=bytes(1_000_000)))
    assert 19 == len(records.all())
    assert sum(record.size() for record in records.all()) <= MAX_BYTES


def a_record(path="/", **more) -> Record:
    known = {"method": "GET", "query": "", "base": "http://localhost", "headers": [], "body": None, "at": 0.0}
    return Record(path=path, **{**known, **more})


def test_a_body_that_is_too_long_is_not_kept_and_cannot_be_sent_again(development):
    get(development, "/orders/1", method="PUT", body=bytes(1_100_000))
    record = recorded(development)
    assert (None, False) == (record.body, record.can_replay)
    assert "longer than 1,000,000 bytes" in newest(development).text


def test_the_list_and_the_page_show_the_requests(development):
    get(development, "/orders/7", query="q=<script>")
    listed = get(development, REQUESTS, headers=unlocked(development))
    assert "/orders/7?q=&lt;script&gt;" in listed.text
    page = newest(development)
    assert (200, "no-store") == (page.status, page.headers["cache-control"])
    assert "Order 7 of Ada" in page.text
    assert "<script>q" not in page.text


def test_the_pages_are_not_recorded_themselves(development):
    get(development, REQUESTS, headers=unlocked(development))
    get(development, "/__costrel__/refresh.js")
    assert [] == development.inspector.records.all()


@pytest.mark.parametrize("path", ["/7", "/x", "/1/delete", "/1/replay/more"])
def test_unknown_pages_are_missing(development, path):
    get(development, "/")
    assert 404 == get(development, REQUESTS + path, headers=unlocked(development)).status


# -- sending again


def test_a_safe_request_is_sent_again_at_once(development):
    get(development, "/orders/3", query="a=1")
    got = replay(development)
    assert (303, f"{REQUESTS}/2") == (got.status, got.headers["location"])
    assert ["/orders/3?a=1"] * 2 == [record.target for record in development.inspector.records.all()]


def test_an_unsafe_request_asks_first(app, development):
    get(development, "/orders/3", method="PUT", body=b'{"size": 2}')
    asked = replay(development)
    assert (200, True) == (asked.status, "Send this request again?" in asked.text)
    assert [("PUT", b'{"size": 2}')] == app.orders
    got = replay(development, confirmed="yes")
    assert 303 == got.status
    assert [("PUT", b'{"size": 2}')] * 2 == app.orders


def test_a_form_is_sent_again_with_its_files(app, development):
    data = {"title": 'Bo"at é', "picture": (io.BytesIO(b"\x00PNG"), "boat.png")}
    environ = EnvironBuilder(method="POST", data=data).get_environ()
    headers = {"content-type": environ["CONTENT_TYPE"]}
    get(development, "/form", method="POST", headers=headers, body=environ["wsgi.input"].read())
    assert 303 == replay(development, confirmed="yes").status
    get(development, "/form", method="POST", **urlencoded({"title": "a&b=c", "note": ""}))
    assert 303 == replay(development, confirmed="yes").status
    with_file, without = ({"title": 'Bo"at é'}, {"picture": b"\x00PNG"}), ({"title": "a&b=c", "note": ""}, {})
    assert [with_file, with_file, without, without] == app.orders


def test_a_replay_has_the_cookies_of_the_browser_that_asks_but_that_of_the_pin(app, development):
    get(development, "/whoami", headers={"cookie": "basket=one-two-three"})
    replay(development, cookie="basket=four-five-six")
    assert [{"basket": "one-two-three"}, {"basket": "four-five-six"}] == app.orders


def test_the_replay_of_a_failing_request_is_recorded_too(development, capsys):
    get(development, "/fails")
    assert 303 == replay(development).status
    assert ["ValueError: no more paper"] * 2 == [record.error for record in development.inspector.records.all()]


# -- copies


def copies(development) -> tuple[str, str]:
    from html import unescape

    page = newest(development).text
    return tuple(unescape(re.search(rf'id="{name}">(.*?)</textarea>', page, re.S)[1]) for name in ("curl", "test"))


def test_a_copy_as_curl_is_one_command_for_the_shell(development):
    get(development, "/orders/3", method="PUT", query="a=$(id)'", body=b'{"a": "it\'s"}', headers={"accept": "*/*"})
    curl, _ = copies(development)
    words = shlex.split(curl, comments=True)
    assert ["curl", "--globoff", "--include", "--request", "PUT", "http://localhost:5000/orders/3?a=$(id)'"] == words[
        :6
    ]
    assert {"a": "it's"} == json.loads(words[words.index("--data-binary") + 1])


def test_a_copy_as_a_test_runs_and_passes(app, development):
    get(development, "/orders/3", method="PUT", query="a='1'", body=b'{"a": [1, null, "x"]}')
    get(development, "/form", method="POST", **urlencoded({"title": "Boat", "password": "correct-horse"}))
    get(development, "/orders/9", headers={"authorization": "Bearer abcdefgh"})
    for number in (1, 2, 3):
        _, test = copies_of(development, number)
        namespace = {}
        exec(compile(ast.parse(test), "test", "exec"), namespace)
        (name,) = (name for name in namespace if name.startswith("test_"))
        namespace[name](app.test_client())
    assert ("PUT", {"a": [1, None, "x"]}) == (app.orders[3][0], json.loads(app.orders[3][1]))
    assert {"title": "Boat", "password": "[hidden]"} == app.orders[4][0]
    assert test.lower().startswith("# authorization is not recorded")


def copies_of(development, number: int) -> tuple[str, str]:
    from costrel.devtools.inspector.copies import as_curl, as_test

    record = development.inspector.records.find(number)
    return as_curl(record), as_test(record)


# -- other code


def test_logging_can_still_be_configured_by_the_application(development):
    code = (
        "import logging, asyncio\n"
        "from costrel import Costrel\n"
        "from costrel.devtools.development import DevelopmentApplication\n"
        "app = Costrel('shop'); app.debug = True\n"
        "DevelopmentApplication(app, app.asgi)\n"
        "print(logging.getLogger().handlers, len(app.logger.handlers))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert "[] 1" == done.stdout.strip(), done.stderr


def test_nothing_is_imported_without_debug_mode():
    code = (
        "import sys\n"
        "from costrel import Costrel\n"
        "app = Costrel('shop'); app.asgi; app.test_client().get('/')\n"
        "print([name for name in sys.modules if 'inspector' in name])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert "[]" == done.stdout.strip(), done.stderr


def test_a_development_server_without_debug_mode_has_no_inspector(app):
    app.debug = False
    development = DevelopmentApplication(app, app.asgi)
    assert development.inspector is None
    assert 404 == get(development, REQUESTS).status
