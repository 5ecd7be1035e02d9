"""Setting up an application: settings, rules, and objects that are created on demand."""

import gc
import logging
import sys
import weakref
from datetime import timedelta

import pytest

from costrel import Costrel
from costrel.app.application import Flask
from costrel.app.registration import App
from costrel.app.scaffold import Scaffold
from costrel.http.errors import BadRequestKeyError, ImATeapot, NotFound


def view(**values):
    return "seen"


def rules(app):
    return [
        (rule.rule, sorted(rule.methods), rule.endpoint, rule.provide_automatic_options)
        for rule in app.url_map.iter_rules()
        if rule.endpoint != "static"
    ]


def test_an_application_starts_empty():
    app = Costrel("shop", static_folder=None)

    assert (app.import_name, app.name, app.view_functions, app.blueprints, app.extensions) == (
        "shop",
        "shop",
        {},
        {},
        {},
    )
    assert (app.debug, app.testing, app.secret_key) == (False, False, None)
    assert list(app.iter_blueprints()) == []


def test_a_script_is_named_after_its_file(monkeypatch):
    monkeypatch.setattr(sys.modules["__main__"], "__file__", "/somewhere/run_shop.py", raising=False)
    assert Costrel("__main__").name == "run_shop"

    monkeypatch.delattr(sys.modules["__main__"], "__file__")
    assert Costrel("__main__", root_path="/").name == "__main__"


def test_the_instance_path_must_be_absolute(tmp_path):
    assert Costrel(__name__, instance_path=str(tmp_path)).instance_path == str(tmp_path)

    with pytest.raises(ValueError) as caught:
        Costrel(__name__, instance_path="instance")
    assert str(caught.value) == ("The instance path must be absolute, and 'instance' is relative.")


def test_the_instance_folder_is_beside_the_module_or_below_the_prefix(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "instance_module.py").write_text("")

    assert Costrel("instance_module").instance_path == str(tmp_path / "instance")
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    assert Costrel("instance_module").instance_path == str(tmp_path / "var" / "instance_module-instance")


def test_the_configuration_is_read_below_the_root_or_the_instance_path(tmp_path):
    assert Costrel(__name__, root_path=str(tmp_path)).config.root_path == str(tmp_path)

    app = Costrel(__name__, instance_path=str(tmp_path), instance_relative_config=True)
    assert app.config.root_path == str(tmp_path)


def test_debug_mode_comes_from_the_environment(monkeypatch):
    monkeypatch.setenv("COSTREL_DEBUG", "1")

    assert Costrel(__name__).debug is True


def test_settings_can_be_reached_as_attributes():
    app = Costrel(__name__)

    app.testing = True
    app.secret_key = "key"
    app.permanent_session_lifetime = 60

    assert (app.config["TESTING"], app.config["SECRET_KEY"]) == (True, "key")
    assert app.permanent_session_lifetime == timedelta(minutes=1)
    app.config["PERMANENT_SESSION_LIFETIME"] = timedelta(hours=1)
    assert app.permanent_session_lifetime == timedelta(hours=1)
    app.config["PERMANENT_SESSION_LIFETIME"] = None
    assert app.permanent_session_lifetime is None


def test_the_logger_is_made_once():
    app = Costrel("logging_shop")

    assert app.logger is app.logger
    assert app.logger is logging.getLogger("logging_shop")


def test_an_application_is_freed_without_the_garbage_collector():
    gc.disable()
    try:
        app = Costrel(__name__)
        freed = weakref.ref(app)
        del app

        assert freed() is None
    finally:
        gc.enable()


# Rules


def test_a_rule_answers_get_head_and_options():
    app = Costrel(__name__)

    app.add_url_rule("/", view_func=view)

    assert rules(app) == [("/", ["GET", "HEAD", "OPTIONS"], "view", True)]
    assert app.view_functions["view"] is view


