"""Methods that an application replaces decide, whether in a subclass, on an instance or by patching a class."""

from unittest import mock

import pytest

from costrel import Costrel, url_for
from costrel.http.errors import NotFound
from costrel.routing import BaseConverter, BuildError, IntegerConverter, Map, MapAdapter, Rule, ValidationError


@pytest.fixture
def app():
    app = Costrel(__name__)
    app.add_url_rule("/", "index", lambda: "index")
    app.add_url_rule("/other", "other", lambda: "other")
    return app


def always_other(adapter, *args, **kwargs):
    return next(adapter.map.iter_rules("other")), {}


def test_a_patched_match_decides(app):
    client = app.test_client()
    assert client.get("/").text == "index"
    with mock.patch.object(MapAdapter, "match", always_other):
        assert client.get("/").text == "other"
        assert client.get("/missing").text == "other"
    assert client.get("/").text == "index"


class ToOther(MapAdapter):
    match = always_other


def bind_to_other(url_map):
    return ToOther(url_map, "localhost", "/", "", "http", "/", "GET")


def test_a_patched_bind_to_environ_decides(app):
    client = app.test_client()
    with mock.patch.object(Map, "bind_to_environ", lambda self, *args, **kwargs: bind_to_other(self)):
        assert client.get("/").text == "other"
        assert client.get("/missing").text == "other"
    assert client.get("/").text == "index"


def test_a_bind_to_environ_on_the_map_itself_decides(app):
    client = app.test_client()
    assert client.get("/").text == "index"
    app.url_map.bind_to_environ = lambda *args, **kwargs: bind_to_other(app.url_map)
    assert client.get("/").text == "other"


def test_a_map_of_a_subclass_decides():
    class OtherMap(Map):
        def bind_to_environ(self, *args, **kwargs):
            return bind_to_other(self)

    class OtherApp(Costrel):
        url_map_class = OtherMap

    app = OtherApp(__name__)
    app.add_url_rule("/", "index", lambda: "index")
    app.add_url_rule("/other", "other", lambda: "other")
    assert app.test_client().get("/").text == "other"


def test_an_only_rule_is_asked_to_build():
    class Loud(Rule):
        def build(self, values, append_unknown=True):
            return "", "/LOUD"

        def suitable_for(self, values, method=None):
            return "x" in values

    adapter = Map([Loud("/quiet", endpoint="e")]).bind("h")
    assert adapter.build("e", {"x": 1}) == "/LOUD"
    with pytest.raises(BuildError):
        adapter.build("e")


def test_a_patched_rule_builds():
    adapter = Map([Rule("/a", endpoint="e")]).bind("h")
    assert adapter.build("e") == "/a"
    with mock.patch.object(Rule, "build", return_value=("", "/b")):
        assert adapter.build("e") == "/b"
    with mock.patch.object(Rule, "suitable_for", return_value=False), pytest.raises(BuildError):
        adapter.build("e")
    assert adapter.build("e") == "/a"


def test_a_rule_may_say_for_which_others_it_gives_defaults():
    class Home(Rule):
        def provides_defaults_for(self, rule):
            return rule.rule == "/long/home"

        def build_compare_key(self):
            return (-1,)

    url_map = Map([Rule("/long/home", endpoint="home"), Home("/", endpoint="home")])
    assert url_map.find("/long/home", "GET") == (None, None)
    assert url_map.find("/", "GET")[0].rule == "/"


def test_a_rule_with_its_own_converters_is_asked_for_each():
    class Numbered(Rule):
        def get_converter(self, variable_name, converter_name, args, kwargs):
            return IntegerConverter(self.map)

    url_map = Map([Rule("/a/<x>", endpoint="a"), Numbered("/b/<x>", endpoint="b")])
    assert url_map.find("/a/5", "GET")[1] == {"x": "5"}
    assert url_map.find("/b/5", "GET")[1] == {"x": 5}


class Picky(BaseConverter):
    """Counts its calls, and refuses each value."""

    calls: list[str] = []

    def to_python(self, value):
        self.calls.append(value)
        raise ValidationError

    def to_url(self, value):
        self.calls.append(value)
        raise ValidationError


@pytest.fixture
def calls():
    Picky.calls.clear()
    return Picky.calls


def test_a_converter_that_refuses_is_called_once_for_a_request(app, calls):
    app.url_map.converters["picky"] = Picky
    app.add_url_rule("/picky/<picky:x>", "picky", lambda x: x)
    assert app.test_client().get("/picky/a").status_code == 404
    assert calls == ["a"]
    assert isinstance(app.url_map.find("/picky/b", "GET")[1], NotFound)
    assert calls == ["a", "b"]


def test_a_path_that_needs_an_adapter_is_looked_for_once_on_the_way_there(app):
    app.add_url_rule("/old", "old", redirect_to="/new")
    app.test_client().get("/old")  # sets things up
    with mock.patch.object(app.url_map, "find", wraps=app.url_map.find) as find:
        assert app.test_client().get("/old").status_code == 308
    assert find.call_count == 1


@pytest.mark.parametrize("kwargs", [{"redirect_to": "/"}, {"alias": True}])
def test_a_converter_is_called_once_for_a_redirect(app, kwargs):
    calls = []

    class Counted(BaseConverter):
        def to_python(self, value):
            calls.append(value)
            return value

    app.url_map.converters["counted"] = Counted
    app.add_url_rule("/first/<counted:x>", "counted", lambda x: x)
    app.add_url_rule("/second/<counted:x>", "counted", **kwargs)
    assert app.test_client().get("/second/a").status_code == 308
    assert calls == ["a"]


@pytest.mark.parametrize("more", [[], ["/picky/<picky:x>/more/<y>"]])
def test_a_converter_that_refuses_is_called_once_for_a_url(app, calls, more):
    app.url_map.converters["picky"] = Picky
    for rule in ["/picky/<picky:x>", *more]:
        app.add_url_rule(rule, "picky")
    with app.test_request_context(), pytest.raises(BuildError):
        url_for("picky", x="a")
    assert calls == ["a"]


def test_an_error_of_a_converter_comes_out_of_building_at_once(app):
    calls = []

    class Broken(BaseConverter):
        def to_url(self, value):
            calls.append(value)
            raise ZeroDivisionError

    app.url_map.converters["broken"] = Broken
    app.add_url_rule("/broken/<broken:x>", "broken", lambda x: x)
    with app.test_request_context(), pytest.raises(ZeroDivisionError):
        url_for("broken", x="a")
    assert calls == ["a"]


def test_a_rule_that_refused_gives_way_to_another(calls):
    url_map = Map(
        [Rule("/<picky:x>/<y>", endpoint="e"), Rule("/other/<y>", endpoint="e", methods=["PUT"])],
        converters={"picky": Picky},
    )
    assert url_map.bind("h").build("e", {"x": "a", "y": "b"}) == "/other/b?x=a"
    assert calls == ["a"]
