"""What a view can rely on, wherever its session is kept."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from markupsafe import Markup

from costrel import session
from costrel.app.application import Costrel, Flask

from ..redis_servers import with_marks

STORES = ("cookie", "encrypted", "memory", "sqlite", "redis", "cache", "cache in files", "cache in redis")


@pytest.fixture(params=with_marks(STORES))
def store(request):
    return request.param


def identity(client):
    cookie = client.get_cookie("session")
    return cookie and cookie.value


@pytest.mark.parametrize("profile", [Costrel, Flask])
def test_what_was_set_is_there_in_the_next_request(make_app, store, profile):
    client = make_app(store, profile).test_client()
    client.post("/set/a/1")
    client.post("/set/b/2")
    client.post("/remove/a")

    assert {"b": "2"} == client.get("/all").json


def test_values_come_back_as_they_were(make_app, store):
    values = {
        "tuple": (1, [2, (3,)]),
        "bytes": b"\x00\xff",
        "markup": Markup("<b>"),
        "uuid": UUID(int=7),
        "time": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        "tag": {" t": [1]},
        "nothing": None,
        "é\0K": "\u212a",
    }
    app = make_app(store)
    app.add_url_rule("/fill", "fill", lambda: session.update(values) or "full")
    found = {}
    app.add_url_rule("/look", "look", lambda: found.update(session) or "seen")
    client = app.test_client()
    client.get("/fill")
    client.get("/look")

    assert values == found
    assert {name: type(value) for name, value in values.items()} == {name: type(found[name]) for name in values}


def test_a_change_inside_a_value_is_kept(make_app, store):
    client = make_app(store).test_client()
    for number in (1, 2, 3):
        client.post(f"/append/{number}")

    assert {"numbers": [1, 2, 3]} == client.get("/all").json


def test_two_clients_have_two_sessions(make_app, store):
    app = make_app(store)
    one, other = app.test_client(), app.test_client()
    one.post("/set/a/1")

    assert {} == other.get("/all").json
    assert identity(other) is None


def test_reading_sends_no_cookie(make_app, store):
    client = make_app(store).test_client()
    assert "Set-Cookie" not in client.get("/all").headers
    client.post("/set/a/1")

    answer = client.get("/all")

    assert ("Cookie", None) == (answer.headers["Vary"], answer.headers.get("Set-Cookie"))
    assert "Vary" not in client.get("/plain").headers


def test_a_session_of_somebody_is_renewed_once(make_app, store):
    client = make_app(store).test_client()
    client.post("/set/a/1")
    before = identity(client)
    client.post("/login/ann")
    after = identity(client)
    client.post("/login/ann")

    assert before != after == identity(client)
    assert ({"a": "1"}, {"user": "ann"}) == (client.get("/all").json, client.get("/user").json)


def test_a_session_may_hold_its_user_alone(make_app, store):
    client = make_app(store).test_client()
    client.post("/login/7")

    assert ({}, {"user": "7"}) == (client.get("/all").json, client.get("/user").json)


def test_a_cleared_session_has_neither_data_nor_user_nor_cookie(make_app, store):
    client = make_app(store).test_client()
    client.post("/set/a/1")
    client.post("/login/ann")
    client.post("/clear")

    assert identity(client) is None
    assert ({}, {"user": None}) == (client.get("/all").json, client.get("/user").json)


def test_what_is_set_after_clearing_is_another_session(make_app, store):
    app = make_app(store)

    @app.post("/again")
    def again():
        session.clear()
        session["b"] = 2
        return "new"

    client = app.test_client()
    client.post("/set/a/1")
    before = identity(client)
    client.post("/again")

    assert {"b": 2} == client.get("/all").json
    assert before != identity(client)


def test_a_permanent_session_is_sent_again_with_each_answer(make_app, store):
    app = make_app(store)
    app.add_url_rule("/stay", "stay", lambda: session.update(_permanent=True) or "stays")
    app.add_url_rule("/go", "go", lambda: session.pop("_permanent") and "goes")
    client = app.test_client()

    assert "Expires=" in client.get("/stay").headers["Set-Cookie"]
    assert "Expires=" in client.get("/plain").headers["Set-Cookie"]
    client.post("/set/a/1")
    assert "Expires=" not in client.get("/go").headers["Set-Cookie"]
    assert "Set-Cookie" not in client.get("/plain").headers


def test_the_session_of_a_test(make_app, store):
    client = make_app(store).test_client()
    with client.session_transaction() as kept:
        kept["a"] = ["from the test"]
    with client.session_transaction() as kept:
        kept["a"].append("and more")

    assert {"a": ["from the test", "and more"]} == client.get("/all").json


def test_an_unused_session_ends(make_app, store, clock):
    client = make_app(store, SESSION_IDLE_LIFETIME=timedelta(minutes=30)).test_client()
    client.post("/set/a/1")
    clock.ahead = 29 * 60
    assert {"a": "1"} == client.get("/all").json
    clock.ahead += 29 * 60
    assert {"a": "1"} == client.get("/all").json
    clock.ahead += 31 * 60
    assert {} == client.get("/all").json


def test_a_session_ends_after_a_day_however_much_it_is_used(make_app, store, clock):
    client = make_app(store, SESSION_ABSOLUTE_LIFETIME=24 * 3600).test_client()
    client.post("/set/a/1")
    for _ in range(23):
        clock.ahead += 3600
        client.post(f"/append/{clock.ahead:.0f}")
    assert "1" == client.get("/all").json["a"]

    clock.ahead += 3601

    assert {} == client.get("/all").json


def test_a_signed_cookie_from_the_future_is_none_as_with_flask(make_app, clock):
    client = make_app("cookie").test_client()
    client.post("/set/a/1")
    clock.ahead = -24 * 3600

    assert {} == client.get("/all").json
    client.post("/set/b/2")
    assert {"b": "2"} == client.get("/all").json


@pytest.mark.parametrize("store", with_marks(name for name in STORES if name != "cookie"))
def test_a_clock_that_jumps_back_ends_no_session(make_app, store, clock):
    app = make_app(store, SESSION_ABSOLUTE_LIFETIME=7200, SESSION_IDLE_LIFETIME=3600)
    client = app.test_client()
    client.post("/set/a/1")
    clock.ahead = -24 * 3600
    client.post("/set/b/2")
    assert {"a": "1", "b": "2"} == client.get("/all").json

    clock.ahead += 3601

    assert {} == client.get("/all").json


def test_a_clock_that_jumps_ahead_ends_the_session_and_nothing_else(make_app, store, clock):
    client = make_app(store, PERMANENT_SESSION_LIFETIME=3600).test_client()
    client.post("/set/a/1")
    clock.ahead = 24 * 3600

    assert {} == client.get("/all").json
    client.post("/set/b/2")
    assert {"b": "2"} == client.get("/all").json


def test_only_text_names_a_value(make_app, store):
    app = make_app(store, TESTING=True)
    app.add_url_rule("/number", "number", lambda: session.update({1: 2}) or "set")
    client = app.test_client()
    if store in ("cookie", "encrypted"):
        client.get("/number")
        assert {"1": 2} == client.get("/all").json
    else:
        with pytest.raises(TypeError, match=r"keys of a session must be text, not 1\. Use '1'"):
            client.get("/number")
