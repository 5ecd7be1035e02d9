"""An `async def` in each place that takes a function: it runs, or it is a TypeError when it is registered."""

import asyncio

import click
import pytest

from costrel import Blueprint, Costrel, current_app, flash, g, render_template_string, url_for
from costrel.app.application import Flask
from costrel.messages.response import Response
from costrel.sessions.interface import SecureCookieSessionInterface, SessionInterface
from costrel.support import signals
from costrel.views import MethodView, View

EDGES = pytest.mark.parametrize("edge", ["wsgi", "asgi"])
VIEWS = pytest.mark.parametrize("is_async", [False, True], ids=["def", "async def"])


def make(cls=Costrel):
    app = cls("everywhere", static_folder=None)
    app.secret_key = "k" * 32
    return app


def add_view(app, rule, is_async, answer):
    """Add a view that returns `answer()`, as a plain function or as a coroutine function."""

    async def async_view(**values):
        return answer(**values)

    app.add_url_rule(rule, "view", async_view if is_async else answer)


async def soon(value=None):
    """Wait for a turn of the loop, so that a coroutine which is not awaited has no effect."""
    await asyncio.sleep(0)
    return value


@EDGES
@VIEWS
class TestHooks:
    def test_url_value_preprocessor(self, edge, is_async):
        app = make()

        @app.url_value_preprocessor
        async def take_language(endpoint, values):
            await soon()
            g.language = values.pop("language")

        add_view(app, "/<language>/", is_async, lambda: g.language)
        assert app.test_client(edge=edge).get("/fr/").text == "fr"

    def test_url_value_preprocessor_of_a_blueprint(self, edge, is_async):
        app, shop = make(), Blueprint("shop", "x", url_prefix="/<int:number>")

        @shop.url_value_preprocessor
        async def double(endpoint, values):
            values["number"] = await soon(values["number"] * 2)

        add_view(shop, "/", is_async, lambda number: str(number))
        app.register_blueprint(shop)
        assert app.test_client(edge=edge).get("/21/").text == "42"

    def test_url_defaults(self, edge, is_async):
        app = make()

        @app.url_defaults
        async def add_language(endpoint, values):
            values.setdefault("language", await soon("de"))

        add_view(app, "/<language>/", is_async, lambda language: url_for("view"))
        assert app.test_client(edge=edge).get("/fr/").text == "/de/"

    def test_url_build_error_handlers(self, edge, is_async):
        app = make()

        async def elsewhere(error, endpoint, values):
            return await soon(f"https://other.example/{endpoint}")

        app.url_build_error_handlers.append(elsewhere)
        add_view(app, "/", is_async, lambda: url_for("missing"))
        assert app.test_client(edge=edge).get("/").text == "https://other.example/missing"

    def test_context_processor(self, edge, is_async):
        app = make()

        @app.context_processor
        async def names():
            return await soon({"name": "Ada"})

        add_view(app, "/", is_async, lambda: render_template_string("{{ name }}"))
        assert app.test_client(edge=edge).get("/").text == "Ada"

    def test_template_filter_test_and_global(self, edge, is_async):
        app = make()

        @app.template_filter
        async def shout(text):
            return await soon(text.upper())

        @app.template_test("odd_one")
        async def odd_one(number):
            return await soon(number % 2 == 1)

        @app.template_global
        async def greeting():
            return await soon("hi")

        source = "{{ greeting()|shout }} {{ 3 is odd_one }} {{ 2 is odd_one }}"
        add_view(app, "/", is_async, lambda: render_template_string(source))
        assert app.test_client(edge=edge).get("/").text == "HI True False"

    def test_before_after_and_teardown(self, edge, is_async):
        app, seen = make(), []

        @app.before_request
        async def before():
            seen.append(await soon("before"))

        @app.after_request
        async def after(response):
            seen.append(await soon("after"))
            return response

        @app.teardown_request
        async def teardown(error):
            seen.append(await soon("teardown"))

        @app.teardown_appcontext
        async def teardown_app(error):
            seen.append(await soon("teardown app"))

        add_view(app, "/", is_async, lambda: "")
        app.test_client(edge=edge).get("/").close()
        assert seen == ["before", "after", "teardown", "teardown app"]

    def test_after_this_request(self, edge, is_async):
        from costrel import after_this_request

        app = make()

        def view():
            @after_this_request
            async def sign(response):
                response.headers["X-Signed"] = await soon("yes")
                return response

            return ""

        add_view(app, "/", is_async, view)
        assert app.test_client(edge=edge).get("/").headers["X-Signed"] == "yes"

    def test_errorhandler(self, edge, is_async):
        app = make()

        @app.errorhandler(ZeroDivisionError)
        async def handle(error):
            return await soon(("handled", 400))

        add_view(app, "/", is_async, lambda: 1 / 0)
        assert app.test_client(edge=edge).get("/").text == "handled"

    def test_call_on_close(self, edge, is_async):
        app, seen = make(), []

        def view():
            response = Response("body")

            @response.call_on_close
            async def close():
                seen.append(await soon("closed"))

            return response

        add_view(app, "/", is_async, view)
        app.test_client(edge=edge).get("/").close()
        assert seen == ["closed"]

    def test_receivers_of_signals(self, edge, is_async):
        app, seen = make(), []
        names = (
            "appcontext_pushed", "request_started", "before_render_template", "template_rendered", "message_flashed",
            "request_finished", "request_tearing_down", "appcontext_tearing_down", "appcontext_popped",
        )  # fmt: skip
        receivers = []
        for name in names:

            async def receive(sender, name=name, **values):
                seen.append(await soon(name))

            receivers.append(receive)
            getattr(signals, name).connect(receive, app)

        def view():
            flash("x")
            return render_template_string("")

        add_view(app, "/", is_async, view)
        app.test_client(edge=edge).get("/").close()
        assert set(seen) == set(names)


