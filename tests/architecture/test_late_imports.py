"""Packages that are slow to import are imported when they are first needed."""

import subprocess
import sys

SLOW_TO_IMPORT = {
    "asyncio", "click", "dataclasses", "decimal", "difflib", "email", "hashlib", "http", "itsdangerous", "jinja2",
    "logging", "msgspec", "pathlib", "pprint", "random", "shutil", "ssl", "tempfile", "unicodedata", "uuid",
}  # fmt: skip


ANSWER = """
import sys
had = {*sys.modules}
import costrel
app = costrel.Costrel("x")
def page(number: int, limit: int = 3) -> str:
    return "page"
app.add_url_rule("/", "index", lambda: "hello")
app.add_url_rule("/<int:number>", "page", page)
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
