"""Usual mistakes: the sentence that explains each one, on the page, in the terminal and to programs."""

import html
import json
import re

import pytest

from costrel import Costrel, NotFound, abort, g, redirect, render_template_string, request, session
from costrel.devtools.development import DevelopmentApplication

from .asgi_client import get

JSON = {"content-type": "application/json", "content-length": "14"}


@pytest.fixture
def ask(capsys):
    """Ask for a path as a browser and as a program, and return the page, the terminal and the text for programs."""

    def ask(app, path="/", **options):
        app.debug = True
        app.config["SECRET_KEY"] = "k" * 32
        development = DevelopmentApplication(app, app.asgi)
        headers = options.pop("headers", {})
        page = get(development, path, headers={**headers, "accept": "text/html"}, **options).text
        terminal = capsys.readouterr().err
        program = get(development, path, headers={**headers, "accept": "application/json"}, **options).text
        return html.unescape(page), terminal, program

    return ask


@pytest.fixture
def app():
    return Costrel("mistakes", static_folder=None)


def misspelt_in_dict():
    person = {"name": "Ada", "mail": "ada@example.org"}
    return person["nmae"]


def misspelt_in_nested_dict():
    people = {"ada": {"name": "Ada"}}
    who = "ada"
    return people[who]["nmae"]


def number_for_text():
    names = {"1": "Ada"}
    return names[1]


def far_from_all_keys():
    person = {"name": "Ada", "mail": "ada@example.org"}
    return person["telephone"]


def in_an_empty_dict():
    person = {}
    return person["name"]


def misspelt_setting():
    from costrel import current_app

    return current_app.config["SECRET_KYE"]


def misspelt_in_session():
    session["user"] = 1
    return session["usr"]


def misspelt_in_json():
    return request.get_json()["nmae"]


def misspelt_in_json_attribute():
    data = request.json
    if data["nmae"]:
        pass
    return ""


def misspelt_in_g():
    g.user = 1
    return g.usr


def misspelt_in_template():
    return render_template_string("{{ usr.name }}", user={"name": "Ada"})


def misspelt_helper_in_template():
    return render_template_string("{{ urlfor('index') }}")


def misspelt_in_value_of_template():
    return render_template_string("{{ user.nmae.upper() }}", user={"name": "Ada"})


def far_from_all_names_of_template():
    return render_template_string("{{ zzzzzz.name }}")


