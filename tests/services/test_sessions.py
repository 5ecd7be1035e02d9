"""Sessions in signed cookies, and the interface that they stand behind."""

import hashlib
import json
import warnings
from datetime import UTC, datetime, timedelta
from functools import cached_property
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous import BadSignature, TimestampSigner

import costrel
from costrel.app.application import Costrel, Flask
from costrel.http.headers import Headers
from costrel.sessions import interface as sessions
from costrel.sessions import signing
from costrel.sessions.cookie_sessions import CookieSessions
from costrel.sessions.interface import (
    NullSession,
    SecureCookieSession,
    SecureCookieSessionInterface,
    SessionInterface,
)

KEY = "a key that is long enough for anybody"


@pytest.fixture
def app():
    app = Flask("shop")
    app.secret_key = KEY
    return app


def make_session(content=(), *, modified=True, accessed=True, permanent=False):
    session = SecureCookieSession(dict(content))
    if permanent:
        session.permanent = True
    session.modified = modified
    session.accessed = accessed
    return session


def save(app, session, response=None):
    """The headers of a response that the session was saved into, but its content type."""
    response = app.response_class() if response is None else response
    app.session_interface.save_session(app, session, response)
    return [(name, value) for name, value in response.headers if name != "Content-Type"]


def cookie_of(headers):
    return dict(headers)["Set-Cookie"].partition(";")[0].partition("=")[2]


def open_session(app, cookie=None):
    request = app.request_class({} if cookie is None else {"HTTP_COOKIE": f"session={cookie}"})
    return app.session_interface.open_session(app, request)


class TestSession:
    def test_it_notices_changes_of_its_own(self):
        for change in (
            lambda session: session.update(b=1),
            lambda session: session.__setitem__("a", 2),
            lambda session: session.pop("a"),
            lambda session: session.setdefault("b", 1),
            lambda session: session.clear(),
            lambda session: session.popitem(),
            lambda session: session.__delitem__("a"),
        ):
            session = SecureCookieSession({"a": 1})
            assert not session.modified
            change(session)
            assert session.modified

    def test_it_does_not_notice_changes_inside(self):
        session = SecureCookieSession({"cart": []})
        session["cart"].append(1)
        assert not session.modified

    def test_reading_is_no_change(self):
        session = SecureCookieSession({"a": 1})
        assert session["a"] == session.get("a") == session.setdefault("a", 2) == 1
        assert session.pop("missing", None) is None
        assert not session.modified

    def test_permanence_is_a_key(self):
        session = SecureCookieSession()
        assert session.permanent is False
        session.permanent = 1
        assert session == {"_permanent": True}
        session.permanent = False
        assert session == {"_permanent": False}

    def test_what_it_starts_with(self):
        session = SecureCookieSession()
        assert (session.new, session.modified, session.accessed) == (False, False, False)
        assert repr(session) == "<SecureCookieSession {}>"


class TestNullSession:
    @pytest.mark.parametrize(
        "change",
        [
            lambda session: session.__setitem__("a", 1),
            lambda session: session.__delitem__("a"),
            lambda session: session.clear(),
            lambda session: session.pop("a"),
            lambda session: session.popitem(),
            lambda session: session.update(a=1),
            lambda session: session.setdefault("a", 1),
        ],
    )
    def test_it_cannot_be_changed(self, change):
        with pytest.raises(RuntimeError) as error:
            change(NullSession())
        assert str(error.value) == (
            "The session is unavailable: no secret key was set. Set app.secret_key to a long random value that stays"
            " the same over restarts, and keep it out of the repository. Generate one with python -c 'import secrets;"
            " print(secrets.token_hex())'."
        )

    def test_it_can_be_read(self):
        assert NullSession().get("a") is None
        assert "a" not in NullSession()

    def test_it_stands_for_a_session_that_cannot_be(self):
        app = Flask("shop")
        assert open_session(app) is None
        null = app.session_interface.make_null_session(app)
        assert app.session_interface.is_null_session(null)
        assert not app.session_interface.is_null_session(SecureCookieSession())


