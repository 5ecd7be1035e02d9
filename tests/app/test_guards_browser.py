"""The guards in a real browser: responses that scripts can read, requests that are sent, and blocked content."""

from costrel import (
    CSP,
    CORSPolicy,
    Costrel,
    abort,
    content_security_policy,
    cors,
    rate_limit,
    render_template_string,
    request,
    session,
)

from ..browsers import needs_browser
from ..server.conftest import serving

pytestmark = needs_browser

FETCH = """
const [url, options, done] = arguments;
fetch(url, options).then(
    async (answer) => done([answer.status, await answer.text(), answer.headers.get("RateLimit-Policy")]),
    (error) => done(error.name),
);
"""


written = []
"""What a closed view has done."""


def page():
    app = Costrel("page", static_folder=None)
    app.add_url_rule("/", "index", lambda: "<!doctype html><title>Shop</title>")
    return app


def api(shop):
    """The resources that the page requests: for `shop` with cookies, for all origins, or for none."""
    app = Costrel("api", static_folder=None)
    app.config.update(
        SECRET_KEY="k" * 32,
        SESSION_COOKIE_NAME="api",
        CORS_POLICY=CORSPolicy(shop, credentials=True, expose="RateLimit-Policy"),
    )

    @app.route("/things", methods=["GET", "PUT"])
    @rate_limit("1000/minute")
    def things():
        return f"{request.method} {request.get_json(silent=True)}"

    @app.post("/log-in")
    def log_in():
        session["user"] = "ann"
        return "in"

    app.add_url_rule("/who", "who", lambda: session.get("user", "nobody"))
    app.add_url_rule("/public", "public", cors("*")(lambda: request.method), methods=["GET", "POST"])
    app.add_url_rule("/closed", "closed", cors(None)(lambda: "closed"), methods=["GET", "POST"])
    app.add_url_rule("/mixed", "mixed", cors("*")(lambda: "read"))
    app.add_url_rule("/mixed", "write", lambda: written.append(1) or "written", methods=["POST"])
    app.add_url_rule("/aborts", "aborts", lambda: abort(418))
    return app


def test_scripts_of_another_origin(browser):
    written.clear()

    def ask(path, **options):
        return browser.execute_async_script(FETCH, f"http://127.0.0.1:{port}{path}", options)

    shop = page()
    with serving(shop.asgi) as (_, shop_port), serving(api(f"http://127.0.0.1:{shop_port}").asgi) as (_, port):
        browser.get(f"http://127.0.0.1:{shop_port}/")
        json = {"headers": {"Content-Type": "application/json"}, "body": "[1]"}
        assert [200, "GET None", '"view-60s";q=1000;w=60'] == ask("/things")
        assert [200, "PUT [1]"] == ask("/things", method="PUT", **json)[:2]
        assert "TypeError" == ask("/things", method="PUT", headers={"X-Other": "x"})
        assert "TypeError" == ask("/things", method="DELETE")
        assert [200, "in"] == ask("/log-in", method="POST", credentials="include")[:2]
        assert [200, "ann"] == ask("/who", credentials="include")[:2]
        assert [200, "nobody"] == ask("/who")[:2]
        assert [418, 404] == [ask("/aborts")[0], ask("/missing")[0]]
        assert [200, "POST"] == ask("/public", method="POST", credentials="omit")[:2]
        assert "TypeError" == ask("/public", credentials="include")
        assert "TypeError" == ask("/closed")

        browser.get(f"http://localhost:{shop_port}/")  # another origin
        assert ["TypeError", "TypeError"] == [ask("/things"), ask("/who", credentials="include")]
        assert [200, "read"] == ask("/mixed")[:2]
        assert ("TypeError", []) == (ask("/mixed", method="POST", **json), written)
        assert [200, "GET"] == ask("/public")[:2]
        assert [200, "POST"] == ask("/public", method="POST", credentials="omit")[:2]


SCRIPTS = """<!doctype html><title>none</title>
<script nonce="{{ csp_nonce() }}">document.title = "mine"</script>
<script>document.title = "injected"</script>
<script nonce="guessed">document.title = "guessed"</script>
"""


def test_a_policy_runs_its_own_scripts_alone(browser):
    app = Costrel("policy", static_folder=None)
    app.config["CONTENT_SECURITY_POLICY"] = CSP({"default-src": "'self'", "script-src": "'nonce'"})
    app.add_url_rule("/", "index", lambda: render_template_string(SCRIPTS))
    reported = content_security_policy(None)(
        content_security_policy({"script-src": "'nonce'"}, report_only=True)(lambda: render_template_string(SCRIPTS))
    )
    app.add_url_rule("/reported", "reported", reported)
    with serving(app.asgi) as (_, port):
        browser.get(f"http://127.0.0.1:{port}/")
        assert "mine" == browser.title
        browser.get(f"http://127.0.0.1:{port}/reported")
        assert "guessed" == browser.title
