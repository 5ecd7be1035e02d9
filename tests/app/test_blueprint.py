"""Blueprints: registering one adds its rules, hooks and commands to the application under its name."""

import pytest

from costrel import Blueprint, Costrel


def view(**values):
    return "seen"


def application():
    return Costrel(__name__, static_folder=None)


def rules(app):
    return [(rule.rule, rule.endpoint, rule.defaults, rule.subdomain) for rule in app.url_map.iter_rules()]


@pytest.mark.parametrize(
    ("name", "message"),
    [("", "'name' may not be empty."), ("a.b", "'name' may not contain a dot '.' character.")],
)
def test_a_name_is_one_word(name, message):
    with pytest.raises(ValueError) as caught:
        Blueprint(name, __name__)

    assert str(caught.value) == message


def test_an_endpoint_has_no_dot():
    blueprint = Blueprint("parts", __name__)

    with pytest.raises(ValueError) as caught:
        blueprint.add_url_rule("/", endpoint="a.b")
    assert str(caught.value) == "'endpoint' may not contain a dot '.' character."

    def dotted():
        pass

    dotted.__name__ = "a.b"
    with pytest.raises(ValueError) as caught:
        blueprint.add_url_rule("/", view_func=dotted)
    assert str(caught.value) == "'view_func' name may not contain a dot '.' character."


@pytest.mark.parametrize(
    ("prefix", "rule", "path"),
    [
        (None, "/page", "/page"),
        ("/shop", "/page", "/shop/page"),
        ("/shop/", "page", "/shop/page"),
        ("/shop//", "//page", "/shop/page"),
        ("/shop", "", "/shop"),
        ("/shop/", "", "/shop/"),
        ("", "/page", "/page"),
        ("/", "/", "/"),
    ],
)
def test_the_prefix_comes_before_the_rule(prefix, rule, path):
    app, blueprint = application(), Blueprint("parts", __name__, url_prefix=prefix)
    blueprint.add_url_rule(rule, view_func=view)

    app.register_blueprint(blueprint)

    assert rules(app) == [(path, "parts.view", {}, "")]


def test_what_the_registration_says_wins():
    app = application()
    blueprint = Blueprint("parts", __name__, url_prefix="/own", subdomain="own", url_defaults={"a": 1, "b": 1})
    blueprint.add_url_rule("/", view_func=view, defaults={"b": 3})

    app.register_blueprint(blueprint, url_prefix="/given", subdomain="given", url_defaults={"a": 2}, name="other")

    assert rules(app) == [("/given/", "other.view", {"a": 2, "b": 3}, "given")]
    assert app.blueprints == {"other": blueprint}


def test_a_rule_may_have_a_subdomain_of_its_own():
    app, blueprint = application(), Blueprint("parts", __name__, subdomain="own")
    blueprint.add_url_rule("/", view_func=view, subdomain="rule")

    app.register_blueprint(blueprint)

    assert rules(app) == [("/", "parts.view", {}, "rule")]


def test_the_blueprints_hooks_are_kept_under_its_name():
    app, blueprint = application(), Blueprint("parts", __name__)
    blueprint.before_request(view)
    blueprint.after_request(view)
    blueprint.teardown_request(view)
    blueprint.url_defaults(view)
    blueprint.url_value_preprocessor(view)
    blueprint.context_processor(view)
    blueprint.errorhandler(KeyError)(view)
    blueprint.endpoint("raw")(view)

    app.register_blueprint(blueprint)

    assert app.before_request_funcs == {"parts": [view]}
    assert app.after_request_funcs == {"parts": [view]}
    assert app.teardown_request_funcs == {"parts": [view]}
    assert app.url_default_functions == {"parts": [view]}
    assert app.url_value_preprocessors == {"parts": [view]}
    assert app.template_context_processors["parts"][1:] == [view]
    assert app.error_handler_spec == {"parts": {None: {KeyError: view}}}
    assert app.view_functions == {"raw": view}


