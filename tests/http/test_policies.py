"""Caching and security policies, and the user agent."""

import pytest

from costrel.http.cache_control import ResponseCacheControl, cache_control_property, parse_cache_control_header
from costrel.http.policies import ContentSecurityPolicy, dump_csp_header, parse_csp_header
from costrel.http.user_agent import UserAgent


def test_directives_of_a_request_read_as_properties():
    control = parse_cache_control_header("no-cache, max-age=60, max-stale, min-fresh=x")
    assert (control.no_cache, control.max_age, control.max_stale, control.min_fresh) == (True, 60, True, None)


def test_directives_of_a_response_are_set_and_removed():
    seen = []
    control = ResponseCacheControl(on_update=lambda changed: seen.append(str(changed)))
    control.public = True
    control.max_age = 60
    control.no_cache = "Set-Cookie"
    control.public = False
    control.max_age = None
    del control.no_cache
    del control.no_cache
    assert seen == [
        "public",
        "public, max-age=60",
        "public, max-age=60, no-cache=Set-Cookie",
        "max-age=60, no-cache=Set-Cookie",
        "no-cache=Set-Cookie",
        "",
    ]
    assert repr(control) == "<ResponseCacheControl >"


def test_a_value_of_the_wrong_kind_is_refused():
    with pytest.raises(ValueError, match="invalid literal"):
        ResponseCacheControl().max_age = "soon"


def test_a_subclass_knows_more_directives():
    class OwnCacheControl(ResponseCacheControl):
        surrogate = cache_control_property("surrogate", "empty", str, doc="For our proxy.")

    assert [OwnCacheControl(directives).surrogate for directives in ({}, {"surrogate": None}, {"surrogate": "x"})] == [
        None,
        "empty",
        "x",
    ]
    assert OwnCacheControl.surrogate.__doc__ == "For our proxy."


def test_a_security_policy_reads_changes_and_writes():
    seen = []
    policy = parse_csp_header("default-src 'self'; sandbox; img-src a  b;", lambda changed: seen.append(str(changed)))
    assert (policy.default_src, policy.img_src, policy.sandbox) == ("'self'", "a  b", None)
    policy.img_src = None
    policy.script_src = "'none'"
    del policy.default_src
    del policy.default_src
    assert seen == ["default-src 'self'", "default-src 'self'; script-src 'none'", "script-src 'none'"]
    assert repr(policy) == "<ContentSecurityPolicy script-src=\"'none'\">"
    assert dump_csp_header({"a": "b", "c": "d"}) == "a b; c d"
    assert (policy.provided, ContentSecurityPolicy(None).provided) == (True, False)


def test_a_user_agent_is_what_was_sent_and_true_when_it_was_parsed():
    class Parsed(UserAgent):
        browser = "links"
        version = "2"

    assert (str(UserAgent("x")), UserAgent("x").to_header(), bool(UserAgent("x"))) == ("x", "x", False)
    assert (repr(Parsed("x")), bool(Parsed("x"))) == ("<Parsed links/2>", True)
