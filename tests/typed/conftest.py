"""Fixtures for typed views."""

import pytest


@pytest.fixture(params=["wsgi", "asgi"])
def edge(request):
    return request.param