class TestInterface:
    def test_opening_and_saving_is_left_to_others(self, app):
        with pytest.raises(NotImplementedError):
            SessionInterface().open_session(app, None)
        with pytest.raises(NotImplementedError):
            SessionInterface().save_session(app, None, None)
        assert SessionInterface().pickle_based is False

    def test_the_cookie_is_as_configured(self, app):
        app.config.update(
            SESSION_COOKIE_NAME="sid",
            SESSION_COOKIE_DOMAIN="example.com",
            SESSION_COOKIE_HTTPONLY=False,
            SESSION_COOKIE_SECURE=True,
            SESSION_COOKIE_SAMESITE="Strict",
            SESSION_COOKIE_PARTITIONED=True,
            APPLICATION_ROOT="/shop",
        )
        interface = SessionInterface()
        assert interface.get_cookie_name(app) == "sid"
        assert interface.get_cookie_domain(app) == "example.com"
        assert interface.get_cookie_path(app) == "/shop"
        assert interface.get_cookie_httponly(app) is False
        assert interface.get_cookie_secure(app) is True
        assert interface.get_cookie_samesite(app) == "Strict"
        assert interface.get_cookie_partitioned(app) is True
        app.config["SESSION_COOKIE_PATH"] = "/cart"
        assert interface.get_cookie_path(app) == "/cart"

    def test_a_permanent_session_expires(self, app):
        app.permanent_session_lifetime = timedelta(hours=1)
        interface = SessionInterface()
        assert interface.get_expiration_time(app, make_session()) is None
        expires = interface.get_expiration_time(app, make_session(permanent=True))
        assert timedelta(minutes=59) < expires - datetime.now(UTC) <= timedelta(hours=1)

    @pytest.mark.parametrize(
        ("modified", "permanent", "refresh", "expected"),
        [
            (True, False, False, True),
            (False, True, True, True),
            (False, True, False, False),
            (False, False, True, False),
        ],
    )
    def test_when_the_cookie_is_sent(self, app, modified, permanent, refresh, expected):
        app.config["SESSION_REFRESH_EACH_REQUEST"] = refresh
        session = make_session(modified=modified, permanent=permanent)
        assert bool(SessionInterface().should_set_cookie(app, session)) is expected


class TestSaving:
    def test_a_changed_session_is_sent(self, app):
        headers = save(app, make_session({"a": 1}))
        assert headers[0] == ("Vary", "Cookie")
        assert headers[1][1].endswith("; HttpOnly; Path=/")
        assert open_session(app, cookie_of(headers)) == {"a": 1}

    def test_one_that_was_only_read_makes_the_response_vary(self, app):
        assert save(app, make_session({"a": 1}, modified=False)) == [("Vary", "Cookie")]

    def test_one_that_was_not_used_leaves_no_trace(self, app):
        assert save(app, make_session({"a": 1}, modified=False, accessed=False)) == []
        assert save(app, make_session(modified=False, accessed=False)) == []

    def test_one_that_was_emptied_is_deleted(self, app):
        deleted = "session=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; HttpOnly; Path=/"
        assert save(app, make_session()) == [("Vary", "Cookie"), ("Set-Cookie", deleted)]
        assert save(app, make_session(accessed=False)) == [("Set-Cookie", deleted), ("Vary", "Cookie")]

    def test_a_permanent_one_is_sent_again_to_stay(self, app):
        headers = dict(save(app, make_session({"a": 1}, modified=False, accessed=False, permanent=True)))
        assert "; Expires=" in headers["Set-Cookie"]
        assert headers["Vary"] == "Cookie"

    def test_all_attributes_are_sent_and_deleted_with(self, app):
        app.config.update(
            SESSION_COOKIE_DOMAIN=".example.com",
            SESSION_COOKIE_PATH="/shop",
            SESSION_COOKIE_SECURE=True,
            SESSION_COOKIE_SAMESITE="Lax",
            SESSION_COOKIE_PARTITIONED=True,
        )
        sent = dict(save(app, make_session({"a": 1}, permanent=True)))["Set-Cookie"].split("; ")
        assert sent[1] == "Domain=example.com"
        assert sent[2].startswith("Expires=")
        assert sent[3:] == ["Secure", "HttpOnly", "Path=/shop", "SameSite=Lax", "Partitioned"]
        deleted = dict(save(app, make_session()))["Set-Cookie"].split("; ")
        assert deleted[1] == "Domain=example.com"
        assert deleted[4:] == ["Secure", "HttpOnly", "Path=/shop", "SameSite=Lax", "Partitioned"]

    def test_false_is_no_domain(self, app):
        app.config["SESSION_COOKIE_DOMAIN"] = False
        for session in (make_session({"a": 1}), make_session()):
            assert "Domain" not in dict(save(app, session))["Set-Cookie"]

    def test_vary_is_added_to(self, app):
        for before, after in (("Accept", "Accept, Cookie"), ("cookie", "cookie"), ("Cookie", "Cookie")):
            response = app.response_class(headers={"Vary": before})
            assert dict(save(app, make_session({"a": 1}), response))["Vary"] == after

    def test_a_response_may_set_cookies_its_own_way(self, app):
        class Response(app.response_class):
            def set_cookie(self, key, value="", **attributes):
                self.headers["X-Cookie"] = f"{key} {attributes['path']}"

        assert dict(save(app, make_session({"a": 1}), Response())) == {"Vary": "Cookie", "X-Cookie": "session /"}
        response = app.response_class()
        response.set_cookie = lambda *args, **attributes: None
        assert save(app, make_session({"a": 1}), response) == [("Vary", "Cookie")]

    def test_a_response_may_have_headers_of_its_own(self, app):
        from costrel.http.headers import Headers

        class Shouting(Headers):
            def add(self, key, value, /, **kwargs):
                super().add(key.upper(), value)

        response = app.response_class()
        response.headers = Shouting()
        assert [name for name, _ in save(app, make_session({"a": 1}), response)] == ["VARY", "SET-COOKIE"]

    def test_without_a_secret_key_it_cannot_be_saved(self, app):
        app.secret_key = None
        with pytest.raises(RuntimeError, match="no secret key was set"):
            save(app, make_session({"a": 1}))

    @pytest.mark.parametrize("path", ["/;x", "/\n"])
    def test_an_attribute_cannot_begin_another(self, app, path):
        app.config["SESSION_COOKIE_PATH"] = path
        with pytest.raises(ValueError):
            save(app, make_session({"a": 1}))


