"""Sessions on the server: identifiers, lists of a user's, requests at the same time."""

import json
import os
import pickle
import sqlite3
import subprocess
import sys
import threading
from hashlib import sha256

import pytest

from costrel import session
from costrel.sessions.stores import Record, SessionConflict, StoreError
from costrel.sessions.stores.memory import SWEEP_EVERY, MemoryStore
from costrel.sessions.stores.sqlite import SWEEP_EVERY as SQLITE_SWEEP_EVERY
from costrel.sessions.stores.sqlite import SqliteStore
from costrel.sessions.stores.store import Change, UnreadableRecordError

from ..redis_servers import real_redis, with_marks

STORES = ("memory", "sqlite", "redis", "cache", "cache in files", "cache in redis")
WRITERS = 50


@pytest.fixture(params=with_marks(STORES))
def app(request, make_app):
    return make_app(request.param)


def identifier(client):
    return client.get_cookie("session").value


def client_with(app, value):
    client = app.test_client()
    client.set_cookie("session", value)
    return client


def at_once(functions):
    threads = [threading.Thread(target=function) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


class TestIdentifier:
    def test_the_store_sees_only_the_hash_of_a_long_random_one(self, app):
        one, other = app.test_client(), app.test_client()
        one.post("/set/a/1")
        other.post("/set/a/2")
        key = sha256(identifier(one).encode()).hexdigest()

        assert 43 == len(identifier(one))
        assert identifier(one) != identifier(other)
        assert '"1"' == app.session_interface.store.load(key).values["a"]
        assert app.session_interface.store.load(identifier(one)) is None

    def test_an_unknown_one_is_not_taken(self, app):
        planted = "A" * 43
        client = client_with(app, planted)
        client.post("/set/a/1")

        assert planted != identifier(client)
        assert {} == client_with(app, planted).get("/all").json

    @pytest.mark.parametrize("value", ["x", "A" * 44, "../" * 15, "é" * 43, "A" * 42 + "."])
    def test_what_is_none_never_reaches_the_store(self, app, value, monkeypatch):
        monkeypatch.delattr(type(app.session_interface.store), "load")

        assert {} == client_with(app, value).get("/all").json

    def test_after_renewal_the_old_one_is_worth_nothing(self, app):
        client = app.test_client()
        client.post("/set/a/1")
        old = identifier(client)
        client.post("/renew")

        assert {"a": "1"} == client.get("/all").json
        assert {} == client_with(app, old).get("/all").json

    def test_after_clearing_too(self, app):
        client = app.test_client()
        client.post("/set/a/1")
        old = identifier(client)
        client.post("/clear")

        assert {} == client_with(app, old).get("/all").json

    def test_renewing_what_is_not_kept_yet_keeps_nothing(self, app):
        client = app.test_client()
        client.post("/renew")

        assert client.get_cookie("session") is None

    def test_flask_sessions_name_for_renewing(self, app):
        app.add_url_rule("/other", "other", lambda: app.session_interface.regenerate(session) or "x")
        client = app.test_client()
        client.post("/set/a/1")
        old = identifier(client)
        client.get("/other")

        assert old != identifier(client)


class TestUser:
    def test_sessions_are_listed_the_last_used_first(self, app, clock):
        phone, laptop, other = (app.test_client() for _ in range(3))
        phone.post("/login/ann")
        clock.ahead = 10
        laptop.post("/login/ann")
        other.post("/login/bob")

        listed = app.session_interface.sessions_of("ann")

        assert [sha256(identifier(client).encode()).hexdigest() for client in (laptop, phone)] == [
            info.key for info in listed
        ]
        assert {"ann"} == {info.user for info in listed}
        assert [] == app.session_interface.sessions_of("nobody")

    def test_one_is_revoked(self, app):
        phone, laptop = app.test_client(), app.test_client()
        for client in (phone, laptop):
            client.post("/login/ann")
        (info,) = (info for info in app.session_interface.sessions_of("ann") if info.key == key_of(phone))

        assert [True, False] == [app.session_interface.revoke(info), app.session_interface.revoke(info)]
        assert ({"user": None}, {"user": "ann"}) == (phone.get("/user").json, laptop.get("/user").json)
        assert [key_of(laptop)] == [info.key for info in app.session_interface.sessions_of("ann")]

    def test_all_but_the_present_one_are_revoked(self, app):
        @app.post("/elsewhere")
        def elsewhere():
            return str(app.session_interface.revoke_all(session.user, but=session))

        clients = [app.test_client() for _ in range(3)]
        for client in clients:
            client.post("/login/ann")

        assert "2" == clients[0].post("/elsewhere").text
        assert ["ann", None, None] == [client.get("/user").json["user"] for client in clients]
        assert 1 == app.session_interface.revoke_all("ann")

    def test_another_user_takes_the_session_off_the_list(self, app):
        client = app.test_client()
        client.post("/login/ann")
        client.post("/login/bob")

        assert [] == app.session_interface.sessions_of("ann")
        assert [key_of(client)] == [info.key for info in app.session_interface.sessions_of("bob")]

    def test_a_session_that_is_over_is_not_listed(self, app, clock):
        app.test_client().post("/login/ann")
        clock.ahead = 32 * 24 * 3600

        assert [] == app.session_interface.sessions_of("ann")


def key_of(client):
    return sha256(identifier(client).encode()).hexdigest()


class TestAtTheSameTime:
    def test_fifty_writers_of_different_keys_lose_nothing(self, app):
        barrier = threading.Barrier(WRITERS)

        @app.post("/slow/<name>")
        def slow(name):
            session[name] = name
            barrier.wait()  # all of them have read the session before one of them saves it
            return "kept"

        client = app.test_client()
        client.post("/set/first/1")
        value = identifier(client)
        answers = []

        def write(number):
            answers.append(client_with(app, value).post(f"/slow/key{number}").status_code)

        at_once([lambda number=number: write(number) for number in range(WRITERS)])

        assert [200] * WRITERS == answers
        assert {"first": "1"} | {f"key{n}": f"key{n}" for n in range(WRITERS)} == client.get("/all").json

    def prepared(self, app):
        """Two clients with one session; the request `/late` of the first one, after reading, waits for the other's."""

        @app.post("/late/<path:way>")
        def late(way):
            session["late"] = 1
            assert 200 == twin.post(f"/{way}").status_code
            return "kept"

        @app.post("/off/<path:way>")
        def off(way):
            del session["a"]
            assert 200 == twin.post(f"/{way}").status_code
            return "off"

        client = app.test_client()
        client.post("/set/a/1")
        twin = client_with(app, identifier(client))
        return client, twin

    def test_a_removed_key_stays_removed(self, app):
        client, twin = self.prepared(app)
        twin.post("/set/b/2")

        client.post("/late/remove/a")

        assert {"b": "2", "late": 1} == client.get("/all").json

    def test_emptying_is_not_ending(self, app):
        client, twin = self.prepared(app)

        assert 200 == client.post("/late/remove/a").status_code
        assert {"late": 1} == twin.get("/all").json

    @pytest.mark.parametrize("way", ["clear", "renew", "login/bob"])
    def test_writing_to_a_session_that_ended_is_a_conflict(self, app, way):
        client, twin = self.prepared(app)

        answer = client.post(f"/late/{way}")

        assert (409, "Cookie") == (answer.status_code, answer.headers["Vary"].split(", ")[-1])
        assert SessionConflict.description in answer.text
        assert "Set-Cookie" not in answer.headers
        assert "late" not in twin.get("/all").json

    def test_removing_from_it_is_none(self, app):
        client, _ = self.prepared(app)

        assert 200 == client.post("/off/clear").status_code

    def test_an_application_may_answer_a_conflict_itself(self, app):
        app.register_error_handler(409, lambda error: ("mine", 409))
        client, _ = self.prepared(app)

        assert "mine" == client.post("/late/clear").text


class TestRenewed:
    """Requests with the former identifier, which the client has sent before it got the new one."""

    def prepared(self, app, permanent=False):
        """A client that is signed in, and one with the identifier from before that."""

        @app.post("/keep")
        def keep():
            session.permanent = permanent
            return "kept"

        @app.post("/during")
        def during():
            client.post("/renew")
            return "renewed meanwhile"

        client = app.test_client()
        client.post("/keep")
        client.post("/set/a/1")
        late = client_with(app, identifier(client))
        return client, late

    @pytest.mark.parametrize("way", ["renew", "login/bob"])
    def test_what_they_write_begins_no_other_session(self, app, way):
        client, late = self.prepared(app)
        client.post(f"/{way}")

        answer = late.post("/set/b/2")

        assert (409, None) == (answer.status_code, answer.headers.get("Set-Cookie"))
        assert {"_permanent": False, "a": "1"} == client.get("/all").json

    @pytest.mark.parametrize("path", ["/all", "/plain", "/user"])
    @pytest.mark.parametrize("permanent", [False, True])
    def test_what_only_reads_sees_nothing_and_sets_no_cookie(self, app, path, permanent):
        client, late = self.prepared(app, permanent)
        client.post("/login/bob")

        answer = late.get(path)

        assert (200, None) == (answer.status_code, answer.headers.get("Set-Cookie"))
        assert "1" not in answer.text
        assert {"user": "bob"} == client.get("/user").json

    def test_a_permanent_session_is_not_refreshed_under_its_former_identifier(self, app):
        _, late = self.prepared(app, permanent=True)

        answer = late.post("/during")

        assert (200, None) == (answer.status_code, answer.headers.get("Set-Cookie"))

    def test_who_has_lost_the_answer_can_sign_in_again(self, app):
        client, late = self.prepared(app)
        client.post("/login/bob")

        assert 200 == late.post("/login/bob").status_code
        assert {"user": "bob"} == late.get("/user").json

    def test_after_a_minute_it_is_an_unknown_identifier(self, app, clock):
        client, late = self.prepared(app)
        client.post("/renew")
        clock.ahead = 61

        assert 200 == late.post("/set/b/2").status_code
        assert {"b": "2"} == late.get("/all").json

    def test_renewing_twice(self, app):
        client, late = self.prepared(app)
        client.post("/renew")
        later = client_with(app, identifier(client))
        client.post("/renew")

        assert [409, 409] == [browser.post("/set/b/2").status_code for browser in (late, later)]
        assert {"_permanent": False, "a": "1"} == client.get("/all").json


class TestMemory:
    def test_sessions_that_are_over_are_swept(self, clock):
        store = MemoryStore()
        store.create(Record("old", {}, 0.0, 0.0, 1.0))
        for number in range(SWEEP_EVERY):
            store.create(Record(f"{number}", {}, 0.0, 0.0, clock() + 60))

        assert store.load("old") is None
        assert store.load("0") is not None
        assert not store.delete("old")


@real_redis
class TestRedis:
    def test_a_session_that_redis_has_forgotten_leaves_the_list(self, make_app):
        app = make_app("redis")
        client = app.test_client()
        client.post("/login/ann")
        store = app.session_interface.store
        store._client.delete(store._prefix + key_of(client))

        assert [] == app.session_interface.sessions_of("ann")
        assert set() == store._client.smembers(f"{store._index}ann")

    def test_redis_forgets_a_session_when_it_is_over(self, make_app):
        app = make_app("redis", PERMANENT_SESSION_LIFETIME=3600)
        client = app.test_client()
        client.post("/login/ann")
        store = app.session_interface.store

        for name in (store._prefix + key_of(client), f"{store._index}ann"):
            assert 3590 < store._client.ttl(name) <= 3600


class TestSqlite:
    def test_its_files_are_its_owners(self, make_app, tmp_path):
        umask = os.umask(0)
        try:
            make_app("sqlite").test_client().post("/set/a/1")
        finally:
            os.umask(umask)
        folder = tmp_path / "instance"

        assert 0o700 == folder.stat().st_mode & 0o777
        modes = {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}
        assert {0o600} == set(modes.values())
        assert "sessions.sqlite" in modes

    def test_a_file_that_others_could_read_is_taken_away_from_them(self, make_app, tmp_path):
        path = tmp_path / "there.sqlite"
        path.touch(mode=0o644)
        make_app("sqlite", SESSION_SQLITE=path).test_client().post("/set/a/1")

        assert 0o600 == path.stat().st_mode & 0o777

    def test_sessions_that_are_over_are_swept(self, make_app, tmp_path, clock):
        app = make_app("sqlite")
        app.test_client().post("/set/a/1")
        clock.ahead = 32 * 24 * 3600 + SQLITE_SWEEP_EVERY
        app.test_client().post("/set/b/2")

        with sqlite3.connect(tmp_path / "instance" / "sessions.sqlite") as connection:
            found = connection.execute("SELECT name FROM sessions JOIN entries USING (key)").fetchall()
            rest = connection.execute("SELECT name FROM entries").fetchall()
        connection.close()
        assert [("b",)] == found == rest

    def test_who_reads_does_not_wait_for_who_writes(self, tmp_path):
        store = SqliteStore(tmp_path / "s.sqlite")
        store.create(Record("k", {"a": "1"}, 1.0, 1.0, 9e9))
        with sqlite3.connect(store.path, isolation_level=None) as other:
            assert ("wal",) == other.execute("PRAGMA journal_mode").fetchone()
            other.execute("BEGIN EXCLUSIVE")
            assert {"a": "1"} == store.load("k").values
            other.execute("ROLLBACK")
        other.close()
        store.close()

    def test_processes_share_it(self, tmp_path):
        program = (
            "import sys; from costrel.sessions.stores import Record\n"
            "from costrel.sessions.stores.sqlite import SqliteStore\n"
            "from costrel.sessions.stores.store import Change\n"
            "store = SqliteStore(sys.argv[1])\n"
            "for n in range(50):\n"
            "    assert store.change('k', Change(1.0, 1.0, 9e9, written={f'{sys.argv[2]}-{n}': '1'}))\n"
            "store.close()\n"
        )
        store = SqliteStore(tmp_path / "s.sqlite")
        store.create(Record("k", {}, 1.0, 1.0, 9e9))
        children = [
            subprocess.Popen([sys.executable, "-c", program, str(store.path), str(number)]) for number in range(4)
        ]

        assert [0] * 4 == [child.wait() for child in children]
        assert {f"{child}-{n}" for child in range(4) for n in range(50)} == store.load("k").values.keys()
        store.close()

    def test_several_processes_make_it_at_once(self, tmp_path):
        program = (
            "import sys; from costrel.sessions.stores.sqlite import SqliteStore\n"
            "store = SqliteStore(sys.argv[1]); store.delete('x'); store.close()\n"
        )
        path = str(tmp_path / "new" / "s.sqlite")
        children = [subprocess.Popen([sys.executable, "-c", program, path]) for _ in range(6)]

        assert [0] * 6 == [child.wait() for child in children]

    def test_what_cannot_be_written_as_text_leaves_it_as_it_was(self, tmp_path):
        store = SqliteStore(tmp_path / "s.sqlite")
        store.create(Record("k", {"a": "1"}, 1.0, 1.0, 9e9))
        with pytest.raises(UnicodeEncodeError):
            store.change("k", Change(1.0, 1.0, 9e9, written={"b": "2", "\ud800": "3"}))

        assert {"a": "1"} == store.load("k").values
        assert store.change("k", Change(1.0, 1.0, 9e9, written={"b": "2"}))
        store.close()

    def test_a_file_that_others_have_locked_is_waited_for(self, tmp_path):
        path = tmp_path / "s.sqlite"
        holder = sqlite3.connect(path, isolation_level=None)
        holder.execute("BEGIN EXCLUSIVE")
        store = SqliteStore(path, timeout=0.0)
        with pytest.raises(StoreError, match="locked"):
            store.load("k")
        holder.execute("ROLLBACK")
        holder.close()

        assert store.load("k") is None
        store.close()

    def test_a_forked_process_opens_it_anew(self, tmp_path):
        store = SqliteStore(tmp_path / "s.sqlite")
        store.create(Record("k", {"a": "1"}, 1.0, 1.0, 9e9))
        child = os.fork()
        if child == 0:
            try:
                os._exit(0 if store.load("k").values == {"a": "1"} and store.delete("k") else 1)
            finally:
                os._exit(2)
        assert 0 == os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert store.load("k") is None
        store.close()


class TestPlanted:
    """What is in a store and was not written by it is refused."""

    PICKLE = pickle.dumps({"a": 1})

    def plant(self, app, key, value):
        store = app.session_interface.store
        if isinstance(store, SqliteStore):
            with sqlite3.connect(store.path) as connection:
                connection.execute("UPDATE entries SET value = ? WHERE key = ?", (value, key))
            connection.close()
        elif isinstance(store, MemoryStore):
            store._records[key] = Record(key, {"a": value}, 1.0, 9e9, 9e9)
        elif hasattr(store, "_cache"):
            store._cache.set(store._prefix + key, value)
        else:
            store._client.set(store._prefix + key, value)

    @pytest.mark.parametrize("value", [PICKLE, b'{"a": ', "[" * 100_000, '{" u": 7}'])
    def test_it_is_refused(self, app, value, caplog):
        client = app.test_client()
        client.post("/set/a/1")
        before = identifier(client)
        self.plant(app, key_of(client), value)

        assert {} == client.get("/all").json
        assert "A session was refused." in caplog.text
        client.post("/set/b/2")
        assert before != identifier(client)

    @real_redis
    def test_so_is_a_field_of_redis(self, make_app):
        app = make_app("redis")
        client = app.test_client()
        client.post("/set/a/1")
        store = app.session_interface.store
        for field, value in (("created", "x"), ("=a", self.PICKLE)):
            store._client.hset(store._prefix + key_of(client), field, value)
            assert {} == client.get("/all").json

    def test_so_is_the_list_of_a_users_sessions(self, make_app):
        app = make_app("cache")
        store = app.session_interface.store
        store._cache.set(store._list_key("ann"), self.PICKLE)

        with pytest.raises(UnreadableRecordError, match="list of sessions in the cache is invalid"):
            app.session_interface.sessions_of("ann")

    def test_so_is_another_text_of_a_cache(self, make_app):
        app = make_app("cache")
        client = app.test_client()
        client.post("/set/a/1")
        for fields in ({}, [], {"key": "x", "values": {}, "created": 1.0, "seen": 1.0, "expires": 9e9}):
            self.plant(app, key_of(client), json.dumps(fields))
            assert {} == client.get("/all").json


def test_a_store_of_ones_own(make_app):
    class Kept(MemoryStore):
        pass

    app = make_app(Kept())
    client = app.test_client()
    client.post("/set/a/1")

    assert {"a": "1"} == client.get("/all").json
