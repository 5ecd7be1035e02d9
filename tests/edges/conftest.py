"""The application of one test, without a view yet."""

import pytest

from costrel import Costrel


@pytest.fixture
def app():
    app = Costrel(__name__, static_folder=None)
    app.secret_key = "k" * 32
    yield app
    app.asgi.workers.close()
