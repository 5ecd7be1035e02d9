"""The stages of a request: each feature has one, and a request that uses all features runs in their order."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import Struct

from costrel import ApiKey, Costrel, Response, after_response, after_this_request, rate_limit, session
from costrel.app import application
from costrel.app.matching import KnownHosts
from costrel.edges import asgi, wsgi
from costrel.guards import compression, cross_origin, csrf, headers, limits, proxies
from costrel.routing import IntegerConverter
from costrel.sessions.interface import SecureCookieSessionInterface
from costrel.support.signals import appcontext_pushed, request_started
from costrel.typed import results
from costrel.work import held

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text()
ROW = re.compile(r"^\| (\d+) \| (.+?) \| `([\w/]+\.py)` \|$", re.MULTILINE)
STAGE = re.compile(r"^\| (\d+) \| .+ \| .+ \| .+ \|$", re.MULTILINE)

STAGES = [int(number) for number in STAGE.findall(PAGE)]
FEATURES = [(int(number), name.replace("`", ""), module) for number, name, module in ROW.findall(PAGE)]
STAGE_OF = {name: number for number, name, _ in FEATURES}


def test_the_stages_are_numbered() -> None:
    assert list(range(1, 14)) == STAGES


def test_each_feature_has_one_stage() -> None:
    names = [name for _, name, _ in FEATURES]
    stages = [number for number, _, _ in FEATURES]

    assert sorted(set(names)) == sorted(names)
    assert sorted(stages) == stages
    assert {*stages} <= {*STAGES}


@pytest.mark.parametrize("module", sorted({module for _, _, module in FEATURES}))
def test_the_module_of_a_feature_exists(module: str) -> None:
    assert (ROOT / "src" / "costrel" / module).is_file()


class Item(Struct):
    name: str

    def __post_init__(self) -> None:
        SEEN.append("validation")


class Made(Struct):
    id: int
    text: str = "long enough to be compressed, " * 100


class User: ...


class Caller: ...


class Session: ...


class Number(IntegerConverter):
    def to_python(self, value: str) -> int:
        SEEN.append("routes")
        return super().to_python(value)


class Sessions(SecureCookieSessionInterface):
    def save_session(self, *args):
        SEEN.append("sessions")
        super().save_session(*args)


SEEN: list[str] = []
"""The features that have run, in order."""


@pytest.fixture(autouse=True)
def probes(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Functions of features that note their calls."""

    def probe(owner: object, name: str, feature: str) -> None:
        original = getattr(owner, name)

        def noting(*args, **kwargs):
            if not isinstance(args[-1], Response) or feature != "values of views":  # it is made already
                known = feature == "rate limits" and args[-1]
                SEEN.append("rate limits with a key" if known else feature)
            return original(*args, **kwargs)

        monkeypatch.setattr(owner, name, noting)

    probe(proxies.Proxies, "apply", "forwarded headers")
    probe(KnownHosts, "check", "trusted hosts")
    probe(cross_origin.CrossOrigin, "preflight", "CORS")
    probe(limits.Limits, "due", "rate limits")
    probe(limits.Limits, "count_principal", "rate limits per principal")
    probe(csrf.PartialCheck, "check", "CSRF")
    probe(results.JSONWriter, "json", "results of typed views")
    probe(application.Costrel, "make_response", "values of views")
    probe(headers.HeaderDefaults, "add", "security headers")
    probe(compression.Compression, "apply", "compression")
    probe(held.Held, "release", "functions after the response")
    probe(wsgi, "_write", "the gate")
    probe(asgi, "answer_of", "the gate")
    SEEN.clear()
    with (
        appcontext_pushed.connected_to(lambda *_, **__: SEEN.append("contexts")),
        request_started.connected_to(lambda *_, **__: SEEN.append("request_started")),
    ):
        yield


@pytest.fixture
def app() -> Costrel:
    """An application in which everything is switched on."""
    app = Costrel("everything", typed=True)
    app.secret_key = "k" * 32
    app.testing = True  # functions after the response end with the request
    app.url_map.converters["number"] = Number
    app.session_interface = Sessions()
    app.config.update(
        TRUSTED_PROXIES=1,
        TRUSTED_HOSTS=["localhost"],
        CORS_POLICY="https://other.example.org",
        RATE_LIMITS="1000/minute",
        OPENTELEMETRY=tracer_provider(),
    )

    @app.url_value_preprocessor
    def preprocess(endpoint, values):
        SEEN.append("url_value_preprocessor")

    @app.before_request
    def before():
        SEEN.append("before_request")

    @app.after_request
    def after(response):
        SEEN.append("after_request")
        return response

    @app.teardown_request
    def tear_down(error):
        SEEN.append("teardown functions")

    def verify(key: str) -> Caller:
        SEEN.append("authentication schemes")
        return Caller()

    app.auth_schemes["key"] = ApiKey(cookie="key", verify=verify)

    @app.provide(first=True)
    def user() -> User:
        SEEN.append("providers with first=True")
        return User()

    @app.provide
    def database() -> Iterator[Session]:
        SEEN.append("providers")
        yield Session()
        SEEN.append("the end of providers")

    return app


