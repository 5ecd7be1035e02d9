"""Quart, which builds on Flask's classes that do no I/O: an application with the usual parts."""

import asyncio

import pytest
import quart


@pytest.fixture
def app():
    app = quart.Quart(__name__)
    app.secret_key = "a-key-for-tests-of-32-characters"
    pages = quart.Blueprint("pages", __name__, url_prefix="/pages")

    @pages.get("/<int:number>")
    async def page(number):
        return {"number": number, "url": quart.url_for("pages.page", number=number)}

    @app.post("/form")
    async def form():
        form = await quart.request.form
        quart.session["name"] = form["name"]
        return await quart.render_template_string("Hello {{ name }}", name=form["name"])

    @app.get("/name")
    def name():
        return quart.session.get("name", "")

    @app.errorhandler(404)
    async def missing(error):
        return {"missing": quart.request.path}, 404

    @app.websocket("/echo")
    async def echo():
        await quart.websocket.send(await quart.websocket.receive())

    app.register_blueprint(pages)
    return app


def run(test):
    return asyncio.run(asyncio.wait_for(test, 30))


def test_json_and_urls(app):
    async def test():
        response = await app.test_client().get("/pages/3")
        return await response.get_json()

    assert run(test()) == {"number": 3, "url": "/pages/3"}


def test_forms_templates_and_sessions(app):
    async def test():
        client = app.test_client()
        response = await client.post("/form", form={"name": "Ada"})
        after = await client.get("/name")
        return await response.get_data(as_text=True), await after.get_data(as_text=True)

    assert run(test()) == ("Hello Ada", "Ada")


def test_error_handlers(app):
    async def test():
        response = await app.test_client().get("/nowhere")
        return response.status_code, await response.get_json()

    assert run(test()) == (404, {"missing": "/nowhere"})


def test_websockets(app):
    async def test():
        async with app.test_client().websocket("/echo") as socket:
            await socket.send("hello")
            return await socket.receive()

    assert run(test()) == "hello"


def test_cookies_are_read_by_flask_too(app):
    import flask

    serializer = flask.sessions.SecureCookieSessionInterface().get_signing_serializer(app)
    assert serializer.loads(serializer.dumps({"name": "Ada"})) == {"name": "Ada"}
