"""If no rule can fill the parameters of a view, the application does not start."""

from functools import wraps

import pytest

from costrel import Blueprint, Costrel
from costrel.app.application import Flask
from costrel.app.view_parameters import WrongView
from costrel.views import MethodView


def refusal(rule, view, cls=Costrel, **options):
    """The error at the start, or None."""
    app = cls("parameters", static_folder=None)
    app.config["SECRET_KEY"] = "k" * 32
    app.add_url_rule(rule, "index", view, **options)
    try:
        app.try_settings()
    except WrongView as error:
        return str(error)
    return None


def index():
    return ""


def by_item(item):
    return item


def with_default(item, page=1, *, size=2):
    return item


def with_anything(**values):
    return values


def keyword_only(*, item):
    return item


async def by_item_async(item):
    return item


@pytest.mark.parametrize(
    ("rule", "view", "problem"),
    [
        (
            "/items/{item}",
            by_item,
            (
                "The view by_item() of the rule '/items/{item}' has the parameter 'item', which no variable fills."
                " {item} is plain text in a rule: write <item>."
            ),
        ),
        (
            "/items",
            by_item,
            "The view by_item() of the rule '/items' has the parameter 'item', which no variable fills. Write <item>.",
        ),
        (
            "/items",
            keyword_only,
            (
                "The view keyword_only() of the rule '/items' has the parameter 'item', which no variable fills. Write"
                " <item>."
            ),
        ),
        (
            "/items/<id>",
            by_item_async,
            (
                "The view by_item_async() of the rule '/items/<id>' has the parameter 'item', but the variable of the"
                " rule is 'id': use one name."
            ),
        ),
        (
            "/items/<int:item>",
            index,
            (
                "The view index() of the rule '/items/<int:item>' has no parameter for the variable 'item': write def"
                " index(item)."
            ),
        ),
    ],
)
def test_a_parameter_that_does_not_fit(rule, view, problem):
    assert problem == refusal(rule, view)


def decorated(view):
    @wraps(view)
    def inner(*args, **kwargs):
        return view(*args, **kwargs, item=1)

    return inner


class Items(MethodView):
    def get(self, item):
        return item


@pytest.mark.parametrize(
    ("rule", "view", "options"),
    [
        ("/<item>", by_item, {}),
        ("/<item>", with_default, {}),
        ("/<item>/<int:page>/<int:size>", with_default, {}),
        ("/<a>/<b>", with_anything, {}),
        ("/", decorated(by_item), {}),
        ("/", by_item, {"defaults": {"item": "all"}}),
        ("/", lambda *args, **kwargs: "", {}),
        ("/<item>", Items.as_view("items"), {}),
        ("/search", lambda: "", {"build_only": True}),
    ],
)
def test_parameters_that_fit(rule, view, options):
    assert refusal(rule, view, **options) is None


def test_typed_views_read_theirs_from_the_request():
    def search(query: str, page: int = 1) -> list[str]:
        return []

    app = Costrel("parameters", typed=True, static_folder=None)
    app.config["SECRET_KEY"] = "k" * 32
    app.get("/search")(search)

    app.try_settings()


@pytest.mark.parametrize("of_blueprint", [True, False])
def test_preprocessors_may_take_variables(of_blueprint):
    app = Costrel("parameters", static_folder=None)
    app.config["SECRET_KEY"] = "k" * 32
    pages = Blueprint("pages", __name__, url_prefix="/<language>")
    pages.get("/")(index)
    owner = pages if of_blueprint else app
    owner.url_value_preprocessor(lambda endpoint, values: values.pop("language", None))
    app.register_blueprint(pages)

    app.try_settings()


def test_under_flask_the_start_is_only_warned_of(caplog):
    assert refusal("/items", by_item, Flask) is None
    assert [record.getMessage() for record in caplog.records] == [
        (
            "The view by_item() of the rule '/items' has the parameter 'item', which no variable fills. Write <item>."
            " Requests will fail."
        )
    ]
