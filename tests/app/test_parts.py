"""Uploads part by part: names, headers and content while the body arrives, within all limits."""

import asyncio
import io

import pytest

from costrel import Costrel, request
from costrel.http.errors import ClientDisconnected

from ..edges.asgi_call import call

TYPE = "multipart/form-data; boundary=b"
FIELD = b'Content-Disposition: form-data; name="title"'
FILE = b'Content-Disposition: form-data; name="photo"; filename="a.jpg"\r\nContent-Type: image/jpeg'


def multipart(*parts):
    return b"".join(b"--b\r\n%s\r\n\r\n%s\r\n" % part for part in parts) + b"--b--\r\n"


BODY = multipart((FIELD, b"Sun"), (FILE, b"\xff\xd8" * 50_000), (FIELD, b""))
READ = [["title", None, None, 3], ["photo", "a.jpg", "image/jpeg", 100_000], ["title", None, None, 0]]


def read_all():
    return [[part.name, part.filename, part.content_type, len(b"".join(part))] for part in request.parts()]


async def read_all_async():
    found = []
    async for part in request.parts():
        size = 0
        async for chunk in part:
            size += len(chunk)
        found.append([part.name, part.filename, part.content_type, size])
    return found


def make(view, **settings):
    app = Costrel("uploads", static_folder=None)
    app.config.update(settings)
    app.add_url_rule("/", "upload", view, methods=["POST"], stream_body=True)
    return app


def post(app, body=BODY, edge="wsgi", content_type=TYPE):
    return app.test_client(edge=edge).post("/", data=body, content_type=content_type)


@pytest.mark.parametrize("edge", ["wsgi", "asgi"])
@pytest.mark.parametrize("view", [read_all, read_all_async])
class TestReading:
    def test_each_part_in_order(self, view, edge):
        assert post(make(view), edge=edge).json == READ

    def test_no_parts(self, view, edge):
        assert post(make(view), b"--b--\r\n", edge).json == []

    @pytest.mark.parametrize(
        ("body", "settings", "status"),
        [
            (BODY[:-20], {}, 400),
            (b"nothing", {}, 400),
            (multipart((b"X: y", b"")), {}, 400),
            (BODY, {"MAX_CONTENT_LENGTH": 1000}, 413),
            (BODY, {"MAX_FORM_PARTS": 2}, 413),
            (multipart((FILE, b""), (FILE, b"")), {"MAX_FORM_FILES": 1}, 413),
            (multipart((FIELD, b"x" * 2000)), {"MAX_FORM_MEMORY_SIZE": 1000}, 413),
            (multipart((FIELD + b"\r\nX: " + b"y" * 200, b"")), {"MAX_FORM_PART_HEADER_SIZE": 100}, 413),
            (multipart((FIELD + b"\r\nX: y" * 20, b"")), {}, 413),
            (BODY, {"MAX_FORM_BOUNDARY_SIZE": 0}, 400),
        ],
    )
    def test_what_is_wrong_is_refused(self, view, edge, body, settings, status):
        assert post(make(view, **settings), body, edge).status_code == status

    @pytest.mark.parametrize(
        ("content_type", "status"),
        [("application/json", 415), ("application/x-www-form-urlencoded", 415), ("multipart/form-data", 400)],
    )
    def test_other_types_are_refused(self, view, edge, content_type, status):
        assert post(make(view), b"{}", edge, content_type).status_code == status

    def test_files_do_not_count_as_memory(self, view, edge):
        assert post(make(view, MAX_FORM_MEMORY_SIZE=1000), edge=edge).json == READ


