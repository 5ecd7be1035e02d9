"""The choice of a language: RFC 4647 §3.4, in the order of the client."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costrel import Costrel, request
from costrel.app.application import Flask
from costrel.http.accept import LanguageAccept

CHOICES = [
    ("de-AT,en;q=0.5", ["en", "de"], "de"),
    ("fr-CA,de-AT;q=0.5", ["en", "de"], "de"),
    ("zh-Hant-TW,en;q=0.5", ["en", "zh", "zh-Hant"], "zh-Hant"),
    ("zh-Hant-TW", ["zh-Hans", "zh"], "zh"),
    ("de-CH-1996,en", ["en", "de", "de-CH"], "de-CH"),
    ("en-x-twain-us,de", ["de", "en"], "en"),
    ("EN-us", ["en-US", "en"], "en-US"),
    ("pt_BR, en;q=0.1", ["en", "pt"], "pt"),
    ("de-AT;q=0.5,en;q=0.8", ["de", "en"], "en"),
    ("en-GB,en-US;q=0.9,en;q=0.8,de;q=0.7", ["de", "en"], "en"),
    ("en;q=0.5,en", ["en"], "en"),
    ("da, fr;q=0.9, nb;q=0.9", ["nb", "fr"], "fr"),
    # a range that is shorter than all offers
    ("en", ["de", "en_GB"], "en_GB"),
    ("en,fr;q=0.9", ["fr", "en-GB"], "fr"),
    ("en,fr;q=0.9", ["fr-CA", "en-GB"], "en-GB"),
    ("es-419", ["es-ES"], None),
    ("e", ["en"], None),
    # any language
    ("*", ["de", "en"], "de"),
    ("fr,*;q=0.1", ["de", "en"], "de"),
    ("de-AT,*;q=0.5", ["en", "de"], "de"),
    ("en,*;q=0.5", ["de", "en-GB"], "en-GB"),
    ("*,de;q=0.5", ["de", "en"], "en"),
    ("*,de;q=0.5", ["de"], "de"),
    # quality 0
    ("en;q=0,*", ["en", "de"], "de"),
    ("de;q=0,*", ["de-AT", "fr"], "fr"),
    ("de;q=0,de-AT", ["de", "de-AT"], "de-AT"),
    ("de;q=0,de-AT", ["de"], None),
    ("en-US;q=0,en", ["en-US", "en-GB"], "en-GB"),
    ("*;q=0", ["en"], None),
    ("", ["en"], None),
    ("en", [], None),
]


@pytest.mark.parametrize(("header", "offers", "expected"), CHOICES)
def test_the_first_range_that_is_found_decides(header, offers, expected):
    accept = LanguageAccept.from_header(header)
    assert accept.best_match(iter(offers)) == expected
    assert accept.best_match(offers, "default") == (expected or "default")


tags = st.sampled_from(["en", "en-GB", "de", "de-AT", "de-AT-1996", "zh-Hant", "zh-Hant-TW", "zh", "sl-x-a"])


def look_up(ranges, offers):
    """RFC 4647 §3.4, for ranges without `*`."""
    for language_range in ranges:
        subtags = language_range.split("-")
        while subtags:
            if "-".join(subtags) in offers:
                return "-".join(subtags)
            subtags.pop()
            if subtags and len(subtags[-1]) == 1:
                subtags.pop()
    return None


@given(st.lists(tags, unique=True, max_size=5), st.lists(tags, unique=True, max_size=5))
def test_whatever_the_lookup_finds_is_chosen(ranges, offers):
    header = ",".join(f"{tag};q=0.{9 - index}" for index, tag in enumerate(ranges))
    expected = look_up(ranges, offers)
    if expected is not None:
        assert LanguageAccept.from_header(header).best_match(offers) == expected


@pytest.mark.parametrize("edge", ["wsgi", "asgi"])
@pytest.mark.parametrize("cls", [Costrel, Flask])
def test_a_view_chooses(cls, edge):
    app = cls("languages")
    app.add_url_rule("/", "index", lambda: request.accept_languages.best_match(["en", "de"], "en"))
    client = app.test_client(edge=edge)
    assert client.get("/", headers={"Accept-Language": "de-AT,en;q=0.5"}).text == "de"
    assert client.get("/").text == "en"
