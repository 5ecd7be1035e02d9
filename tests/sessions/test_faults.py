"""What happens when a store is down, slow or full, or the clock jumps: an error, and nothing is lost."""

import json
import shutil
import signal
import subprocess
import sys
import threading
import time

import pytest
from cachelib import SimpleCache

from costrel import session
from costrel.app.application import Costrel, Flask
from costrel.sessions.stores import Record, SessionUnavailable, StoreError
from costrel.sessions.stores.cache import CacheStore
from costrel.sessions.stores.memory import MemoryStore
from costrel.sessions.stores.sqlite import SqliteStore

from ..redis_servers import real_redis

GENEROUS = 2.0
"""Seconds. A paused Redis is given 0.25; more would mean that it was waited for several times, or for good."""


@pytest.fixture
def app(make_app, redis_server):
    return make_app(redis_server.url)


@pytest.fixture
def client(app):
    client = app.test_client()
    client.post("/set/a/1")
    return client


@real_redis
class TestRedis:
    @pytest.mark.parametrize("fault", ["pause", "end"])
    def test_what_uses_a_session_is_a_503_soon(self, client, redis_server, fault, caplog):
        getattr(redis_server, fault)()
        begun = time.monotonic()
        answers = [client.get("/all"), client.post("/set/b/2"), client.post("/clear"), client.post("/login/ann")]

        assert [503] * 4 == [answer.status_code for answer in answers]
        assert time.monotonic() - begun < 4 * GENEROUS
        assert {"1"} == {answer.headers["Retry-After"] for answer in answers}
        assert {None} == {answer.headers.get("Set-Cookie") for answer in answers}
        assert SessionUnavailable.description in answers[0].text
        assert "The sessions in Redis cannot be reached" in caplog.text

    def test_what_uses_none_is_answered(self, client, redis_server):
        redis_server.end()

        assert "plain" == client.get("/plain").text

    def test_a_new_session_is_not_promised(self, app, redis_server):
        redis_server.pause()
        answer = app.test_client().post("/set/b/2")

        assert (503, None) == (answer.status_code, answer.headers.get("Set-Cookie"))

    def test_after_a_pause_the_session_is_as_it_was(self, client, redis_server):
        redis_server.pause()
        client.post("/set/a/2")
        redis_server.go_on()

        assert {"a": "1"} == client.get("/all").json

    def test_after_a_restart_too_at_the_first_request(self, client, redis_server):
        redis_server.end(save=True)
        client.post("/set/a/2")
        redis_server.start()

        assert {"a": "1"} == client.get("/all").json

    def test_a_connection_that_ended_meanwhile_is_no_fault(self, client, redis_server):
        redis_server.end(save=True)
        redis_server.start()

        assert {"a": "1"} == client.get("/all").json

    def test_a_list_of_sessions_is_not_taken_for_empty(self, app, client, redis_server):
        redis_server.end()

        with pytest.raises(SessionUnavailable):
            app.session_interface.sessions_of("ann")
        with pytest.raises(SessionUnavailable):
            app.session_interface.revoke("0" * 64)


class Failing(MemoryStore):
    """A store that can be switched off."""

    reads = writes = True

    def load(self, key):
        if not self.reads:
            raise StoreError("down")
        return super().load(key)

    def create(self, record):
        self.fail_if_it_does_not_write()
        super().create(record)

    def change(self, key, change):
        self.fail_if_it_does_not_write()
        return super().change(key, change)

    def delete(self, key):
        self.fail_if_it_does_not_write()
        return super().delete(key)

    def fail_if_it_does_not_write(self):
        if not self.writes:
            raise StoreError("full")


