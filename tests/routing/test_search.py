"""What a request gets to whose path the first way through the tree does not lead: what the adapter says."""

from __future__ import annotations

import pytest

from costrel.http.errors import HTTPException
from costrel.routing import Map, MapAdapter, Rule


def answer(match) -> tuple[object, ...]:
    try:
        rule, values = match()
    except HTTPException as error:
        methods = getattr(error, "valid_methods", None)
        return type(error).__name__, sorted(methods or ())
    return rule.endpoint, dict(values)


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "--X"])
@pytest.mark.parametrize(
    "path", ["/", "//", "/nowhere", "/a/1/b", "/a/x/b", "/a/x/c", "//a/x/c", "/a/1/c", "/p/q/r/end", "/p/q/r", "/ws"]
)
def test_it_answers_as_the_adapter_does(path: str, method: str) -> None:
    url_map = Map(
        [
            Rule("/a/<int:n>/b", endpoint="number"),
            Rule("/a/<x>/c", endpoint="text", methods=["GET"]),
            Rule("/a/1/d", endpoint="one", methods=["POST"]),
            Rule("/p/<path:rest>/end", endpoint="path", methods=["PUT", "GET"]),
            Rule("/ws", endpoint="ws", websocket=True),
        ]
    )
    expected = answer(lambda: url_map.bind("localhost").match(path, method, return_rule=True))
    assert answer(lambda: url_map.find(path, method) or url_map.search(path, method)) == expected


def test_what_takes_an_adapter_is_left_to_it() -> None:
    url_map = Map(
        [
            Rule("/folder/", endpoint="folder"),
            Rule("/all/", defaults={"page": 1}, endpoint="all"),
            Rule("/all/<int:page>", endpoint="all"),
            Rule("/old", endpoint="old", redirect_to="/new"),
        ]
    )
    url_map.update()
    for path in ("/folder", "/all/1", "/old"):
        assert url_map.search(path, "GET") is None


def test_a_method_in_lower_case_is_left_to_the_adapter() -> None:
    url_map = Map([Rule("/", endpoint="index", methods=["GET"])])
    assert url_map.find("/", "get") is None
    assert url_map.search("/", "get") is None


def test_a_map_with_adapters_of_its_own_is_asked_for_one() -> None:
    class Forgiving(MapAdapter):
        """Would find something for every path."""

    class ForgivingMap(Map):
        def bind_to_environ(self, *args, **kwargs):
            return Forgiving(self, "localhost", "/", "", "http", "/", "GET")

    assert ForgivingMap([Rule("/", endpoint="index")]).search("/nowhere", "GET") is None
