"""Views as classes."""

import asyncio

import pytest

import costrel
from costrel.app.application import Costrel
from costrel.views import MethodView, View, http_method_funcs


@pytest.fixture
def app():
    app = Costrel("shop")
    app.testing = True
    return app


class Hello(View):
    """Says hello."""

    def __init__(self, greeting="hello"):
        self.greeting = greeting

    def dispatch_request(self, name="you"):
        return f"{self.greeting} {name}"


class TestView:
    def test_it_becomes_a_function(self, app):
        view = Hello.as_view("greet", "good day")
        assert (view.__name__, view.__module__, view.__doc__) == ("greet", __name__, "Says hello.")
        assert (view.view_class, view.methods, view.provide_automatic_options) == (Hello, None, None)
        app.add_url_rule("/<name>", view_func=view)
        assert app.test_client().get("/ann").text == "good day ann"

    def test_each_request_has_an_object_of_its_own(self, app):
        class Counting(View):
            made = 0

            def __init__(self):
                Counting.made += 1

            def dispatch_request(self):
                return str(Counting.made)

        class Once(Counting):
            init_every_request = False

        app.add_url_rule("/each", view_func=Counting.as_view("each"))
        client = app.test_client()
        assert [client.get("/each").text for _ in range(2)] == ["1", "2"]
        app = Costrel("shop")
        app.add_url_rule("/once", view_func=Once.as_view("once"))
        client = app.test_client()
        assert [client.get("/once").text for _ in range(2)] == ["3", "3"]

    def test_a_shared_object_may_be_false(self, app):
        class Empty(Hello):
            init_every_request = False

            def __len__(self):
                return 0

        app.add_url_rule("/", view_func=Empty.as_view("empty", greeting="hi"))
        assert app.test_client().get("/").text == "hi you"

    def test_decorators_are_applied_from_the_inside(self, app):
        def tag(name):
            def decorate(view):
                seen.append((view.__name__, view.__module__))

                def decorated(**kwargs):
                    return f"<{name}>{view(**kwargs)}</{name}>"

                return decorated

            return decorate

        class Tagged(Hello):
            decorators = [tag("a"), tag("b")]

        seen = []
        view = Tagged.as_view("tagged")
        assert seen == [("tagged", __name__), ("decorated", __name__)]
        assert (view.__name__, view.view_class) == ("tagged", Tagged)
        app.add_url_rule("/", view_func=view)
        assert app.test_client().get("/").text == "<b><a>hello you</a></b>"

    def test_its_methods_are_those_of_the_rule(self, app):
        class Posted(Hello):
            methods = ["POST"]
            provide_automatic_options = False

        app.add_url_rule("/", view_func=Posted.as_view("posted"))
        client = app.test_client()
        assert [client.open("/", method=method).status_code for method in ("POST", "GET", "OPTIONS")] == [200, 405, 405]

    def test_another_class_may_take_its_place(self, app):
        class Other(Hello):
            def dispatch_request(self):
                return "other"

        for decorators in ([], [lambda view: lambda: view()]):
            kind = type("Decorated", (Hello,), {"decorators": decorators})
            view = kind.as_view(f"v{len(decorators)}")
            view.view_class = Other
            app.add_url_rule(f"/{len(decorators)}", view_func=view)
        client = app.test_client()
        assert [client.get("/0").text, client.get("/1").text] == ["other", "other"]

    def test_a_plain_one_answers_nothing(self):
        with pytest.raises(NotImplementedError):
            View().dispatch_request()


