"""Rate limits: scopes, clients, the response over the limit, and a store that is down."""

import asyncio
import logging
import re
import threading

import limits
import pytest

from costrel import Blueprint, Costrel, RateLimit, g, rate_limit, request, session
from costrel.app.application import Flask
from costrel.guards import rate_counter
from costrel.views import MethodView

from ..edges.asgi_call import call
from ..redis_servers import real_redis, running_redis
from ..server.served import serving


@pytest.fixture(scope="module")
def redis():
    with running_redis() as server:
        yield server


def make(cls=Flask, **settings):
    app = cls("limited", static_folder=None)
    app.config.from_mapping(SECRET_KEY="k" * 32, SESSION_COOKIE_SECURE=False, **settings)
    return app


def statuses(client, path, count, **options):
    return [client.get(path, **options).status_code for _ in range(count)]


def one_view(limit, **settings):
    app = make(**settings)
    app.add_url_rule("/", "index", rate_limit(limit)(lambda: "index"))
    return app.test_client()


class TestText:
    @pytest.mark.parametrize("text", ["", "x", "5", "5/fortnight", "0/minute", "-1/minute", "5/minute; x", None, 5])
    def test_what_is_no_limit_is_an_error(self, text):
        with pytest.raises(ValueError, match="is not a rate limit"):
            RateLimit(text)

    def test_a_wrong_setting_says_which(self):
        with pytest.raises(ValueError, match=r"^RATE_LIMITS: '5/fortnight' is not a rate limit"):
            make(RATE_LIMITS="5/fortnight", TESTING=True).test_client().get("/")

    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ({"RATE_LIMIT_STORAGE": "bogus://"}, "RATE_LIMIT_STORAGE: unknown storage scheme"),
            (
                {"RATE_LIMIT_STRATEGY": "bucket"},
                "RATE_LIMIT_STRATEGY is 'bucket'. It must be one of 'fixed-window', ",
            ),
            (
                {"RATE_LIMIT_STORE_DOWN": "no"},
                "RATE_LIMIT_STORE_DOWN is 'no'. It must be one of 'memory', 'allow', 'refuse'",
            ),
        ],
    )
    def test_so_does_another(self, settings, message):
        with pytest.raises(ValueError, match=re.escape(message)):
            make(RATE_LIMITS="5/minute", TESTING=True, **settings).test_client().get("/")
        with pytest.raises(TypeError, match=r"RATE_LIMIT_STORAGE is 5\. It must be a URL"):
            rate_counter.open_storage(5)

    def test_a_key_is_no_coroutine_function(self):
        async def who(): ...

        with pytest.raises(TypeError, match="The key function 'who' of a rate limit cannot be 'async def'"):
            rate_limit("5/minute", key=who)

    def test_without_the_package_it_says_what_to_install(self, monkeypatch):
        monkeypatch.setitem(__import__("sys").modules, "limits", None)
        with pytest.raises(RuntimeError, match=r"pip install 'costrel\[limits\]'"):
            rate_limit("5/minute")

    def test_it_shows_itself(self):
        assert "RateLimit('5/minute')" == repr(RateLimit("5/minute"))


