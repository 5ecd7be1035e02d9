"""Forms of typed views in templates: labels, values as they were entered, errors, and nothing unescaped."""

import dataclasses
import datetime
import enum
import typing as t
from html.parser import HTMLParser
from typing import Annotated as A

import attrs
import msgspec
import pydantic
import pytest
from msgspec import Meta, Struct

from costrel import Checked, Costrel, Form, render_template_string
from costrel.app.application import Flask

PAGE = '{% from "costrel/forms.html" import fields %}<form method="post">{{ fields(form) }}</form>'
PAYLOAD = "\"><script>alert('x')</script>"


class Color(enum.Enum):
    LIGHT_RED = "r"
    BLUE = "b"


class Signup(Struct):
    name: A[str, Meta(min_length=2, max_length=30, title="Your name", description="As on your passport")]
    age: A[int, Meta(ge=18)]
    email: A[str, Meta(extra_json_schema={"format": "email"})]
    password: str
    color: Color = Color.BLUE
    size: t.Literal["s", "m"] | None = None
    tags: list[t.Literal["a", "b"]] = msgspec.field(default_factory=lambda: ["b"])
    height: float | None = None
    born: datetime.date | None = None
    news: bool = False

    def __post_init__(self):
        if self.name == self.password:
            raise ValueError("Choose another password")


class Elements(HTMLParser):
    """The elements of a page: their names and attributes, and the texts inside."""

    def __init__(self, html):
        super().__init__()
        self.found = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs), ""))

    def handle_data(self, data):
        if self.found and data.strip():
            tag, attributes, text = self.found[-1]
            self.found[-1] = (tag, attributes, text + data.strip())

    def named(self, name):
        return next((tag, attributes) for tag, attributes, _ in self.found if attributes.get("name") == name)

    def with_id(self, id):
        return next(((tag, text) for tag, attributes, text in self.found if attributes.get("id") == id), None)

    def labels(self):
        return {attributes["for"]: text for tag, attributes, text in self.found if tag == "label"}

    def selected(self, name):
        start = next(index for index, each in enumerate(self.found) if each[1].get("name") == name)
        options = []
        for tag, attributes, text in self.found[start + 1 :]:
            if tag != "option":
                break
            options.append((attributes["value"], text, "selected" in attributes))
        return options


def make(page=PAGE, model=Signup, profile=Costrel, **config):
    app = profile(__name__, static_folder=None)
    app.config.update(config)
    app.secret_key = "0" * 64

    @app.get("/", endpoint="show")
    def show():
        return render_template_string(page, form=Checked.blank(model))

    def send(form: A[Checked[model], Form()]):
        if form:
            return "valid"
        return render_template_string(page, form=form), 422

    app.post("/", endpoint="send")(send)
    return app


VALID = {"name": "Ada", "age": "36", "email": "ada@example.org", "password": "long"}


@pytest.mark.parametrize("profile", [Costrel, Flask])
def test_a_blank_form_has_labels_types_and_defaults(profile):
    page = Elements(make(profile=profile).test_client().get("/").text)

    assert {
        "name": "Your name",
        "age": "Age",
        "email": "Email",
        "password": "Password",
        "color": "Color",
        "size": "Size",
        "tags": "Tags",
        "height": "Height",
        "born": "Born",
        "news": "News",
    } == page.labels()
    assert ("small", "As on your passport") == page.with_id("name-hint")
    described = {
        "type": "text",
        "id": "name",
        "name": "name",
        "required": "",
        "aria-describedby": "name-hint",
        "value": "",
        "minlength": "2",
        "maxlength": "30",
    }
    assert ("input", described) == page.named("name")
    types = {name: page.named(name)[1].get("type") for name in ("age", "email", "password", "height", "born", "news")}
    assert {
        "age": "number",
        "email": "email",
        "password": "password",
        "height": "number",
        "born": "date",
        "news": "checkbox",
    } == types
    assert [("r", "Light red", False), ("b", "Blue", True)] == page.selected("color")
    assert [("", "", True), ("s", "s", False), ("m", "m", False)] == page.selected("size")
    assert [("a", "a", False), ("b", "b", True)] == page.selected("tags")
    assert ["18", "any"] == [page.named("age")[1]["min"], page.named("height")[1]["step"]]
    assert not any(attributes.get("aria-invalid") for _, attributes, _ in page.found)


def test_an_invalid_form_is_shown_with_the_values_and_the_errors():
    sent = {**VALID, "name": PAYLOAD[:1], "age": "x", "size": "m", "tags": ["a"], "news": "on", "color": "r"}
    found = make().test_client().post("/", data=sent)
    page = Elements(found.text)

    assert 422 == found.status_code
    name, age = page.named("name")[1], page.named("age")[1]
    assert ('"', "true", "name-hint name-error") == (name["value"], name["aria-invalid"], name["aria-describedby"])
    assert ("x", "true", "age-error") == (age["value"], age["aria-invalid"], age["aria-describedby"])
    assert ("small", "Expected `int`, got `str`") == page.with_id("age-error")
    assert page.with_id("email-error") is None
    assert [("", "", False), ("s", "s", False), ("m", "m", True)] == page.selected("size")
    assert [("a", "a", True), ("b", "b", False)] == page.selected("tags")
    assert [("r", "Light red", True), ("b", "Blue", False)] == page.selected("color")
    assert "checked" in page.named("news")[1]
    assert "valid" == make().test_client().post("/", data=VALID).text


