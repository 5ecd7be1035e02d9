"""Content security policies: allowed directives, the policy that applies, and report-only policies."""

import pytest

from costrel import CSP, Blueprint, Costrel, content_security_policy, csp_nonce, make_response, render_template_string
from costrel.app.application import Flask
from costrel.guards.csp import NONCE, policy_text, unknown_directives
from costrel.views import MethodView

POLICY, REPORTED = "Content-Security-Policy", "Content-Security-Policy-Report-Only"


def make(cls=Flask, **settings):
    app = cls("guarded", static_folder=None)
    app.config.from_mapping(SECRET_KEY="k" * 32, **settings)
    app.add_url_rule("/", "index", lambda: "index")
    return app


def policies(app, path="/"):
    headers = app.test_client().get(path).headers
    return headers.get(POLICY), headers.get(REPORTED)


class TestPolicy:
    def test_it_says_its_directives(self):
        policy = CSP({"default-src": "'self'", "img-src": ["'self'", "data:"], "upgrade-insecure-requests": True})
        assert "default-src 'self'; img-src 'self' data:; upgrade-insecure-requests" == str(policy)
        assert ("'self'", "data:") == policy["img-src"]
        assert (3, ["default-src", "img-src", "upgrade-insecure-requests"]) == (len(policy), list(policy))
        assert "CSP(\"default-src 'self'\")" == repr(CSP({"default-src": "'self'", "img-src": None, "sandbox": False}))

    def test_it_is_built_upon_without_being_changed(self):
        policy = CSP({"default-src": ["'self'"], "object-src": "'none'"})
        wider = policy.with_sources("script-src", NONCE).with_sources("object-src", "https://a.example")
        assert "default-src 'self'; object-src https://a.example; script-src 'self' 'nonce'" == str(wider)
        assert wider["script-src"] == wider.with_sources("script-src", NONCE)["script-src"]
        assert "default-src 'self'; base-uri 'none'" == str(policy.replace({"object-src": None, "base-uri": "'none'"}))
        assert "default-src 'self'; object-src 'none'; base-uri 'self'" == str(
            policy.with_sources("base-uri", "'self'")
        )
        assert "default-src 'self'; object-src 'none'" == str(policy)

    @pytest.mark.parametrize(
        ("name", "meant"),
        [
            ("script_src", "script-src"),
            ("sript-src", "script-src"),
            ("frame-ancestor", "frame-ancestors"),
            ("IMG-SRC", "img-src"),
        ],
    )
    def test_a_directive_that_there_is_not(self, name, meant):
        with pytest.raises(ValueError, match=f"has no directive {name!r}. Did you mean {meant!r}"):
            CSP({name: "'self'"})

    def test_nothing_like_one_lists_them_all(self):
        with pytest.raises(
            ValueError, match=r"has no directive 'x'\. The directives are base-uri, block-all-mixed-content"
        ):
            CSP({"x": "'self'"})

    @pytest.mark.parametrize(
        "source", ["'self'; object-src *", "a,b", "a\nb", "a\r\nX: y", "ü", "a b", "", "\x00", 5, None]
    )
    def test_a_source_is_one_word(self, source):
        with pytest.raises(ValueError, match="is not a single source"):
            CSP({"script-src": [source]})
        with pytest.raises(ValueError, match="is not a single source"):
            CSP({"script-src": "'self'"}).with_sources("script-src", source)

    @pytest.mark.parametrize("text", ["'self'; object-src *", "a, b", "ü"])
    def test_nor_does_a_text_of_several_hold_another_directive(self, text):
        with pytest.raises(ValueError, match="is not a single source"):
            CSP({"script-src": text})

    @pytest.mark.parametrize("word", ["self", "none", "unsafe-inline", "strict-dynamic", "nonce-abc", "sha256-abc="])
    def test_a_keyword_has_quotes(self, word):
        with pytest.raises(ValueError, match=f"{word!r} in the directive 'script-src' would be a host. Did you mean"):
            CSP({"script-src": word})

    def test_none_stands_alone(self):
        with pytest.raises(ValueError, match="has 'none' and other sources"):
            CSP({"script-src": ["'none'", "'self'"]})

    def test_words_of_other_directives_are_no_sources(self):
        assert "sandbox allow-forms; report-to none" == str(CSP({"sandbox": "allow-forms", "report-to": "none"}))

    def test_as_text(self):
        assert ["", "a b", "img-src *"] == [policy_text(policy) for policy in (None, "a b", {"img-src": "*"})]
        with pytest.raises(TypeError, match="must be a string or a dict of directives"):
            policy_text(5)
        assert [("sript-src", "script-src"), ("zzz", None)] == unknown_directives("sript-src 'self'; ; img-src *;zzz")


