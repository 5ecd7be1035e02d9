"""Uploaded files and dicts of them, beside Werkzeug's own."""

from __future__ import annotations

import inspect
import io
import os
import pathlib
import tempfile
import typing as t
from functools import partial

import pytest
import werkzeug.datastructures
from hypothesis import given
from hypothesis import strategies as st

from costrel.http import headers, uploads

from .outcomes import outcome_of

SIDES = {
    "theirs": (werkzeug.datastructures, werkzeug.datastructures.FileStorage),
    "ours": (uploads, uploads.FileStorage),
}
HEADERS = {"theirs": werkzeug.datastructures.Headers, "ours": headers.Headers}


class Named(io.BytesIO):
    """A stream with a name, as open files have one."""

    def __init__(self, content: bytes, name: t.Any) -> None:
        super().__init__(content)
        self.name = name


contents = st.binary(max_size=20) | st.just(b"one\ntwo\n")
stream_names = st.sampled_from(["a.txt", "/x/y.png", b"abc.png", "<stdin>", "<", pathlib.Path("/a/b.gif"), 5, None, ""])
streams = st.builds(lambda content: lambda: io.BytesIO(content), contents)
streams |= st.builds(lambda content, name: lambda: Named(content, name), contents, stream_names)
streams |= st.just(lambda: None)
file_names = st.none() | st.sampled_from(["", "a.txt", "b.unknown", "c.tar.gz", "é.png", "<x>"])
content_types = st.none() | st.sampled_from(["", "text/plain", 'Text/HTML; charset=utf-8; x="y z"', ";", "a/b;c"])
lengths = st.none() | st.integers(-3, 10)
fields = st.none() | st.lists(
    st.tuples(
        st.sampled_from(["Content-Type", "content-length", "X"]),
        st.sampled_from(["5", "-5", "+5", "a/b;c=d", " 7 ", "٣", ""]),
    ),
    max_size=3,
)


def plain(value: t.Any) -> t.Any:
    if isinstance(value, (werkzeug.datastructures.Headers, headers.Headers)):
        return list(value)
    return value


outcome = partial(outcome_of, plain)


READS: list[t.Callable[[t.Any], t.Any]] = [
    repr,
    bool,
    lambda f: f.filename,
    lambda f: f.name,
    lambda f: f.headers,
    lambda f: f.content_type,
    lambda f: f.content_length,
    lambda f: f.mimetype,
    lambda f: f.mimetype_params,
    lambda f: f.tell(),
    lambda f: f.readline(),
    list,
    lambda f: f.seek(0),
    lambda f: saved(f, 1),
    lambda f: f.seek(1),
    lambda f: saved(f),
    lambda f: f.getvalue(),
    lambda f: f.nothing,
    lambda f: f.closed,
    lambda f: f.close(),
    lambda f: f.closed,
    lambda f: f.close(),
    lambda f: f.read(),
]


def saved(file: t.Any, *args: t.Any) -> bytes:
    target = io.BytesIO()
    file.save(target, *args)
    return target.getvalue()


@given(streams, file_names, file_names, content_types, lengths, fields)
def test_files_behave_alike(
    stream: t.Any, filename: t.Any, name: t.Any, content_type: t.Any, length: t.Any, fields: t.Any
) -> None:
    logs = []
    for side, (_, cls) in SIDES.items():
        try:
            given_headers = None if fields is None else HEADERS[side](fields)
            file = cls(stream(), filename, name, content_type, length, given_headers)
        except TypeError as error:
            logs.append([error.args])
            continue
        logs.append([outcome(read, file) for read in READS])
    assert logs[0] == logs[1]


def test_files_are_saved_alike(tmp_path: pathlib.Path) -> None:
    for number, (_, cls) in enumerate(SIDES.values()):
        for target in (os.fspath(tmp_path / f"a{number}"), tmp_path / f"b{number}"):
            cls(io.BytesIO(b"x" * 40_000)).save(target)
            assert pathlib.Path(target).read_bytes() == b"x" * 40_000
    for target in (b"/bytes", 5000, tmp_path / "no" / "file", None):
        results = [outcome(cls(io.BytesIO(b"x")).save, target) for _, cls in SIDES.values()]
        assert results[0] == results[1]


def test_files_show_what_a_spooled_file_hides() -> None:
    names = ["getbuffer", "nothing", "rollover", "seekable"]
    results = []
    for _, cls in SIDES.values():
        with tempfile.SpooledTemporaryFile() as stream:
            file = cls(stream)
            results.append(
                [
                    outcome(getattr, file, name)[:2] if name == "nothing" else getattr(file, name).__name__
                    for name in names
                ]
            )
    assert results[0] == results[1]


@pytest.fixture
def path(tmp_path: pathlib.Path) -> pathlib.Path:
    path = tmp_path / "file.txt"
    path.write_bytes(b"content")
    return path


@pytest.mark.parametrize("kind", [str, pathlib.Path, os.fsencode])
@pytest.mark.parametrize("filename", [None, "", "q.png", "x.unknown"])
@pytest.mark.parametrize("content_type", [None, "", "x/y"])
def test_paths_are_added_alike(path: pathlib.Path, kind: t.Any, filename: t.Any, content_type: t.Any) -> None:
    logs = []
    for module, _ in SIDES.values():
        files = module.FileMultiDict()  # type: ignore[attr-defined]
        files.add_file("field", kind(path), filename, content_type)
        file = files["field"]
        logs.append((repr(file), file.filename, type(file.filename), file.name, list(file.headers)))
        file.close()
    assert logs[0] == logs[1]


@given(streams, file_names, content_types)
def test_streams_are_added_alike(stream: t.Any, filename: t.Any, content_type: t.Any) -> None:
    logs = []
    for module, cls in SIDES.values():
        files = module.FileMultiDict()  # type: ignore[attr-defined]
        ready = cls(io.BytesIO(b"x"), "ready.txt")
        files.add_file("field", ready, filename, content_type)
        try:
            files.add_file("field", stream(), filename, content_type)
        except TypeError as error:
            logs.append(error.args)
            continue
        assert files["field"] is ready
        logs.append([(repr(f), f.filename, f.name, list(f.headers)) for f in files.getlist("field")])  # type: ignore
    assert logs[0] == logs[1]


def test_methods_have_the_same_parameters() -> None:
    for name in ("FileStorage", "FileMultiDict"):
        theirs = getattr(werkzeug.datastructures, name)
        for method, function in inspect.getmembers(theirs, inspect.isfunction):
            expected = inspect.signature(function).parameters.values()
            actual = inspect.signature(getattr(getattr(uploads, name), method)).parameters.values()
            assert [(p.name, p.kind) for p in expected] == [(p.name, p.kind) for p in actual], method
