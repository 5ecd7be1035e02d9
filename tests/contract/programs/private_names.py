"""Private names and hooks of Flask and Werkzeug that packages are known to use."""

import datetime
import inspect
import sys
from unittest import mock

if sys.argv[1:] == ["alias"]:
    import costrel

    costrel.install_as_flask()

import flask
import flask.app
import flask.helpers
import flask.json.provider
import flask.signals
import flask.templating
import flask.views
import werkzeug._internal as internal
import werkzeug.http
import werkzeug.utils
import werkzeug.wrappers


def show(name, function, *args):
    try:
        print(name, args, repr(function(*args)))
    except Exception as error:
        print(name, args, type(error).__name__)


# -- cached properties, as Flask-Dance and others extend them


class Plain:
    runs = 0

    @werkzeug.utils.cached_property
    def value(self):
        """Its text."""
        self.runs += 1
        return self.runs


class Slotted:
    __slots__ = ("_cache_value",)

    @werkzeug.utils.cached_property
    def value(self):
        return "computed"


class Extended(werkzeug.utils.cached_property):
    def __set__(self, instance, value):
        super().__set__(instance, f"set {value}")

    def __delete__(self, instance):
        super().__delete__(instance)


class Extending:
    @Extended
    def value(self):
        return "computed"


for cls in (Plain, Slotted, Extending):
    one = cls()
    try:
        del one.value
    except (KeyError, AttributeError) as error:
        print("not computed", type(error).__name__)
    print(one.value, one.value)
    one.value = "assigned"
    print(one.value)
    del one.value
    print(one.value)
found = vars(Plain)["value"]
print(isinstance(found, property), inspect.isdatadescriptor(found), Plain.value is found, found.__doc__, found.__name__)
print(found.slot_name, [name for name, _ in inspect.getmembers(Plain, lambda each: isinstance(each, property))])

# -- the closure of class-based views, which Flask-Injector reads


class Page(flask.views.View):
    def __init__(self, *args, **kwargs):
        self.arguments = (args, kwargs)

    def dispatch_request(self, **values):
        return repr((self.arguments, values))


class Method(flask.views.MethodView):
    init_every_request = False

    def get(self):
        return "got"


app = flask.Flask("names", static_folder=".")
view = Page.as_view("page", 1, two=2)
print(view.__code__.co_freevars, [cell.cell_contents for cell in view.__closure__[:2]])
print(Method.as_view("method").__code__.co_freevars)
app.add_url_rule("/page/<name>", view_func=view)
app.add_url_rule("/method", view_func=Method.as_view("method"))
client = app.test_client()
print(client.get("/page/a").text, client.get("/method").text)


class Other(Page):
    def dispatch_request(self, **values):
        return "other"


view.view_class = Other
print(client.get("/page/a").text)

# -- functions that are replaced in the module of the original

with app.app_context():
    with mock.patch("flask.templating._render", return_value="replaced"):
        print(flask.render_template_string("a"))
    print(flask.render_template_string("a"))
    with mock.patch("flask.templating._stream", return_value=iter(["replaced"])):
        print([*flask.stream_template_string("a")])
    print([*flask.stream_template_string("a")])
with app.test_request_context(), mock.patch("werkzeug.utils.send_file", return_value="replaced"):
    print(flask.send_file("no-such-file"))
with mock.patch("werkzeug.utils.send_from_directory", return_value=flask.Response("replaced")):
    print(client.get("/static/no-such-file").text)
    with app.test_request_context():
        print(flask.send_from_directory(".", "no-such-file").get_data(as_text=True))
print(client.get("/static/no-such-file").status_code)

# -- private functions

for text in ("caf\xc3\xa9", "\xff", "a", "\u20ac"):
    show("decode", internal._wsgi_decoding_dance, text)
    show("encode", internal._wsgi_encoding_dance, text)
for value in ({"a": 1}, None, 5):
    show("environ", internal._get_environ, value)
with app.test_request_context("/there"):
    print(internal._get_environ(flask.request._get_current_object())["PATH_INFO"])
for text in ("12", " 12 ", "-5", "+5", "1_0", "\u0663", "", "1.5", "-", "0x1"):
    show("int", internal._plain_int, text)
berlin = datetime.timezone(datetime.timedelta(hours=2))
for moment in (None, datetime.datetime(2020, 1, 1), datetime.datetime(2020, 1, 1, tzinfo=berlin)):
    show("utc", internal._dt_as_utc, moment)
print(internal._missing, bool(internal._missing), internal._missing.__reduce__(), type(internal._missing).__name__)
print(callable(internal._log), callable(internal._has_level_handler), internal._plain_int_re.pattern != "")
print(issubclass(werkzeug.utils.header_property, internal._DictAccessorProperty))
print(flask.helpers.werkzeug.utils is werkzeug.utils, flask.signals._signals is not None)
show("json", flask.json.provider._default, datetime.date(2020, 1, 1))
print(flask.app.cli is not None, flask.app._cv_app is not None, flask.app.iscoroutinefunction(view))
print(werkzeug.wrappers.Response()._on_close)
print(sorted(werkzeug.http._hop_by_hop_headers)[:2], sorted(werkzeug.http._entity_headers)[:2])

# -- a mock as a view

marked = mock.MagicMock(return_value="mocked")
app_of_mocks = flask.Flask("mocks")
app_of_mocks.add_url_rule("/", endpoint="mock", view_func=marked, methods=["GET"])
print(app_of_mocks.test_client().get("/").text, marked.call_count)
