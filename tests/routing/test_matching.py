"""Which endpoint a path means."""

import pytest

from costrel.http.errors import MethodNotAllowed, NotFound
from costrel.routing import BaseConverter, Map, NoMatch, RequestRedirect, Rule, ValidationError, WebsocketMismatch


def rules(*patterns, **kwargs):
    return [Rule(pattern, endpoint=pattern, **kwargs) for pattern in patterns]


def bind(*patterns, **kwargs):
    return Map(rules(*patterns), **kwargs).bind("h.example")


def redirect(adapter, *args, **kwargs):
    with pytest.raises(RequestRedirect) as caught:
        adapter.match(*args, **kwargs)
    return caught.value.new_url


def test_a_path_gives_the_endpoint_and_the_values():
    adapter = bind("/", "/hello", "/user/<int:id>/post/<slug>")
    assert adapter.match("/") == ("/", {})
    assert adapter.match("/hello") == ("/hello", {})
    assert adapter.match("/user/7/post/a-b") == ("/user/<int:id>/post/<slug>", {"id": 7, "slug": "a-b"})


def test_a_path_that_no_rule_matches_is_not_found():
    adapter = bind("/a", "/<int:x>")
    for path in ("/", "/b", "/a/b", "/1.5", "/a\n", "/1\n"):
        with pytest.raises(NotFound):
            adapter.match(path)


def test_the_adapters_own_path_and_method_are_the_defaults():
    adapter = Map([Rule("/x", endpoint="post", methods=["POST"])]).bind("h", path_info="/x", default_method="post")
    assert adapter.match() == ("post", {})


def test_the_rule_is_returned_if_asked_for():
    rule = Rule("/<x>", endpoint="e")
    found, values = Map([rule]).bind("h").match("/1", return_rule=True)
    assert found is rule
    assert values == {"x": "1"}


def test_fixed_texts_come_before_variables_and_numbers_before_words():
    adapter = bind("/<path:p>", "/<x>", "/<int:n>", "/a<x>", "/a")
    found = [adapter.match(path)[0] for path in ("/a", "/ab", "/12", "/b", "/b/c")]
    assert found == ["/a", "/a<x>", "/<int:n>", "/<x>", "/<path:p>"]


def test_a_way_that_leads_nowhere_is_left_again():
    adapter = bind("/a/b/c", "/a/<x>/d", "/<x>/b/e", "/<path:p>/f")
    assert adapter.match("/a/b/d") == ("/a/<x>/d", {"x": "b"})
    assert adapter.match("/a/b/e") == ("/<x>/b/e", {"x": "a"})
    assert adapter.match("/a/b/f") == ("/<path:p>/f", {"p": "a/b"})


def test_several_variables_may_share_a_segment():
    adapter = bind("/<a>-<b>.<int:c>", "/<name>.tar.<ext>")
    assert adapter.match("/x-y-z.5") == ("/<a>-<b>.<int:c>", {"a": "x-y", "b": "z", "c": 5})
    assert adapter.match("/x.tar.gz") == ("/<name>.tar.<ext>", {"name": "x", "ext": "gz"})


def test_path_variables_take_as_little_as_they_can():
    adapter = bind("/<path:a>/x/<path:b>/y/<path:c>")
    assert adapter.match("/1/x/2/x/3/y/4/y/5")[1] == {"a": "1", "b": "2/x/3", "c": "4/y/5"}


def test_the_text_of_a_long_path_is_found_as_well():
    adapter = bind("/<path:a>/x/<path:b>/y/<path:c>")
    long = "/".join("a" * 500)
    assert adapter.match(f"/{long}/x/{long}/y/{long}")[1] == {"a": long, "b": long, "c": long}


def test_other_methods_are_told():
    adapter = Map([Rule("/", endpoint="e", methods=["GET"]), Rule("/", endpoint="f", methods=["PUT"])]).bind("h")
    assert adapter.match("/", method="put") == ("f", {})
    with pytest.raises(MethodNotAllowed) as caught:
        adapter.match("/", method="DELETE")
    assert sorted(caught.value.valid_methods) == ["GET", "HEAD", "PUT"]
    assert sorted(adapter.allowed_methods("/")) == ["GET", "HEAD", "PUT"]
    assert adapter.allowed_methods("/x") == []


