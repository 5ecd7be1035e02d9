"""Content negotiation by `Accept` and similar headers."""

import encodings
import re

import pytest

from costrel.http.accept import Accept, CharsetAccept, LanguageAccept, MIMEAccept, parse_accept_header

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8"


def test_a_browser_gets_html_before_json():
    accept = MIMEAccept.from_header(BROWSER)
    assert accept.best_match(["application/json", "text/html"]) == "text/html"
    assert accept.best_match(["application/json", "text/plain"]) == "application/json"
    assert accept["application/json"] == 0.8
    assert (accept.accept_html, accept.accept_xhtml, accept.accept_json) == (True, True, True)


def test_the_more_specific_range_decides():
    accept = MIMEAccept.from_header("text/*;q=1, text/html;q=0.2, text/html;level=1;q=0.5")
    assert [accept.quality(offer) for offer in ("text/plain", "text/html", "text/html;level=1")] == [1, 0.2, 0.5]


def test_what_the_client_refuses_is_never_chosen():
    accept = Accept.from_header("gzip;q=0, *;q=0")
    assert accept.best_match(["gzip", "br"]) is None
    assert accept.best_match(["gzip"], default="identity") == "identity"


def test_qualities_beyond_the_grammar_leave_a_value_out():
    assert list(parse_accept_header("a;q=2, b;q=x, c;q=-1, d;q=0.5").values()) == ["d"]


def test_an_absent_header_is_told_from_an_empty_one():
    assert not parse_accept_header(None).provided
    assert Accept().provided
    assert parse_accept_header(None).best is None


def test_a_language_stands_for_its_regions_and_they_for_it():
    assert LanguageAccept.from_header("fr-CA,de-AT;q=0.5").best_match(["en", "de"]) == "de"
    assert LanguageAccept.from_header("de, en;q=0.5").best_match(["en", "de"]) == "de"
    assert LanguageAccept.from_header("en").best_match(["de", "en_GB"]) == "en_GB"
    assert LanguageAccept.from_header("fr").best_match(["de"], "en") == "en"


def test_a_charset_has_aliases():
    accept = CharsetAccept.from_header("utf8, latin1;q=0.5")
    assert [accept.quality(name) for name in ("UTF-8", "iso-8859-1", "x" * 50)] == [1, 0.5, 0]
    assert CharsetAccept([("*", 1)]).quality("x") == 1


def test_a_charset_with_a_nul_is_none():
    assert CharsetAccept.from_header("utf-8, \x00latin1").best_match(["iso-8859-1", "utf-8"]) == "utf-8"


def test_names_that_are_no_charset_leave_nothing_behind():
    # Python keeps the names of all codecs that were ever looked up, also of those that it does not have.
    before = len(encodings._cache)
    accept = CharsetAccept([(f"no-such-charset-{n}", 1) for n in range(100)])
    assert "utf-8" not in accept
    assert CharsetAccept([("mbcs", 1)]).find("nonesuch") == -1
    assert len(encodings._cache) <= before + 2


def test_it_prints_as_it_came():
    accept = parse_accept_header("a;q=0.5, b")
    assert (str(accept), repr(accept)) == ("b,a;q=0.5", "Accept([('b', 1), ('a', 0.5)])")
    assert (accept[0], accept[:1], accept.index("a"), accept.find("c")) == (("b", 1), [("b", 1)], 1, -1)


def test_a_copy_knows_whether_the_client_sent_anything():
    accept = Accept(Accept([("a", 1), ("b", 0.5)]))
    assert (accept.index(("b", 0.5)), accept.provided, Accept(Accept(None)).provided) == (1, True, False)


def test_a_media_type_on_offer_must_be_one():
    accept = MIMEAccept.from_header("*/html, text, text/html")
    for offer in ("text", "*/html"):
        with pytest.raises(ValueError, match=f"invalid mimetype '{re.escape(offer)}'"):
            accept.quality(offer)
    assert accept.quality("image/png") == 0
    assert accept.quality("text/*") == 1


def test_an_alias_without_a_codec_is_only_a_name():
    # Windows alone has it.
    assert CharsetAccept([("mbcs", 1)]).quality("oem") == 0