class TestWhere:
    def test_a_view_counts_alone(self):
        app = make()
        for name in ("one", "two"):
            app.add_url_rule(f"/{name}/<id>", name, rate_limit("2/minute")(lambda id: "view"))
        client = app.test_client()
        assert [200, 200, 429] == statuses(client, "/one/a", 3)
        assert [429, 200] == [client.get("/one/b").status_code, client.get("/two/a").status_code]

    def test_an_application_counts_all_together_but_static_files(self, tmp_path):
        (tmp_path / "app.css").write_text("css")
        app = Flask("limited", static_folder=str(tmp_path), static_url_path="/static")
        app.config["RATE_LIMITS"] = ["3/minute", RateLimit("1000/day")]
        for name in ("one", "two"):
            app.add_url_rule(f"/{name}", name, lambda: "view")
        app.add_url_rule("/health", "health", rate_limit(None)(lambda: "fine"))
        client = app.test_client()
        assert [200, 404, 405, 429] == [
            client.get("/one").status_code,
            client.get("/missing").status_code,
            client.put("/two").status_code,
            client.get("/two").status_code,
        ]
        with client.get("/static/app.css") as styles:
            assert (200, 200) == (styles.status_code, client.get("/health").status_code)

    def test_a_blueprint_counts_its_endpoints_together(self):
        api, inner = Blueprint("api", __name__, url_prefix="/api"), Blueprint("inner", __name__, url_prefix="/inner")
        rate_limit("3/minute")(api)
        for blueprint in (api, inner):
            for name in ("one", "two"):
                blueprint.add_url_rule(f"/{name}", name, lambda: "view")
        inner.add_url_rule("/free", "free", rate_limit(None)(lambda: "free"))
        api.register_blueprint(inner)
        app = make()
        app.register_blueprint(api)
        app.add_url_rule("/", "index", lambda: "index")
        client = app.test_client()
        paths = ("/api/one", "/api/two", "/api/inner/one", "/api/inner/two", "/api/inner/free", "/")
        assert [200, 200, 200, 429, 200, 200] == [client.get(path).status_code for path in paths]

    def test_several_hold_together(self):
        app = make(RATE_LIMITS="3/minute")
        app.add_url_rule("/", "index", rate_limit("2/minute")(rate_limit("100/hour")(lambda: "index")))
        app.add_url_rule("/other", "other", lambda: "other")
        client = app.test_client()
        assert [200, 200, 429, 429] == statuses(client, "/", 4)
        assert [200, 429] == statuses(client, "/other", 2)

    def test_only_the_methods_that_are_named_count(self):
        app = make()
        view = rate_limit("1/minute", methods=["post"])(lambda: "form")
        app.add_url_rule("/login", "login", view, methods=["GET", "POST"])
        client = app.test_client()
        assert [200, 200, 200] == statuses(client, "/login", 3)
        assert [200, 429] == [client.post("/login").status_code for _ in range(2)]

    def test_a_view_class_may_have_one(self):
        @rate_limit("1/minute")
        class Things(MethodView):
            def get(self):
                return "things"

        app = make()
        app.add_url_rule("/", view_func=Things.as_view("things"))
        assert [200, 429] == statuses(app.test_client(), "/", 2)

    def test_preflight_requests_do_not_count(self):
        app = make(RATE_LIMITS="1/minute", CORS_POLICY="*")
        app.add_url_rule("/", "index", lambda: "index")
        client = app.test_client()
        asked = {"Origin": "https://a.example", "Access-Control-Request-Method": "GET"}
        assert [204, 204] == [client.options("/", headers=asked).status_code for _ in range(2)]
        assert [200, 429] == statuses(client, "/", 2)
        assert "*" == client.get("/").access_control_allow_origin


class TestWho:
    @pytest.mark.parametrize(
        ("first", "second", "same"),
        [
            ("192.0.2.1", "192.0.2.1", True),
            ("192.0.2.1", "192.0.2.2", False),
            ("2001:db8::1", "2001:db8::ffff:1", True),
            ("2001:db8::1", "2001:db8:0:1::1", False),
            ("::ffff:192.0.2.1", "192.0.2.1", True),
            ("fe80::1%eth0", "fe80::2%eth0", True),
            ("unix:", "unix:", True),
            ("", "", True),
        ],
    )
    def test_an_address_is_a_client_of_ipv6_a_network(self, first, second, same):
        client = one_view("1/minute")
        codes = [client.get("/", environ_overrides={"REMOTE_ADDR": address}).status_code for address in (first, second)]
        assert [200, 429 if same else 200] == codes

    def test_the_address_is_the_one_that_trusted_proxies_tell(self):
        for proxies, codes in ((1, [200, 200]), ((), [200, 429])):
            client = one_view("1/minute", TRUSTED_PROXIES=proxies)
            assert codes == [client.get("/", headers={"X-Forwarded-For": f"192.0.2.{n}"}).status_code for n in range(2)]

    def test_a_key_may_be_of_who_has_logged_in(self):
        app = make()

        @app.before_request
        def load():
            g.user = request.headers.get("X-User")
            if g.user == "nobody":
                return "who are you?", 401
            return None

        app.add_url_rule("/", "index", rate_limit("1/minute", key=lambda: g.user)(lambda: "index"))
        client = app.test_client()
        for user, codes in (("ann", [200, 429]), ("bob", [200, 429]), ("", [200, 429]), ("nobody", [401, 401])):
            assert codes == statuses(client, "/", 2, headers={"X-User": user}), user

    def test_a_key_cannot_be_made_to_look_like_another_or_take_memory(self):
        app = make()
        view = rate_limit("1/minute", key=lambda: request.args.get("key"))(lambda: "index")
        app.add_url_rule("/", "index", view)
        client = app.test_client()
        keys = ["a", "0", "a/1/1/minute", "a/b", "x" * 100, "x" * 101, "127.0.0.1", "ü"]
        assert [200] * len(keys) == [client.get("/", query_string={"key": key}).status_code for key in keys]
        assert [429] * len(keys) == [client.get("/", query_string={"key": key}).status_code for key in keys]
        assert 200 == client.get("/").status_code


