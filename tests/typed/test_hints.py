"""The debugger's hints about missing inputs."""

import functools

import pytest

from costrel import Costrel
from costrel.devtools.frames import report_of
from costrel.devtools.hints import hints_for


def hints(view, url):
    app = Costrel(__name__, static_folder=None)
    app.config["TRAP_HTTP_EXCEPTIONS"] = True
    app.testing = True
    app.add_url_rule("/", "view", view)
    app.open_for_requests()
    with app.test_request_context(url) as ctx:
        with pytest.raises(Exception) as caught:
            app.view_functions["view"]()
        return [hint.text for hint in hints_for(report_of(caught.value), ctx)]


def test_the_names_that_were_sent_are_listed():
    def view(limit: int):
        return ""

    assert hints(view, "/?limits=3") == ["The query has no 'limit'. It came with 'limits'. Did you mean 'limits'?"]
    assert hints(view, "/") == ["The query has no 'limit'. It came with nothing."]


def test_a_typed_view_below_a_decorator_needs_typed():
    def view(limit: int):
        return ""

    decorated = functools.wraps(view)(lambda *args, **kwargs: view(*args, **kwargs))
    (hint,) = hints(decorated, "/?limit=3")
    assert "write @typed directly above 'def'" in hint