@EDGES
class TestViews:
    def test_dispatch_request(self, edge):
        class Page(View):
            async def dispatch_request(self, name):
                return await soon(name)

        app = make()
        app.add_url_rule("/<name>", view_func=Page.as_view("page"))
        assert app.test_client(edge=edge).get("/ada").text == "ada"

    def test_a_method_of_many(self, edge):
        class Page(MethodView):
            def get(self):
                return "get"

            async def post(self):
                return await soon("post")

        app = make()
        app.add_url_rule("/", view_func=Page.as_view("page"))
        client = app.test_client(edge=edge)
        assert (client.get("/").text, client.post("/").text) == ("get", "post")

    def test_a_partial_and_an_object(self, edge):
        from functools import partial

        class Answer:
            __name__ = "answer"

            async def __call__(self):
                return await soon("object")

        app = make()
        app.add_url_rule("/partial", "partial", partial(soon, "partial"))
        app.add_url_rule("/object", "object", Answer())
        client = app.test_client(edge=edge)
        assert (client.get("/partial").text, client.get("/object").text) == ("partial", "object")


class TestCommands:
    def run(self, app, *args):
        result = app.test_cli_runner().invoke(args=args)
        assert result.exit_code == 0, result.output
        return result.output

    def test_a_command(self):
        app = make()

        @app.cli.command("sync")
        @click.argument("name")
        async def sync(name):
            click.echo(await soon(f"{current_app.name} {name}"))

        assert self.run(app, "sync", "x") == "everywhere x\n"

    def test_a_command_without_context(self):
        app = make()

        @app.cli.command("sync", with_appcontext=False)
        async def sync():
            click.echo(await soon("done"))

        assert self.run(app, "sync") == "done\n"

    def test_a_command_of_a_blueprint(self):
        app, shop = make(), Blueprint("shop", "x")

        @shop.cli.command()
        async def sync():
            click.echo(await soon("done"))

        app.register_blueprint(shop)
        assert self.run(app, "shop", "sync") == "done\n"

    def test_a_group_and_its_command(self):
        app = make()

        @app.cli.group()
        async def users():
            click.echo(await soon("group"))

        @users.command()
        @click.pass_context
        async def create(ctx):
            click.echo(await soon(ctx.info_name))

        assert self.run(app, "users", "create") == "group\ncreate\n"

    def test_a_command_of_click(self):
        app = make()

        @click.command()
        async def plain():
            click.echo(await soon("plain"))

        app.cli.add_command(plain)
        assert self.run(app, "plain") == "plain\n"

    def test_with_appcontext(self):
        from costrel.services.commands import with_appcontext

        app = make()

        @click.command()
        @with_appcontext
        async def plain():
            click.echo(await soon(current_app.name))

        app.cli.add_command(plain)
        assert self.run(app, "plain") == "everywhere\n"

    def test_a_decorator_that_runs_it_itself(self):
        from functools import wraps

        def run(function):
            @wraps(function)
            def sync(*args, **kwargs):
                return asyncio.run(function(*args, **kwargs))

            return sync

        app = make()

        @app.cli.command("sync")
        @run
        async def sync():
            click.echo(await soon("done"))

        assert self.run(app, "sync") == "done\n"

    def test_its_error_is_the_commands(self):
        app = make()

        @app.cli.command()
        async def fail():
            await soon()
            raise click.ClickException("no")

        assert app.test_cli_runner().invoke(args=["fail"]).exit_code == 1

    def test_an_async_generator_is_refused(self):
        app = make()
        with pytest.raises(
            TypeError, match="'numbers' is an 'async def' with 'yield': as a command nothing would read"
        ):

            @app.cli.command()
            async def numbers():
                yield 1