def test_hooks_for_the_application_are_added_once():
    app, blueprint = application(), Blueprint("parts", __name__)
    assert blueprint.before_app_request(view) is view
    assert blueprint.after_app_request(view) is view
    assert blueprint.teardown_app_request(view) is view
    assert blueprint.app_url_defaults(view) is view
    assert blueprint.app_url_value_preprocessor(view) is view
    assert blueprint.app_context_processor(view) is view
    assert blueprint.app_errorhandler(KeyError)(view) is view
    assert blueprint.app_template_filter("as_filter")(view) is view
    assert blueprint.app_template_test()(view) is view
    assert blueprint.app_template_global(view) is view

    app.register_blueprint(blueprint)
    app.register_blueprint(blueprint, name="again")

    assert app.before_request_funcs == {None: [view]}
    assert app.after_request_funcs == {None: [view]}
    assert app.teardown_request_funcs == {None: [view]}
    assert app.url_default_functions == {None: [view]}
    assert app.url_value_preprocessors == {None: [view]}
    assert app.template_context_processors[None][1:] == [view]
    assert app.error_handler_spec == {None: {None: {KeyError: view}}}
    assert app.jinja_env.filters["as_filter"] is view
    assert app.jinja_env.tests["view"] is view
    assert app.jinja_env.globals["view"] is view


def test_recorded_functions_see_each_registration():
    app, blueprint, seen = application(), Blueprint("parts", __name__), []
    blueprint.record(lambda state: seen.append((state.name, state.first_registration, state.app is app)))
    blueprint.record_once(lambda state: seen.append(state.options))

    app.register_blueprint(blueprint)
    app.register_blueprint(blueprint, name="again")

    assert seen == [("parts", True, True), {}, ("again", False, True)]


def test_a_static_folder_is_served_below_the_prefix(tmp_path):
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "a.txt").write_text("asset")
    app = application()
    blueprint = Blueprint("parts", __name__, static_folder="assets", url_prefix="/parts", root_path=str(tmp_path))
    app.register_blueprint(blueprint)

    with app.test_client().get("/parts/assets/a.txt") as response:
        assert response.data == b"asset"
    assert app.view_functions["parts.static"] == blueprint.send_static_file


def test_without_a_static_folder_there_are_no_static_files():
    app = application()
    with app.test_request_context("/"), pytest.raises(RuntimeError) as caught:
        Blueprint("parts", __name__).send_static_file("a.txt")

    assert str(caught.value) == "'static_folder' must be set to serve static_files."


# Names


def test_a_name_is_taken_once():
    app, blueprint = application(), Blueprint("parts", __name__)
    app.register_blueprint(blueprint)

    with pytest.raises(ValueError) as caught:
        app.register_blueprint(blueprint)
    assert str(caught.value) == (
        "The name 'parts' is already registered for this blueprint. Use 'name=' to provide a unique name."
    )
    with pytest.raises(ValueError) as caught:
        app.register_blueprint(Blueprint("parts", __name__))
    assert str(caught.value) == (
        "The name 'parts' is already registered for a different blueprint. Use 'name=' to provide a unique name."
    )


def test_a_nested_name_says_where_it_is_taken():
    app, outer = application(), Blueprint("outer", __name__)
    outer.register_blueprint(Blueprint("inner", __name__))
    outer.register_blueprint(Blueprint("inner", __name__))

    with pytest.raises(ValueError) as caught:
        app.register_blueprint(outer)

    assert str(caught.value) == (
        "The name 'inner' is already registered for a different blueprint 'outer.inner'."
        " Use 'name=' to provide a unique name."
    )


def test_a_blueprint_is_not_registered_on_itself():
    blueprint = Blueprint("parts", __name__)

    with pytest.raises(ValueError) as caught:
        blueprint.register_blueprint(blueprint)

    assert str(caught.value) == "Cannot register a blueprint on itself"