@pytest.mark.parametrize(
    ("view", "hint"),
    [
        (misspelt_in_dict, "person has no key 'nmae'. Did you mean 'name'?"),
        (misspelt_in_nested_dict, "people[who] has no key 'nmae'. Did you mean 'name'?"),
        (number_for_text, "names has the key '1' of type str, but 1 is of type int."),
        (far_from_all_keys, "person has no key 'telephone'. Its keys are 'name', 'mail'."),
        (in_an_empty_dict, "person has no key 'name': it is empty."),
        (misspelt_setting, "current_app.config has no key 'SECRET_KYE'. Did you mean 'SECRET_KEY'?"),
        (misspelt_in_session, "session has no key 'usr'. Did you mean 'user'?"),
        (misspelt_in_json, "request.get_json() has no key 'nmae'. Did you mean 'name'?"),
        (misspelt_in_json_attribute, "data has no key 'nmae'. Did you mean 'name'?"),
        (misspelt_in_g, "Did you mean 'user'?"),
        (misspelt_in_template, "The template has no 'usr'. Did you mean 'user'?"),
        (misspelt_helper_in_template, "The template has no 'urlfor'. Did you mean 'url_for'?"),
        (misspelt_in_value_of_template, "The value has no 'nmae'. Did you mean 'name'?"),
        (far_from_all_names_of_template, "The template has no 'zzzzzz'. Pass it to render_template()."),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_name_that_does_not_exist(app, ask, view, hint):
    app.post("/")(view)

    page, terminal, program = ask(app, method="POST", body=b'{"name":"Ada"}', headers=JSON)

    assert f'<section class="hint"><p>{hint}</p>' in page
    assert f"\nHint: {hint}\n" in terminal
    assert f"\nHint: {hint}\n" in program


def item(number):
    return str(number)


NEAR = "/items/<int:number>  has 'items' where the path has 'item'"


def test_a_url_that_no_rule_matches(app, ask):
    app.get("/items/<int:number>")(item)

    page, terminal, program = ask(app, "/item/3")

    assert "has 'items' where the path has 'item'" in page
    assert f"Hint: No rule matches GET '/item/3'. Similar rules:\n  {NEAR}\n" == terminal
    assert json.loads(program) == {
        "detail": NotFound.description,
        "hint": [
            "No rule matches GET '/item/3'. Similar rules:",
            "/items/<int:number> has 'items' where the path has 'item'",
        ],
        "status": 404,
        "title": "Not Found",
        "type": "about:blank",
    }


def test_a_method_that_no_rule_has(app, ask):
    app.post("/items/<int:number>")(item)

    page, terminal, program = ask(app, "/items/3")

    assert "does not allow GET" in page
    assert (
        "Hint: No rule matches GET '/items/3'. Similar rules:\n  /items/<int:number>  does not allow GET\n" == terminal
    )
    assert "/items/<int:number> does not allow GET" == json.loads(program)["hint"][1]


def test_a_page_of_the_applications_own_leaves_the_terminal(app, ask):
    app.get("/items/<int:number>")(item)
    app.register_error_handler(404, lambda error: ("My own page", 404))

    page, terminal, program = ask(app, "/item/3")

    assert ["My own page"] * 2 == [page.partition("<script")[0], program]
    assert f"Hint: No rule matches GET '/item/3'. Similar rules:\n  {NEAR}\n" == terminal


def test_a_variable_in_braces(app, ask):
    app.get("/items/{number}")(item)

    page, terminal, _ = ask(app, "/items/3")

    hint = "has {number} as plain text; a variable is written <number>"
    assert hint in page
    assert f"  /items/{{number}}  {hint}\n" in terminal


@pytest.mark.parametrize("path", ["/favicon.ico", "/here"])
def test_requests_of_browsers_and_views_are_not_explained(app, ask, path):
    app.get("/here")(lambda: abort(404))

    _, terminal, program = ask(app, path)

    assert "" == terminal
    assert "hint" not in json.loads(program) or path == "/favicon.ico"


def test_a_scan_does_not_fill_the_terminal(app, ask, capsys):
    app.debug = True
    development = DevelopmentApplication(app, app.asgi)
    for number in range(250):
        get(development, f"/{number % 220}")

    assert 200 == capsys.readouterr().err.count("Hint: No rule matches")


def test_the_page_shows_the_contents_of_the_request(app, ask):
    @app.post("/<place>")
    def fail(place):
        session["user"] = "ada"
        g.cart = ["pen"]
        request.form["x"] and request.files
        raise ValueError("no")

    body = (
        b'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\none\r\n'
        b'--b\r\nContent-Disposition: form-data; name="password"\r\n\r\ncorrect-horse\r\n'
        b'--b\r\nContent-Disposition: form-data; name="f"; filename="a.txt"\r\n\r\nA\r\n--b--\r\n'
    )
    headers = {"content-type": "multipart/form-data; boundary=b", "content-length": str(len(body))}
    page, _, _ = ask(app, "/here", method="POST", body=body, headers=headers, query="q=1&q=2")

    rows = dict(re.findall(r"<tr><th><code>(.*?)</code></th><td><code>(.*?)</code></td></tr>", page))
    assert ("'2'", "'one'", "'ada'", "['pen']") == tuple(
        rows[name] for name in ("args['q']", "form['x']", "session['user']", "g['cart']")
    )
    assert "a.txt" in rows["files['f']"]
    assert "correct-horse" not in page


def test_the_page_shows_json(app, ask):
    app.post("/")(misspelt_in_json)

    page, _, _ = ask(app, method="POST", body=b'{"name":"Ada"}', headers=JSON)

    assert "<tr><th><code>json['name']</code></th><td><code>'Ada'</code></td></tr>" in page


def returns_nothing():
    request.get_json()


def returns_a_number():
    return 3


def redirects_to_nothing():
    return redirect(None)


def aborts_with_a_text():
    abort("x")


def aborts_without_an_error():
    abort(200)


async def awaits_a_form():
    return (await request.form)["name"]


async def forgets_an_await():
    async def name():
        return "Ada"

    return {"name": name()}


NO_RESPONSE = (
    "returned a value that is no response. A view returns a string, bytes, a dict, a list, an iterator, a Response, a"
    " WSGI application, or a tuple of one of them with a status, headers or both, but it was an int. Return str(3) for"
    " text, or ('', 3) for a status."
)


@pytest.mark.filterwarnings("ignore:coroutine")
@pytest.mark.parametrize(
    ("view", "message"),
    [
        (
            returns_nothing,
            (
                "TypeError: The view of the endpoint 'returns_nothing' returned None: it may have come to its end"
                " without a return statement."
            ),
        ),
        (returns_a_number, f"TypeError: The view of the endpoint 'returns_a_number' {NO_RESPONSE}"),
        (redirects_to_nothing, "TypeError: redirect() takes a URL, not None."),
        (
            aborts_with_a_text,
            "LookupError: no exception for 'x': abort() takes the status code of an error, such as 404, or a response.",
        ),
        (
            aborts_without_an_error,
            (
                "LookupError: no exception for 200: this is not the status of an error. Return a response with it, or"
                " pass one to abort()."
            ),
        ),
        (
            awaits_a_form,
            (
                "In Costrel, request.form, request.files, request.data, request.get_json(), render_template() and the"
                " other functions of Flask's API need no await, in an async view either."
            ),
        ),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_view_with_a_mistake(app, ask, view, message):
    app.post("/")(view)

    page, terminal, program = ask(app, method="POST", body=b'{"name":"Ada"}', headers=JSON)

    kind, _, text = message.rpartition("Error: ")
    assert text in page
    assert kind in page
    assert message in terminal
    assert message in program
    assert view.__name__ in terminal
    assert "\nStopIteration" not in terminal
    assert "StopIteration</span>" not in page


def test_the_page_of_a_wrong_result_shows_the_view(app, ask):
    app.post("/")(returns_a_number)

    page, _, _ = ask(app, method="POST", body=b'{"name":"Ada"}', headers=JSON)

    shown = re.sub("<.*?>", "", page)
    assert "def returns_a_number():" in shown
    assert "    return 3" in shown


def in_a_comprehension():
    numbers = [2, 1, 0]
    return str([6 / number for number in numbers])


def test_the_page_of_a_comprehension_shows_its_function(app, ask):
    app.post("/")(in_a_comprehension)

    page, _, _ = ask(app, method="POST", body=b'{"name":"Ada"}', headers=JSON)

    assert "numbers = [2, 1, 0]" in re.sub("<.*?>", "", page)
    assert "<code>.0</code>" not in page