class TestAnswer:
    def test_it_tells_how_much_is_left(self):
        client = one_view("2/minute; 100/hour", RATE_LIMITS="1000/day")
        answer = client.get("/")
        expected = '"view-60s";q=2;w=60, "view-3600s";q=100;w=3600, "application-86400s";q=1000;w=86400'
        assert expected == answer.headers["RateLimit-Policy"]
        left = re.fullmatch(r'"view-60s";r=1;t=(\d+), "view-3600s";r=99;t=\d+, .*', answer.headers["RateLimit"])
        assert 55 <= int(left[1]) <= 60
        assert "Retry-After" not in answer.headers

    def test_a_refusal_says_when_to_come_back(self):
        client = one_view("1/minute")
        client.get("/")
        answer = client.get("/")
        assert 429 == answer.status_code
        assert 55 <= int(answer.headers["Retry-After"]) <= 60
        assert "Not more than 1 requests in 60 seconds: try again in" in answer.text

    def test_so_it_does_where_a_handler_makes_the_answer(self):
        client = one_view("1/minute", RATE_LIMIT_HEADERS=False)
        client.application.register_error_handler(429, lambda error: ({"error": "too many"}, 429))
        assert {"Content-Type", "Content-Length"} == set(dict(client.get("/").headers))
        answer = client.get("/")
        assert ({"error": "too many"}, True) == (answer.json, "Retry-After" in answer.headers)
        assert "RateLimit" not in answer.headers

    def test_what_is_not_limited_says_nothing(self):
        client = one_view("1/minute")
        client.application.add_url_rule("/free", "free", lambda: "free")
        assert "RateLimit" not in client.get("/free").headers

    def test_tests_can_count(self):
        client = one_view("1/minute", TESTING=True)
        assert [200, 429] == statuses(client, "/", 2)

    @pytest.mark.parametrize("strategy", ["fixed-window", "moving-window", "sliding-window-counter"])
    def test_a_window_ends(self, strategy, monkeypatch):
        client = one_view("2/second", RATE_LIMIT_STRATEGY=strategy)
        assert 429 in statuses(client, "/", 3)
        waited = threading.Event()
        for _ in range(100):
            if client.get("/").status_code == 200:
                break
            waited.wait(0.05)
        else:
            pytest.fail("the window did not end")


class TestStores:
    @real_redis
    def test_several_applications_count_in_one_redis(self, redis):
        redis.command(b"FLUSHALL")
        clients = [one_view("3/minute", RATE_LIMIT_STORAGE=redis.url) for _ in range(2)]
        assert [200, 200, 200, 429] == [clients[turn % 2].get("/").status_code for turn in range(4)]

    def test_a_store_may_be_given_itself(self):
        from limits.storage import MemoryStorage

        store = MemoryStorage()
        clients = [one_view("1/minute", RATE_LIMIT_STORAGE=store) for _ in range(2)]
        assert [200, 429] == [client.get("/").status_code for client in clients]

    @real_redis
    @pytest.mark.parametrize(
        ("when_down", "codes", "told"),
        [
            ("memory", [200, 200, 429], "each process counts by itself"),
            ("allow", [200, 200, 200], "nothing is limited"),
            ("refuse", [503, 503, 503], "limited requests are answered with 503"),
        ],
    )
    def test_while_it_is_down(self, when_down, codes, told, caplog, monkeypatch):
        monkeypatch.setattr(rate_counter, "PAUSE", 0.0)
        with running_redis() as server:
            client = one_view("2/minute", RATE_LIMIT_STORAGE=server.url, RATE_LIMIT_STORE_DOWN=when_down)
            assert 200 == client.get("/").status_code
            server.end()
            with caplog.at_level(logging.WARNING):
                assert codes == statuses(client, "/", 3)
                (record,) = caplog.records
                assert (logging.ERROR, True) == (record.levelno, told in record.getMessage())
                server.start()
                assert [200, 200, 429] == statuses(client, "/", 3)
                assert "RATE_LIMIT_STORAGE can be reached again." == caplog.records[1].getMessage()
            assert 2 == len(caplog.records)

    @real_redis
    def test_a_store_that_hangs_is_left_alone_for_a_while(self, caplog):
        with running_redis() as server:
            client = one_view("2/minute", RATE_LIMIT_STORAGE=server.url)
            server.pause()
            asked = []
            store = client.application  # the first request opens it
            assert 200 == client.get("/").status_code
            strategy = store.guards.limits._counter._store
            strategy.hit = lambda *arguments: asked.append(arguments)
            assert [200, 429] == statuses(client, "/", 2)
            assert [] == asked

    @pytest.mark.parametrize(
        ("when_down", "codes"), [("memory", [200, 200, 429]), ("allow", [200, 200, 200]), ("refuse", [503, 503, 503])]
    )
    def test_one_that_cannot_be_reached_is_tried_again_after_a_pause(self, when_down, codes, caplog, monkeypatch):
        class Unreliable(limits.storage.MemoryStorage):
            STORAGE_SCHEME = ["unreliable"]
            is_down = False
            asked = 0

            def incr(self, *arguments, **named):
                type(self).asked += 1
                if self.is_down:
                    raise OSError("cannot be reached")
                return super().incr(*arguments, **named)

        now = [1000.0]
        monkeypatch.setattr(rate_counter.time, "monotonic", lambda: now[0])
        client = one_view("2/minute", RATE_LIMIT_STORAGE="unreliable://", RATE_LIMIT_STORE_DOWN=when_down)
        assert 200 == client.get("/").status_code

        Unreliable.is_down = True
        with caplog.at_level(logging.WARNING):
            assert codes == statuses(client, "/", 3)
            assert 2 == Unreliable.asked  # the first request and the first that failed
            Unreliable.is_down = False
            now[0] += rate_counter.PAUSE
            assert [200, 429] == statuses(client, "/", 2)
        assert [logging.ERROR, logging.WARNING] == [record.levelno for record in caplog.records]

    def test_a_store_that_is_down_at_the_start_is_no_error(self):
        client = one_view("1/minute", RATE_LIMIT_STORAGE="redis://127.0.0.1:1/0")
        assert [200, 429] == statuses(client, "/", 2)