def test_set_up_ends_with_the_registration():
    blueprint = Blueprint("parts", __name__)
    application().register_blueprint(blueprint)

    with pytest.raises(AssertionError) as caught:
        blueprint.record(view)

    assert str(caught.value) == (
        "The setup method 'record' was called too late: the blueprint 'parts' has already been registered with an"
        " application, which would not be updated.\n"
        "Import the modules with the blueprint's views, and finish its setup, before 'register_blueprint'."
    )


# Nesting


def test_nested_blueprints_join_names_prefixes_and_subdomains():
    app = application()
    outer = Blueprint("outer", __name__, url_prefix="/outer", subdomain="api")
    inner = Blueprint("inner", __name__, url_prefix="inner", subdomain="v1")
    inner.add_url_rule("/page", view_func=view)
    inner.before_request(view)
    outer.register_blueprint(inner)

    app.register_blueprint(outer)

    assert rules(app) == [("/outer/inner/page", "outer.inner.view", {}, "v1.api")]
    assert app.before_request_funcs == {"outer.inner": [view]}
    assert app.blueprints == {"outer": outer, "outer.inner": inner}


@pytest.mark.parametrize(
    ("outer", "inner", "path", "subdomain"),
    [
        ({"url_prefix": "/o"}, {}, "/o/page", ""),
        ({}, {"url_prefix": "/i"}, "/i/page", ""),
        ({"subdomain": "o"}, {}, "/page", "o"),
        ({}, {"subdomain": "i"}, "/page", "i"),
        ({}, {}, "/page", ""),
    ],
)
def test_either_of_nested_blueprints_may_have_a_prefix(outer, inner, path, subdomain):
    app, parent, child = application(), Blueprint("parent", __name__), Blueprint("child", __name__)
    child.add_url_rule("/page", view_func=view)
    parent.register_blueprint(child, **inner)

    app.register_blueprint(parent, **outer)

    assert rules(app) == [(path, "parent.child.view", {}, subdomain)]


def test_a_nested_blueprint_may_be_registered_under_several_names():
    app, outer, inner = application(), Blueprint("outer", __name__), Blueprint("inner", __name__)
    inner.add_url_rule("/page", view_func=view)
    outer.register_blueprint(inner, name="left", url_prefix="/left")
    outer.register_blueprint(inner, name="right", url_prefix="/right")

    app.register_blueprint(outer)
    app.register_blueprint(outer, name="copy", url_prefix="/copy")

    assert [(rule, endpoint) for rule, endpoint, _, _ in rules(app)] == [
        ("/left/page", "outer.left.view"),
        ("/right/page", "outer.right.view"),
        ("/copy/left/page", "copy.left.view"),
        ("/copy/right/page", "copy.right.view"),
    ]


# Commands


def with_command(**options):
    blueprint = Blueprint("parts", __name__, **options)
    blueprint.cli.command("build")(lambda: None)
    return blueprint


@pytest.mark.parametrize(
    ("own", "given", "group"),
    [({}, {}, "parts"), ({"cli_group": "own"}, {}, "own"), ({"cli_group": "own"}, {"cli_group": "given"}, "given")],
)
def test_commands_go_into_a_group(own, given, group):
    app = application()

    app.register_blueprint(with_command(**own), **given)

    assert list(app.cli.commands) == [group]
    assert list(app.cli.commands[group].commands) == ["build"]


def test_commands_may_go_without_a_group():
    app = application()

    app.register_blueprint(with_command(cli_group=None))

    assert list(app.cli.commands) == ["build"]


def test_a_group_is_named_after_the_registration():
    app = application()

    app.register_blueprint(with_command(), name="other")

    assert list(app.cli.commands) == ["other"]


def test_without_commands_click_is_not_needed():
    app, blueprint = application(), Blueprint("parts", __name__)

    app.register_blueprint(blueprint)

    assert "cli" not in vars(blueprint)
    assert "cli" not in vars(app)
