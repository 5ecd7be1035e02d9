"""The application's logger."""

import io
import logging
import sys

import pytest

from costrel.app.application import Costrel
from costrel.services.logging import create_logger, default_handler, has_level_handler, wsgi_errors_stream


def reset_loggers():
    for name in ("shop", "shop.orders"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [], True
        logger.setLevel(logging.NOTSET)


@pytest.fixture(autouse=True)
def clean_loggers():
    reset_loggers()  # another test may have an application of this name
    yield
    reset_loggers()


@pytest.fixture
def without_root_handlers(monkeypatch):
    """Call it to have a logging tree as in a program that has not set it up: pytest's handlers come after fixtures."""
    return lambda: monkeypatch.setattr(logging.root, "handlers", [])


@pytest.fixture
def app():
    return Costrel("shop")


def test_it_is_named_like_the_application_and_has_a_handler(app, without_root_handlers):
    without_root_handlers()
    assert app.logger.name == "shop"
    assert app.logger.level == logging.NOTSET
    assert app.logger.handlers == [default_handler]


def test_in_debug_mode_it_takes_everything_unless_a_level_is_set(app):
    app.debug = True
    assert create_logger(app).level == logging.DEBUG
    logging.getLogger("shop").setLevel(logging.ERROR)
    assert create_logger(app).level == logging.ERROR


def test_where_others_handle_it_adds_none(app):
    logging.root.addHandler(logging.StreamHandler())
    assert app.logger.handlers == []


def test_a_handler_counts_if_it_takes_the_level_and_is_reached(without_root_handlers):
    without_root_handlers()
    logger = logging.getLogger("shop.orders")
    assert not has_level_handler(logger)
    handler = logging.StreamHandler()
    logging.getLogger("shop").addHandler(handler)
    assert has_level_handler(logger)
    handler.setLevel(logging.CRITICAL)
    assert not has_level_handler(logger)
    handler.setLevel(logging.NOTSET)
    logger.propagate = False
    assert not has_level_handler(logger)


def test_messages_go_to_the_requests_error_stream(app, without_root_handlers):
    without_root_handlers()
    stream = io.StringIO()
    with app.test_request_context(errors_stream=stream):
        assert wsgi_errors_stream._get_current_object() is stream
        app.logger.error("sold %s", "out")
    assert stream.getvalue().endswith("] ERROR in test_logging: sold out\n")


def test_outside_of_one_to_stderr(app):
    assert wsgi_errors_stream._get_current_object() is sys.stderr
    with app.app_context():
        assert wsgi_errors_stream._get_current_object() is sys.stderr