class TestTooLarge:
    def test_the_warning_names_the_size_and_the_largest_keys(self, app):
        noise = hashlib.shake_128(b"noise").hexdigest(2600)
        session = make_session({"cart": noise, "small": 1, "history": noise[:400], "note": "x", "flag": True})
        with pytest.warns(UserWarning, match="too large") as caught, app.app_context():
            headers = save(app, session)
        size = len(dict(headers)["Set-Cookie"])
        value = len(cookie_of(headers))
        assert str(caught[0].message) == (
            f"The 'session' cookie is too large: the value was {value} bytes but the header required 26 extra bytes."
            f" The final size was {size} bytes but the limit is 4093 bytes. Browsers may silently ignore cookies larger"
            " than this. The largest values in the session: 'cart' (5211 bytes), 'history' (414 bytes), 'flag'"
            " (13 bytes). Store such values on the server, and only their ids in the session."
        )
        assert len(caught) == 1

    def test_the_limit_is_a_setting_and_0_is_none(self, app):
        with app.app_context():
            app.config["MAX_COOKIE_SIZE"] = 50
            with pytest.warns(UserWarning, match="the limit is 50 bytes"):
                save(app, make_session({"a": 1}))
            app.config["MAX_COOKIE_SIZE"] = 0
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                save(app, make_session({"a": hashlib.shake_128(b"noise").hexdigest(5000)}))

    def test_strictly_it_is_an_error(self, app):
        app.config["SESSION_COOKIE_STRICT_SIZE"] = True
        with pytest.raises(ValueError, match="The largest values in the session: 'cart'"):
            save(app, make_session({"cart": hashlib.shake_128(b"noise").hexdigest(5000)}))


class TestPrivateCache:
    """`SESSION_CACHE_PRIVATE`: shared caches must not store a response that sets a client's cookie."""

    @pytest.mark.parametrize(
        ("before", "after"),
        [
            (None, "private"),
            ("max-age=60", "max-age=60, private"),
            ("public, max-age=60", "max-age=60, private"),
            ("no-store", "no-store"),
        ],
    )
    def test_it_is_said_with_every_session_cookie(self, app, before, after):
        app.config["SESSION_CACHE_PRIVATE"] = True
        for session in (make_session({"a": 1}), make_session()):
            response = app.response_class(headers={"Cache-Control": before} if before else None)
            assert dict(save(app, session, response))["Cache-Control"] == after

    def test_and_only_then(self, app):
        assert "Cache-Control" not in dict(save(app, make_session({"a": 1})))
        app.config["SESSION_CACHE_PRIVATE"] = True
        assert "Cache-Control" not in dict(save(app, make_session({"a": 1}, modified=False)))


class TestShortKey:
    """`SECRET_KEY_MIN_BYTES`: a key that can be guessed signs nothing."""

    @pytest.fixture(autouse=True)
    def required(self, app):
        app.config["SECRET_KEY_MIN_BYTES"] = 32

    @pytest.mark.parametrize(("key", "size"), [("dev", 3), (b"dev", 3), ("é" * 15, 30)])
    def test_it_is_refused_when_a_session_is_used(self, app, key, size):
        app.secret_key = key
        with pytest.raises(RuntimeError, match=r"32 are required \(SECRET_KEY_MIN_BYTES\)"):
            open_session(app)
        with pytest.raises(RuntimeError, match=rf"The secret key has {size} bytes"):
            save(app, make_session({"a": 1}))

    @pytest.mark.parametrize("mode", ["DEBUG", "TESTING"])
    def test_but_not_in_debug_mode_and_tests(self, app, mode):
        app.config["SECRET_KEY"], app.config[mode] = "dev", True
        assert open_session(app) == {}

    def test_a_long_one_will_do(self, app):
        app.secret_key = "é" * 16
        assert open_session(app) == {}


