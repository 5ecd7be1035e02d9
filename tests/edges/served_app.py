"""The application that `test_servers` has real servers serve."""

import asyncio
import time

from costrel import Costrel, Response, abort, request, websocket
from costrel.sse import event_stream

app = Costrel(__name__, static_folder=None)
app.config["MAX_CONTENT_LENGTH"] = 1_000_000
noted: list[str] = []


@app.before_serving
async def before_serving():
    noted.append("before serving")


@app.teardown_request
def teardown(error):
    if request.path != "/noted":
        noted.append(f"teardown {request.path}")


@app.get("/noted")
def notes():
    return noted


@app.get("/<kind>")
def hello(kind):
    return f"hello {kind}"


@app.get("/async")
async def on_loop():
    await asyncio.sleep(0)
    return "hello async"


@app.post("/upload")
def upload():
    size = len(request.get_data())
    noted.append(f"uploaded {size}")
    return str(size)


@app.post("/upload-async")
async def upload_async():
    return upload()


@app.get("/stream/<kind>")
def stream(kind):
    def chunks():
        try:
            for number in range(3 if kind != "endless" else 10_000):
                if kind == "fails" and number == 2:
                    raise ZeroDivisionError
                if kind == "endless":
                    time.sleep(0.02)
                yield f"chunk {number}\n"
        finally:
            noted.append(f"closed {kind}")

    headers = {"Content-Length": "100"} if kind == "short" else {}
    return Response(chunks(), mimetype="text/plain", headers=headers)


@app.get("/events")
async def events():
    async def generate():
        for number in range(3):
            yield {"number": number}

    return event_stream(generate())


@app.get("/waits")
async def waits():
    noted.append("waiting")
    try:
        await asyncio.sleep(30)
    finally:
        noted.append("cancelled")


@app.websocket("/echo")
async def echo():
    await websocket.accept(subprotocol=next(iter(websocket.subprotocols), None))
    async for message in websocket:
        await websocket.send(message)


@app.websocket("/closes")
async def closes():
    await websocket.accept()
    await websocket.close(4001, "enough")


@app.websocket("/refuses")
async def refuses():
    abort(403)


@app.websocket("/sleeps")
async def sleeps():
    await websocket.accept()
    await asyncio.sleep(30)


asgi = app.asgi
