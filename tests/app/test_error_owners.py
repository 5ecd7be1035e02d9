"""Blueprints with `owns_errors=True` handle the errors of URLs below their prefix that match no rule."""

import pytest

from costrel import Blueprint, Costrel, abort
from costrel.routing import BaseConverter


def make(**options):
    return Costrel("owners", static_folder=None, **options)


def owner(name="api", prefix="/api", owns_errors=True, codes=(404, 405)):
    """A blueprint whose handlers return its name and the status."""
    blueprint = Blueprint(name, "x", url_prefix=prefix, owns_errors=owns_errors)
    for code in codes:
        blueprint.register_error_handler(code, lambda error: (f"{name} {error.code}", error.code))
    blueprint.add_url_rule("/item", "item", lambda **values: "item", methods=["POST"])
    return blueprint


def answer(app, path, edge="wsgi", method="GET", **options):
    return app.test_client(edge=edge).open(path, method=method, headers={"Accept": "text/html"}, **options).text


class TestOneBlueprint:
    @pytest.mark.parametrize("edge", ["wsgi", "asgi"])
    @pytest.mark.parametrize(
        ("path", "expected"),
        [
            ("/api", "api 404"),
            ("/api/", "api 404"),
            ("/api/none", "api 404"),
            ("/api/none/deeper/", "api 404"),
            ("/api//none", "api 404"),
            ("/api/item", "api 405"),
            ("/api/%E4%BD%A0?x=/", "api 404"),
        ],
    )
    def test_answers_below_its_prefix(self, path, expected, edge):
        app = make()
        app.register_blueprint(owner())
        assert answer(app, path, edge) == expected

    @pytest.mark.parametrize("path", ["/", "/apix", "/none/api/x", "/ap", "/API/x"])
    def test_does_not_answer_elsewhere(self, path):
        app = make()
        app.register_blueprint(owner())
        assert "api" not in answer(app, path).replace("API", "")

    def test_without_the_option_it_does_not_answer_as_in_flask(self):
        app = make()
        app.register_blueprint(owner(owns_errors=None))
        assert answer(app, "/api/none").startswith("<!doctype html>")

    def test_the_applications_handler_comes_after_its_own(self):
        app = make()
        app.register_blueprint(owner(codes=[404]))
        app.register_error_handler(404, lambda error: ("app 404", 404))
        app.register_error_handler(405, lambda error: ("app 405", 405))
        assert [answer(app, path) for path in ("/api/none", "/api/item", "/none")] == ["api 404", "app 405", "app 404"]

    def test_a_rule_of_the_application_below_the_prefix_keeps_its_handlers(self):
        app = make()
        app.register_blueprint(owner())
        app.register_error_handler(404, lambda error: ("app 404", 404))
        app.add_url_rule("/api/health", "health", lambda: abort(404))
        assert answer(app, "/api/health") == "app 404"

    def test_an_error_of_a_hook_for_a_url_without_a_view(self):
        app = make()
        app.register_blueprint(owner(codes=[401]))
        app.before_request(lambda: abort(401))
        assert [answer(app, path)[:7] for path in ("/api/none", "/none")] == ["api 401", "<!docty"]

    def test_the_name_of_the_registration_counts(self):
        app = make()
        app.register_blueprint(owner(), name="other", url_prefix="/v2")
        assert answer(app, "/v2/none") == "api 404"

    def test_a_registration_may_decide(self):
        app = make()
        app.register_blueprint(owner(), owns_errors=False)
        app.register_blueprint(owner("shop", "/shop", owns_errors=None), owns_errors=True)
        assert [answer(app, path)[:8] for path in ("/api/none", "/shop/none")] == ["<!doctyp", "shop 404"]

    def test_without_a_prefix_it_owns_all_urls(self):
        app = make()
        app.register_blueprint(owner(prefix=None))
        assert answer(app, "/none") == "api 404"

    def test_a_malformed_host_is_no_error_of_a_blueprint(self):
        app = make()
        app.register_blueprint(owner(codes=[400]))
        assert app.test_client().get("/none", headers={"Host": "a,b"}).status_code == 400


class TestPrefixesWithVariables:
    def test_match_as_rules_do(self):
        app = make()
        app.register_blueprint(owner(prefix="/<int:shop>/api"))
        assert [answer(app, path)[:7] for path in ("/7/api/none", "/x/api/none")] == ["api 404", "<!docty"]

    def test_may_use_converters_of_the_application(self):
        class Language(BaseConverter):
            regex = "de|fr"

        app = make()
        app.url_map.converters["lang"] = Language
        app.register_blueprint(owner(prefix="/<lang:code>"))
        assert [answer(app, path)[:7] for path in ("/de/none", "/en/none")] == ["api 404", "<!docty"]

    def test_a_literal_prefix_is_nearer(self):
        app = make()
        app.register_blueprint(owner("any", "/<name>"))
        app.register_blueprint(owner("api", "/api"))
        assert [answer(app, path) for path in ("/api/none", "/x/none")] == ["api 404", "any 404"]


class TestNestedBlueprints:
    def nested(self, inner_owns=None, outer_owns=True, inner_codes=(404,)):
        app = make()
        outer = owner("api", "/api", outer_owns)
        outer.register_blueprint(owner("v1", "/v1", inner_owns, inner_codes))
        app.register_blueprint(outer)
        return app

    def test_the_inner_one_answers_below_its_own_prefix(self):
        app = self.nested()
        paths = ("/api/v1/none", "/api/v1/item", "/api/none")
        assert [answer(app, path) for path in paths] == ["v1 404", "api 405", "api 404"]

    def test_the_inner_one_may_leave_it_to_the_outer_one(self):
        assert answer(self.nested(inner_owns=False), "/api/v1/none") == "api 404"

    def test_the_inner_one_alone(self):
        app = self.nested(inner_owns=True, outer_owns=None)
        assert [answer(app, path)[:7] for path in ("/api/v1/none", "/api/none")] == ["v1 404", "<!docty"]

    def test_the_outer_one_answers_what_the_inner_one_does_not(self):
        app = self.nested(inner_owns=True, outer_owns=None, inner_codes=())
        assert answer(app, "/api/v1/none") == "api 404"


class TestSubdomains:
    def test_an_owner_answers_for_its_subdomain_alone(self):
        app = make(subdomain_matching=True)
        app.config["SERVER_NAME"] = "example.org"
        blueprint = Blueprint("api", "x", subdomain="api", owns_errors=True)
        blueprint.register_error_handler(404, lambda error: ("api 404", 404))
        app.register_blueprint(blueprint)
        found = [answer(app, "/none", base_url=f"http://{host}")[:7] for host in ("api.example.org", "example.org")]
        assert found == ["api 404", "<!docty"]