@pytest.mark.parametrize("profile", [Costrel, Flask])
class TestAnyStore:
    def test_every_use_of_a_session_that_cannot_be_read_is_a_503(self, make_app, profile):
        uses = {
            "in": lambda: "a" in session,
            "len": lambda: len(session),
            "iter": lambda: list(session),
            "bool": lambda: bool(session),
            "get": lambda: session.get("a"),
            "item": lambda: session["a"],
            "copy": lambda: session.copy(),
            "equal": lambda: session == {},
            "union": lambda: session | {},
            "dict": lambda: dict(session),
            "pop": lambda: session.pop("a", None),
            "set": lambda: session.update(a=1),
            "permanent": lambda: session.permanent,
            "user": lambda: session.user,
            "clear": lambda: session.clear(),
            "renew": lambda: session.renew(),
        }
        store = Failing()
        app = make_app(store, profile)
        app.add_url_rule("/use/<name>", "use", lambda name: str(uses[name]()))
        client = app.test_client()
        client.post("/set/a/1")
        store.reads = False

        assert dict.fromkeys(uses, 503) == {name: client.get(f"/use/{name}").status_code for name in uses}
        store.reads = True
        assert {"a": "1"} == client.get("/all").json

    def test_read_only_it_is_empty_and_writing_to_it_is_a_503(self, make_app, profile):
        store = Failing()
        client = make_app(store, profile, SESSION_STORE_DOWN="read-only").test_client()
        client.post("/set/a/1")
        store.reads = False

        assert {} == client.get("/all").json
        assert [503] * 4 == [client.post(path).status_code for path in ("/set/a/2", "/clear", "/login/x", "/renew")]
        store.reads = True
        assert {"a": "1"} == client.get("/all").json

    def test_another_value_of_the_setting_is_an_error(self, make_app, profile):
        store = Failing()
        client = make_app(store, profile, SESSION_STORE_DOWN="maybe", TESTING=True).test_client()
        client.post("/set/a/1")
        store.reads = False

        with pytest.raises(ValueError, match=r"SESSION_STORE_DOWN is 'maybe'\. It must be 'refuse' or 'read-only'"):
            client.get("/all")

    def test_what_cannot_be_saved_is_a_503_instead_of_the_answer(self, make_app, profile):
        store = Failing()
        client = make_app(store, profile).test_client()
        client.post("/set/a/1")
        store.writes = False

        assert [503, 503] == [client.post("/set/a/2").status_code, client.post("/clear").status_code]
        store.writes = True
        assert {"a": "1"} == client.get("/all").json

    def test_a_use_that_cannot_be_noted_is_none(self, make_app, profile, clock):
        store = Failing()
        client = make_app(store, profile).test_client()
        client.post("/set/a/1")
        store.writes = False
        clock.ahead = 3600

        assert {"a": "1"} == client.get("/all").json

    def test_an_application_may_answer_itself(self, make_app, profile):
        store = Failing()
        app = make_app(store, profile)
        app.register_error_handler(503, lambda error: ("come back later", 503))
        client = app.test_client()
        client.post("/set/a/1")
        store.reads = False
        assert "come back later" == client.get("/all").text
        store.reads, store.writes = True, False
        assert "come back later" == client.post("/set/a/2").text

    def test_it_may_make_its_responses_itself(self, make_app, profile):
        class Own(profile):
            def make_response(self, rv):
                response = super().make_response(rv)
                response.headers["X-Own"] = "yes"
                return response

        store = Failing()
        client = make_app(store, Own).test_client()
        store.writes = False
        answer = client.post("/set/a/2")

        assert (503, "yes") == (answer.status_code, answer.headers["X-Own"])

    def test_it_can_still_be_shown(self, make_app, profile):
        store = Failing()
        app = make_app(store, profile)
        app.add_url_rule("/show", "show", lambda: repr(session._get_current_object()))
        client = app.test_client()
        client.post("/set/a/1")
        store.reads = False

        assert "<UnavailableSession>" == client.get("/show").text


class TestCache:
    class Broken:
        def get(self, name):
            raise ConnectionError("no cache")

        set = delete = get

    class Full:
        def get(self, name):
            return None

        def set(self, name, value, timeout):
            return False

        def delete(self, name):
            return False

    @pytest.mark.parametrize("cache", [Broken(), Full()])
    def test_it_may_fail_in_its_own_way(self, make_app, cache):
        assert 503 == make_app(cache).test_client().post("/set/a/1").status_code


@pytest.fixture
def small_disk(tmp_path):
    """A folder on a file system of 512 KB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=512k", "none", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("no file system may be mounted here")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(path):
    with path.open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 4096)


class TestSilentCache:
    def test_a_cache_that_does_not_answer_holds_up_one_thread(self):
        """Others that write are refused within the deadline, and at once after that."""
        answers = threading.Event()

        class Silent(SimpleCache):
            def set(self, *args, **kwargs):
                answers.wait(30)
                return super().set(*args, **kwargs)

        store = CacheStore(Silent(), timeout=0.3)
        record = Record("k", {}, 1.0, 1.0, 9e9)
        stuck = threading.Thread(target=store.create, args=(record,))
        stuck.start()
        for limit in (0.6, 0.2):
            began = time.monotonic()
            with pytest.raises(StoreError, match="cache does not respond"):
                store.create(record)
            assert time.monotonic() - began < limit
        answers.set()
        stuck.join()
        store.create(record)


class TestSqlite:
    def test_a_file_that_is_none_of_its_own_is_a_503(self, make_app, tmp_path):
        path = tmp_path / "other"
        path.write_bytes(b"no database at all" * 100)
        answer = make_app("sqlite", SESSION_SQLITE=path).test_client().post("/set/a/1")

        assert 503 == answer.status_code
        assert b"no database at all" * 100 == path.read_bytes()

    def test_a_folder_that_cannot_be_made_is_a_503(self, make_app, tmp_path, caplog):
        (tmp_path / "file").touch()
        client = make_app("sqlite", SESSION_SQLITE=tmp_path / "file" / "sessions").test_client()

        assert 503 == client.post("/set/a/1").status_code
        assert "file/sessions' cannot be reached" in caplog.text

    def test_a_full_disk_loses_nothing(self, tmp_path):
        """In a process that may write files of 400 KB only, which for SQLite is a full disk."""
        program = f"""