class TestOpening:
    def test_a_new_client_has_an_empty_session(self, app):
        session = open_session(app)
        assert type(session) is SecureCookieSession
        assert session == {}
        assert not session.modified

    @pytest.mark.parametrize("cookie", ["", "nonsense", "a.b.c", "eyJhIjoxfQ.ZVPxAA.AAAAAAAAAAAAAAAAAAAAAAAAAAA"])
    def test_what_is_not_ours_is_empty(self, app, cookie):
        assert open_session(app, cookie) == {}

    def test_a_session_ends_with_its_lifetime(self, app, monkeypatch):
        """Whatever the client says: the age is inside of the signature."""
        cookie = cookie_of(save(app, make_session({"a": 1}, permanent=True)))
        signed_at = TimestampSigner(KEY).get_timestamp()

        class Later:
            @staticmethod
            def time():
                return signed_at + 31 * 24 * 3600 + 2

        assert open_session(app, cookie) == {"a": 1, "_permanent": True}
        monkeypatch.setattr(signing, "time", Later)
        monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda self: Later.time())
        assert open_session(app, cookie) == {}

    def test_fallback_keys_read_and_do_not_sign(self, app):
        old = cookie_of(save(app, make_session({"a": 1})))
        app.secret_key = "the new key"
        assert open_session(app, old) == {}
        app.config["SECRET_KEY_FALLBACKS"] = ["another", KEY]
        session = open_session(app, old)
        assert session == {"a": 1}
        session["b"] = 2
        new = cookie_of(save(app, session))
        app.config["SECRET_KEY_FALLBACKS"] = None
        assert open_session(app, new) == {"a": 1, "b": 2}
        app.secret_key = KEY
        assert open_session(app, new) == {}

    def test_the_public_serializer_reads_and_writes_the_same(self, app):
        serializer = app.session_interface.get_signing_serializer(app)
        cookie = cookie_of(save(app, make_session({"a": (1, b"x")})))
        assert serializer.loads(cookie) == {"a": (1, b"x")}
        assert open_session(app, serializer.dumps({"b": 1})) == {"b": 1}
        app.secret_key = ""
        assert app.session_interface.get_signing_serializer(app) is None

    @pytest.mark.parametrize("key", [1, ["a list"]])
    def test_a_key_that_is_none_is_refused_when_it_is_needed(self, app, key):
        app.secret_key = key
        assert open_session(app) == {}
        with pytest.raises((TypeError, AttributeError)):
            save(app, make_session({"a": 1}))

    def test_bytes_are_a_key(self, app):
        app.secret_key = KEY.encode()
        assert open_session(app, cookie_of(save(app, make_session({"a": 1})))) == {"a": 1}


class TestCookiesOfTheRequest:
    """A session is in the cookies that `request.cookies` has, whether they were read, assigned or replaced."""

    @pytest.fixture
    def cookies(self, app):
        """The Cookie fields of three sessions."""
        return [f"session={cookie_of(save(app, make_session({'n': number})))}" for number in range(3)]

    def opened(self, app, request):
        return app.session_interface.open_session(app, request)

    def test_read_before_the_session(self, app, cookies):
        request = app.request_class({"HTTP_COOKIE": cookies[0]})
        assert cookies[0] == f"session={request.cookies['session']}"
        request.environ["HTTP_COOKIE"] = cookies[1]
        assert {"n": 0} == self.opened(app, request)
        del request.cookies
        assert {"n": 1} == self.opened(app, request)

    def test_assigned(self, app, cookies):
        request = app.request_class({"HTTP_COOKIE": cookies[0]})
        request.cookies = {"session": cookies[1].partition("=")[2]}
        assert {"n": 1} == self.opened(app, request)
        request.cookies = {}
        assert {} == self.opened(app, request)

    def test_of_assigned_headers(self, app, cookies):
        request = app.request_class({"HTTP_COOKIE": cookies[0]})
        assert cookies[0] == request.headers["Cookie"]
        request.headers = Headers({"Cookie": cookies[1]})
        assert {"n": 1} == self.opened(app, request)
        del request.cookies, request.headers
        assert {"n": 0} == self.opened(app, request)

    def test_in_another_class(self, app, cookies):
        class Last(dict):
            def get(self, name):
                return cookies[2].partition("=")[2]

        request = app.request_class({"HTTP_COOKIE": f"{cookies[0]}; {cookies[1]}"})
        request.dict_storage_class = dict
        assert {"n": 1} == self.opened(app, request)
        request = type("Own", (app.request_class,), {"dict_storage_class": Last})({"HTTP_COOKIE": cookies[0]})
        assert {"n": 2} == self.opened(app, request)

    def test_of_a_subclass(self, app, cookies):
        class Own(app.request_class):
            @cached_property
            def cookies(self):
                return {"session": super().cookies["other"]}

        request = Own({"HTTP_COOKIE": f"{cookies[0]}; other{cookies[1].removeprefix('session')}"})
        assert {"n": 1} == self.opened(app, request)


