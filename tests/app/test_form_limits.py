"""The limits of forms apply wherever they are set: on a request, a class or an application."""

import io

import pytest

import costrel

FIELDS = {"name": "ada", "city": "london"}
LIMITS = {"max_form_memory_size": 5, "max_content_length": 5, "max_form_parts": 1}


def make_app(request_class=costrel.Request):
    app = costrel.Costrel(__name__)
    app.request_class = request_class

    @app.post("/")
    def form():
        return costrel.request.form.to_dict()

    return app


def statuses(app):
    """Of an urlencoded form, and of a multipart one."""
    client = app.test_client()
    multipart = {**FIELDS, "file": (io.BytesIO(b"content"), "a.txt")}
    return [client.post("/", data=FIELDS).status_code, client.post("/", data=multipart).status_code]


def test_a_form_below_the_limits_is_read():
    assert statuses(make_app()) == [200, 200]


@pytest.mark.parametrize("name", LIMITS)
def test_a_limit_of_one_request_holds(name):
    app = make_app()

    @app.before_request
    def limit():
        setattr(costrel.request, name, LIMITS[name])
        assert getattr(costrel.request, name) == LIMITS[name]

    assert statuses(app) == [413, 413]


@pytest.mark.parametrize("name", LIMITS)
@pytest.mark.parametrize("value", [lambda limit: limit, lambda limit: property(lambda request: limit)])
def test_a_limit_of_a_class_holds(name, value):
    cls = type("Limited", (costrel.Request,), {name: value(LIMITS[name])})
    assert statuses(make_app(cls)) == [413, 413]


@pytest.mark.parametrize("name", LIMITS)
def test_a_limit_that_is_patched_in_holds_while_it_lasts(name, monkeypatch):
    app = make_app()
    assert statuses(app) == [200, 200]
    with monkeypatch.context() as patch:
        patch.setattr(costrel.Request, name, LIMITS[name])
        assert statuses(app) == [413, 413]
    assert statuses(app) == [200, 200]


@pytest.mark.parametrize("name", LIMITS)
def test_a_limit_of_the_application_may_change_between_requests(name):
    app = make_app()
    setting = name.upper()
    before = app.config[setting]
    assert statuses(app) == [200, 200]
    app.config[setting] = LIMITS[name]
    assert statuses(app) == [413, 413]
    app.config[setting] = before
    assert statuses(app) == [200, 200]


def test_a_limit_of_one_request_goes_before_those_of_the_application():
    app = make_app()
    app.config.update(MAX_FORM_MEMORY_SIZE=5, MAX_CONTENT_LENGTH=5, MAX_FORM_PARTS=1, MAX_FORM_FILES=0)

    @app.before_request
    def allow():
        costrel.request.max_form_memory_size = 1000
        costrel.request.max_content_length = 1000
        costrel.request.max_form_parts = 10
        costrel.request.max_form_files = 1

    assert statuses(app) == [200, 200]


def test_the_limits_of_two_requests_are_their_own():
    app = make_app()
    with app.test_request_context("/"):
        first, second = app.request_class({}), app.request_class({})
        first.max_form_parts = 1
        assert [first.max_form_parts, second.max_form_parts, first.max_form_memory_size] == [1, 1000, 500_000]
        first.max_form_parts = None
        assert first.max_form_parts == 1000