def test_a_method_is_a_word_and_nothing_more():
    adapter = Map([Rule("/", endpoint="e", methods=["GET"])]).bind("h")
    with pytest.raises(MethodNotAllowed):
        adapter.match("/", method="DISPATCH")


def test_any_method_goes_where_a_rule_names_none():
    assert bind("/").match("/", method="BREW") == ("/", {})
    assert bind("/").allowed_methods("/") == []


def test_websocket_rules_match_websockets_only():
    adapter = Map([Rule("/ws", endpoint="ws", websocket=True), Rule("/http", endpoint="http")]).bind("h")
    assert adapter.match("/ws", websocket=True) == ("ws", {})
    only = (
        "At this URL there is only a WebSocket, and the request opens none. A proxy must pass on its Upgrade and"
        " Connection headers."
    )
    none = "There is no WebSocket at this URL, which answers plain HTTP requests only."
    for path, websocket, description in (("/ws", False, only), ("/http", True, none)):
        with pytest.raises(WebsocketMismatch) as caught:
            adapter.match(path, websocket=websocket)
        assert (caught.value.code, caught.value.description) == (400, description)
    error = adapter.map.find("/ws", "GET")[1]
    assert isinstance(error, WebsocketMismatch)
    assert "only a WebSocket" in error.description
    assert adapter.map.bind("h", url_scheme="wss").match("/ws") == ("ws", {})


def test_defaults_are_among_the_values():
    adapter = Map([Rule("/all", endpoint="list", defaults={"page": 1})]).bind("h")
    assert adapter.match("/all") == ("list", {"page": 1})


def test_a_build_only_rule_never_matches():
    adapter = Map([Rule("/x", endpoint="e", build_only=True)]).bind("h")
    assert adapter.test("/x") is False
    assert adapter.build("e") == "/x"


def test_subdomains_are_matched():
    url_map = Map(
        [
            Rule("/", endpoint="main"),
            Rule("/", endpoint="wiki", subdomain="wiki"),
            Rule("/", endpoint="user", subdomain="<user>"),
        ]
    )
    assert url_map.bind("h").match("/") == ("main", {})
    assert url_map.bind("h", subdomain="wiki").match("/") == ("wiki", {})
    assert url_map.bind("h", subdomain="ada").match("/") == ("user", {"user": "ada"})


def test_hosts_are_matched():
    url_map = Map(
        [Rule("/", endpoint="e", host="<name>.example"), Rule("/", endpoint="f", host="")], host_matching=True
    )
    assert url_map.bind("ada.example").match("/") == ("e", {"name": "ada"})
    with pytest.raises(NotFound):
        url_map.bind("ada.other").match("/")


def test_a_missing_slash_is_added():
    adapter = bind("/a/", "/<x>/b/", "/<path:p>/c/")
    assert redirect(adapter, "/a") == "http://h.example/a/"
    assert redirect(adapter, "/ü/b") == "http://h.example/%C3%BC/b/"
    assert redirect(adapter, "/1/2/c", query_args={"q": "ü"}) == "http://h.example/1/2/c/?q=%C3%BC"
    assert adapter.match("/1/2/c/") == ("/<path:p>/c/", {"p": "1/2"})
    assert redirect(adapter, "/1/2/c//") == "http://h.example/1/2/c/"


def test_a_slash_may_be_left_out_where_slashes_are_not_strict():
    adapter = bind("/a/", "/b", "/<path:p>/c/", strict_slashes=False)
    assert [adapter.match(path)[0] for path in ("/a", "/a/", "/b", "/b/", "/x/y/c")] == [
        *("/a/", "/a/", "/b", "/b", "/<path:p>/c/")
    ]


def test_an_empty_path_is_the_root_without_its_slash():
    assert redirect(bind("/"), "") == "http://h.example/"


def test_a_missing_slash_is_added_for_the_methods_of_the_rule():
    adapter = Map([Rule("/a/", endpoint="e", methods=["POST"])]).bind("h.example")
    assert redirect(adapter, "/a", method="POST") == "http://h.example/a/"
    assert adapter.test("/a", "GET") is False


def test_numbers_have_their_digits_and_their_range():
    adapter = bind("/<int(fixed_digits=3):x>", "/x<int(min=2, max=4):x>", "/y<float(signed=True, max=1.5):x>")
    found = [adapter.test(path) for path in ("/007", "/7", "/x1", "/x2", "/x5", "/y-1.5", "/y2.5")]
    assert found == [True, False, False, True, False, True, False]