class TestSubclass:
    def test_salt_derivation_digest_and_serializer_are_attributes(self, app):
        class Own(SecureCookieSessionInterface):
            salt = "own"
            key_derivation = "concat"
            digest_method = staticmethod(hashlib.sha256)

        plain = cookie_of(save(app, make_session({"a": 1})))
        app.session_interface = Own()
        assert open_session(app, plain) == {}
        own = cookie_of(save(app, make_session({"a": 1})))
        assert open_session(app, own) == {"a": 1}
        assert app.session_interface.get_signing_serializer(app).loads(own) == {"a": 1}

    def test_a_serializer_of_ones_own_is_used(self, app):
        class Plain:
            def dumps(self, session):
                return "a,b"

            def loads(self, value, max_age):
                if value != "a,b":
                    raise BadSignature(value)
                return {"read": value}

        class Own(SecureCookieSessionInterface):
            def get_signing_serializer(self, app):
                return Plain()

        app.session_interface = Own()
        header = dict(save(app, make_session({"a": 1})))["Set-Cookie"]
        assert header == 'session="a\\054b"; HttpOnly; Path=/'
        assert open_session(app, '"a\\054b"') == {"read": "a,b"}
        assert open_session(app, "other") == {}

    def test_so_is_one_that_is_set_on_the_interface(self, app):
        app.session_interface = SecureCookieSessionInterface()
        app.session_interface.get_signing_serializer = lambda app: None
        assert open_session(app, "a.b.c") is None

    def test_it_may_have_a_session_class(self, app):
        class Session(SecureCookieSession):
            pass

        class Own(SecureCookieSessionInterface):
            session_class = Session

        app.session_interface = Own()
        assert type(open_session(app)) is Session


class Opens(SecureCookieSessionInterface):
    def open_session(self, app, request):
        return super().open_session(app, request)


class Saves(SecureCookieSessionInterface):
    def save_session(self, app, session, response):
        super().save_session(app, session, response)


class Filled(SecureCookieSessionInterface):
    session_class = type("Session", (SecureCookieSession,), {})


class Salted(SecureCookieSessionInterface):
    salt = "own"


class Store(SecureCookieSessionInterface):
    opens_late = True

    def open_session(self, app, request):
        return SecureCookieSession()


class TestOpensLate:
    """Costrel's own interfaces open a session when it is used; any other one before each view."""

    @pytest.mark.parametrize(
        ("interface", "expected"),
        [
            (SecureCookieSessionInterface, True),
            (CookieSessions, True),
            (Salted, True),
            (SessionInterface, False),
            (Opens, False),
            (Saves, False),
            (Filled, False),
            (type("OpensToo", (CookieSessions,), {"open_session": Opens.open_session}), False),
            (Store, True),
        ],
    )
    def test_it_depends_on_the_class(self, interface, expected):
        assert interface().opens_late is expected

    @pytest.mark.parametrize("name", ["open_session", "save_session", "session_class"])
    @pytest.mark.parametrize("cls", [SecureCookieSessionInterface, CookieSessions])
    def test_and_on_patches_of_the_instance(self, cls, name):
        interface = cls()
        interface.salt = "own"
        assert interface.opens_late is True
        setattr(interface, name, SecureCookieSession)
        assert interface.opens_late is False
        delattr(interface, name)
        assert interface.opens_late is True

    @pytest.mark.parametrize("cls", [SecureCookieSessionInterface, CookieSessions])
    def test_and_of_the_class(self, cls):
        interface = cls()
        with mock.patch.object(SecureCookieSessionInterface, "open_session"):
            assert interface.opens_late is False
        assert interface.opens_late is True


@pytest.mark.parametrize("profile", [Flask, Costrel])
class TestPatches:
    """A method that is patched while the application runs is called from the next request on."""

    @pytest.fixture
    def client(self, profile):
        app = profile("shop")
        app.secret_key = KEY
        app.add_url_rule("/", "untouched", lambda: "x")
        app.add_url_rule("/read", "read", lambda: str(dict(costrel.session)))
        client = app.test_client()
        assert client.get("/").text == "x"
        return client

    def test_open_session_of_the_class(self, client):
        opened = SecureCookieSession({"a": 1})
        with mock.patch.object(SecureCookieSessionInterface, "open_session", return_value=opened) as patched:
            assert client.get("/read").text == "{'a': 1}"
            client.get("/")
        assert patched.call_count == 2
        assert client.get("/read").text == "{}"

    def test_save_session_of_the_class(self, client):
        with mock.patch.object(SecureCookieSessionInterface, "save_session") as patched:
            client.get("/")
        assert patched.call_count == 1
        client.get("/")
        assert patched.call_count == 1

    def test_save_session_of_the_interface(self, client):
        saved = []
        interface = client.application.session_interface
        interface.save_session = lambda app, session, response: saved.append(dict(session))
        try:
            client.get("/")
        finally:
            del interface.save_session
        client.get("/")
        assert saved == [{}]

    def test_the_session_class(self, client):
        with mock.patch.object(type(client.application.session_interface), "session_class", NullSession):
            assert client.get("/read").text == "{}"
        assert client.application.session_interface.opens_late is True

    def test_get_signing_serializer(self, client):
        with mock.patch.object(SecureCookieSessionInterface, "get_signing_serializer", return_value=None) as patched:
            client.get("/read")
        assert patched.call_count == 1


