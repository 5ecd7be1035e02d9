"""The application for the tests of faults: its workers record events in `notes.txt`."""

import asyncio
import gc
import os
import sqlite3
import tempfile
import threading
import time
from contextlib import closing

from costrel import Costrel, Response, render_template_string, request, session, stream_with_context, websocket

app = Costrel(__name__, static_folder=None)
app.config.update(SECRET_KEY="a key of thirty-two bytes or more", MAX_CONTENT_LENGTH=64 * 1024 * 1024)
app.config.from_prefixed_env("FAULT")
lock = asyncio.Lock()
leaked = bytearray()


@app.before_request
def leak():
    """Keep some bytes for good, to test whether a soak notices it."""
    leaked.extend(bytes(app.config.get("LEAK", 0)))


def note(text):
    with open("notes.txt", "a") as notes:  # one write of a short line is whole
        notes.write(f"{text}\n")


@app.teardown_request
def teardown(error):
    if request.endpoint in ("upload", "upload_async", "raw", "raw_async", "endless", "ticks", "waits", "locked"):
        note(f"teardown {request.path}")


@app.get("/")
def index():
    return "hello"


@app.post("/mirror")
def mirror():
    return request.get_data()


@app.post("/mirror-async")
async def mirror_async():
    return request.get_data()


@app.get("/unique/<path:name>")
def unique(name):
    return {"name": name, "agent": request.headers.get("X-Unique"), "cookie": request.cookies.get("unique")}


@app.get("/page")
def page():
    return render_template_string("{% for n in numbers %}<p>{{ n }}</p>{% endfor %}", numbers=range(50))


@app.get("/count")
def count():
    session["count"] = session.get("count", 0) + 1
    return str(session["count"])


@app.get("/spin")
async def spin():
    while True:
        pass


@app.get("/sleep/<float:seconds>")
def sleep(seconds):
    note(f"begun {request.path}")
    time.sleep(seconds)
    return "slept"


@app.get("/sleep-async/<float:seconds>")
async def sleep_async(seconds):
    await asyncio.sleep(seconds)
    return "slept"


@app.get("/pid")
def pid():
    return str(os.getpid())


@app.post("/upload")
def upload():
    size = len(request.files["file"].read())
    note(f"saved {size}")
    return str(size)


@app.post("/upload-async")
async def upload_async():
    return upload()


@app.post("/raw")
def raw():
    size = 0
    while chunk := request.stream.read(65_536):
        size += len(chunk)
    note(f"saved {size}")
    return str(size)


@app.post("/raw-async")
async def raw_async():
    size = len(request.get_data())
    note(f"saved {size}")
    return str(size)


@app.get("/file/<int:size>")
def file(size):
    return Response((b"x" * min(65_536, size - at) for at in range(0, size, 65_536)), headers={"Content-Length": size})


@app.get("/whole/<int:size>")
def whole(size):
    return b"x" * size


@app.get("/whole-async/<int:size>")
async def whole_async(size):
    return b"x" * size


@app.get("/endless-async")
async def endless_async():
    async def generate():
        while True:
            yield b"x" * 65_536

    return Response(generate())


@app.get("/ticks/<int:number>")
def ticks(number):
    def generate():
        note(f"begun {request.path}")
        for n in range(number):
            yield f"tick {n}\n"
            time.sleep(0.1)

    return Response(stream_with_context(generate()), mimetype="text/plain")


@app.get("/endless")
def endless():
    def generate():
        try:
            while True:
                yield b"x" * 65_536
        finally:
            note("closed /endless")

    return Response(generate())


@app.get("/waits")
async def waits():
    note("begun /waits")
    try:
        await asyncio.sleep(60)
    finally:
        note("cancelled /waits")


@app.get("/locked")
async def locked():
    async with lock:
        note("begun /locked")
        await asyncio.sleep(60)


@app.get("/lock")
async def is_locked():
    return str(lock.locked())


@app.get("/fails/<kind>")
def fails(kind):
    def generate():
        try:
            yield "one\n"
            yield "two\n"
            if kind == "raise":
                raise ZeroDivisionError("on purpose")
        finally:
            note(f"closed /fails/{kind}")

    return Response(generate(), headers={"Content-Length": "100"} if kind == "short" else {})


@app.post("/keep/<name>")
def keep(name):
    with closing(sqlite3.connect("kept.sqlite", timeout=30)) as database, database:
        database.execute("PRAGMA synchronous = NORMAL")
        database.execute("CREATE TABLE IF NOT EXISTS kept (name TEXT PRIMARY KEY)")
        database.execute("INSERT INTO kept VALUES (?)", [name])
    return name


@app.get("/opened")
def opened():
    """Open a file, as views do: it fails where no more may be open."""
    with tempfile.TemporaryFile():
        return "opened"


@app.get("/state")
def state():
    """What this worker holds right now."""
    gc.collect()
    with open("/proc/self/statm") as statm:
        pages = int(statm.read().split()[1])
    files = [os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd") if _is_open(fd)]
    return {
        "pid": os.getpid(),
        "now": int(time.time()),
        "rss": pages * os.sysconf("SC_PAGE_SIZE"),
        "files": len(files),
        "temporary": sum(path.startswith(tempfile.gettempdir()) and "(deleted)" in path for path in files),
        "threads": threading.active_count(),
        "objects": len(gc.get_objects()),
        "tasks": len(asyncio.all_tasks(loop)) if (loop := _loop()) else 0,
    }


def _is_open(fd):
    return os.path.lexists(f"/proc/self/fd/{fd}")


def _loop():
    return loops[0] if loops else None


loops = []


@app.before_serving
async def note_loop():
    loops.append(asyncio.get_running_loop())


@app.websocket("/echo")
async def echo():
    await websocket.accept()
    async for message in websocket:
        await websocket.send(message)
