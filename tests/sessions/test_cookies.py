"""Sessions in cookies: timestamps, encryption, and changes of keys."""

import base64
import builtins
import time

import pytest

from costrel import session
from costrel.app.application import Costrel, Flask
from costrel.sessions.stores.cookies import EncryptedCookieSessions

KEY = "a key that is long enough for anybody"
NEXT = "another key, which is just as long as that"


def cookie(client):
    return client.get_cookie("session").value


def client_with(app, value):
    client = app.test_client()
    client.set_cookie("session", value)
    return client


@pytest.fixture(params=["cookie", "encrypted"])
def store(request):
    return request.param


class TestKeys:
    def test_the_newest_signs_and_the_others_read(self, make_app, store):
        app = make_app(store)
        client = app.test_client()
        client.post("/set/a/1")
        app.config.update(SECRET_KEY=NEXT, SECRET_KEY_FALLBACKS=["no longer used, and long enough", KEY])
        assert {"a": "1"} == client.get("/all").json
        client.post("/set/b/2")
        app.config["SECRET_KEY_FALLBACKS"] = None

        assert {"a": "1", "b": "2"} == client.get("/all").json

    def test_another_key_reads_nothing(self, make_app, store):
        app = make_app(store)
        client = app.test_client()
        client.post("/set/a/1")
        app.secret_key = NEXT

        assert {} == client.get("/all").json

    def test_bytes_and_text_are_the_same_key(self, make_app, store):
        app = make_app(store)
        client = app.test_client()
        client.post("/set/a/1")
        app.secret_key = KEY.encode()

        assert {"a": "1"} == client.get("/all").json

    def test_without_a_key_nothing_is_kept(self, make_app, store):
        app = make_app(store, SECRET_KEY=None, TESTING=True)
        client = app.test_client()

        assert {} == client.get("/all").json
        with pytest.raises(RuntimeError, match="no secret key was set"):
            client.post("/set/a/1")


class TestSigned:
    def test_flask_reads_and_writes_the_same(self, make_app):
        ours, flasks = make_app("cookie"), make_app(None, Flask)
        client = ours.test_client()
        client.post("/set/a/1")
        other = client_with(flasks, cookie(client))
        assert {"a": "1"} == other.get("/all").json
        other.post("/set/b/2")

        assert {"a": "1", "b": "2"} == client_with(ours, cookie(other)).get("/all").json

    def test_what_is_beside_the_data_is_not_in_the_session(self, make_app):
        app = make_app("cookie", SESSION_IDLE_LIFETIME=60, SESSION_ABSOLUTE_LIFETIME=60)
        client = app.test_client()
        client.post("/login/ann")
        client.post("/set/a/1")
        kept = app.session_interface.get_signing_serializer(app).loads(cookie(client))

        assert ({" notes", "a"}, "ann") == (kept.keys(), kept[" notes"][2])
        assert {"a": "1"} == client.get("/all").json

    @pytest.mark.parametrize("name", [" user", " began", " seen", " notes", " notes ", "user", " "])
    @pytest.mark.parametrize("store", ["cookie", "encrypted", "memory", "sqlite"])
    def test_no_key_of_a_session_reaches_what_is_noted_of_it(self, make_app, store, name):
        app = make_app(store, SESSION_IDLE_LIFETIME=3600, SESSION_ABSOLUTE_LIFETIME=3600)
        values = ["admin", 0, None, [None, None, "admin", "x"], ["admin"], 9e9]
        app.add_url_rule("/take/<int:number>", "take", lambda number: session.update({name: values[number]}) or "taken")
        client = app.test_client()
        for number, value in enumerate(values):
            client.get(f"/take/{number}")
            assert ({"user": None}, {name: value}) == (client.get("/user").json, client.get("/all").json)
            client.post("/login/ann")
            assert ({"user": "ann"}, {name: value}) == (client.get("/user").json, client.get("/all").json)
            client.post("/clear")

    @pytest.mark.parametrize("store", ["cookie", "encrypted", "memory"])
    def test_nor_do_the_keys_of_flask(self, make_app, store):
        flasks = make_app(None, Flask)
        mine = make_app("cookie").test_client()
        mine.post("/login/mallory")
        notes = flasks.session_interface.get_signing_serializer(flasks).loads(cookie(mine))[" notes"]
        forged = {" user": "admin", " notes": [None, None, "admin", notes[3]], " began": 0, "a": 1}
        flasks.add_url_rule("/forge", "forge", lambda: session.update(forged) or "done")
        other = flasks.test_client()
        other.get("/forge")
        client = client_with(make_app(store, SESSION_MOVE_FROM="cookie"), cookie(other))

        assert ({"user": None}, forged) == (client.get("/user").json, client.get("/all").json)

    def test_its_use_is_noted_now_and_then(self, make_app, clock):
        client = make_app("cookie", SESSION_IDLE_LIFETIME=3600).test_client()
        client.post("/set/a/1")
        assert "Set-Cookie" not in client.get("/all").headers
        clock.ahead = 61
        assert "Set-Cookie" in client.get("/all").headers
        assert "Set-Cookie" not in client.get("/plain").headers