class TestMethodView:
    class Item(MethodView):
        def get(self, number=0):
            return f"get {number}"

        def post(self):
            return "post"

    def test_methods_follow_from_the_functions(self):
        assert self.Item.methods == {"GET", "POST"}
        assert MethodView.methods is None
        assert type("Plain", (MethodView,), {}).methods is None

    def test_they_are_inherited_and_added_to(self):
        class Named(MethodView):
            methods = ["PROPFIND"]

        class Deleting(self.Item, Named):
            def delete(self):
                return ""

        class Fixed(self.Item):
            methods = ["GET"]

        assert Deleting.methods == {"GET", "POST", "DELETE", "PROPFIND"}
        assert Fixed.methods == ["GET"]

    def test_each_method_is_called_for_its_own(self, app):
        app.add_url_rule("/", view_func=self.Item.as_view("item"))
        app.add_url_rule("/<int:number>", view_func=self.Item.as_view("numbered"))
        client = app.test_client()
        assert client.get("/3").text == "get 3"
        assert client.post("/").text == "post"
        assert client.put("/").status_code == 405

    def test_head_is_get_without_a_body_unless_there_is_one(self, app):
        class Heading(self.Item):
            def head(self):
                return costrel.Response("", headers={"X-Head": "own"})

        app.add_url_rule("/plain", view_func=self.Item.as_view("plain"))
        app.add_url_rule("/own", view_func=Heading.as_view("own"))
        client = app.test_client()
        assert (client.head("/plain").status_code, client.head("/plain").data) == (200, b"")
        assert client.head("/own").headers["X-Head"] == "own"

    def test_a_method_that_is_not_there_is_named(self, app):
        app.add_url_rule("/", view_func=self.Item.as_view("item"), methods=["PUT"])
        with pytest.raises(AssertionError, match="Unimplemented method 'PUT'"):
            app.test_client().put("/")

    def test_the_names_of_the_functions(self):
        assert http_method_funcs == {"get", "post", "head", "options", "delete", "put", "trace", "patch"}


class TestAsync:
    class Later(View):
        async def dispatch_request(self, name):
            await asyncio.sleep(0)
            return f"later {name}"

    class LaterMethods(MethodView):
        async def get(self):
            return "get"

        async def post(self):
            return "post"

    class Mixed(LaterMethods):
        def put(self):
            return "put"

    class Own(MethodView):
        def dispatch_request(self, **kwargs):
            return self.get()

        def get(self):
            return "own"

    class OwnAsync(MethodView):
        async def dispatch_request(self, **kwargs):
            return "own " + await self.get()

        async def get(self):
            return "async"

    @pytest.mark.parametrize(
        ("kind", "is_async"),
        [(Later, True), (LaterMethods, True), (Mixed, False), (Own, False), (OwnAsync, True), (Hello, False)],
    )
    def test_the_function_is_async_where_all_of_the_view_is(self, kind, is_async):
        assert asyncio.iscoroutinefunction(kind.as_view("view")) is is_async

    def test_they_answer_all_the_same(self, app):
        for kind in (self.LaterMethods, self.Mixed, self.Own, self.OwnAsync):
            app.add_url_rule(f"/{kind.__name__}", view_func=kind.as_view(kind.__name__))
        app.add_url_rule("/Later/<name>", view_func=self.Later.as_view("later"))
        client = app.test_client()
        assert client.get("/Later/ann").text == "later ann"
        assert client.get("/LaterMethods").text == "get"
        assert client.head("/LaterMethods").status_code == 200
        assert (client.get("/Mixed").text, client.put("/Mixed").text) == ("get", "put")
        assert (client.get("/Own").text, client.get("/OwnAsync").text) == ("own", "own async")

    def test_a_decorator_sees_what_the_view_returns(self, app):
        class Decorated(self.Later):
            decorators = [lambda view: lambda **kwargs: view(**kwargs).upper()]

        app.add_url_rule("/<name>", view_func=Decorated.as_view("decorated"))
        assert app.test_client().get("/ann").text == "LATER ANN"

    def test_a_class_put_in_its_place_may_be_sync(self, app):
        view = self.Later.as_view("view")
        view.view_class = Hello
        app.add_url_rule("/<name>", view_func=view)
        assert app.test_client().get("/ann").text == "hello ann"
