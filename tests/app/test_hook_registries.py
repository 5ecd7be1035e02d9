"""The registries of functions around requests are dicts of lists: any change of them counts from the next stage on."""

import copy
import pickle
from collections import defaultdict

import pytest

from costrel import Blueprint, Costrel, current_app
from costrel.app.application import Flask


@pytest.fixture(params=[Costrel, Flask])
def app(request):
    """An application with one view in a blueprint, which has answered a request without functions around it."""
    app = request.param("registries", static_folder=None)
    shop = Blueprint("shop", "registries")
    shop.add_url_rule("/", "page", lambda: "page")
    app.register_blueprint(shop)
    assert app.test_client().get("/").text == "page"
    return app


def answered(app):
    return app.test_client().get("/").text


def first():
    return "first"


def second():
    return "second"


CHANGES_OF_A_LIST = {
    "append": (lambda hooks: hooks.append(second), "first"),
    "insert": (lambda hooks: hooks.insert(0, second), "second"),
    "extend": (lambda hooks: hooks.extend([second]), "first"),
    "remove": (lambda hooks: hooks.remove(first), "page"),
    "pop": (lambda hooks: hooks.pop(), "page"),
    "clear": (lambda hooks: hooks.clear(), "page"),
    "set": (lambda hooks: hooks.__setitem__(0, second), "second"),
    "set a slice": (lambda hooks: hooks.__setitem__(slice(None), [second, first]), "second"),
    "delete": (lambda hooks: hooks.__delitem__(0), "page"),
    "add in place": (lambda hooks: hooks.__iadd__([second]), "first"),
    "multiply in place": (lambda hooks: hooks.__imul__(0), "page"),
}


@pytest.mark.parametrize("scope", [None, "shop"])
@pytest.mark.parametrize("name", CHANGES_OF_A_LIST)
def test_a_list_is_changed(app, name, scope):
    change, expected = CHANGES_OF_A_LIST[name]
    app.before_request_funcs[scope].append(first)
    assert answered(app) == "first"
    change(app.before_request_funcs[scope])
    assert answered(app) == expected


@pytest.mark.parametrize("order", ["reverse", "sort"])
def test_a_list_is_put_in_another_order(app, order):
    app.before_request_funcs[None].extend([second, first])
    assert answered(app) == "second"
    hooks = app.before_request_funcs[None]
    hooks.reverse() if order == "reverse" else hooks.sort(key=lambda function: function.__name__)
    assert answered(app) == "first"


CHANGES_OF_A_DICT = {
    "set": (lambda registry: registry.__setitem__(None, [second]), "second"),
    "delete": (lambda registry: registry.__delitem__(None), "page"),
    "pop": (lambda registry: registry.pop(None), "page"),
    "popitem": (lambda registry: registry.popitem(), "page"),
    "clear": (lambda registry: registry.clear(), "page"),
    "update": (lambda registry: registry.update({None: [second]}), "second"),
    "unite in place": (lambda registry: registry.__ior__({None: (second,)}), "second"),
    "default of a blueprint": (lambda registry: registry.setdefault("shop", []).append(second), "first"),
    "default that is there": (lambda registry: registry.setdefault(None, []).insert(0, second), "second"),
}


@pytest.mark.parametrize("name", CHANGES_OF_A_DICT)
def test_a_registry_is_changed(app, name):
    change, expected = CHANGES_OF_A_DICT[name]
    app.before_request_funcs[None].append(first)
    assert answered(app) == "first"
    change(app.before_request_funcs)
    assert answered(app) == expected


def test_a_plain_list_in_a_registry_is_changed_through_another_name(app):
    hooks = []
    app.before_request_funcs[None] = hooks
    assert answered(app) == "page"
    hooks.append(first)
    assert answered(app) == "first"
    hooks[0] = second
    assert answered(app) == "second"


def test_a_plain_dict_takes_the_place_of_a_registry(app):
    app.before_request_funcs[None].append(first)
    registry = {}
    app.before_request_funcs = registry
    assert answered(app) == "page"
    registry["shop"] = [second]
    assert answered(app) == "second"
    registry.clear()
    assert answered(app) == "page"


def test_two_applications_share_a_registry(app):
    other = type(app)("other", static_folder=None)
    other.add_url_rule("/", "page", lambda: "other page")
    other.before_request_funcs = app.before_request_funcs
    assert answered(other) == "other page"
    app.before_request_funcs[None].append(first)
    assert (answered(app), answered(other)) == ("first", "first")


@pytest.mark.parametrize("names", ["url_value_preprocessors", "after_request_funcs", "teardown_request_funcs"])
def test_the_other_registries_change_too(app, names):
    calls = []

    def hook(*arguments):
        calls.append(names)
        return arguments[0]

    getattr(app, names)["shop"].append(hook)
    answered(app)
    getattr(app, names)["shop"].remove(hook)
    answered(app)
    assert calls == [names]


def test_functions_for_application_contexts_are_added_late(app):
    names = []
    app.teardown_appcontext_funcs.append(lambda error: names.append(current_app.name))
    answered(app)
    app.teardown_appcontext_funcs = [lambda error: names.append("plain list")]
    answered(app)
    assert names == ["registries", "plain list"]


def test_a_function_changes_the_registries_for_the_rest_of_its_request(app):
    calls = []

    def after(response):
        calls.append("after")
        app.teardown_request_funcs["shop"].append(lambda error: calls.append("teardown"))
        return response

    def once():
        calls.append("once")
        app.before_request_funcs[None].remove(once)
        app.after_request_funcs[None].append(after)

    app.before_request_funcs[None].append(once)
    assert answered(app) == "page"
    assert calls == ["once", "after", "teardown"]
    app.after_request_funcs.clear()
    answered(app)
    assert calls == ["once", "after", "teardown", "teardown"]


def test_an_error_in_a_function_leaves_the_context_and_the_others_run(app, caplog):
    calls = []

    def fails(error):
        raise RuntimeError("teardown")

    app.teardown_request_funcs[None].append(lambda error: calls.append(error))
    app.teardown_request_funcs["shop"].append(fails)
    assert answered(app) == "page"
    assert calls == [None]
    assert not current_app
    assert ["failed" in record.getMessage() for record in caplog.records] == [True]


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda registry: registry.copy()])
def test_a_copy_is_a_plain_registry(app, copied):
    app.before_request_funcs[None].append(first)
    copy_of_it = copied(app.before_request_funcs)
    copy_of_it["shop"].append(second)
    assert copy_of_it == {None: [first], "shop": [second]}
    assert type(copy_of_it) is defaultdict
    assert app.before_request_funcs == {None: [first]}


def test_a_registry_is_pickled_as_a_plain_one(app):
    app.before_request_funcs[None].append(first)
    assert pickle.loads(pickle.dumps(app.before_request_funcs)) == {None: [first]}
