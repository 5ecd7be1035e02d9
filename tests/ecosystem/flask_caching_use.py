"""Flask-Caching: cached views by path and by query, memoized functions, cached fragments of templates."""

import pytest
from flask import Flask, render_template_string, request
from flask_caching import Cache


@pytest.fixture(params=["SimpleCache", "FileSystemCache"])
def cache(request, tmp_path):
    app = Flask(__name__)
    app.config.update(CACHE_TYPE=request.param, CACHE_DIR=str(tmp_path), CACHE_DEFAULT_TIMEOUT=60)
    cache = Cache(app)
    cache.test_app = app
    cache.calls = []
    return cache


def test_a_view_is_called_once(cache):
    @cache.test_app.get("/<name>")
    @cache.cached()
    def greet(name):
        cache.calls.append(request.full_path)
        return f"hello {name}", 201, {"X-From": name}

    client = cache.test_app.test_client()
    answers = [client.get(path) for path in ("/ada", "/ada?x=1", "/bob")]

    assert ["hello ada", "hello ada", "hello bob"] == [answer.text for answer in answers]
    assert [(201, "ada"), (201, "ada"), (201, "bob")] == [(a.status_code, a.headers["X-From"]) for a in answers]
    assert ["/ada?", "/bob?"] == cache.calls


def test_a_view_is_called_once_for_each_query(cache):
    @cache.test_app.get("/search")
    @cache.cached(query_string=True)
    def search():
        cache.calls.append(dict(request.args))
        return {"q": request.args["q"]}

    client = cache.test_app.test_client()
    for query in ("q=a&n=1", "n=1&q=a", "q=b&n=1"):
        client.get(f"/search?{query}")

    assert [{"q": "a", "n": "1"}, {"q": "b", "n": "1"}] == cache.calls


def test_a_response_is_cached_and_forgotten(cache):
    @cache.test_app.get("/time")
    @cache.cached(unless=lambda: "fresh" in request.args, response_filter=lambda response: response[1] == 200)
    def tick():
        cache.calls.append(1)
        return str(len(cache.calls)), 200

    client = cache.test_app.test_client()

    assert ["1", "1", "2", "1"] == [client.get(path).text for path in ("/time", "/time", "/time?fresh", "/time")]
    with cache.test_app.test_request_context("/time"):
        cache.delete("view//time")
    assert "3" == client.get("/time").text


def test_a_function_is_memoized_by_its_arguments(cache):
    @cache.memoize(timeout=50)
    def add(a, b=0):
        cache.calls.append((a, b))
        return a + b

    with cache.test_app.app_context():
        assert [3, 3, 3, 4] == [add(1, 2), add(1, b=2), add(a=1, b=2), add(2, 2)]
        cache.delete_memoized(add, 1, 2)
        assert [3, 4] == [add(1, 2), add(2, 2)]

    assert [(1, 2), (2, 2), (1, 2)] == cache.calls


def test_a_fragment_of_a_template_is_cached(cache):
    @cache.test_app.get("/")
    def page():
        source = "{% cache 60, 'part' %}{{ count() }}{% endcache %}"
        return render_template_string(source, count=lambda: cache.calls.append(1) or len(cache.calls))

    client = cache.test_app.test_client()

    assert ["1", "1"] == [client.get("/").text, client.get("/").text]
