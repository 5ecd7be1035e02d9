"""`costrel check` on typed views."""

from msgspec import Struct

from costrel import Costrel
from costrel.audit import audit
from costrel.cli.check import check_command


class Line(Struct):
    sku: str


def make():
    app = Costrel(__name__, static_folder=None, typed=True)

    @app.get("/lines/<id>")
    def show(id: int, line: Line, limit: int = 1):
        return ""

    return app


def test_bodies_of_get_requests_and_unconverted_variables_are_found():
    found = {finding.problem: finding.is_hint for finding in audit(make()) if finding.place == "show"}
    assert found == {
        "The parameter 'line' is the body of a GET request, which clients rarely send.": False,
        "The variable <id> stays a string, although it is annotated with int.": True,
    }


def test_the_inputs_of_typed_views_are_listed():
    output = make().test_cli_runner().invoke(check_command).output
    assert "show reads id (path: int), line (body: Line), limit (query: int, optional).\n" in output


def test_looking_does_not_seal_the_application():
    app = make()
    view = app.view_functions["show"]
    audit(app)
    assert app.view_functions["show"] is view
    app.add_url_rule("/other", "other", lambda: "")