class TestAsync:
    @real_redis
    @pytest.mark.parametrize("key", [None, lambda: session.get("user", "x")], ids=["address", "key"])
    def test_a_store_elsewhere_never_blocks_the_loop(self, redis, key):
        redis.command(b"FLUSHALL")
        app = make(Costrel, RATE_LIMIT_STORAGE=redis.url)
        where = []

        @app.get("/")
        @rate_limit("2/minute", key=key)
        async def index():
            where.append(threading.current_thread())
            return "index"

        async def three():
            await call(app.asgi)  # seals it
            inner = app.guards.limits._counter._store
            hit = inner.hit

            def counted(*arguments):
                where.append(threading.current_thread())
                return hit(*arguments)

            inner.hit = counted
            return [(await call(app.asgi)).status for _ in range(2)]

        assert [200, 429] == asyncio.run(three())
        main = threading.main_thread()
        assert [True, False, True, False] == [thread is main for thread in where]

    def test_memory_is_looked_at_on_the_loop(self):
        app = make(Costrel)

        @app.get("/")
        @rate_limit("2/minute")
        async def index():
            return threading.current_thread().name

        async def three():
            return [await call(app.asgi) for _ in range(3)]

        answers = asyncio.run(three())
        assert [200, 200, 429] == [answer.status for answer in answers]
        assert threading.main_thread().name == answers[0].text

    @real_redis
    def test_many_at_once_are_counted_exactly(self, redis):
        redis.command(b"FLUSHALL")
        for storage in ("memory://", redis.url):
            client = one_view("50/minute", RATE_LIMIT_STORAGE=storage).application
            codes = []

            def ask(app=client, codes=codes):
                codes.extend(statuses(app.test_client(), "/", 20))

            threads = [threading.Thread(target=ask) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(30)
            assert (50, 30) == (codes.count(200), codes.count(429)), storage


WORKERS = """
import os
import costrel

app = costrel.Costrel("shop")
app.config.update(RATE_LIMIT_STORAGE=os.environ["REDIS"])

@app.get("/")
@costrel.rate_limit("10/hour")
async def index():
    return str(os.getpid())
"""


@real_redis
def test_workers_count_together_in_redis(redis, tmp_path):
    redis.command(b"FLUSHALL")
    (tmp_path / "shop.py").write_text(WORKERS)
    with serving(tmp_path, REDIS=redis.url) as served:
        answers = [served.get("/") for _ in range(30)]
        assert 0 == served.end()
    codes = [status for status, _ in answers]
    assert (10, 20) == (codes.count(200), codes.count(429))
    assert [200] * 10 == codes[:10]


class TestNamesOfPolicies:
    def test_are_distinct(self):
        app = make(Costrel)
        view = rate_limit("5/minute")(rate_limit("3/minute")(lambda: "index"))
        app.add_url_rule("/", "index", view)
        answer = app.test_client().get("/")
        assert answer.headers["RateLimit-Policy"] == '"view-60s";q=3;w=60, "view-60s-2";q=5;w=60'
        assert re.fullmatch(r'"view-60s";r=2;t=\d+, "view-60s-2";r=4;t=\d+', answer.headers["RateLimit"])

    def test_a_refusal_in_json_has_them_too(self):
        app = make(Costrel)
        app.add_url_rule("/", "index", rate_limit("1/minute")(lambda: "index"))
        client = app.test_client()
        client.get("/")
        answer = client.get("/", headers={"Accept": "application/json"})
        assert (answer.status_code, answer.content_type) == (429, "application/problem+json")
        assert answer.headers["RateLimit-Policy"] == '"view-60s";q=1;w=60'
        assert re.fullmatch(r'"view-60s";r=0;t=\d+', answer.headers["RateLimit"])
        assert 1 <= int(answer.headers["Retry-After"]) <= 60
