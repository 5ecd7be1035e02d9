"""Uploaded files: the attributes of their stream and of their form part."""

import copy
import io
import os

import pytest

from costrel.http.headers import Headers
from costrel.http.uploads import FileMultiDict, FileStorage


def test_a_file_shows_its_part_of_the_form():
    file = FileStorage(io.BytesIO(b"abc"), "a.txt", "field", "Text/Plain; charset=utf-8", 3)
    assert (file.filename, file.name, file.content_length) == ("a.txt", "field", 3)
    assert (file.mimetype, file.mimetype_params) == ("text/plain", {"charset": "utf-8"})
    assert repr(file) == "<FileStorage: 'a.txt' ('Text/Plain; charset=utf-8')>"
    assert list(file.headers) == [("Content-Type", "Text/Plain; charset=utf-8"), ("Content-Length", "3")]


def test_a_file_without_anything_is_empty_and_false():
    file = FileStorage()
    assert (bool(file), file.read(), file.content_type, file.content_length, file.mimetype) == (False, b"", None, 0, "")


@pytest.mark.parametrize(("name", "expected"), [("/x/y.txt", "/x/y.txt"), (b"a.txt", "a.txt"), ("<stdin>", None)])
def test_the_name_of_the_stream_stands_in(name, expected):
    stream = io.BytesIO()
    stream.name = name
    assert FileStorage(stream).filename == expected


@pytest.mark.parametrize("length", ["x", "+5", "٣", ""])
def test_a_length_that_is_no_number_is_zero(length):
    assert FileStorage(headers=Headers([("Content-Length", length)])).content_length == 0


def test_a_file_is_saved_to_a_path_or_a_stream(tmp_path):
    target = io.BytesIO()
    FileStorage(io.BytesIO(b"abc")).save(target)
    FileStorage(io.BytesIO(b"abc")).save(tmp_path / "a")
    FileStorage(io.BytesIO(b"x" * 100)).save(os.fspath(tmp_path / "b"), buffer_size=7)
    assert (target.getvalue(), target.closed) == (b"abc", False)
    assert ((tmp_path / "a").read_bytes(), (tmp_path / "b").read_bytes()) == (b"abc", b"x" * 100)


def test_a_file_does_what_its_stream_does():
    file = FileStorage(io.BytesIO(b"one\ntwo"))
    assert (list(file), file.seek(0), file.readline()) == ([b"one\n", b"two"], 0, b"one\n")
    file.close()
    assert file.closed
    FileStorage(object()).close()
    with pytest.raises(AttributeError, match="nothing"):
        file.nothing


def test_a_file_can_be_copied():
    file = FileStorage(io.BytesIO(b"abc"), "a.txt")
    assert copy.copy(file).stream is file.stream
    assert copy.deepcopy(file).read() == b"abc"


def test_files_are_added_from_paths_streams_and_files(tmp_path):
    (tmp_path / "a.png").write_bytes(b"png")
    files = FileMultiDict()
    files.add_file("f", tmp_path / "a.png")
    files.add_file("f", io.BytesIO(b"x"), "b.unknown")
    files.add_file("f", io.BytesIO(b"x"))
    files.add_file("f", FileStorage(filename="c"))
    assert [file.content_type for file in files.getlist("f")] == ["image/png", "application/octet-stream", None, None]
    assert files["f"].read() == b"png"
    files["f"].close()
