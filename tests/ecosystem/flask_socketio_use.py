"""Flask-SocketIO in threads: its test client, and a process of its own that is polled and spoken to by WebSocket."""

import http.client
import json
import subprocess
import sys

import pytest
from flask import Flask, request, session
from flask_socketio import ConnectionRefusedError, SocketIO, emit, join_room, send
from simple_websocket import Client

SERVER = """
import socket
from flask import Flask, request, session
from flask_socketio import SocketIO, emit

app = Flask(__name__)
app.config["SECRET_KEY"] = "a key for tests"
socketio = SocketIO(app, async_mode="threading")


@app.get("/")
def index():
    session["name"] = "ada"
    return "page"


@socketio.on("echo")
def echo(data):
    emit("echoed", {"data": data, "name": session.get("name"), "path": request.path})


with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
print(port, flush=True)
socketio.run(app, "127.0.0.1", port, allow_unsafe_werkzeug=True)
"""


@pytest.fixture
def socketio():
    app = Flask(__name__)
    app.config.update(SECRET_KEY="a key for tests", TESTING=True)
    socketio = SocketIO(app, async_mode="threading")
    socketio.test_app = app

    @app.get("/login")
    def login():
        session["name"] = "ada"
        return "welcome"

    @socketio.on("connect")
    def connect(auth):
        if auth == {"token": "wrong"}:
            raise ConnectionRefusedError("no")
        emit("hello", {"name": session.get("name"), "sid": request.sid})

    @socketio.on("join")
    def join(room):
        join_room(room)
        send(f"someone came to {room}", to=room)
        return "joined", 1

    @socketio.on("count", namespace="/other")
    def count():
        session["count"] = session.get("count", 0) + 1
        emit("counted", (session["count"], request.namespace))

    @socketio.on_error()
    def failed(error):
        emit("failed", f"{type(error).__name__} in {request.event['message']}")

    @socketio.on("divide")
    def divide(by):
        return 1 // by

    return socketio


def test_a_client_knows_the_session_of_the_page(socketio):
    browser = socketio.test_app.test_client()
    browser.get("/login")

    client = socketio.test_client(socketio.test_app, flask_test_client=browser)

    (hello,) = client.get_received()
    assert ("hello", "ada") == (hello["name"], hello["args"][0]["name"])


def test_rooms_and_answers(socketio):
    one, other = socketio.test_client(socketio.test_app), socketio.test_client(socketio.test_app)
    one.emit("join", "cellar")
    one.get_received()

    assert ["joined", 1] == other.emit("join", "cellar", callback=True)

    assert ["someone came to cellar"] == [event["args"] for event in one.get_received()]


def test_namespaces_keep_a_session_of_their_own(socketio):
    client = socketio.test_client(socketio.test_app, namespace="/other")
    for _ in range(2):
        client.emit("count", namespace="/other")

    received = client.get_received("/other")

    assert [[1, "/other"], [2, "/other"]] == [event["args"] for event in received]


def test_errors_and_a_client_that_is_refused(socketio):
    client = socketio.test_client(socketio.test_app)
    client.get_received()
    client.emit("divide", 0)

    assert ["ZeroDivisionError in divide"] == client.get_received()[0]["args"]
    assert not socketio.test_client(socketio.test_app, auth={"token": "wrong"}).is_connected()
    client.disconnect()
    assert not client.is_connected()


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    folder = tmp_path_factory.mktemp("socketio")
    (folder / "server.py").write_text(SERVER)
    with (folder / "log").open("w") as log:
        server = subprocess.Popen([sys.executable, "server.py"], cwd=folder, stdout=subprocess.PIPE, stderr=log)
    with server:
        try:
            yield wait_for(server, int(server.stdout.readline() or 0))
        except ServerEnded:
            pytest.fail((folder / "log").read_text())
        finally:
            server.terminate()


class ServerEnded(Exception):
    pass


def wait_for(server, port):
    """The port, as soon as the server answers there."""
    while server.poll() is None:
        try:
            call(port, "GET", "/")
        except OSError:
            continue
        return port
    raise ServerEnded


def call(port, method, path, body=None, headers=()):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path, body, dict(headers))
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode()
    finally:
        connection.close()


def test_a_process_that_is_polled(port):
    cookie = {"Cookie": call(port, "GET", "/")[1]["Set-Cookie"].partition(";")[0]}
    url = "/socket.io/?EIO=4&transport=polling"

    opened = json.loads(call(port, "GET", url, headers=cookie)[2].removeprefix("0"))
    url += f"&sid={opened['sid']}"
    assert "OK" == call(port, "POST", url, "40", cookie)[2]
    assert call(port, "GET", url, headers=cookie)[2].startswith('40{"sid":')
    call(port, "POST", url, '42["echo",{"a":[1,2]}]', cookie)

    expected = '42["echoed",{"data":{"a":[1,2]},"name":"ada","path":"/socket.io/"}]'
    assert expected == call(port, "GET", url, headers=cookie)[2]
    assert "OK" == call(port, "POST", url, "41", cookie)[2]


def test_a_process_that_is_spoken_to_by_websocket(port):
    socket = Client.connect(f"ws://127.0.0.1:{port}/socket.io/?EIO=4&transport=websocket")
    try:
        assert socket.receive(10).startswith('0{"sid":')
        socket.send("40")
        assert socket.receive(10).startswith('40{"sid":')
        socket.send('42["echo","hi"]')
        assert '42["echoed",{"data":"hi","name":null,"path":"/socket.io/"}]' == socket.receive(10)
    finally:
        socket.close()
