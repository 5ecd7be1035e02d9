"""Sending files beside Werkzeug's functions, from paths, open files and memory.

Where Werkzeug raises an error it may leave the file open that it has opened; tests/messages holds that this does not.
"""

from __future__ import annotations

import datetime as dt
import inspect
import io
import os
import re
import typing as t
from pathlib import Path

import pytest
import werkzeug.utils
from hypothesis import assume, given
from hypothesis import strategies as st

from costrel.messages import files
from costrel.messages.response import Response

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

ENVIRON = {"REQUEST_METHOD": "GET", "wsgi.url_scheme": "http"}
NAMES = [
    "a.txt",
    "b.html",
    "c.tar.gz",
    "d",
    "e.json",
    "é ü.txt",
    'q"u.txt',
    "g.svgz",
    "h.js",
    "sp ace;.txt",
    "日本.txt",
    "ﬁ.x",
]
THEN = 1_500_000_000
DATE = re.compile(r"\w{3}, \d\d \w{3} (?!2017|2020|1970)\d{4} [\d:]+ GMT")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("files")
    (root / "sub").mkdir()
    for name in [*NAMES, "sub/x.txt", "empty"]:
        path = root / name
        path.write_bytes(b"" if name == "empty" else b"hello world\n")
        os.utime(path, (THEN, THEN))
    (root / "link.txt").symlink_to(root / "a.txt")
    return root


def sent(make: t.Callable[[], t.Any], environ: dict[str, t.Any]) -> t.Any:
    """Status, headers and body of a response, or the error; today's dates are left out."""
    try:
        response = make()
        body, status, headers = response.get_wsgi_response(environ)
        content = b"".join(body)
    except Exception as error:
        return "raised", type(error).__name__  # the words are our own
    if hasattr(body, "close"):
        body.close()
    response.close()
    return status, [(name, DATE.sub("now", value)) for name, value in headers], content, response.direct_passthrough


def both(call: t.Callable[[t.Any], t.Any], environ: dict[str, t.Any] = ENVIRON) -> tuple[t.Any, t.Any]:
    return sent(lambda: call(werkzeug.utils), environ), sent(lambda: call(files), environ)


@pytest.mark.parametrize("attachment", [False, True])
@pytest.mark.parametrize("name", [*NAMES, "empty", "link.txt", "sub", "missing"])
def test_paths_are_sent_alike(folder: Path, name: str, attachment: bool) -> None:
    expected, actual = both(lambda module: module.send_file(folder / name, ENVIRON, as_attachment=attachment))
    assert expected == actual


def max_age(path: str | None) -> int | None:
    return None if path is None else len(os.path.basename(path))