@pytest.mark.parametrize(
    ("options", "methods", "automatic"),
    [
        ({"methods": ["options", "post"]}, ["OPTIONS", "POST"], False),
        ({"methods": []}, ["OPTIONS"], True),
        ({"provide_automatic_options": True}, ["GET", "HEAD"], True),
        ({"provide_automatic_options": False}, ["GET", "HEAD"], False),
    ],
)
def test_the_methods_may_be_given(options, methods, automatic):
    app = Costrel(__name__)

    app.add_url_rule("/", view_func=view, **options)

    assert rules(app) == [("/", methods, "view", automatic)]


def test_the_view_may_say_its_methods():
    app = Costrel(__name__)

    def stored():
        pass

    stored.methods = ["put"]
    stored.required_methods = ["lock"]
    stored.provide_automatic_options = False
    app.add_url_rule("/", view_func=stored)
    app.add_url_rule("/", view_func=stored, methods=["GET"])

    assert rules(app) == [("/", ["LOCK", "PUT"], "stored", False), ("/", ["GET", "HEAD", "LOCK"], "stored", False)]


def test_automatic_options_can_be_switched_off():
    app = Costrel(__name__)
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False

    app.add_url_rule("/", view_func=view)

    assert rules(app) == [("/", ["GET", "HEAD"], "view", False)]


def test_methods_are_a_list():
    with pytest.raises(TypeError) as caught:
        Costrel(__name__).route("/", methods="GET")(view)

    assert str(caught.value) == (
        "The methods of a route are a list of strings: write methods=['GET'], not methods='GET'."
    )


def test_a_rule_needs_a_view_or_an_endpoint():
    app = Costrel(__name__)

    app.add_url_rule("/", endpoint="later")
    assert "later" not in app.view_functions

    with pytest.raises(AssertionError) as caught:
        app.add_url_rule("/")
    assert str(caught.value) == "expected view func if endpoint is not provided."


def test_an_endpoint_has_one_view():
    app = Costrel(__name__)
    app.add_url_rule("/", "page", view)
    app.add_url_rule("/again", "page", view)

    with pytest.raises(AssertionError) as caught:
        app.add_url_rule("/other", "page", lambda: "")

    assert str(caught.value) == (
        "The endpoint 'page' already has another view function. Name one of them differently by 'endpoint='."
    )


def test_a_route_names_its_endpoint():
    app = Costrel(__name__)

    @app.route("/", endpoint="start")
    def index():
        return ""

    assert app.view_functions["start"] is index


def test_set_up_ends_with_the_first_request():
    app = Costrel(__name__)
    app.test_client().get("/")

    with pytest.raises(AssertionError) as caught:
        app.route("/")
    assert str(caught.value) == (
        "The setup method 'route' was called too late: the application has already handled a request, and would now"
        " behave differently from one request to the next.\n"
        "Import the modules with views, and finish the setup of the application, before it serves."
    )
    with pytest.raises(AssertionError, match="'add_template_filter' was called too late"):
        app.add_template_filter(view)


def test_the_parts_shared_with_blueprints_are_abstract():
    plain = Scaffold("json")
    with pytest.raises(NotImplementedError):
        plain.route("/")
    plain._check_setup_finished = lambda name: None
    with pytest.raises(NotImplementedError):
        plain.add_url_rule("/")


# Templates


@pytest.mark.parametrize(
    ("name", "escaped"),
    [
        (None, True),
        ("a.html", True),
        ("a.htm", True),
        ("a.xml", True),
        ("a.xhtml", True),
        ("a.svg", True),
        ("a.txt", False),
        ("a.html.txt", False),
        ("html", False),
        ("a.txt.j2", False),
    ],
)
@pytest.mark.parametrize("cls", [Costrel, Flask])
def test_templates_are_escaped_by_their_ending(cls, name, escaped):
    assert cls(__name__).select_jinja_autoescape(name) is escaped


@pytest.mark.parametrize("name", ["a.HTML", "a.html.j2", "a.html.jinja", "a.svg.jinja2", "a.xht", "a.XML.J2"])
def test_more_templates_are_escaped_natively(name):
    assert Costrel(__name__).select_jinja_autoescape(name) is True
    assert Flask(__name__).select_jinja_autoescape(name) is False