def test_slashes_that_follow_one_another_are_merged():
    adapter = bind("/a/b", "/c/<path:p>")
    assert redirect(adapter, "/a///b") == "http://h.example/a/b"
    assert adapter.match("/c/d//e") == ("/c/<path:p>", {"p": "d//e"})
    assert adapter.match("//a/b") == ("/a/b", {})
    with pytest.raises(NotFound):
        bind("/a/b", merge_slashes=False).match("/a//b")
    with pytest.raises(NotFound):
        Map(rules("/a/b", merge_slashes=False)).bind("h").match("/a//b")


@pytest.mark.parametrize("path", ["//evil.example/x", "/\\evil.example/x", "/\t/evil.example/x", "///evil.example//x"])
def test_no_path_redirects_to_another_host(path):
    adapter = bind("/<path:p>/", "/evil.example/x/")
    assert redirect(adapter, path).startswith("http://h.example/")


def test_a_newline_at_the_end_is_not_the_same_path():
    adapter = bind("/admin", "/n/<int:x>", "/p/<path:p>")
    for path in ("/admin\n", "/n/1\n", "/p/a\n"):
        assert adapter.test(path) is False


def test_digits_beyond_what_python_converts_are_not_found():
    adapter = bind("/<int:x>", "/-<int(signed=True):x>")
    for path in ("/" + "9" * 5000, "/-" + "9" * 5000):
        assert isinstance(adapter.map.find(path, "GET")[1], NotFound)
        with pytest.raises(NotFound):
            adapter.match(path)


def test_bytes_that_are_no_utf8_are_still_a_path():
    environ = {
        "wsgi.url_scheme": "http",
        "HTTP_HOST": "h",
        "PATH_INFO": "/\xff",
        "REQUEST_METHOD": "GET",
    }
    assert Map(rules("/<x>")).bind_to_environ(environ).match() == ("/<x>", {"x": "\N{REPLACEMENT CHARACTER}"})


class Even(BaseConverter):
    regex = r"\d+"

    def to_python(self, value):
        if int(value) % 2:
            raise ValidationError
        return int(value)


def test_a_value_that_its_converter_refuses_is_not_found():
    adapter = Map(rules("/<even:x>", "/<path:p>"), converters={"even": Even}).bind("h")
    assert adapter.match("/4") == ("/<even:x>", {"x": 4})
    with pytest.raises(NotFound):
        adapter.match("/3")


def test_what_a_converter_raises_comes_out():
    class Failing(BaseConverter):
        def to_python(self, value):
            raise {"404": NotFound(), "key": KeyError(value), "value": ValueError(value)}[value]

    url_map = Map(rules("/<failing:x>"), converters={"failing": Failing})
    for value, error in (("404", NotFound), ("key", KeyError), ("value", ValueError)):
        with pytest.raises(error):
            url_map.bind("h").match(f"/{value}")
        with pytest.raises(error):
            url_map.find(f"/{value}", "GET")


def test_a_converter_may_take_slashes_groups_and_nothing():
    class Date(BaseConverter):
        regex = r"(\d{4})/(\d\d)"

    class Letters(BaseConverter):
        regex = "[a-z]*"

    adapter = Map(rules("/<date:d>/<letters:x>", "/x<letters:x>"), converters={"date": Date, "letters": Letters}).bind(
        "h"
    )
    assert adapter.match("/2024/05/abc")[1] == {"d": "2024/05", "x": "abc"}
    assert adapter.match("/x")[1] == {"x": ""}


def test_the_matcher_says_why_nothing_matched():
    url_map = Map([Rule("/", endpoint="e", methods=["GET"]), Rule("/w", endpoint="w", websocket=True)])
    url_map.update()
    with pytest.raises(NoMatch) as caught:
        url_map._matcher.match("", "/", "PUT", False)
    assert (caught.value.have_match_for, caught.value.websocket_mismatch) == ({"GET", "HEAD"}, False)
    with pytest.raises(NoMatch) as caught:
        url_map._matcher.match("", "/w", "GET", False)
    assert (caught.value.have_match_for, caught.value.websocket_mismatch) == (set(), True)
