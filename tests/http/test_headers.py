"""Header fields and sets of tokens, and the values that both refuse."""

import copy

import pytest
from werkzeug.datastructures import Headers as WerkzeugHeaders

from costrel.http.errors import BadRequestKeyError
from costrel.http.header_set import HeaderSet
from costrel.http.headers import Headers
from costrel.http.multidict import MultiDict

CONTROLS = [chr(code) for code in (*range(0x20), 0x7F) if chr(code) != "\t"]


def test_names_are_found_in_any_case():
    headers = Headers([("Content-Type", "text/html"), ("X-Id", "1"), ("x-id", "2")])
    assert headers["content-type"] == headers.get("CONTENT-TYPE") == "text/html"
    assert (headers.get("X-ID"), headers.get("x-id"), headers.getlist("X-Id")) == ("1", "1", ["1", "2"])
    assert ("x-ID" in headers, "x" in headers) == (True, False)


def test_a_missing_name_is_a_key_error_and_a_bad_request():
    for read in (lambda h: h["a"], lambda h: h.pop("a"), lambda h: h._get_key("a")):
        with pytest.raises(BadRequestKeyError) as caught:
            read(Headers())
        assert caught.value.args == ("a",)


def test_setting_takes_the_place_of_the_first_and_removes_the_others():
    headers = Headers([("a", "1"), ("b", "2"), ("A", "3")])
    headers["A"] = 4
    assert list(headers) == [("A", "4"), ("b", "2")]
    headers.setlist("b", ["5", "6"])
    assert headers.to_wsgi_list() == [("A", "4"), ("b", "5"), ("b", "6")]
    headers.setlist("b", [])
    assert list(headers.keys()) == ["A"]


def test_pairs_have_indexes_and_slices_too():
    headers = Headers([("a", "1"), ("b", "2"), ("A", "3"), ("c", "4")])

    assert (("b", "2"), [("a", "1"), ("b", "2")]) == (headers[1], list(headers[:2]))
    headers[0] = ("x", 5)
    headers[2:] = [("y", 6), ("z", "7")]
    assert [("x", "5"), ("b", "2"), ("y", "6"), ("z", "7")] == list(headers)
    del headers[0], headers["Z"]
    del headers[1:]
    assert [("b", "2")] == list(headers)


def test_headers_are_equal_in_any_order_and_case_of_their_names():
    assert Headers([("a", "1"), ("B", "2")]) == Headers([("b", "2"), ("A", "1")])
    assert Headers([("a", "1")]) != Headers([("a", "2")])
    assert Headers([("a", "1")]) != [("a", "1")]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (Headers([("A", "2"), ("a", "3")]), [("b", "1"), ("a", "2"), ("a", "3")]),
        (MultiDict([("a", "2"), ("a", "3")]), [("b", "1"), ("a", "2"), ("a", "3")]),
        ({"a": ["2", "3"], "b": "4"}, [("b", "4"), ("a", "2"), ("a", "3")]),
        ([("a", "2"), ("a", "3")], [("b", "1"), ("a", "3")]),
        ({"a": ("2",), "c": {3}}, [("b", "1"), ("a", "2"), ("c", "3")]),
    ],
)
def test_an_update_replaces_the_values_of_each_name(source, expected):
    headers, theirs, named = (cls([("a", "1"), ("b", "1")]) for cls in (Headers, WerkzeugHeaders, Headers))
    headers.update(source)
    named |= source

    assert sorted(expected) == sorted(headers) == sorted(named)
    if not isinstance(source, (Headers, MultiDict)):  # it does not know these
        theirs.update(source)
        assert list(theirs) == list(headers)


def test_an_update_takes_names_as_arguments():
    headers, theirs = (cls([("a", "1")]) for cls in (Headers, WerkzeugHeaders))
    for each in (headers, theirs):
        each.update({"b": "2"}, a=["3", "4"], c="5")

    assert [("a", "3"), ("b", "2"), ("a", "4"), ("c", "5")] == list(headers) == list(theirs)


def test_a_union_is_with_a_mapping_and_leaves_its_sides_as_they_are():
    headers = Headers([("a", "1")])

    assert [("a", "2"), ("b", "3")] == list(headers | {"a": "2", "b": "3"})
    assert [("a", "1")] == list(headers)
    for wrong in ([("a", "2")], 5):
        with pytest.raises(TypeError):
            headers | wrong
    with pytest.raises(TypeError):
        headers |= 5


def test_parameters_are_appended_to_a_value():
    headers = Headers()
    headers.add("Content-Disposition", "attachment", filename="a b.txt", size_kb=None)
    headers.add_header("X", None, a_b="c")
    assert list(headers.values()) == ['attachment; filename="a b.txt"', "a-b=c"]
    headers.set("X", "v", q=1)
    assert headers["x"] == "v; q=1"