def test_an_unchecked_box_stays_unchecked_and_a_password_is_not_echoed():
    class Settings(Struct):
        count: int
        password: str
        news: bool = True

    app = make(model=Settings)
    client = app.test_client()
    assert "checked" in Elements(client.get("/").text).named("news")[1]

    page = client.post("/", data={"count": "x", "password": "hunter2"}).text
    assert "hunter2" not in page
    assert "checked" not in Elements(page).named("news")[1]


@pytest.mark.parametrize("profile", [Costrel, Flask])
def test_nothing_that_was_sent_is_markup(profile):
    sent = dict.fromkeys(Signup.__struct_fields__, PAYLOAD)
    found = make(profile=profile).test_client().post("/", data=sent)

    assert "<script" not in found.text
    assert PAYLOAD == Elements(found.text).named("email")[1]["value"]
    assert "script" not in {tag for tag, _, _ in Elements(found.text).found}


def test_an_error_of_the_whole_form_is_announced():
    page = Elements(make().test_client().post("/", data={**VALID, "password": "Ada"}).text)
    assert [("p", {"class": "form-error", "role": "alert"}, "Choose another password")] == [
        each for each in page.found if each[1].get("role") == "alert"
    ]


def test_a_view_adds_an_error():
    form = Checked(Signup("Ada", 36, "a@b", "long"), {"name": "Ada"}, [], Signup)
    form.add_error("name", "This name is taken")
    form.add_error("", "Try again")
    form.add_error("name", "Second")
    assert (False, {"name": "This name is taken", "": "Try again"}) == (bool(form), form.errors)


def test_a_form_may_begin_with_values():
    form = Checked.blank(Signup, name=PAYLOAD, news=True, color=Color.LIGHT_RED, born=datetime.date(2026, 1, 31))
    app = make()
    with app.test_request_context("/"):
        page = Elements(render_template_string(PAGE, form=form))
    assert PAYLOAD == page.named("name")[1]["value"]
    assert "2026-01-31" == page.named("born")[1]["value"]
    assert "checked" in page.named("news")[1]
    assert [True, False] == [selected for _, _, selected in page.selected("color")]


def test_single_fields_take_other_types_and_attributes():
    page = (
        '{% from "costrel/forms.html" import field, csrf_field %}{{ csrf_field() }}'
        '{{ field(form, "name", type="textarea", label="Say <it>", rows=5) }}{{ field(form, "age", autofocus="") }}'
    )
    found = make(page).test_client().post("/", data={**VALID, "name": "a", "age": "\n<b>"})
    elements = Elements(found.text)

    tag, attributes = elements.named("name")
    assert ("textarea", "5", "true") == (tag, attributes["rows"], attributes["aria-invalid"])
    assert "Say <it>" == elements.labels()["name"]
    assert "autofocus" in elements.named("age")[1]
    assert "csrf_token" == elements.found[0][1]["name"]
    assert "<b>" not in found.text


def test_the_form_that_was_shown_can_be_sent():
    app = make(CSRF_PROTECTION=True, CSRF_REQUIRE_TOKEN=True)
    client = app.test_client()
    token = Elements(client.get("/").text).named("csrf_token")[1]["value"]

    assert 403 == client.post("/", data=VALID).status_code
    assert "valid" == client.post("/", data={**VALID, "csrf_token": token}).text


def test_without_protection_there_is_no_token():
    app = make(profile=Flask)
    assert "csrf_token" not in app.test_client().get("/").text
    app = make()
    app.secret_key = None
    assert "csrf_token" not in app.test_client().get("/").text


@dataclasses.dataclass
class Data:
    name: A[str, Meta(min_length=1)]
    count: int = 3
    items: list[str] = dataclasses.field(default_factory=list)


@attrs.define
class Attrs:
    name: A[str, Meta(min_length=1)]
    count: int


class Typed(t.TypedDict):
    name: A[str, Meta(min_length=1)]
    count: t.NotRequired[int]


class Model(pydantic.BaseModel):
    name: str = pydantic.Field(min_length=1, title="Your name", description="A hint")
    secret: pydantic.SecretStr
    count: int = pydantic.Field(default=3, ge=1)


@pytest.mark.parametrize("model", [Data, Attrs, Typed, Model])
def test_every_kind_of_model_is_shown(model):
    client = make(model=model).test_client()
    page = Elements(client.get("/").text)
    name = page.named("name")[1]
    assert ("1", "") == (name["minlength"], name["required"])
    assert "number" == page.named("count")[1]["type"]
    if model in (Data, Model):
        assert "3" == page.named("count")[1]["value"]
    if model is Model:
        assert {"name": "Your name", "secret": "Secret", "count": "Count"} == page.labels()
        assert ("password", "1") == (page.named("secret")[1]["type"], page.named("count")[1]["min"])

    page = client.post("/", data={"name": PAYLOAD, "count": "x"}).text
    assert (PAYLOAD, "x") == tuple(Elements(page).named(each)[1]["value"] for each in ("name", "count"))
    assert "true" == Elements(page).named("count")[1]["aria-invalid"]


def test_the_templates_of_an_application_take_precedence(tmp_path):
    (tmp_path / "costrel").mkdir()
    (tmp_path / "costrel" / "forms.html").write_text("{% macro fields(form) %}own{% endmacro %}")
    app = make()
    app.template_folder = str(tmp_path)
    assert '<form method="post">own</form>' == app.test_client().get("/").text


def test_an_unknown_field_and_a_form_without_a_model_are_explained():
    with pytest.raises(LookupError, match=r"no field 'nam'\. It has 'name', "):
        Checked.blank(Signup).field("nam")
    with pytest.raises(TypeError, match=r"Checked.blank\(Model\)"):
        _ = Checked(None, {}, []).fields
