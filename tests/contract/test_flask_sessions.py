"""Sessions: Flask and Costrel read each other's cookies and send the same headers."""

import datetime
import warnings

import flask
import flask.sessions
import markupsafe
import pytest
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous import TimestampSigner

from costrel.app.application import Flask
from costrel.sessions import interface as sessions
from costrel.sessions import signing

APPLICATIONS = flask.Flask("shop"), Flask("shop")
NOW = 1_700_000_000
DAY = datetime.timedelta(days=1)

settings = st.fixed_dictionaries(
    {
        "SECRET_KEY": st.sampled_from(["secret", b"bytes", None]),
        "SECRET_KEY_FALLBACKS": st.sampled_from([None, ["old"], ["older", "old"]]),
        "SESSION_COOKIE_NAME": st.sampled_from(["session", "__Host-s", "a.b"]),
        "SESSION_COOKIE_DOMAIN": st.sampled_from([None, False, "example.com", ".example.com:80"]),
        "SESSION_COOKIE_PATH": st.sampled_from([None, "/p", "/é x", b"/p"]),
        "SESSION_COOKIE_HTTPONLY": st.booleans(),
        "SESSION_COOKIE_SECURE": st.booleans(),
        "SESSION_COOKIE_SAMESITE": st.sampled_from([None, "Lax", "strict", "None"]),
        "SESSION_COOKIE_PARTITIONED": st.booleans(),
        "SESSION_REFRESH_EACH_REQUEST": st.booleans(),
        "PERMANENT_SESSION_LIFETIME": st.sampled_from([DAY, 60, datetime.timedelta(0)]),
        "MAX_COOKIE_SIZE": st.sampled_from([0, 100, 4093]),
    }
)
values = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.text(max_size=20),
        st.binary(max_size=8),
        st.uuids(),
        st.text(max_size=4).map(markupsafe.Markup),
        st.sampled_from(["x" * 100, "0123456789abcdef" * 16]),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.lists(inner, max_size=3).map(tuple)),
    max_leaves=5,
)
contents = st.dictionaries(st.one_of(st.text(max_size=8), st.sampled_from(["_permanent", " t"])), values, max_size=4)
states = st.fixed_dictionaries({"modified": st.booleans(), "accessed": st.booleans()})


class FixedDatetime(datetime.datetime):
    """`datetime` at the hour of NOW."""

    @classmethod
    def now(cls, tz=None):
        return cls.fromtimestamp(NOW, tz)


class Clock:
    now = NOW

    @classmethod
    def time(cls):
        return cls.now


@pytest.fixture(autouse=True, scope="module")
def standing_clock():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(signing, "time", Clock)
        patch.setattr(TimestampSigner, "get_timestamp", lambda self: Clock.now)
        patch.setattr(sessions, "datetime", FixedDatetime)
        patch.setattr(flask.sessions, "datetime", FixedDatetime)
        yield


def applications(configuration):
    for app in APPLICATIONS:
        app.config.update(app.default_config | configuration)
        app.session_interface = type(app).session_interface
    return APPLICATIONS


def save(app, content, state, vary):
    """The headers of a response after a session, or the error, and the warnings."""
    session = app.session_interface.session_class(content)
    session.modified, session.accessed = state["modified"], state["accessed"]
    with warnings.catch_warnings(record=True) as caught, app.app_context():
        warnings.simplefilter("always")
        response = app.response_class(headers=[("Vary", vary)] if vary else None)
        try:
            app.session_interface.save_session(app, session, response)
        except ValueError as error:
            return type(error)
    # Ours says more: which values are the largest.
    return list(response.headers), [str(warning.message).partition(" The largest values")[0] for warning in caught]


def open_session(app, cookie):
    request = app.request_class({"HTTP_COOKIE": f"{app.config['SESSION_COOKIE_NAME']}={cookie}"})
    session = app.session_interface.open_session(app, request)
    return None if session is None else (type(session).__name__, dict(session), session.modified, session.permanent)


@given(settings, contents, states, st.sampled_from([None, "Accept", "cookie", "*"]))
def test_saving(configuration, content, state, vary):
    if not configuration["SECRET_KEY"]:
        configuration["SECRET_KEY"] = "secret"
    theirs, ours = applications(configuration)
    assert save(ours, content, state, vary) == save(theirs, content, state, vary)


WRITER = flask.sessions.SecureCookieSessionInterface()


class Key:
    """As much of an application as a serializer needs."""

    config = {"SECRET_KEY_FALLBACKS": None}

    def __init__(self, secret_key):
        self.secret_key = secret_key


@given(settings, contents, st.sampled_from(["secret", "old", "older", "unknown", b"bytes"]), st.integers(-1, 90_000))
def test_opening(configuration, content, key, age):
    theirs, ours = applications(configuration)
    serializer = WRITER.get_signing_serializer(Key(key))
    Clock.now = NOW
    cookie = serializer.dumps(content)
    try:
        Clock.now = NOW + age
        assert open_session(ours, cookie) == open_session(theirs, cookie)
    finally:
        Clock.now = NOW


@given(contents, st.data())
def test_tampering(content, data):
    theirs, ours = applications({"SECRET_KEY": "secret"})
    cookie = theirs.session_interface.get_signing_serializer(theirs).dumps(content)
    start = data.draw(st.integers(0, len(cookie)))
    end = data.draw(st.integers(start, min(len(cookie), start + 3)))
    changed = cookie[:start] + data.draw(st.text("AZaz09-_.=+/é", max_size=3)) + cookie[end:]
    assert open_session(ours, changed) == open_session(theirs, changed)


@given(contents)
def test_each_reads_the_other(content):
    theirs, ours = applications({"SECRET_KEY": "secret"})
    for writer, reader in ((theirs, ours), (ours, theirs)):
        cookie = writer.session_interface.get_signing_serializer(writer).dumps(content)
        assert open_session(reader, cookie)[1] == content
    assert save(ours, content, {"modified": True, "accessed": True}, None) == save(
        theirs, content, {"modified": True, "accessed": True}, None
    )


class Salted:
    salt = "own"
    key_derivation = "django-concat"


def test_a_subclass_with_attributes_of_its_own():
    theirs, ours = applications({"SECRET_KEY": "secret"})
    theirs.session_interface = type("Own", (Salted, flask.sessions.SecureCookieSessionInterface), {})()
    ours.session_interface = type("Own", (Salted, sessions.SecureCookieSessionInterface), {})()
    state = {"modified": True, "accessed": True}
    assert save(ours, {"a": 1}, state, None) == save(theirs, {"a": 1}, state, None)


@pytest.mark.parametrize("change", ["clear", "pop", "popitem", "update", "setdefault", "__setitem__", "__delitem__"])
def test_the_null_session_refuses_alike(change):
    for module in (flask.sessions, sessions):
        with pytest.raises(RuntimeError, match="session is unavailable"):
            getattr(module.NullSession(), change)("a")