@pytest.mark.parametrize("control", CONTROLS, ids=repr)
def test_no_control_character_enters_a_value(control):
    headers = Headers([("a", "1")])
    for change in (
        lambda: headers.add("a", f"x{control}y"),
        lambda: headers.set("a", f"x{control}y"),
        lambda: headers.add("a", "x", option=control),
        lambda: headers.__setitem__(0, ("a", control)),
        lambda: headers.__setitem__(slice(0, 1), [("a", control)]),
        lambda: headers.extend([("a", control)]),
        lambda: headers.update(a=control),
        lambda: headers.setlist("a", [control]),
        lambda: headers.setdefault("b", control),
        lambda: Headers({"a": control}),
        lambda: headers.add(f"x{control}", "y"),
        lambda: headers.set(f"x{control}", "y"),
    ):
        with pytest.raises(ValueError, match="must not contain"):
            change()
    assert list(headers) == [("a", "1")]


def test_the_error_names_the_character():
    with pytest.raises(ValueError, match=r"found '\\x00' in 'a\\x00b'"):
        Headers([("a", "a\0b")])
    with pytest.raises(ValueError, match=r"^Header values must not contain newline characters\.$"):
        Headers([("a", "b\nSet-Cookie: c")])
    with pytest.raises(ValueError, match="Header names must not contain control characters"):
        Headers([("a\r\nb", "c")])


def test_tabs_and_text_beyond_ascii_are_let_through():
    headers = Headers([("é", "a\tb é ☃\xa0")])
    assert list(headers) == [("é", "a\tb é ☃\xa0")]


def test_a_proxy_of_text_is_made_text():
    class Proxy:
        __class__ = str

        def __str__(self):
            return "text"

    assert [type(value) for value in Headers([("a", Proxy())]).values()] == [str]


def test_names_that_are_no_text_are_not_looked_at():
    assert list(Headers([(1, "x")])) == [(1, "x")]


def test_a_list_can_be_adopted_and_is_never_rebound():
    pairs = [("a", "1"), ("b", "2"), ("a", "3")]
    headers = Headers.adopt(pairs)
    headers["a"] = "4"
    headers.remove("b")
    headers[0:1] = [("c", "5")]
    headers |= {"d": "6"}
    headers.add("e", "7")
    assert pairs == [("c", "5"), ("d", "6"), ("e", "7")]
    headers.clear()
    assert pairs == []
    assert headers._list is pairs


def test_copies_change_on_their_own():
    class Own(Headers):
        pass

    for cls in (Headers, Own):
        headers = cls([("a", "1")])
        for other in (headers.copy(), copy.copy(headers), copy.deepcopy(headers), headers | {}, headers[:]):
            other.add("b", "2")
            assert type(other) is cls
            assert list(headers) == [("a", "1")]


def test_classes_that_add_or_find_in_their_own_way_are_asked():
    class Louder(Headers):
        def add(self, key, value, /, **kwargs):
            super().add(key, f"{value}!", **kwargs)

    class Elsewhere(Headers):
        def _find(self, key):
            return {"a": "5", "b": "x"}.get(key)

    assert list(Louder([("a", "b")])) == [("a", "b!")]
    headers = Elsewhere()
    assert (headers.get("a"), headers.get("a", type=int), headers.get("b", 7, int), headers.get("c")) == (
        "5",
        5,
        7,
        None,
    )
    assert ("a" in headers, headers["b"], headers.setdefault("a", "z")) == (True, "x", "5")


def test_an_update_from_headers_with_repeated_names_is_quick():
    headers = Headers([("b", "0")])
    headers.update(Headers([("a", str(number)) for number in range(3000)]))
    assert (len(headers), headers.getlist("a")[-1]) == (3001, "2999")


def test_an_update_from_a_multi_dict_keeps_all_values():
    headers = Headers([("a", "0"), ("a", "9")])
    headers.update(MultiDict([("A", "1"), ("b", "2"), ("A", "3")]))
    assert list(headers) == [("A", "1"), ("A", "3"), ("b", "2")]


def test_headers_print_as_in_a_message():
    assert str(Headers([("A", "1"), ("B", "2")])) == "A: 1\r\nB: 2\r\n\r\n"
    assert str(Headers()) == "\r\n"


def test_a_token_is_found_in_any_case_and_written_in_its_own():
    seen = []
    vary = HeaderSet(["Accept"], lambda changed: seen.append(str(changed)))
    vary.add("Cookie")
    vary.add("COOKIE")
    vary.discard("ACCEPT")
    vary.discard("nothing")
    assert seen == ["Accept, Cookie", "Cookie"]
    assert ("cookie" in vary, vary.find("COOKIE"), vary.as_set(True)) == (True, 0, {"Cookie"})
    for remove, error in ((lambda: vary.remove("x"), KeyError), (lambda: vary.index("x"), IndexError)):
        with pytest.raises(error, match="x"):
            remove()


def test_a_header_set_reads_and_writes_its_field():
    assert list(HeaderSet.from_header('a, "b c", , a')) == ["a", "b c", "a"]
    assert HeaderSet.from_header('a, "b c"').to_header() == 'a, "b c"'
    assert not HeaderSet.from_header(None)