class TestRequest:
    """Sessions as a view sees them."""

    @pytest.fixture
    def client(self, app):
        @app.get("/untouched")
        def untouched():
            return "x"

        @app.get("/read")
        def read():
            return str(costrel.session.get("a"))

        @app.get("/write")
        def write():
            costrel.session["a"] = costrel.session.get("a", 0) + 1
            costrel.session.permanent = True
            return "x"

        @app.get("/clear")
        def clear():
            costrel.session.clear()
            return "x"

        return app.test_client()

    def test_it_is_remembered_until_it_is_cleared(self, client):
        assert client.get("/read").text == "None"
        client.get("/write")
        client.get("/write")
        assert client.get("/read").text == "2"
        client.get("/clear")
        assert client.get("/read").text == "None"

    def test_a_request_that_does_not_use_it_says_nothing_of_cookies(self, client):
        response = client.get("/untouched")
        assert "Vary" not in response.headers
        assert "Set-Cookie" not in response.headers

    def test_a_permanent_one_is_renewed_even_then(self, app, client):
        client.get("/write")
        response = client.get("/untouched")
        assert "Set-Cookie" in response.headers
        assert response.headers["Vary"] == "Cookie"
        app.config["SESSION_REFRESH_EACH_REQUEST"] = False
        assert "Set-Cookie" not in client.get("/untouched").headers

    def test_under_a_name_of_ones_own_too(self, app, client):
        class Named(SecureCookieSessionInterface):
            def get_cookie_name(self, app):
                return "own"

        app.session_interface = Named()
        client.get("/write")
        assert "own=" in client.get("/untouched").headers["Set-Cookie"]

    def test_should_set_cookie_has_the_last_word(self, app, client):
        class Renewed(SecureCookieSessionInterface):
            def should_set_cookie(self, app, session):
                return True

        app.config["SESSION_REFRESH_EACH_REQUEST"] = False
        app.session_interface = Renewed()
        client.get("/write")
        assert "Set-Cookie" in client.get("/untouched").headers

    @pytest.mark.parametrize(
        "read",
        [
            lambda session: "a" in session,
            len,
            list,
            bool,
            lambda session: session.get("a"),
            lambda session: session.copy(),
            lambda session: session == {},
            lambda session: session.pop("a", None),
        ],
    )
    def test_every_way_of_reading_makes_the_response_vary(self, app, read):
        @app.get("/")
        def view():
            read(costrel.session)
            return "x"

        assert app.test_client().get("/").headers["Vary"] == "Cookie"

    def test_without_a_secret_key_it_can_be_read_only(self):
        app = Costrel("shop")

        @app.get("/")
        def view():
            with pytest.raises(RuntimeError, match="no secret key"):
                costrel.session["a"] = 1
            return str(costrel.session.get("a"))

        assert app.test_client().get("/").text == "None"


