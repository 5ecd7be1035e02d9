"""The application that the tests of isolation serve: a view of each kind, and a stream that only waits."""

import queue
import tempfile
from pathlib import Path

from costrel import Costrel, Response, request, send_file

app = Costrel(__name__, static_folder=None)
app.config["MAX_CONTENT_LENGTH"] = None
app.config.from_prefixed_env("FAULT")
folder = Path(tempfile.mkdtemp())
(folder / "small").write_bytes(b"x" * 100_000)
(folder / "large").write_bytes(b"x" * 20_000_000)


@app.before_request
def hook():
    pass


@app.get("/def")
def sync():
    return "def"


@app.get("/async")
async def asynchronous():
    return "async"


@app.post("/post")
def post():
    return str(len(request.get_data()))


@app.get("/file")
def file():
    return send_file(folder / "small")


@app.get("/large")
def large():
    return send_file(folder / "large")


@app.get("/events")
def events():
    """As applications without async views write their events."""
    waits = queue.Queue()

    def pieces():
        yield "data: begun\n\n"
        while True:
            yield f"data: {waits.get()}\n\n"

    return Response(pieces(), mimetype="text/event-stream")