class TestEncrypted:
    @pytest.fixture
    def app(self, make_app):
        return make_app("encrypted")

    @pytest.fixture
    def client(self, app):
        client = app.test_client()
        client.post("/set/name/very-secret-value")
        return client

    def test_the_owner_cannot_read_it(self, client):
        value = cookie(client)
        sealed = base64.urlsafe_b64decode(value.removeprefix("e1.") + "==")

        assert value.startswith("e1.")
        assert b"secret" not in sealed
        assert b"name" not in sealed

    def test_the_same_session_is_never_written_the_same(self, app, client):
        other = app.test_client()
        other.post("/set/name/very-secret-value")

        assert cookie(client) != cookie(other)
        assert len(cookie(client)) == len(cookie(other))

    def test_no_byte_of_it_can_be_changed(self, app, client):
        value = cookie(client)
        sealed = bytearray(base64.urlsafe_b64decode(value.removeprefix("e1.") + "=="))
        for place in range(len(sealed)):
            changed = sealed.copy()
            changed[place] ^= 1
            text = "e1." + base64.urlsafe_b64encode(changed).decode().rstrip("=")
            assert {} == client_with(app, text).get("/all").json, place

    @pytest.mark.parametrize("value", ["e1.", "e1.AAAA", "e1.%%%", "e1.A", "e2.AAAA", "x", "e1." + "A" * 4000])
    def test_what_is_none_is_an_empty_session(self, app, value):
        assert {} == client_with(app, value).get("/all").json

    def test_the_cookie_of_another_name_is_none(self, make_app, client):
        other = make_app("encrypted", SESSION_COOKIE_NAME="other").test_client()
        other.set_cookie("other", cookie(client))

        assert {} == other.get("/all").json

    def test_its_end_is_inside(self, client, app, clock):
        app.config["PERMANENT_SESSION_LIFETIME"] = 60
        value = cookie(client)
        clock.ahead = 59
        assert {"name": "very-secret-value"} == client_with(app, value).get("/all").json
        clock.ahead = 62
        assert {} == client_with(app, value).get("/all").json

    def test_what_is_ours_and_unreadable_is_an_empty_session(self, app, client, monkeypatch):
        box = app.session_interface._kept_serializer(app)
        monkeypatch.setattr("costrel.sessions.stores.cookies.session_json_serializer", Broken())
        value = box.dumps({})
        monkeypatch.undo()

        assert {} == client_with(app, value).get("/all").json

    def test_the_package_that_is_missing_is_named(self, make_app, monkeypatch):
        real = builtins.__import__

        def without_cryptography(name, *arguments, **options):
            if name.startswith("cryptography"):
                raise ImportError(name)
            return real(name, *arguments, **options)

        monkeypatch.setattr(builtins, "__import__", without_cryptography)
        with pytest.raises(RuntimeError, match=r"pip install 'costrel\[crypto\]'"):
            EncryptedCookieSessions()


class Broken:
    def dumps(self, data):
        return "{"


@pytest.mark.parametrize("profile", [Costrel, Flask])
@pytest.mark.parametrize("text", ["{", "[1]", "1", '{" u": "no UUID"}'])
def test_a_signed_cookie_that_is_no_session_is_an_empty_one(make_app, profile, text):
    app = make_app("cookie", profile)
    serializer = app.session_interface.get_signing_serializer(app)
    payload = base64.urlsafe_b64encode(text.encode()).rstrip(b"=")
    value = serializer.make_signer(serializer.salt).sign(payload).decode()

    assert {} == client_with(app, value).get("/all").json


@pytest.mark.parametrize(("profile", "strict"), [(Costrel, True), (Flask, False)])
def test_a_session_that_is_too_large(make_app, store, profile, strict):
    app = make_app(store, profile, TESTING=True)

    @app.get("/fill")
    def fill():
        session.update(small=1, large=[str(time.perf_counter_ns()) * 3 for _ in range(2000)])
        return "full"

    with pytest.raises(
        ValueError if strict else UserWarning, match=r"largest values in the session: 'large' \(\d+ bytes"
    ):
        app.test_client().get("/fill")
