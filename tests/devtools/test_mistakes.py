"""Usual mistakes: the sentence that explains each one, on the page, in the terminal and to programs."""

import html

import pytest

from costrel import Costrel, g, render_template_string, request, session
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
        (number_for_text, "names has the key '1' of the type str, and 1 is of the type int."),
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
