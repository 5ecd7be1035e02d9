"""An application that exports its spans to memory."""

import pytest

from costrel import Costrel

from ..processes import wait_until


@pytest.fixture
def exported():
    """The spans that have ended."""
    memory = pytest.importorskip("opentelemetry.sdk.trace.export.in_memory_span_exporter")
    return memory.InMemorySpanExporter()


@pytest.fixture
def provider(exported):
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor

    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exported))
    return provider


@pytest.fixture
def app(provider):
    app = Costrel("shop")
    app.config["OPENTELEMETRY"] = provider
    app.logger.disabled = True
    yield app
    app.logger.disabled = False


@pytest.fixture(params=["wsgi", "asgi"])
def client(app, request):
    return app.test_client(edge=request.param)


@pytest.fixture
def only_span(exported):
    """Returns the one span that has ended. Under ASGI the client may have the last byte before the span ends."""

    def find():
        wait_until(exported.get_finished_spans, "the end of the span")
        spans = exported.get_finished_spans()
        assert 1 == len(spans), [span.name for span in spans]
        return spans[0]

    return find