class TestKeptKeys:
    """Keys are derived from the secret key once, and again when anything about them changes."""

    @pytest.fixture
    def derived(self, app, monkeypatch):
        """The secret keys that were derived, one by one."""
        sessions._serializer_of.cache_clear()
        app.session_interface = SecureCookieSessionInterface()
        derived = []
        derive = TimestampSigner.derive_key

        def note(self, secret_key=None):
            derived.append(secret_key)
            return derive(self, secret_key)

        monkeypatch.setattr(TimestampSigner, "derive_key", note)
        return derived

    def test_they_are_derived_once(self, app, derived):
        cookie = cookie_of(save(app, make_session({"a": 1})))
        assert open_session(app, cookie) == open_session(app, cookie) == {"a": 1}
        assert derived == [KEY.encode()]

    def test_two_applications_with_one_interface_do_not_derive_them_in_turn(self, app, derived):
        other = Flask("other")
        other.secret_key = "a key of another application"
        other.session_interface = app.session_interface
        for _ in range(3):
            save(app, make_session({"a": 1}))
            save(other, make_session({"a": 1}))
        assert derived == [KEY.encode(), b"a key of another application"]

    def test_a_list_of_fallbacks_may_change_in_place(self, app):
        old = cookie_of(save(app, make_session({"a": 1})))
        app.secret_key, app.config["SECRET_KEY_FALLBACKS"] = "the new key", []
        assert open_session(app, old) == {}
        app.config["SECRET_KEY_FALLBACKS"].append(KEY)
        assert open_session(app, old) == {"a": 1}
        app.config["SECRET_KEY_FALLBACKS"].clear()
        assert open_session(app, old) == {}

    @pytest.mark.parametrize("keys", [{0: KEY}.values(), (KEY,), {KEY}, [KEY, b"bytes"]])
    def test_fallbacks_may_be_any_collection(self, app, keys):
        app.session_interface = SecureCookieSessionInterface()
        old = cookie_of(save(app, make_session({"a": 1})))
        app.secret_key, app.config["SECRET_KEY_FALLBACKS"] = "the new key", keys
        assert open_session(app, old) == open_session(app, old) == {"a": 1}
        app.config["SECRET_KEY_FALLBACKS"] = None
        assert open_session(app, old) == {}

    def test_so_may_an_attribute_of_the_interface(self, app):
        interface = app.session_interface = SecureCookieSessionInterface()
        old = cookie_of(save(app, make_session({"a": 1})))
        interface.salt = "own"
        assert open_session(app, old) == {}
        del interface.salt
        assert open_session(app, old) == {"a": 1}

    @pytest.mark.parametrize(
        ("name", "value"),
        [("salt", "own"), ("key_derivation", "concat"), ("digest_method", staticmethod(hashlib.sha256))],
    )
    def test_and_an_attribute_of_its_class(self, app, monkeypatch, name, value):
        class Own(SecureCookieSessionInterface):
            pass

        app.session_interface = Own()
        old = cookie_of(save(app, make_session({"a": 1})))
        for cls in (Own, SecureCookieSessionInterface):
            with monkeypatch.context() as patch:
                patch.setattr(cls, name, value, raising=False)
                assert open_session(app, old) == {}
            assert open_session(app, old) == {"a": 1}

    def test_and_the_key_of_the_application_s_class(self, app):
        class Rotating(Flask):
            keys = ["another key"]
            secret_key = property(lambda self: self.keys[-1])

        old, other = cookie_of(save(app, make_session({"a": 1}))), Rotating("shop")
        other.session_interface = app.session_interface
        assert open_session(other, old) == {}
        other.keys.append(KEY)
        assert open_session(other, old) == {"a": 1}
        other.keys.pop()
        assert open_session(other, old) == {}

    def test_and_a_class_that_gets_a_key_later(self, app, monkeypatch):
        class Shop(Flask):
            pass

        shop = Shop("shop")
        shop.secret_key = KEY
        old = cookie_of(save(shop, make_session({"a": 1})))
        monkeypatch.setattr(Shop, "secret_key", "another key", raising=False)
        assert open_session(shop, old) == {}


class TestKeptAttributes:
    """The cookie's name, attributes and lifetime follow the current settings."""

    @pytest.mark.parametrize("api", [Flask, Costrel])
    @pytest.mark.parametrize(
        ("setting", "value", "expected"),
        [
            ("SESSION_COOKIE_NAME", "other", "other="),
            ("SESSION_COOKIE_DOMAIN", "example.com", "; Domain=example.com"),
            ("SESSION_COOKIE_PATH", "/shop", "; Path=/shop"),
            ("APPLICATION_ROOT", "/root", "; Path=/root"),
            ("SESSION_COOKIE_SECURE", True, "; Secure"),
            ("SESSION_COOKIE_SAMESITE", "Strict", "; SameSite=Strict"),
            ("SESSION_COOKIE_PARTITIONED", True, "; Partitioned"),
        ],
    )
    def test_a_setting_that_a_view_changes_is_in_its_own_response(self, api, setting, value, expected):
        app = api("shop")
        app.secret_key = KEY
        app.config["SESSION_COOKIE_SECURE"] = False

        @app.get("/")
        def visit():
            costrel.session["a"] = 1
            return "x"

        @app.get("/change")
        def change():
            costrel.session["a"] = 2
            app.config[setting] = value
            return "x"

        client = app.test_client()
        before, after = client.get("/"), client.get("/change")
        assert expected not in before.headers["Set-Cookie"]
        assert expected in after.headers["Set-Cookie"]

    def test_a_shorter_lifetime_ends_the_sessions_that_there_are(self, app):
        old = cookie_of(save(app, make_session({"a": 1})))
        assert open_session(app, old) == {"a": 1}
        app.permanent_session_lifetime = -1
        assert open_session(app, old) == {}

    def test_a_method_that_is_patched_later_counts(self, app, monkeypatch):
        app.session_interface = SecureCookieSessionInterface()
        assert dict(save(app, make_session({"a": 1})))["Set-Cookie"].endswith("; Path=/")
        monkeypatch.setattr(SecureCookieSessionInterface, "get_cookie_path", lambda self, app: "/patched")
        assert "; Path=/patched" in dict(save(app, make_session({"a": 1})))["Set-Cookie"]
        monkeypatch.setattr(app.session_interface, "get_cookie_path", lambda app: "/assigned", raising=False)
        assert "; Path=/assigned" in dict(save(app, make_session({"a": 1})))["Set-Cookie"]

    def test_auto_is_decided_for_each_request(self):
        app = Costrel("shop")
        app.secret_key, app.config["SESSION_COOKIE_SECURE"] = KEY, "auto"

        @app.get("/")
        def visit():
            costrel.session["a"] = costrel.session.get("a", 0) + 1
            return "x"

        urls = ("https://example.com/", "http://localhost/", "https://localhost/")
        sent = [app.test_client().get("/", base_url=url).headers["Set-Cookie"] for url in urls]
        assert ["; Secure" in field for field in sent] == [True, False, True]


