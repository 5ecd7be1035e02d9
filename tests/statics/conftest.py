"""A folder of static files, and an application that sends them."""

import os

import pytest

from costrel import Costrel


@pytest.fixture
def write(tmp_path):
    """Write a file below the application's folder."""

    def write(name, content):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.fixture
def make(tmp_path):
    """Make an application in the folder."""

    def make(cls=Costrel, **settings):
        app = cls("shop", root_path=str(tmp_path))
        app.config.update(settings)
        return app

    return make


@pytest.fixture
def app(make):
    return make()


@pytest.fixture
def settled(monkeypatch):
    """Files count as written long ago, although their times say now: their hashes are kept."""
    monkeypatch.setattr("costrel.services.statics.content.RECENTLY", -3600 * 10**9)
    monkeypatch.setattr("costrel.services.statics.codings.RECENTLY", -3600 * 10**9)


@pytest.fixture
def urls():
    """The URL of a static file."""

    def url(app, filename, endpoint="static", **values):
        with app.test_request_context():
            return app.url_for(endpoint, filename=filename, **values)

    return url


@pytest.fixture
def get():
    """Ask for a path; gives the response, read to its end."""

    def get(app, path, method="GET", **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        with app.test_client() as client, client.open(path, method=method, headers=headers) as response:
            response.get_data()
            return response

    return get


def replace(path, content):
    """Put another file in the place of one, as deployments do."""
    other = path.with_name(f".{path.name}.new")
    other.write_bytes(content)
    os.replace(other, path)
