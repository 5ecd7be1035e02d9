"""Flask-Babel: the locale of a request, dates and numbers in it, and translated texts in views and templates."""

import datetime

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from flask import Flask, g, render_template_string, request
from flask_babel import (
    Babel,
    force_locale,
    format_currency,
    format_datetime,
    format_decimal,
    get_locale,
    get_timezone,
    gettext,
    lazy_gettext,
    ngettext,
    refresh,
    to_user_timezone,
)

NOON = datetime.datetime(2024, 2, 29, 12)
LATER = lazy_gettext("Good evening")


@pytest.fixture
def app(tmp_path):
    folder = tmp_path / "translations" / "de" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    catalog = Catalog(locale="de")
    catalog.add("Good evening", "Guten Abend")
    catalog.add("Hello %(name)s", "Hallo %(name)s")
    catalog.add(("%(num)s apple", "%(num)s apples"), ("%(num)s Apfel", "%(num)s Äpfel"))
    catalog.add("Search", "Suche")
    with (folder / "messages.mo").open("wb") as file:
        write_mo(file, catalog)

    app = Flask(__name__, root_path=str(tmp_path))
    Babel(
        app,
        locale_selector=lambda: request.args.get("lang") or request.accept_languages.best_match(["en", "de"]),
        timezone_selector=lambda: request.headers.get("X-Zone"),
    )

    @app.get("/")
    def index():
        return {
            "locale": str(get_locale()),
            "zone": str(get_timezone()),
            "date": format_datetime(NOON, "yyyy MMMM d, HH:mm"),
            "number": format_decimal(1234.5),
            "price": format_currency(9.9, "EUR").replace("\xa0", " "),
            "texts": [
                gettext("Hello %(name)s", name="Ada"),
                ngettext("%(num)s apple", "%(num)s apples", 2),
                str(LATER),
            ],
        }

    @app.get("/page")
    def page():
        source = "{{ _('Hello %(name)s', name='Ada') }}{% trans %}Search{% endtrans %} {{ 0.5|percentformat }}"
        return render_template_string(source)

    @app.get("/switch")
    def switch():
        before = str(get_locale())
        with force_locale("de"):
            forced = gettext("Search")
        g.seen = before
        refresh()
        return {"before": before, "forced": forced, "after": str(get_locale())}

    return app


def test_the_locale_of_the_query(app):
    assert {
        "locale": "de",
        "zone": "UTC",
        "date": "2024 Februar 29, 12:00",
        "number": "1.234,5",
        "price": "9,90 €",
        "texts": ["Hallo Ada", "2 Äpfel", "Guten Abend"],
    } == app.test_client().get("/?lang=de").json


def test_the_locale_of_the_browser_and_its_time_zone(app):
    headers = {"Accept-Language": "fr, en;q=0.8, de;q=0.5", "X-Zone": "Asia/Tokyo"}

    answer = app.test_client().get("/", headers=headers).json

    assert ("en", "Asia/Tokyo", "2024 February 29, 21:00") == (answer["locale"], answer["zone"], answer["date"])
    assert ["Hello Ada", "2 apples", "Good evening"] == answer["texts"]


def test_templates(app):
    client = app.test_client()

    assert "Hallo AdaSuche 50 %" == client.get("/page?lang=de").text.replace("\xa0", " ")
    assert "Hello AdaSearch 50%" == client.get("/page?lang=en").text


def test_another_locale_for_a_while(app):
    assert {"before": "en", "forced": "Suche", "after": "en"} == app.test_client().get("/switch?lang=en").json


def test_contexts_of_tests(app):
    with app.test_request_context("/?lang=de", headers={"X-Zone": "Europe/Berlin"}):
        assert "Guten Abend" == LATER
        assert 13 == to_user_timezone(NOON).hour
    with app.test_request_context("/?lang=en"):
        assert "Good evening" == LATER
    assert "Good evening" == str(LATER)