class TestOrder:
    def test_a_part_that_is_not_read_is_skipped(self):
        app = make(lambda: [part.name for part in request.parts()])
        assert post(app).json == ["title", "photo", "title"]

    def test_a_part_may_be_read_in_part(self):
        def view():
            found = []
            for part in request.parts():
                found.append(len(next(iter(part), b"")) > 0)
            return found

        assert post(make(view)).json == [True, True, False]

    def test_a_part_that_was_skipped_is_an_error(self):
        def view():
            first, *_ = request.parts()
            try:
                list(first)
            except RuntimeError as error:
                return str(error)

        assert post(make(view)).text == (
            "The content of <Part 'title'> was skipped: read each part before the next one."
        )

    def test_a_part_that_was_read_has_no_more(self):
        def view():
            return [[b"".join(part).decode("latin-1")[:3], len(list(part))] for part in request.parts()]

        assert post(make(view)).json == [["Sun", 0], ["ÿØÿ", 0], ["", 0]]

    def test_after_the_form_it_is_an_error(self):
        def view():
            assert request.form["title"] == "Sun"
            with pytest.raises(RuntimeError, match="The form was read already"):
                request.parts()
            return "ok"

        assert post(make(view)).text == "ok"

    def test_headers_of_a_part(self):
        def view():
            return [dict(part.headers) for part in request.parts()][1]

        assert post(make(view)).json == {
            "Content-Disposition": 'form-data; name="photo"; filename="a.jpg"',
            "Content-Type": "image/jpeg",
        }


class TestPieces:
    @pytest.mark.parametrize("size", [1, 2, 7, 64, 1000])
    def test_of_any_size_give_the_same_parts(self, size):
        body = multipart((FIELD, b"Sun"), (FILE, b"\r\n--a" * 30 + b"\r"), (FIELD, b"\r\n"))
        chunks = [body[start : start + size] for start in range(0, len(body), size)]
        answered = asyncio.run(
            call(make(read_all_async).asgi, method="POST", body=chunks, headers=[(b"content-type", TYPE.encode())])
        )
        assert answered.text.replace(" ", "") == (
            '[["title",null,null,3],["photo","a.jpg","image/jpeg",151],["title",null,null,2]]\n'
        )

    def test_come_as_they_arrive(self):
        """The first part is read before the second one is sent."""
        arrived, seen = [], []

        async def view():
            async for part in request.parts():
                async for _ in part:
                    pass
                seen.append((part.name, len(arrived)))
            return ""

        body = multipart((FIELD, b"Sun"), (FILE, b"x" * 70_000), (FIELD, b"y"))
        cut = body.index(b"x") + 10

        class Chunks(list):
            def __iter__(self):
                for chunk in list.__iter__(self):
                    arrived.append(chunk)
                    yield chunk

        asyncio.run(
            call(
                make(view).asgi,
                method="POST",
                body=[body[:cut], body[cut:-30], body[-30:]],
                headers=[(b"content-type", TYPE.encode())],
            )
        )
        assert [name for name, _ in seen] == ["title", "photo", "title"]

    @pytest.mark.parametrize("view", [read_all, read_all_async])
    def test_a_client_that_disconnects(self, view):
        errors = []

        async def watched():
            try:
                return await read_all_async()
            except BaseException as error:
                errors.append(type(error))
                raise

        def watched_sync():
            try:
                return read_all()
            except BaseException as error:
                errors.append(type(error))
                raise

        app = make(watched if view is read_all_async else watched_sync)
        headers = [(b"content-type", TYPE.encode()), (b"content-length", str(len(BODY)).encode())]
        asyncio.run(call(app.asgi, method="POST", body=[BODY[:1000], None], headers=headers))
        assert errors == [ClientDisconnected]


class TestMemory:
    def test_does_not_grow_with_the_body(self):
        import tracemalloc

        head = b"--b\r\n" + FILE + b"\r\n\r\n"
        block = b"z" * (1 << 20)

        class Upload(io.RawIOBase):
            def __init__(self, blocks):
                self.pieces = iter([head, *[block] * blocks, b"\r\n--b--\r\n"])
                self.rest = b""

            def read(self, size=-1):
                self.rest = self.rest or next(self.pieces, b"")
                piece, self.rest = self.rest[:size], self.rest[size:]
                return piece

        def peak(blocks):
            app = make(lambda: str([sum(map(len, part)) for part in request.parts()]), MAX_CONTENT_LENGTH=None)
            size = len(head) + blocks * len(block) + len(b"\r\n--b--\r\n")
            with app.test_request_context("/", method="POST") as ctx:
                environ = {**ctx.request.environ, "CONTENT_TYPE": TYPE, "CONTENT_LENGTH": str(size)}
            environ.pop("werkzeug.request", None)
            environ["wsgi.input"] = Upload(blocks)
            tracemalloc.start()
            body = b"".join(app(environ, lambda *args: None))
            found = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            assert body.decode() == str([blocks * len(block)])
            return found

        peak(1)
        assert peak(64) < peak(4) + (1 << 20)
