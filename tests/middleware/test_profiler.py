"""Profiles of requests."""

import io
import pstats

from costrel.legacy.profiler import ProfilerMiddleware


class Body:
    closed = False

    def __iter__(self):
        yield b"a"
        yield b"b"

    def close(self):
        self.closed = True


def profiled(body, environ, **options):
    def app(environ, start_response):
        write = start_response("200 OK", [])
        write(b"written ")
        return body

    return ProfilerMiddleware(app, **options)(environ, lambda *args: None)


def test_the_figures_are_printed():
    stream, body = io.StringIO(), Body()
    assert profiled(body, {"PATH_INFO": "/x"}, stream=stream, restrictions=["app"]) == [b"written ab"]
    assert body.closed
    assert "PATH: '/x'" in stream.getvalue()
    assert "(app)" in stream.getvalue()


def test_a_file_is_kept_for_each_request(tmp_path):
    environ = {"PATH_INFO": "/a/../b", "REQUEST_METHOD": "GET/x"}
    profiled([], environ, stream=None, profile_dir=str(tmp_path), filename_format="{method}.{path}.prof")
    (kept,) = tmp_path.iterdir()
    assert kept.name == "GET.x.a....b.prof"
    assert pstats.Stats(str(kept)).total_calls


def test_a_function_names_the_file(tmp_path):
    environ = {"PATH_INFO": "/"}
    profiled([], environ, stream=None, profile_dir=str(tmp_path), filename_format=lambda environ: "one.prof")
    assert [kept.name for kept in tmp_path.iterdir()] == ["one.prof"]
    assert sorted(environ["werkzeug.profiler"]) == ["elapsed", "time"]
