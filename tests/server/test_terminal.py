"""Colours only on terminals, and the default levels of loggers."""

import io
import logging
import sys

import pytest

from costrel.server import terminal


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_colours_are_for_terminals(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)

    assert terminal.shows_colour(Terminal())
    assert not terminal.shows_colour(io.StringIO())
    assert not terminal.shows_colour(object())


def test_no_color_is_respected(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")

    assert not terminal.shows_colour(Terminal())


def test_a_text_in_several_styles():
    assert terminal.paint("x", "bold", "red") == "\x1b[31m\x1b[1mx\x1b[0m"
    assert terminal.paint("x") == "x"


def test_a_painter_for_what_is_no_terminal_leaves_the_text(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)

    assert terminal.painter(io.StringIO())("x", "red") == "x"
    assert terminal.painter(Terminal())("x", "red") == "\x1b[31mx\x1b[0m"


@pytest.mark.parametrize(
    ("target", "shown"),
    [
        ("/caf%C3%A9%0a", "/café%0a"),
        ("/\x1b[1m", "/\\x1b[1m"),
        ("http://[bad/\n", "http://[bad/\\x0a"),
        ('/a"b', '/a\\"b'),
        ('/é\\"', '/é\\\\\\"'),
        ('http://[bad/"', 'http://[bad/\\"'),
    ],
)
def test_a_target_is_shown_as_far_as_it_can_be_read(target, shown):
    assert terminal.readable(target) == shown


def test_control_characters_are_written_out():
    assert terminal.harmless("a\nb\x1b[0m\x7f\x9b\\é") == "a\\x0ab\\x1b[0m\\x7f\\x9b\\\\é"


@pytest.fixture
def fresh(monkeypatch):
    """A logger without configuration, independent of the handlers of the tests."""
    logger = logging.Logger("fresh", level=logging.NOTSET)
    monkeypatch.setitem(logging.Logger.manager.loggerDict, logger.name, logger)
    return logger


def test_a_logger_that_nobody_has_set_up_writes_to_standard_error(fresh, capsys):
    terminal.ready_logger(fresh.name).info("heard")

    assert capsys.readouterr().err == "heard\n"


def test_it_writes_to_what_standard_error_is_at_the_time(fresh, monkeypatch):
    terminal.ready_logger(fresh.name)
    later = io.StringIO()
    monkeypatch.setattr(sys, "stderr", later)

    fresh.info("heard")

    assert later.getvalue() == "heard\n"


def test_a_logger_that_was_silenced_stays_silent(fresh, capsys):
    fresh.setLevel(logging.ERROR)

    terminal.ready_logger(fresh.name).info("not heard")

    assert capsys.readouterr().err == ""


def test_a_logger_that_has_a_handler_gets_no_second_one(fresh):
    handler = logging.NullHandler()
    fresh.addHandler(handler)

    terminal.ready_logger(fresh.name)

    assert fresh.handlers == [handler]


def test_logging_goes_to_werkzeugs_logger(caplog):
    terminal.log("warning", "%s is late\n", "he")

    (record,) = caplog.records
    assert (record.name, record.levelname, record.getMessage()) == ("werkzeug", "WARNING", "he is late")
