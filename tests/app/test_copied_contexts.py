"""Copies of a request's context: its files are closed when the last of the contexts has ended."""

import io
import threading

import pytest

from costrel import Costrel, copy_current_request_context, g, request, stream_with_context
from costrel.app.application import Flask
from costrel.context import request_ctx

pytestmark = pytest.mark.parametrize("cls", [Costrel, Flask])


def upload(client, path="/"):
    return client.post(path, data={"f": (io.BytesIO(b"content"), "a.txt")})


def in_thread(function):
    thread = threading.Thread(target=function)
    thread.start()
    return thread


def make(cls, view):
    app = cls("copies", static_folder=None)
    app.add_url_rule("/", "view", view, methods=["POST"])
    return app


@pytest.mark.parametrize("edge", ["wsgi", "asgi"])
class TestUploads:
    def test_are_open_after_a_thread_has_ended(self, cls, edge):
        def view():
            file = request.files["f"]
            in_thread(copy_current_request_context(lambda: request.form)).join()
            return file.read()

        assert upload(make(cls, view).test_client(edge=edge)).data == b"content"

    def test_are_open_while_a_thread_outlives_the_request(self, cls, edge):
        answered, found, threads = threading.Event(), [], []

        def view():
            file = request.files["f"]

            @copy_current_request_context
            def work():
                answered.wait(10)
                found.append(file.read())

            threads.append(in_thread(work))
            return ""

        upload(make(cls, view).test_client(edge=edge)).close()
        answered.set()
        threads[0].join(10)
        assert found == [b"content"]

    def test_are_open_for_a_thread_that_begins_later(self, cls, edge):
        found, kept = [], []

        def view():
            file = request.files["f"]
            kept.append(copy_current_request_context(lambda: found.append(file.read())))
            return ""

        upload(make(cls, view).test_client(edge=edge)).close()
        in_thread(kept.pop()).join()
        assert found == [b"content"]

    def test_are_closed_after_the_last_context(self, cls, edge):
        files, kept = [], []

        def view():
            files.append(request.files["f"])
            kept.extend(copy_current_request_context(lambda: None) for _ in range(2))
            return ""

        upload(make(cls, view).test_client(edge=edge)).close()
        states = [files[0].stream.closed]
        for run in kept:
            in_thread(run).join()
            states.append(files[0].stream.closed)
        assert states == [False, False, True]

    def test_are_closed_if_the_copy_was_never_used(self, cls, edge):
        files = []

        def view():
            files.append(request.files["f"])
            copy_current_request_context(lambda: None)
            return ""

        upload(make(cls, view).test_client(edge=edge)).close()
        assert files[0].stream.closed

    def test_are_open_for_copies_of_copies(self, cls, edge):
        def view():
            file = request.files["f"]

            @copy_current_request_context
            def outer():
                in_thread(copy_current_request_context(lambda: None)).join()

            in_thread(outer).join()
            return file.read()

        assert upload(make(cls, view).test_client(edge=edge)).data == b"content"

    def test_are_open_for_a_stream_beside_a_thread(self, cls, edge):
        def view():
            file = request.files["f"]

            def generate():
                yield "a"
                in_thread(copy_current_request_context(lambda: None)).join()
                yield file.read()

            return stream_with_context(generate())

        assert upload(make(cls, view).test_client(edge=edge)).data == b"acontent"


class TestContexts:
    def test_a_copy_that_is_entered_twice(self, cls):
        app = cls("copies", static_folder=None)
        data = {"f": (io.BytesIO(b"content"), "a.txt")}
        with app.test_request_context("/", method="POST", data=data):
            file = request.files["f"]
            copied = request_ctx.copy()
            for _ in range(2):
                with copied:
                    g.name = "x"
            assert file.read() == b"content"
        assert file.stream.closed

    def test_a_thread_that_fails(self, cls):
        def view():
            file = request.files["f"]
            run = copy_current_request_context(lambda: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                run()
            return file.read()

        assert upload(make(cls, view).test_client()).data == b"content"
