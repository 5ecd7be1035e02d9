"""The clients of an application build the same requests as Flask's, and have the same members."""

import inspect

import flask
import flask.testing
import pytest
from hypothesis import given
from hypothesis import strategies as st

from costrel.app.application import Flask
from costrel.testing import app_client

OURS, THEIRS = Flask("contract"), flask.Flask("contract")

configurations = st.fixed_dictionaries(
    {
        "SERVER_NAME": st.sampled_from([None, "example.com", "example.com:8443"]),
        "APPLICATION_ROOT": st.sampled_from(["/", "", "app", "/app", "/app/", "//"]),
        "PREFERRED_URL_SCHEME": st.sampled_from(["http", "https"]),
    }
)
arguments = st.fixed_dictionaries(
    {},
    optional={
        "path": st.sampled_from(
            ["/", "/a?b=c", "a", "", "?q", "/a#part", "//other/a", "http://other", "https://other:1/a?b", "/é%20"]
        ),
        "base_url": st.sampled_from([None, "http://base/", "https://base:1/sub"]),
        "subdomain": st.sampled_from([None, "", "api"]),
        "url_scheme": st.sampled_from([None, "https"]),
        "query_string": st.sampled_from([{"a": "1"}, "b=2"]),
        "json": st.sampled_from([{"b": "é", "a": [1, None]}, 5]),
        "method": st.just("POST"),
        "headers": st.just({"Host": "header", "X-Tag": "1"}),
    },
)


@given(configurations, arguments)
def test_environs(configuration, arguments):
    def build(module, app):
        app.config.update(configuration)
        try:
            environ = module.EnvironBuilder(app, **arguments).get_environ()
        except Exception as error:
            return type(error)
        return {name: value for name, value in environ.items() if name != "wsgi.input"}, environ["wsgi.input"].read()

    assert build(app_client, OURS) == build(flask.testing, THEIRS)


@pytest.mark.parametrize("name", ["EnvironBuilder", "FlaskClient", "FlaskCliRunner"])
def test_members_and_parameters(name):
    ours, theirs = getattr(app_client, name), getattr(flask.testing, name)
    for member in vars(theirs):
        if member.startswith("_") and member not in ("__init__", "__enter__", "__exit__"):
            continue
        parameters = [
            [(p.name, p.kind, p.default) for p in inspect.signature(getattr(cls, member)).parameters.values()]
            for cls in (ours, theirs)
        ]
        assert parameters[0] == parameters[1], member


def test_attributes():
    ours, theirs = OURS.test_client(), THEIRS.test_client()
    assert vars(ours).keys() == vars(theirs).keys()
    assert ours.environ_base == theirs.environ_base
    assert vars(OURS.test_cli_runner()).keys() == vars(THEIRS.test_cli_runner()).keys()