class TestWhere:
    def test_a_setting_may_be_built(self):
        app = make(CONTENT_SECURITY_POLICY=CSP({"default-src": "'self'"}))
        assert ("default-src 'self'", None) == policies(app)

    @pytest.mark.parametrize("name", ["CONTENT_SECURITY_POLICY", "CONTENT_SECURITY_POLICY_REPORT_ONLY"])
    def test_a_wrong_one_says_which(self, name):
        app = make(**{name: {"sript-src": "'self'"}})
        with pytest.raises(ValueError, match=f"^{name}: A content security policy has no directive 'sript-src'"):
            policies(app)

    def test_views_and_blueprints_have_their_own(self):
        app = make(Costrel, CONTENT_SECURITY_POLICY="default-src 'self'")
        shop, inner = Blueprint("shop", __name__, url_prefix="/shop"), Blueprint("inner", __name__, url_prefix="/inner")
        content_security_policy({"img-src": "https://cdn.example"})(shop)

        @content_security_policy("default-src 'none'")
        class Things(MethodView):
            def get(self):
                return "things"

        app.add_url_rule("/things", view_func=Things.as_view("things"))
        app.add_url_rule("/free", "free", content_security_policy(None)(lambda: "free"))
        app.add_url_rule("/said", "said", lambda: make_response("said", {POLICY: "default-src *"}))
        for blueprint in (shop, inner):
            blueprint.add_url_rule("/", "index", lambda: "index")
        shop.register_blueprint(inner)
        app.register_blueprint(shop)
        expected = {
            "/": "default-src 'self'",
            "/missing": "default-src 'self'",
            "/things": "default-src 'none'",
            "/free": None,
            "/said": "default-src *",
            "/shop/": "img-src https://cdn.example",
            "/shop/inner/": "img-src https://cdn.example",
        }
        assert expected == {path: policies(app, path)[0] for path in expected}
        assert "nosniff" == app.test_client().get("/things").headers["X-Content-Type-Options"]

    def test_flask_may_have_one_on_a_view_alone(self):
        app = make()
        view = content_security_policy({"script-src": NONCE})(lambda: render_template_string("{{ csp_nonce() }}"))
        app.add_url_rule("/page", "page", view)
        answer = app.test_client().get("/page")
        assert f"script-src 'nonce-{answer.text}'" == answer.headers[POLICY]
        assert (None, None) == policies(app)

    def test_a_view_may_write_the_header_itself(self):
        app = make(CONTENT_SECURITY_POLICY="default-src 'none'")

        def page():
            response = make_response("page")
            response.content_security_policy.script_src = f"'nonce-{csp_nonce()}'"
            return response

        app.add_url_rule("/page", "page", page)
        assert policies(app, "/page")[0].startswith("script-src 'nonce-")


class TestReports:
    def test_a_policy_may_only_be_reported_about(self):
        app = make(
            CONTENT_SECURITY_POLICY="default-src 'self'", CONTENT_SECURITY_POLICY_REPORT_ONLY={"img-src": "'self'"}
        )
        assert ("default-src 'self'", "img-src 'self'") == policies(app)
        app = make(CONTENT_SECURITY_POLICY="default-src 'self'", CONTENT_SECURITY_POLICY_REPORT_ONLY=True)
        assert (None, "default-src 'self'") == policies(app)

    def test_both_have_the_same_nonce(self):
        app = make(
            CONTENT_SECURITY_POLICY="script-src 'nonce'", CONTENT_SECURITY_POLICY_REPORT_ONLY="style-src 'nonce'"
        )
        held, reported = policies(app)
        assert held.removeprefix("script-src ") == reported.removeprefix("style-src ")

    def test_a_view_may_try_one(self):
        app = make(CONTENT_SECURITY_POLICY="default-src 'self'")
        trial = content_security_policy({"default-src": "'none'"}, report_only=True)
        app.add_url_rule("/trial", "trial", trial(lambda: "trial"))
        assert ("default-src 'self'", "default-src 'none'") == policies(app, "/trial")
        assert ("default-src 'self'", None) == policies(app)

    def test_reports_go_to_endpoints_that_have_a_name(self):
        policy = {"default-src": "'self'", "report-to": "csp"}
        app = make(
            CONTENT_SECURITY_POLICY=policy, REPORTING_ENDPOINTS={"csp": "https://r.example/csp", "own": "/reports"}
        )
        answer = app.test_client().get("/")
        assert 'csp="https://r.example/csp", own="/reports"' == answer.headers["Reporting-Endpoints"]
        assert "default-src 'self'; report-to csp" == answer.headers[POLICY]

    @pytest.mark.parametrize(
        ("name", "url"),
        [("CSP", "/x"), ("", "/x"), ("a b", "/x"), ("csp", "http://x"), ("csp", '/"'), ("csp", "/a b"), ("csp", "/\n")],
    )
    def test_what_is_no_endpoint(self, name, url):
        with pytest.raises(ValueError, match="REPORTING_ENDPOINTS has"):
            policies(make(REPORTING_ENDPOINTS={name: url}))

    def test_a_name_that_is_none_of_them(self):
        app = make(CONTENT_SECURITY_POLICY="img-src *; report-to cps", REPORTING_ENDPOINTS={"csp": "/reports"})
        with pytest.raises(ValueError, match=r"not in REPORTING_ENDPOINTS\. Did you mean 'csp'"):
            policies(app)


def test_over_https_all_come_together():
    app = make(Costrel, CONTENT_SECURITY_POLICY="script-src 'nonce'", HSTS_SECONDS=60)
    headers = app.test_client().get("/", base_url="https://example.org").headers
    assert ("max-age=60; includeSubDomains", "nosniff") == (
        headers["Strict-Transport-Security"],
        headers["X-Content-Type-Options"],
    )
    assert headers[POLICY].startswith("script-src 'nonce-")
