"""Blueprints and error handlers: the same rules, registries and responses as in Flask."""

import flask
import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug import exceptions as real_errors

import costrel
from costrel.http import errors as own_errors

PREFIXES = st.sampled_from([None, "", "/", "/a", "/a/", "a", "//a//"])
SUBDOMAINS = st.sampled_from([None, None, "x", "y.z"])
NAMES = st.sampled_from(["one", "two", "three"])
GIVEN_DEFAULTS = st.sampled_from([{}, {"k": 1}, {"k": 2, "m": 3}])
DEFAULTS = st.none() | GIVEN_DEFAULTS


def optional(**choices):
    """A dict with some of the options, and a value for each."""
    return st.fixed_dictionaries({}, optional=choices)


RULES = st.tuples(
    st.sampled_from(["", "/", "/r", "r/", "//r"]),
    st.sampled_from(["view", "other"]),
    optional(
        methods=st.sampled_from([["GET"], ["post", "OPTIONS"], []]),
        defaults=st.sampled_from([{"k": 9}, {}]),
        subdomain=st.just("own"),
        provide_automatic_options=st.sampled_from([None, True, False]),
    ),
)
REGISTRATIONS = optional(name=NAMES, url_prefix=PREFIXES, subdomain=SUBDOMAINS, url_defaults=GIVEN_DEFAULTS)
BLUEPRINTS = st.recursive(
    st.tuples(NAMES, PREFIXES, SUBDOMAINS, DEFAULTS, st.lists(RULES, max_size=2), st.just([])),
    lambda inner: st.tuples(
        NAMES,
        PREFIXES,
        SUBDOMAINS,
        DEFAULTS,
        st.lists(RULES, max_size=2),
        st.lists(
            st.tuples(inner, REGISTRATIONS),
            max_size=2,
        ),
    ),
    max_leaves=4,
)


def view(**values):
    return ""


def build(module, tree):
    """A blueprint of the module's kind, with rules, a hook of each sort and the blueprints inside of it."""
    name, prefix, subdomain, defaults, rules, children = tree
    blueprint = module.Blueprint(name, "json", url_prefix=prefix, subdomain=subdomain, url_defaults=defaults)
    for rule, endpoint, options in rules:
        blueprint.add_url_rule(rule, endpoint, view, **options)
    blueprint.before_request(view)
    blueprint.after_request(view)
    blueprint.teardown_app_request(view)
    blueprint.url_defaults(view)
    blueprint.app_url_value_preprocessor(view)
    blueprint.context_processor(view)
    blueprint.errorhandler(KeyError)(view)
    blueprint.app_errorhandler(404)(view)
    for child, options in children:
        blueprint.register_blueprint(build(module, child), **options)
    return blueprint


def registered(module, app, tree, options):
    """What an application holds after the registration, or the error that it raised."""
    try:
        blueprint = build(module, tree)
        app.register_blueprint(blueprint, **options)
        app.register_blueprint(blueprint, name="again")
    except (ValueError, AssertionError, TypeError) as error:
        return type(error).__name__, str(error)
    return {
        "rules": [
            (r.rule, r.endpoint, r.defaults, r.subdomain, r.methods, r.provide_automatic_options)
            for r in app.url_map.iter_rules()
        ],
        "blueprints": list(app.blueprints),
        "before": app.before_request_funcs,
        "after": app.after_request_funcs,
        "teardown": app.teardown_request_funcs,
        "url defaults": app.url_default_functions,
        "preprocessors": app.url_value_preprocessors,
        "processors": {name: len(functions) for name, functions in app.template_context_processors.items()},
        "handlers": {
            name: {code: sorted(cls.__name__ for cls in classes) for code, classes in by_code.items()}
            for name, by_code in app.error_handler_spec.items()
        },
        "views": app.view_functions,
    }


@given(BLUEPRINTS, REGISTRATIONS)
def test_blueprints_are_registered_alike(tree, options):
    real = registered(flask, flask.Flask("json", static_folder=None), tree, options)
    own = registered(costrel, costrel.Costrel("json", static_folder=None), tree, options)

    assert own == real


REAL, OWN = flask.Flask("json"), costrel.Costrel("json")
for application in (REAL, OWN):
    application.add_url_rule("/", "index", view)

CLASSES = ["HTTPException", "NotFound", "Forbidden", "Exception", "LookupError", "KeyError", "BadRequestKeyError"]
KEYS = st.sampled_from([*CLASSES, 404, 403, 400])


def resolved(errors, key):
    if isinstance(key, int):
        return key
    return getattr(errors, key, None) or getattr(__import__("builtins"), key)


def answers(app, errors, handlers, raised, endpoint):
    """The names of the handlers that answer each error raised in a view of the endpoint."""
    app.error_handler_spec.clear()
    for number, (scope, key) in enumerate(handlers):
        exc_class, code = app._get_exc_class_and_code(resolved(errors, key))
        app.error_handler_spec[scope][code][exc_class] = f"handler {number}"
    blueprints = [endpoint[: len(endpoint) - cut] for cut in (0, 2, 4)] if endpoint else []
    return [app._find_error_handler(resolved(errors, name)(), blueprints) for name in raised]


@given(
    st.lists(st.tuples(st.sampled_from([None, "a", "a.b", "a.b.c"]), KEYS), max_size=6),
    st.lists(st.sampled_from(CLASSES), min_size=1, max_size=3),
    st.sampled_from(["", "a.b.c"]),
)
def test_the_same_handler_answers_an_error(handlers, raised, endpoint):
    real = answers(REAL, real_errors, handlers, raised, endpoint)
    own = answers(OWN, own_errors, handlers, raised, endpoint)

    assert own == real


@pytest.mark.parametrize("subject", [999, 600, int, KeyboardInterrupt, ValueError("x"), "404", None, 404.0])
def test_the_same_things_have_no_handlers(subject):
    with pytest.raises((ValueError, TypeError)) as real:
        flask.Flask("json").register_error_handler(subject, view)
    with pytest.raises(type(real.value)):
        costrel.Costrel("json").register_error_handler(subject, view)


@given(st.text(max_size=8))
def test_anchors_are_quoted_alike(anchor):
    urls = []
    for app in (REAL, OWN):
        with app.test_request_context("/"):
            try:
                urls.append(app.url_for("index", _anchor=anchor))
            except UnicodeError as error:
                urls.append(type(error))

    assert urls[0] == urls[1]
