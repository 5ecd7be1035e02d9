"""Both profiles and both edges: a test with `make` runs in each profile, and a test with `send` over each edge."""

import pytest

from costrel import Costrel
from costrel.app.application import Flask

from .calls import over_asgi, over_wsgi


@pytest.fixture(params=[Costrel, Flask], ids=["native", "flask"])
def make(request):
    """Make an application of one of the two profiles."""

    def application(**options):
        app = request.param("guarded", **{"static_folder": None, **options})
        app.config["SECRET_KEY"] = "k" * 32
        return app

    application.native = request.param is Costrel
    return application


@pytest.fixture(params=[over_wsgi, over_asgi], ids=["wsgi", "asgi"])
def send(request):
    """Send one request over one of the two edges."""
    return request.param
