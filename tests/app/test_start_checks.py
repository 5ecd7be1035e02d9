"""The check of the settings at the start: values that would make requests fail, and misspelt names."""

import asyncio
import datetime
import logging

import pytest

from costrel import Costrel
from costrel.app.application import Flask
from costrel.app.start_checks import WrongSetting
from costrel.services.settings import SETTINGS

WRONG = [
    ("SECRET_KEY", "short"),
    ("SECRET_KEY", b"k" * 31),
    ("SECRET_KEY", 5),
    ("SECRET_KEY_FALLBACKS", [5]),
    ("MAX_CONTENT_LENGTH", "16 MB"),
    ("MAX_CONTENT_LENGTH", -1),
    ("MAX_FORM_PARTS", "many"),
    ("MAX_FORM_MEMORY_SIZE", [1]),
    ("MAX_FORM_PART_HEADERS", None),
    ("MAX_QUERY_PARAMS", "1"),
    ("JSON_MAX_DEPTH", "200"),
    ("JSON_MAX_DEPTH", 0),
    ("MAX_COOKIE_SIZE", "4093"),
    ("WEBSOCKET_MAX_MESSAGE_SIZE", "1"),
    ("BODY_TIMEOUT", "30s"),
    ("BODY_MIN_RATE", "500"),
    ("SEND_TIMEOUT", "30s"),
    ("SEND_FILE_MAX_AGE_DEFAULT", "1 day"),
    ("THREADS", "32"),
    ("PERMANENT_SESSION_LIFETIME", "31 days"),
    ("PERMANENT_SESSION_LIFETIME", None),
    ("SESSION_IDLE_LIFETIME", "1 hour"),
    ("SESSION_ABSOLUTE_LIFETIME", "1 hour"),
    ("SESSION_COOKIE_NAME", None),
    ("SESSION_COOKIE_NAME", "a=b"),
    ("SESSION_COOKIE_NAME", ""),
    ("SESSION_COOKIE_SAMESITE", "Laxe"),
    ("SESSION_COOKIE_PATH", 5),
    ("SESSION_COOKIE_PATH", "/a;b"),
    ("SESSION_COOKIE_DOMAIN", 5),
    ("APPLICATION_ROOT", 5),
    ("SERVER_NAME", 5),
    ("SERVER_NAME", "a..b"),
    ("TRUSTED_HOSTS", 5),
    ("TRUSTED_HOSTS", [5]),
    ("REDIRECT_SCHEMES", 5),
    ("CSRF_TRUSTED_ORIGINS", 5),
    ("WEBSOCKET_ALLOWED_ORIGINS", 5),
    ("ERROR_FORMAT", "json"),
    ("SESSION_STORE", "mongo"),
    ("SESSION_STORE_DOWN", "ignore"),
    ("RATE_LIMITS", "5/minuts"),
    ("RATE_LIMIT_STRATEGY", "bucket"),
    ("TRUSTED_PROXIES", "not a network"),
    ("CONTENT_SECURITY_POLICY", {"default-src": "'self'; x"}),
    ("CORS_POLICY", "example.org/"),
    ("HSTS_SECONDS", "a year"),
    ("REPORTING_ENDPOINTS", {"A b": "/x"}),
    ("SECURITY_PROFILE", "lax"),
]
RIGHT = [
    ("SECRET_KEY", None),
    ("SECRET_KEY", ""),
    ("SECRET_KEY", b"k" * 32),
    ("SECRET_KEY_FALLBACKS", ["old", b"older"]),
    ("MAX_CONTENT_LENGTH", None),
    ("MAX_CONTENT_LENGTH", 16e6),
    ("DEBUG", 1),
    ("TESTING", 0),
    ("SESSION_COOKIE_SECURE", 1),
    ("SESSION_COOKIE_HTTPONLY", "yes"),
    ("SESSION_COOKIE_SAMESITE", None),
    ("SESSION_COOKIE_DOMAIN", False),
    ("SESSION_COOKIE_DOMAIN", ".example.org"),
    ("PERMANENT_SESSION_LIFETIME", datetime.timedelta(days=1)),
    ("PERMANENT_SESSION_LIFETIME", 3600),
    ("APPLICATION_ROOT", None),
    ("SERVER_NAME", "example.org:8000"),
    ("TRUSTED_HOSTS", ["example.org", ".example.net", "[::1]"]),
    ("TRUSTED_HOSTS", ("example.org",)),
    ("MAX_COOKIE_SIZE", 0),
    ("SEND_FILE_MAX_AGE_DEFAULT", datetime.timedelta(1)),
    ("BODY_TIMEOUT", None),
    ("CHECK_IGNORE", ["x"]),
    ("MY_OWN", object()),
]


def make(cls=Costrel, **settings):
    app = cls("start", static_folder=None)
    app.config.from_mapping(SECRET_KEY="k" * 32)
    app.config.update(settings)
    return app