SETTINGS: list[dict[str, t.Any]] = [
    *({"download_name": name} for name in ("x.html", "ü.txt", 'a"b\\c.txt', "a\nb.txt", "a.tar.gz", "")),
    *({"mimetype": mimetype} for mimetype in ("a/b", "text/html", "")),
    *({"etag": etag} for etag in (False, True, "own", 'W/"own"')),
    *(
        {"last_modified": moment}
        for moment in (0, 5.5, dt.datetime(2020, 1, 1), dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
    ),
    *({"max_age": age} for age in (0, 5, -1, None, max_age)),
    {"conditional": False},
    {"as_attachment": True, "mimetype": "a/b"},
    {"download_name": "x.txt", "etag": "e", "last_modified": 5, "max_age": 5},
]
SOURCES: dict[str, t.Callable[[Path], t.Any]] = {
    "path": lambda folder: folder / "a.txt",
    "text": lambda folder: str(folder / "a.txt"),
    "bytes in memory": lambda folder: io.BytesIO(b"hello"),
    "file": lambda folder: (folder / "a.txt").open("rb"),
    "text file": lambda folder: io.StringIO("hello"),
    "buffered": lambda folder: io.BufferedReader(t.cast("t.Any", io.BytesIO(b"hello"))),
    "number": lambda folder: 5,
    "path as bytes": lambda folder: os.fsencode(folder / "a.txt"),
}


@pytest.mark.parametrize("settings", SETTINGS, ids=lambda settings: " ".join(settings) or "none")
@pytest.mark.parametrize("source", SOURCES)
def test_settings_have_the_same_effect(folder: Path, source: str, settings: dict[str, t.Any]) -> None:
    def call(module: t.Any) -> t.Any:
        return module.send_file(SOURCES[source](folder), ENVIRON, **settings)

    expected, actual = both(call)
    if source in {"number", "path as bytes"}:  # whatever the error is
        assert expected[0] == actual[0] == "raised"
    elif source in {"file", "buffered"} and actual[0] != "raised":  # whose length Werkzeug does not send
        length = ("Content-Length", str(len(actual[2])))
        assert length in actual[1]
        assert expected == (actual[0], [pair for pair in actual[1] if pair != length], *actual[2:])
    else:
        assert expected == actual


# Only requests that Werkzeug answers as RFC 9110 says: tests/app/test_conditional_requests.py has the others.
RANGES = ["bytes=0-4", "bytes=2-", "bytes=-3", "bytes=50-", "bytes=0-99", "bytes=0-0", "bytes=11-"]
conditions = st.fixed_dictionaries(
    {},
    optional={
        "HTTP_IF_NONE_MATCH": st.sampled_from(['"own"', '"x"']),
        "HTTP_IF_MODIFIED_SINCE": st.sampled_from(["Fri, 14 Jul 2017 02:40:00 GMT", "Thu, 14 Jul 2016 02:40:00 GMT"]),
    },
) | st.fixed_dictionaries(
    {"HTTP_RANGE": st.sampled_from(RANGES)},
    optional={"HTTP_IF_RANGE": st.sampled_from(['"x"', '"own"', "Fri, 14 Jul 2017 02:40:00 GMT"])},
)


@given(
    conditions,
    st.sampled_from(["GET", "HEAD", "POST"]),
    st.sampled_from(["path", "bytes in memory"]),
    st.sampled_from([True, False, "own"]),
)
def test_conditions_and_ranges_are_answered_alike(
    folder: Path, asked: dict[str, str], method: str, source: str, etag: bool | str
) -> None:
    assume(method != "HEAD" or "HTTP_RANGE" not in asked)
    assume("HTTP_IF_NONE_MATCH" not in asked or (source == "path" and etag) or etag == "own")  # else there is no tag
    environ = {**ENVIRON, **asked, "REQUEST_METHOD": method}

    def call(module: t.Any) -> t.Any:
        return module.send_file(SOURCES[source](folder), environ, download_name="x.txt", etag=etag)

    expected, actual = both(call, environ)
    assert expected == actual


PATHS = [
    "a.txt",
    "../a.txt",
    "sub/x.txt",
    "sub",
    "zz",
    "a.txt/",
    "",
    ".",
    "a\0b",
    "x" * 5000,
    "NUL",
    "sub/../a.txt",
    "/etc/passwd",
]
PATHS += [
    "..\\a",
    "a.txt::$DATA",
    "link.txt",
    "con.txt",
    "sub/../../files",
    "é ü.txt",
    "./a.txt",
    "sub//x.txt",
    "..",
    "\ud800",
]


@pytest.mark.parametrize("path", PATHS)
def test_directories_are_served_alike(folder: Path, path: str) -> None:
    expected, actual = both(lambda module: module.send_from_directory(folder, path, ENVIRON))
    assert expected == actual
    expected, actual = both(lambda module: module.send_from_directory("sub", path, ENVIRON, _root_path=folder))
    assert expected == actual


@given(st.text("ab./\\~\0é ", max_size=8))
def test_no_path_is_served_otherwise(folder: Path, path: str) -> None:
    expected, actual = both(lambda module: module.send_from_directory(folder, path, ENVIRON))
    assert expected == actual


def test_settings_are_passed_on_alike(folder: Path) -> None:
    def call(module: t.Any) -> t.Any:
        return module.send_from_directory(
            folder, Path("a.txt"), ENVIRON, as_attachment=True, download_name="z", max_age=3
        )

    expected, actual = both(call)
    assert expected == actual


def test_relative_paths_begin_at_the_root(folder: Path) -> None:
    expected, actual = both(lambda module: module.send_file("a.txt", ENVIRON, _root_path=folder))
    assert expected == actual


def test_the_servers_file_wrapper_is_used_alike(folder: Path) -> None:
    def call(module: t.Any) -> t.Any:
        environ = {**ENVIRON, "wsgi.file_wrapper": lambda file, size: [file.read(5), b"%d" % size, file.close() or b""]}
        return module.send_file(folder / "a.txt", environ)

    expected, actual = both(call)
    assert expected == actual


def test_responses_are_of_the_class_that_is_asked_for(folder: Path) -> None:
    class Own(Response):
        pass

    with files.send_file(folder / "a.txt", ENVIRON, response_class=Own) as response:
        assert type(response) is Own


def test_signatures_are_the_same() -> None:
    for name in ("send_file", "send_from_directory"):
        theirs, ours = (inspect.signature(getattr(module, name)) for module in (werkzeug.utils, files))
        expected = [(p.name, p.kind, p.default) for p in theirs.parameters.values()]
        assert expected == [(p.name, p.kind, p.default) for p in ours.parameters.values()]
