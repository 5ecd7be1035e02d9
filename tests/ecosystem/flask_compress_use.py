"""Flask-Compress: the coding by `Accept-Encoding`, streams, and responses that are not compressed."""

import gzip
import zlib

import pytest
from flask import Flask, Response, make_response, send_file
from flask_compress import Compress

TEXT = "all work and no play " * 200


@pytest.fixture
def client(tmp_path):
    app = Flask(__name__)
    app.config["COMPRESS_ALGORITHM"] = ["gzip", "deflate"]
    compress = Compress()
    compress.init_app(app)
    (tmp_path / "big.txt").write_text(TEXT)

    @app.get("/")
    def index():
        response = make_response(TEXT)
        response.add_etag()
        return response

    @app.get("/small")
    def small():
        return "small"

    @app.get("/image")
    def image():
        return Response(TEXT, mimetype="image/png")

    @app.get("/stream")
    def stream():
        return Response((TEXT for _ in range(3)), mimetype="text/plain")

    @app.get("/file")
    def file():
        return send_file(tmp_path / "big.txt")

    return app.test_client()


def packed(client, path, accepted="gzip"):
    return client.get(path, headers={"Accept-Encoding": accepted})


def test_packed_as_the_client_accepts(client):
    answer = packed(client, "/", "gzip, deflate;q=0.5")
    assert ("gzip", TEXT) == (answer.content_encoding, gzip.decompress(answer.data).decode())
    assert len(answer.data) == answer.content_length < 200
    assert "Accept-Encoding" in answer.vary

    answer = packed(client, "/", "deflate")
    assert ("deflate", TEXT) == (answer.content_encoding, zlib.decompress(answer.data).decode())


def test_what_stays_as_it_is(client):
    assert [None] * 4 == [
        answer.content_encoding
        for answer in (client.get("/"), packed(client, "/", "br"), packed(client, "/small"), packed(client, "/image"))
    ]


def test_the_etag_says_what_is_in_the_body(client):
    plain, gzipped = client.get("/"), packed(client, "/")

    assert plain.get_etag()[0] + ":gzip" == gzipped.get_etag()[0]
    again = client.get("/", headers={"Accept-Encoding": "gzip", "If-None-Match": gzipped.headers["ETag"]})
    assert (304, b"") == (again.status_code, again.data)


def test_a_stream(client):
    answer = packed(client, "/stream", "deflate")
    assert ("deflate", TEXT * 3) == (answer.content_encoding, zlib.decompress(answer.data).decode())
    assert answer.content_length is None


# Flask-Compress packs a file's chunks in a generator of its own, and leaves closing the file to the collector.
@pytest.mark.filterwarnings("ignore:Exception ignored in.*FileIO:pytest.PytestUnraisableExceptionWarning")
def test_a_file(client):
    with packed(client, "/file", "deflate") as answer:
        assert ("deflate", TEXT) == (answer.content_encoding, zlib.decompress(answer.data).decode())
