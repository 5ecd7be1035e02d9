"""Content codings: their negotiation, and encoders whose flushed bytes can be decoded."""

import gzip
import zlib

import brotli
import pytest
import zstandard

from costrel.http import content_coding
from costrel.http.content_coding import available, coder, compress, negotiate

ALL = ("zstd", "br", "gzip")


def decoder(coding):
    """An incremental decoder: a function of bytes to bytes."""
    if coding == "zstd":
        return zstandard.ZstdDecompressor().decompressobj().decompress
    return brotli.Decompressor().process if coding == "br" else zlib.decompressobj(31).decompress


@pytest.mark.parametrize(
    ("header", "chosen"),
    [
        (None, None),
        ("", None),
        ("gzip", "gzip"),
        ("x-gzip", "gzip"),
        ("GZip", "gzip"),
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip, deflate, br", "br"),
        ("deflate", None),
        ("identity", None),
        ("gzip;q=1, zstd;q=0.5, br;q=0.9", "gzip"),
        ("gzip;q=0.5, br;q=0.5", "br"),
        ("gzip;q=0", None),
        ("gzip; q = 0.2 , br ;q=0.1", "gzip"),
        ("gzip;q=0.000", None),
        ("gzip;q=2", None),
        ("gzip;q=x", None),
        ("*", "zstd"),
        ("*;q=0", None),
        ("*;q=0, gzip", "gzip"),
        ("gzip;q=0, *", "zstd"),
        ("zstd;q=0, br;q=0, *;q=0.1", "gzip"),
        ("gzip;q=0.5, identity", None),
        ("gzip;q=0.5, identity;q=0.4", "gzip"),
        ("gzip, identity", "gzip"),
        ("gzip;q=0.5, *;q=1", "zstd"),
        ("identity;q=0", None),
        ("identity;q=0, gzip;q=0.1", "gzip"),
        ("identity;q=0, *", "zstd"),
        ("identity;q=0.5, *;q=0", None),
        (",,gzip,,", "gzip"),
        ("gzip" + ", x" * 1000, "gzip"),
        ("\xff, gzip", "gzip"),
    ],
)
def test_the_best_coding_is_chosen(header, chosen):
    assert chosen == negotiate(header, ALL)


def test_only_installed_codings_are_offered(monkeypatch):
    assert ALL == available()
    monkeypatch.setattr(content_coding, "find_spec", lambda name: None)
    available.cache_clear()
    try:
        assert ("gzip",) == available()
    finally:
        available.cache_clear()
    assert "gzip" == negotiate("gzip, br, zstd", ("gzip",))


@pytest.mark.parametrize("coding", ALL)
@pytest.mark.parametrize("data", [b"", b"a", b"text " * 1000], ids=len)
def test_a_whole_body_can_be_decoded(coding, data):
    decoded = gzip.decompress(compress(coding, data)) if coding == "gzip" else decoder(coding)(compress(coding, data))
    assert data == decoded


@pytest.mark.parametrize("coding", ALL)
def test_what_was_flushed_can_be_decoded_at_once(coding):
    encoder, decode = coder(coding), decoder(coding)
    for piece in (b"first", b"second" * 1000, b"third"):
        assert piece == decode(encoder.compress(piece) + encoder.flush())
    decode(encoder.compress(b"last"))
    assert decode(encoder.finish()) == b"last"


@pytest.mark.parametrize("coding", ALL)
def test_an_empty_stream_is_a_valid_body(coding):
    assert b"" == decoder(coding)(coder(coding).finish())


def test_gzip_files_have_a_name_of_random_length():
    files = [compress("gzip", b"text " * 1000) for _ in range(50)]
    names = [file[10 : file.index(b"\0", 10)] for file in files]
    assert {8} == {file[3] for file in files}  # FNAME
    assert len({len(file) for file in files}) > 5
    assert all(1 <= len(name) <= 100 for name in names)
    assert all(b"text " * 1000 == gzip.decompress(file) for file in files)