def lifespan(app):
    """What the application answers to a server that starts it."""
    sent = []

    async def run():
        messages = asyncio.Queue()
        for kind in ("startup", "shutdown"):
            messages.put_nowait({"type": f"lifespan.{kind}"})

        async def send(message):
            sent.append(message)

        await app.asgi({"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, messages.get, send)

    asyncio.run(run())
    return sent[0]


class TestWrongSettings:
    @pytest.mark.parametrize(("name", "value"), WRONG)
    def test_prevent_the_start(self, name, value):
        with pytest.raises((WrongSetting, TypeError, ValueError, RuntimeError)) as caught:
            make(**{name: value}).try_settings()
        # The cookie is made of several settings: the message tells which value is wrong.
        shown = "SESSION_COOKIE" if name == "SESSION_COOKIE_NAME" else name
        unnamed = ("SESSION_COOKIE_", "CONTENT_", "TRUSTED_PROXIES")
        assert shown in str(caught.value) or name.startswith(unnamed)

    @pytest.mark.parametrize(("name", "value"), RIGHT)
    @pytest.mark.parametrize("cls", [Costrel, Flask])
    def test_others_do_not(self, name, value, cls):
        make(cls, **{name: value}).try_settings()

    @pytest.mark.parametrize(("name", "value"), WRONG[:36])
    def test_are_logged_in_flasks_profile(self, name, value, caplog):
        if name == "SECRET_KEY" and value != 5:
            pytest.skip("any key will do")
        make(Flask, **{name: value}).try_settings()
        assert any("Requests will fail." in record.getMessage() for record in caplog.records)

    def test_the_message_says_what_to_do(self):
        with pytest.raises(WrongSetting) as caught:
            make(MAX_CONTENT_LENGTH="16 MB").try_settings()
        assert str(caught.value) == "MAX_CONTENT_LENGTH: it is of type str, but must be int or None."

    @pytest.mark.parametrize("mode", ["DEBUG", "TESTING"])
    def test_a_short_key_will_do_in_development(self, mode):
        make(SECRET_KEY="dev", **{mode: True}).try_settings()

    def test_a_short_key_will_do_if_it_signs_no_session(self):
        make(SECRET_KEY="short", SESSION_STORE="memory").try_settings()

    def test_the_defaults_are_right(self):
        for cls in (Costrel, Flask):
            cls("start", static_folder=None).try_settings()

    def test_every_number_of_the_table_is_checked(self):
        numbers = [
            name
            for name, setting in SETTINGS.items()
            if set(setting.types) <= {int, float, datetime.timedelta, type(None)}
        ]
        passed = []
        for name in numbers:
            try:
                make(**{name: "many"}).try_settings()
            except (ValueError, TypeError):
                continue
            passed.append(name)
        assert (len(numbers) > 15, passed) == (True, [])

    def test_the_server_is_told(self):
        assert lifespan(make(SECRET_KEY="short")) == {
            "type": "lifespan.startup.failed",
            "message": "costrel.app.start_checks.WrongSetting: SECRET_KEY: The secret key has 5 bytes, but 32 are"
            " required (SECRET_KEY_MIN_BYTES): a shorter key can be guessed, and then anyone can forge sessions. Set"
            " SECRET_KEY to the output of python -c 'import secrets; print(secrets.token_hex())'. In debug mode and in"
            " tests, any key is accepted.",
        }
        assert lifespan(make())["type"] == "lifespan.startup.complete"


class TestMisspeltSettings:
    def warnings(self, app, caplog, start):
        with caplog.at_level(logging.WARNING):
            start(app)
        return [record.getMessage() for record in caplog.records]

    @pytest.mark.parametrize("cls", [Costrel, Flask])
    @pytest.mark.parametrize(
        "start", [lambda app: app.try_settings(), lambda app: app.test_client().get("/"), lifespan]
    )
    def test_are_named_at_the_start(self, cls, start, caplog):
        app = make(cls, SECRECT_KEY="k" * 32, SESSION_COOKIE_SAMSITE="Lax", SHOP_NAME="x")
        assert self.warnings(app, caplog, start) == [
            "Unknown setting 'SECRECT_KEY': did you mean 'SECRET_KEY'?",
            "Unknown setting 'SESSION_COOKIE_SAMSITE': did you mean 'SESSION_COOKIE_SAMESITE'?",
        ]

    def test_are_named_once(self, caplog):
        app = make(SECRECT_KEY="k" * 32, TESTING=True)

        def start(app):
            lifespan(app)
            app.test_client().get("/")
            app.test_client().get("/")

        assert len(self.warnings(app, caplog, start)) == 1

    def test_settings_of_others_are_not(self, caplog):
        app = make(SQLALCHEMY_DATABASE_URI="x", SESSION_TYPE="redis", MAIL_SERVER="x", RATELIMIT_DEFAULT="1/day")
        assert self.warnings(app, caplog, lambda app: app.try_settings()) == []

    @pytest.mark.parametrize("name", ["RATELIMIT_STRATEGY", "CORS_ORIGINS", "RATELIMIT_HEADERS_ENABLED"])
    def test_settings_of_extensions_are_not(self, caplog, name):
        assert [] == self.warnings(make(**{name: "x"}), caplog, lifespan)