def test_template_functions_have_their_own_name_or_another():
    app = Costrel(__name__)

    assert app.template_filter()(view) is view
    assert app.template_filter("other")(view) is view
    assert app.template_test()(view) is view
    assert app.template_test("other")(view) is view
    assert app.template_global()(view) is view
    assert app.template_global("other")(view) is view

    for registry in (app.jinja_env.filters, app.jinja_env.tests, app.jinja_env.globals):
        assert (registry["view"], registry["other"]) == (view, view)


def test_template_decorators_work_without_parentheses():
    app = Costrel(__name__)

    assert app.template_filter(view) is view
    assert app.template_test(view) is view
    assert app.template_global(view) is view

    for registry in (app.jinja_env.filters, app.jinja_env.tests, app.jinja_env.globals):
        assert registry["view"] is view


def test_debug_mode_reloads_templates():
    app = Costrel(__name__)
    assert app.jinja_env.auto_reload is False
    app.debug = True
    assert (app.config["DEBUG"], app.jinja_env.auto_reload) == (True, True)

    assert Costrel(__name__).jinja_env.auto_reload is False
    late = Costrel(__name__)
    late.debug = True
    assert late.jinja_env.auto_reload is True


def test_the_setting_for_reloading_templates_wins():
    app = Costrel(__name__)
    app.config["TEMPLATES_AUTO_RELOAD"] = True
    assert app.jinja_env.auto_reload is True

    app.debug = False
    assert app.jinja_env.auto_reload is True


def test_templates_know_the_application():
    app = Costrel(__name__)

    assert app.jinja_env.globals["config"] is app.config
    assert {"url_for", "get_flashed_messages", "request", "session", "g"} <= set(app.jinja_env.globals)
    assert app.jinja_env.policies["json.dumps_function"] == app.json.dumps


def test_the_options_of_the_environment_win():
    class Trimming(Costrel):
        jinja_options = {"trim_blocks": True, "autoescape": False, "auto_reload": True}

    environment = Trimming(__name__).jinja_env

    assert (environment.trim_blocks, environment.autoescape, environment.auto_reload) == (True, False, True)


# Hooks, errors, redirects


def test_a_shell_knows_what_its_processors_add():
    app = Costrel(__name__)

    assert app.shell_context_processor(lambda: {"model": 1})() == {"model": 1}

    names = app.make_shell_context()
    assert (names["app"], names["model"], set(names)) == (app, 1, {"app", "g", "model"})


def test_teardown_functions_of_the_application_context_are_kept_in_order():
    app = Costrel(__name__)

    assert app.teardown_appcontext(view) is view

    assert app.teardown_appcontext_funcs == [view]


def test_http_errors_are_not_trapped_unless_asked_for():
    app = Costrel(__name__)
    assert app.trap_http_exception(NotFound()) is False
    assert app.trap_http_exception(BadRequestKeyError()) is False

    app.config["TRAP_HTTP_EXCEPTIONS"] = True
    assert app.trap_http_exception(NotFound()) is True


@pytest.mark.parametrize(
    ("debug", "setting", "trapped"),
    [(True, None, True), (True, False, False), (False, None, False), (False, True, True)],
)
def test_a_missing_form_key_is_trapped_in_debug_mode(debug, setting, trapped):
    app = Costrel(__name__)
    app.debug = debug
    app.config["TRAP_BAD_REQUEST_ERRORS"] = setting

    assert app.trap_http_exception(BadRequestKeyError()) is trapped
    assert app.trap_http_exception(ImATeapot()) is False


def test_no_error_is_kept_from_teardown_functions():
    assert Costrel(__name__).should_ignore_error(ValueError()) is False


def test_a_redirect_is_a_response_of_the_application():
    app = Costrel(__name__)

    response = app.redirect("/target", 301)

    assert type(response) is app.response_class
    assert (response.status_code, response.headers["Location"]) == (301, "/target")


def test_the_application_without_its_request_side_has_the_set_up_side():
    assert issubclass(Costrel, App)
    assert not hasattr(App, "wsgi_app")
