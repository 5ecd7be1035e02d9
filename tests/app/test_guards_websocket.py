"""Guards of WebSockets: allowed origins, rate limits and trusted proxies."""

import pytest

from costrel import CORSPolicy, Costrel, cors, rate_limit, request, websocket
from costrel.testing.websocket import WebSocketRefused

SHOP = "https://shop.example"


def make(decorate=None, **settings):
    app = Costrel("sockets", static_folder=None)
    app.config.from_mapping(SECRET_KEY="k" * 32, **settings)

    async def tell():
        await websocket.accept()
        await websocket.send(f"{request.remote_addr} {request.headers.get('X-Forwarded-For')}")

    app.websocket("/")(decorate(tell) if decorate else tell)
    return app.test_client(use_cookies=False)


def told(client, **headers):
    """What the WebSocket says, or the status of its refusal."""
    options = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        with client.websocket("/", headers=options) as ws:
            return ws.receive()
    except WebSocketRefused as refused:
        return refused.status_code


@pytest.mark.parametrize(
    ("policy", "opens"),
    [
        (CORSPolicy(SHOP, credentials=True), True),
        (CORSPolicy("https://*.shop.example", credentials=True), False),
        (CORSPolicy(SHOP), True),
        (CORSPolicy("https://other.example", credentials=True), False),
        (None, False),
    ],
)
def test_a_page_that_a_policy_names_may_open_it(policy, opens):
    assert opens == (told(make(CORS_POLICY=policy), Origin=SHOP) != 403)
    assert opens == (told(make(cors(policy)), Origin=SHOP) != 403)


def test_without_credentials_no_cookie_may_come_along():
    client = make(CORS_POLICY=SHOP)
    assert 403 == told(client, Origin=SHOP, Cookie="a=b")
    assert 403 != told(make(CORS_POLICY=CORSPolicy(SHOP, credentials=True)), Origin=SHOP, Cookie="a=b")


@pytest.mark.parametrize("key", [None, lambda: "user"])
def test_openings_are_counted(key):
    client = make(rate_limit("2/minute", key=key))
    assert [False, False, True] == [told(client) == 429 for _ in range(3)]


def test_proxies_are_believed_only_where_they_are_trusted():
    assert "127.0.0.1 None" == told(make(), X_Forwarded_For="6.6.6.6")
    assert "6.6.6.6 6.6.6.6" == told(make(TRUSTED_PROXIES=1), X_Forwarded_For="6.6.6.6")