class TestUntouched:
    """A request that does not use its session pays for it only if the session may be permanent."""

    @pytest.fixture(params=[Flask, Costrel])
    def client(self, request):
        app = request.param("shop")
        app.secret_key = KEY

        @app.post("/")
        def fill():
            costrel.session.update(costrel.request.get_json())
            return "x"

        @app.get("/")
        def untouched():
            return "x"

        @app.get("/headers")
        def headers():
            return f"{costrel.request.headers['Host']} {len(costrel.request.cookies)}"

        return app.test_client()

    @pytest.fixture
    def verified(self, monkeypatch):
        """The values of cookies that were verified."""
        verified = []
        loads = signing.KeptSerializer.loads

        def note(self, value, max_age):
            verified.append(value)
            return loads(self, value, max_age)

        monkeypatch.setattr(signing.KeptSerializer, "loads", note)
        return verified

    @pytest.mark.parametrize("path", ["/", "/headers"])
    def test_one_that_is_not_permanent_is_not_verified(self, client, verified, path):
        client.post("/", json={"user": "José", "text": "not _permanent"})
        client.set_cookie("session_note", "the session of a shop")
        verified.clear()
        response = client.get(path)
        assert verified == []
        assert "Set-Cookie" not in response.headers
        assert "Vary" not in response.headers

    @pytest.mark.parametrize(
        "content",
        [
            {"_permanent": True},
            {"a": 1, "_permanent": True},
            {"ab": [1, 2, "x"], "_permanent": True},
            {"abc": "é", "_permanent": True},
            {"long": "text " * 100, "_permanent": True},
            {"_permanent": 1, "z": None},
        ],
    )
    def test_one_that_is_permanent_is_sent_again(self, client, content):
        client.post("/", json=content)
        assert "Expires=" in client.get("/").headers["Set-Cookie"]
        assert "Expires=" in client.get("/headers").headers["Set-Cookie"]

    def test_one_that_is_compressed_may_be_permanent(self, client, verified):
        client.post("/", json={"long": "text " * 100})
        verified.clear()
        assert "Set-Cookie" not in client.get("/").headers
        assert len(verified) == 1

    def test_a_forged_one_is_not_sent_again(self, client):
        client.set_cookie("session", "eyJfcGVybWFuZW50Ijp0cnVlfQ.ZVPxAA.AAAAAAAAAAAAAAAAAAAAAAAAAAA")
        assert "Set-Cookie" not in client.get("/").headers

    def test_a_format_of_ones_own_may_be_permanent(self, client):
        class Plain:
            def dumps(self, session):
                return "eyJ"

            def loads(self, value, max_age):
                return {"_permanent": True}

        class Own(SecureCookieSessionInterface):
            def get_signing_serializer(self, app):
                return Plain()

        client.application.session_interface = Own()
        client.set_cookie("session", "eyJ")
        assert "Expires=" in client.get("/").headers["Set-Cookie"]

    def test_cookies_of_ones_own_count(self, client):
        class Request(client.application.request_class):
            cookies = {}

        client.post("/", json={"_permanent": True})
        client.application.request_class = Request
        assert "Set-Cookie" not in client.get("/").headers


@given(st.dictionaries(st.text(max_size=12), st.text(max_size=12) | st.integers() | st.booleans(), max_size=5))
def test_the_fragments_of_a_text_are_in_each_payload_with_it(content):
    found = signing.fragments(b'"_permanent"')
    payload = signing.encode(json.dumps({**content, "_permanent": True}, separators=(",", ":")).encode()).decode()
    assert any(fragment in payload for fragment in found)
    payload = signing.encode(json.dumps(content, separators=(",", ":")).encode()).decode()
    assert ("_permanent" in content) >= any(fragment in payload for fragment in found)
