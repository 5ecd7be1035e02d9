"""How much of our code a plain request walks through: counted, not timed."""

import subprocess
import sys
from pathlib import Path

import costrel
from costrel import Costrel

SOURCES = str(Path(costrel.__file__).parent)
MAX_CALLS = 30
MAX_FILES = 9


def test_a_plain_view_takes_at_most_thirty_calls_in_nine_files() -> None:
    app = Costrel("hot", static_folder=None)
    app.add_url_rule("/", "index", lambda: "Hello")
    environ = {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/",
        "QUERY_STRING": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "HTTP_HOST": "127.0.0.1:8000",
        "wsgi.url_scheme": "http",
    }

    def start_response(status, headers):
        pass

    list(app(environ.copy(), start_response))  # the first request sets things up
    calls: list[tuple[str, str]] = []

    def profile(frame, event, argument):
        if event == "call" and frame.f_code.co_filename.startswith(SOURCES):
            calls.append((Path(frame.f_code.co_filename).name, frame.f_code.co_qualname))

    request_environ = environ.copy()
    sys.setprofile(profile)
    try:
        app(request_environ, start_response)
    finally:
        sys.setprofile(None)
    files = {file for file, _ in calls}
    assert len(calls) <= MAX_CALLS, "\n".join(f"{file}: {name}" for file, name in calls)
    assert len(files) <= MAX_FILES, files


SLOW_TO_IMPORT = {
    "asyncio", "click", "dataclasses", "decimal", "difflib", "email", "hashlib", "http", "itsdangerous", "jinja2",
    "logging", "msgspec", "pathlib", "pprint", "random", "shutil", "ssl", "tempfile", "unicodedata", "uuid",
}  # fmt: skip


ANSWER = """
import sys
had = {*sys.modules}
import costrel
app = costrel.Costrel("x")
app.add_url_rule("/", "index", lambda: "hello")
imported = {*sys.modules} - had
environ = {
    "REQUEST_METHOD": "GET", "PATH_INFO": "/", "SERVER_NAME": "x", "SERVER_PORT": "80", "wsgi.url_scheme": "http"
}
for piece in app(environ, lambda status, headers: None):
    assert piece == b"hello"
print(*imported, "|", *{*sys.modules} - had - imported)
"""


def test_what_is_slow_to_import_waits_until_it_is_needed() -> None:
    found = subprocess.run([sys.executable, "-c", ANSWER], check=True, stdout=subprocess.PIPE, text=True, timeout=60)
    at_import, _, at_the_first_request = found.stdout.partition("|")
    assert SLOW_TO_IMPORT & {*at_import.split()} == set()
    assert at_the_first_request.split() == []