def tracer_provider() -> object:
    trace = pytest.importorskip("opentelemetry.sdk.trace")

    class Noting(trace.SpanProcessor):
        def on_start(self, span, parent_context=None):
            SEEN.append("traces")

        def on_end(self, span):
            SEEN.append("span ended")

    provider = trace.TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(Noting())
    return provider


@pytest.mark.parametrize("edge", ["wsgi", "asgi"])
@pytest.mark.parametrize("kind", ["def", "async def"])
def test_a_request_that_uses_all_features_runs_in_the_order_of_the_stages(app: Costrel, edge: str, kind: str) -> None:
    def view(number: int, item: Item, user: User, database: Session) -> Made:
        SEEN.append("views")

        @after_this_request
        def after(response):
            SEEN.append("after_this_request")
            return response

        after_response(int)
        session["seen"] = True
        return Made(number)

    async def async_view(number: int, item: Item, user: User, database: Session) -> Made:
        return view(number, item, user, database)

    limited = rate_limit("1000/minute", key=lambda: "user")(view if kind == "def" else async_view)
    limited = rate_limit("1000/minute", principal=lambda caller: "caller")(limited)
    app.post("/items/<number:number>", endpoint="items", security=["key"])(limited)
    fields = {"X-Forwarded-For": "192.0.2.7", "Sec-Fetch-Site": "same-origin"}

    client = app.test_client(edge=edge)
    client.set_cookie("key", "secret")
    response = client.post("/items/7", json={"name": "a"}, headers=fields)

    assert (200, 7) == (response.status_code, response.json["id"])
    # The bytes of a response that is no stream leave after the teardown, and its functions run after them.
    released = SEEN.index("functions after the response")
    assert ["teardown functions", "span ended"] == SEEN[released - 2 : released]
    SEEN[released - 2 :] = ["functions after the response", "teardown functions"]
    stages = [STAGE_OF[feature] for feature in SEEN]
    assert sorted(stages) == stages, SEEN
    assert {*STAGES} == {*stages}
    assert {name for name in STAGE_OF if name not in WITHOUT_A_PROBE} == {*SEEN}


WITHOUT_A_PROBE = {
    "request id",
    "limits of the body",
    "mounts",
    "log fields",
    "error handlers",
    "conditional requests, ranges, HEAD",
    "values of views",
    "warnings of late changes",
}
"""Features that are data or belong to other requests."""


@pytest.mark.parametrize("edge", ["wsgi", "asgi"])
def test_what_a_stream_postpones_runs_after_its_last_byte(app: Costrel, edge: str) -> None:
    @app.get("/stream")
    def stream(database: Session) -> Response:
        def items():
            yield "first byte"
            SEEN.append("last byte")
            yield "last byte"

        SEEN.append("views")
        return Response(items())

    with app.test_client(edge=edge).get("/stream") as response:
        assert "first bytelast byte" == response.text

    expected = ["views", "after_request", "security headers", "the gate", "last byte", "the end of providers"]
    assert [*expected, "teardown functions", "span ended"] == [
        name for name in SEEN if name in (*expected, "teardown functions", "span ended")
    ]


@pytest.mark.parametrize("edge", ["wsgi", "asgi"])
def test_after_an_error_the_later_stages_run(app: Costrel, edge: str) -> None:
    @app.errorhandler(LookupError)
    def handle(error):
        SEEN.append("error handlers")
        return "handled", 409

    @app.get("/broken")
    def broken(user: User) -> str:
        raise LookupError

    assert 409 == app.test_client(edge=edge).get("/broken").status_code

    expected = ["error handlers", "values of views", "after_request", "security headers", "the gate"]
    assert [*expected, "teardown functions"] == [name for name in SEEN if name in (*expected, "teardown functions")]
    stages = [STAGE_OF[feature] for feature in SEEN if feature != "span ended"]
    assert sorted(stages) == stages, SEEN