class TestShell:
    def test_a_shell_context_processor(self):
        app = make()

        @app.shell_context_processor
        async def names():
            return await soon({"name": "Ada"})

        assert app.make_shell_context()["name"] == "Ada"


class TestRefused:
    """Nothing could await these: they are refused when they are registered."""

    @pytest.mark.parametrize("record", ["record", "record_once"])
    def test_functions_that_are_recorded(self, record):
        async def set_up(state):
            pass

        with pytest.raises(TypeError, match="set_up' is 'async def': as a function that is recorded"):
            getattr(Blueprint("shop", "x"), record)(set_up)

    @pytest.mark.parametrize("name", ["open_session", "save_session", "is_null_session", "get_cookie_path"])
    def test_methods_of_a_session_interface(self, name):
        async def method(self, *args):
            pass

        cls = type("Sessions", (SecureCookieSessionInterface,), {name: method})
        with pytest.raises(TypeError, match="as a method of the session interface it must be a plain function"):
            make().session_interface = cls()

    def test_a_session_interface_of_a_subclass_prevents_the_start(self):
        class Sessions(SessionInterface):
            async def open_session(self, app, request):
                pass

        class Shop(Costrel):
            session_interface = Sessions()

        with pytest.raises(TypeError, match="open_session' is 'async def'"):
            make(Shop).try_settings()

    @pytest.mark.parametrize(
        "place",
        [
            "after_request", "teardown_request", "url_value_preprocessor", "url_defaults", "context_processor",
            "teardown_appcontext", "shell_context_processor", "template_filter", "template_test", "template_global",
        ],
    )  # fmt: skip
    @pytest.mark.parametrize("cls", [Costrel, Flask])
    def test_async_generators_in_places_that_read_no_values(self, place, cls):
        async def numbers(*args):
            yield 1

        with pytest.raises(TypeError, match="'numbers' is an 'async def' with 'yield'"):
            getattr(make(cls), place)(numbers)

    @pytest.mark.parametrize(
        "place",
        [
            "after_request", "after_app_request", "teardown_request", "teardown_app_request", "url_value_preprocessor",
            "app_url_value_preprocessor", "url_defaults", "app_url_defaults", "context_processor",
            "app_context_processor",
        ],
    )  # fmt: skip
    def test_async_generators_on_blueprints(self, place):
        async def numbers(*args):
            yield 1

        with pytest.raises(TypeError, match="'numbers' is an 'async def' with 'yield'"):
            getattr(Blueprint("shop", "x"), place)(numbers)


class TestJinja:
    def test_an_environment_that_awaits_itself_gets_the_function_as_it_is(self):
        class Shop(Costrel):
            jinja_options = {"enable_async": True}

        app = make(Shop)

        @app.template_filter
        async def shout(text):
            return await soon(text.upper())

        assert app.jinja_env.filters["shout"] is shout
        with app.app_context():
            assert render_template_string("{{ 'a'|shout }}") == "A"

    def test_a_filter_that_takes_the_context(self):
        from jinja2 import pass_context

        app = make()

        @app.template_filter
        @pass_context
        async def named(context, text):
            return await soon(f"{context['name']} {text}")

        with app.app_context():
            assert render_template_string("{{ 'x'|named }}", name="Ada") == "Ada x"


class TestWebSockets:
    def test_url_value_preprocessor(self):
        from costrel import websocket

        app = make()

        @app.url_value_preprocessor
        async def take_language(endpoint, values):
            g.language = await soon(values.pop("language"))

        @app.websocket("/<language>/ws")
        async def talk():
            await websocket.send(g.language)

        with app.test_client().websocket("/fr/ws") as connection:
            assert connection.receive() == "fr"
