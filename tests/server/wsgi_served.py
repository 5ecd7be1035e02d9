"""A WSGI development server in a thread of the test's own, and applications for it."""

import threading
from contextlib import contextmanager

from costrel.devserver.wsgi_serving import make_server


@contextmanager
def served(app, **options):
    """A WSGI application on a free port, until the block ends."""
    server = make_server("127.0.0.1", 0, app, **options)
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.01))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join(10)


def hello(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "5")])
    return [b"hello"]


def chunks(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return iter([b"one", b"", b"two"])


def seen_by(app_environs):
    def app(environ, start_response):
        app_environs.append({**environ, "body": environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or -1))})
        return hello(environ, start_response)

    return app


def environ_of(exchange, request, **options):
    """The environ that an application sees for these bytes."""
    environs = []

    def app(environ, start_response):
        environs.append(environ)
        return hello(environ, start_response)

    with served(app, **options) as server:
        exchange(server.port, request)
    return environs[0]