import resource, signal
from costrel import Costrel, session

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
app = Costrel("shop", instance_path={str(tmp_path)!r})
app.config["SESSION_STORE"] = "sqlite"

@app.post("/set/<name>/<int:size>")
def put(name, size):
    session[name] = "x" * size
    return "kept"

@app.get("/sizes")
def sizes():
    return {{name: len(value) for name, value in session.items()}}

client = app.test_client()
assert client.post("/set/first/10").status_code == 200
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
answers = [client.post(f"/set/key{{number}}/100000").status_code for number in range(8)]
assert set(answers) == {{200, 503}}, answers
expected = {{"first": 10}} | {{f"key{{n}}": 100000 for n, status in enumerate(answers) if status == 200}}
assert client.get("/sizes").json == expected
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
assert client.post("/set/last/100000").status_code == 200
assert client.get("/sizes").json == expected | {{"last": 100000}}
app.session_interface.store.close()
"""
        result = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True)

        assert 0 == result.returncode, result.stderr

    def test_a_full_file_system_loses_nothing(self, make_app, small_disk):
        filler = small_disk / "filler"
        client = make_app("sqlite", SESSION_SQLITE=small_disk / "s.sqlite").test_client()
        client.post("/set/first/1")
        with pytest.raises(OSError, match="No space left"):
            fill(filler)
        answers = {name: client.post(f"/set/{name}/{'x' * 3000}").status_code for name in "abcdefgh"}

        assert 503 in answers.values()
        expected = {"first": "1"} | {name: "x" * 3000 for name, status in answers.items() if status == 200}
        assert expected == client.get("/all").json
        filler.unlink()
        assert 200 == client.post("/set/last/1").status_code
        assert expected | {"last": "1"} == client.get("/all").json

    def test_a_killed_process_loses_nothing_that_it_had_answered(self, tmp_path):
        program = (
            "import sys; from costrel.sessions.stores.sqlite import SqliteStore\n"
            "from costrel.sessions.stores.store import Change, Record\n"
            "store = SqliteStore(sys.argv[1]); store.create(Record('k', {}, 1.0, 1.0, 9e9))\n"
            "n = 0\n"
            "while True:\n"
            "    store.change('k', Change(1.0, 1.0, 9e9, written={str(n): '1'})); print(n, flush=True); n += 1\n"
        )
        path = tmp_path / "s.sqlite"
        child = subprocess.Popen([sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE, text=True)
        answered = [child.stdout.readline().strip() for _ in range(200)]
        child.send_signal(signal.SIGKILL)
        answered += child.stdout.read().split("\n")[:-1]
        child.stdout.close()
        child.wait()
        store = SqliteStore(path)

        assert set(answered) <= store.load("k").values.keys()
        store.close()


ONE_REQUEST = """
import json, sys
from costrel import Costrel, session

store, folder, cookie, name = sys.argv[1:]
app = Costrel("shop", instance_path=folder)
app.config.update(SECRET_KEY="k" * 32, SESSION_STORE=store, SESSION_COOKIE_NAME="session")


@app.get("/")
def put():
    session[name] = name
    return sorted(session)


client = app.test_client()
if cookie:
    client.set_cookie("session", cookie)
answer = client.get("/").json
print(json.dumps([answer, client.get_cookie("session").value]))
"""


@pytest.mark.skipif(shutil.which("faketime") is None, reason="faketime is not installed")
class TestClock:
    """Each request in a process of its own, for which the time of the whole system is another."""

    def ask(self, store, folder, cookie, name, clock):
        command = ["faketime", "-f", clock, sys.executable, "-W", "error", "-c", ONE_REQUEST]
        result = subprocess.run([*command, store, str(folder), cookie, name], capture_output=True, text=True)
        assert 0 == result.returncode, result.stderr
        return json.loads(result.stdout)

    @pytest.mark.parametrize("store", ["sqlite", "encrypted"])
    def test_a_day_ahead_and_back_again_ends_no_session(self, tmp_path, store):
        seen, cookie = self.ask(store, tmp_path, "", "now", "+0d")
        for name, clock in (("ahead", "+1d"), ("again", "+0d"), ("behind", "-1d")):
            seen, cookie = self.ask(store, tmp_path, cookie, name, clock)

        assert ["again", "ahead", "behind", "now"] == seen

    def test_a_signed_cookie_goes_on_a_day_ahead_and_begins_anew_a_day_behind(self, tmp_path):
        _, cookie = self.ask("cookie", tmp_path, "", "now", "+0d")

        assert ["ahead", "now"] == self.ask("cookie", tmp_path, cookie, "ahead", "+1d")[0]
        assert ["behind"] == self.ask("cookie", tmp_path, cookie, "behind", "-1d")[0]

    @pytest.mark.parametrize("store", ["sqlite", "encrypted", "cookie"])
    def test_after_its_lifetime_it_is_over(self, tmp_path, store):
        _, cookie = self.ask(store, tmp_path, "", "now", "+0d")

        assert ["late"] == self.ask(store, tmp_path, cookie, "late", "+32d")[0]
