"""Log records as JSON: the keys of a line, and the loggers that write JSON."""

import json
import logging
import math
import sys

import pytest

from costrel import Costrel
from costrel.logs import JSONFormatter, RequestFields
from costrel.telemetry.json_lines import write_json


def line(message="told", *args, **attributes):
    record = logging.LogRecord("shop", logging.INFO, "f.py", 1, message, args, None)
    vars(record).update(attributes)
    text = JSONFormatter().format(record)
    assert "\n" not in text
    return json.loads(text, parse_constant=pytest.fail)


def test_outside_of_a_request():
    assert {"level": "info", "logger": "shop", "message": "told 7"} == {
        key: value for key, value in line("told %d", 7).items() if key != "time"
    }


def test_during_a_request():
    app = Costrel("shop")

    @app.get("/orders")
    def orders():
        return line()

    found = app.test_client().get("/orders", headers={"X-Request-ID": "request-7"}).json

    assert ("request-7", None, "orders") == (found["request_id"], found["trace_id"], found["endpoint"])


def test_extra_values():
    found = line(order=7, tags={"a"}, when=..., endpoint="mine", request_id="-", trace_id="-", level="high")

    assert (7, "{'a'}", "Ellipsis") == (found["order"], found["tags"], found["when"])
    assert ("info", "high") == (found["level"], found["level_"])
    assert ("mine", None) == (found["endpoint"], found["request_id"])


@pytest.mark.parametrize("value", [math.nan, {(1, 2): 3}, "a\ud800", "line\nline", b"bytes", 10**400])
def test_values_without_a_form_in_json(value):
    assert "value" in line(value=value)


def test_a_value_that_contains_itself():
    itself = []
    itself.append(itself)

    assert "[[...]]" == line(value=itself)["value"]


def test_a_value_whose_repr_fails():
    class Broken:
        def __repr__(self):
            raise LookupError

    assert "<Broken>" == line(value=Broken())["value"]


def test_arguments_that_do_not_fit():
    assert "told %d ('x',)" == line("told %d", "x")["message"]


def test_an_error_and_a_stack():
    try:
        raise ValueError("no")
    except ValueError:
        found = line(exc_info=sys.exc_info(), stack_info="Stack:\n  here")

    assert found["traceback"].endswith("ValueError: no")
    assert "Stack:\n  here" == found["stack"]


def test_a_record_of_another_thread():
    record = logging.makeLogRecord({"request_id": "request-7", "trace_id": "-", "endpoint": "orders"})

    found = json.loads(JSONFormatter().format(record))

    assert ("request-7", None, "orders") == (found["request_id"], found["trace_id"], found["endpoint"])
    assert RequestFields().filter(record)
    assert "request-7" == record.request_id


@pytest.fixture
def loggers(monkeypatch):
    """Loggers that are as before after the test, with nothing above them."""
    manager = logging.Manager(root := logging.RootLogger(logging.INFO))
    monkeypatch.setattr(logging, "root", root)
    monkeypatch.setattr(logging.Logger, "manager", manager)
    monkeypatch.setattr(logging.Logger, "root", root)

    def get(name):
        root.handlers[:] = [each for each in root.handlers if not type(each).__module__.startswith("_pytest")]
        return manager.getLogger(name)

    return get


@pytest.fixture
def written(capsys):
    """Returns the lines of the console, as the name of the logger if they are JSON."""

    def read():
        lines = capsys.readouterr().err.splitlines()
        return [json.loads(text)["logger"] if text.startswith("{") else text for text in lines]

    return read


class Kept(logging.Handler):
    def __init__(self):
        super().__init__()
        self.messages = []

    def emit(self, record):
        self.messages.append(record.getMessage())


def test_the_logger_of_the_application_and_those_below_it(loggers, written):
    assert [] == loggers("shop").handlers
    write_json(Costrel("shop").logger)

    loggers("shop").warning("a")
    loggers("shop.orders").warning("b")
    loggers("shop.orders.lines").warning("c")
    loggers("shopping").warning("d")

    assert ["shop", "shop.orders", "shop.orders.lines", "d"] == written()


def test_the_root_logger_is_left_alone(loggers, written):
    console, kept = logging.StreamHandler(sys.stderr), Kept()
    loggers("x").root.handlers += [console, kept]
    write_json(Costrel("shop").logger)

    loggers("shop").warning("a")
    loggers("other").warning("b")

    assert ["shop", "b"] == written()
    assert ["a", "b"] == kept.messages
    assert [console, kept] == logging.root.handlers
    assert console.formatter is None


def test_handlers_of_the_application(loggers, written):
    console, kept = logging.StreamHandler(sys.stderr), Kept()
    console.setLevel(logging.ERROR)
    console.addFilter(lambda record: "secret" not in record.getMessage())
    loggers("shop").handlers += [console, kept]
    loggers("other").addHandler(console)
    write_json(Costrel("shop").logger)

    for message in ("a", "secret"):
        loggers("shop").warning(message)
        loggers("shop").error(message)
    loggers("other").error("b")

    assert ["shop", "b"] == written()
    assert ["a", "a", "secret", "secret"] == kept.messages


def test_a_logger_below_with_a_handler_of_its_own(loggers, written):
    loggers("shop.orders").addHandler(logging.StreamHandler(sys.stderr))
    loggers("shop.orders").propagate = False
    write_json(Costrel("shop").logger)

    loggers("shop.orders").warning("a")

    assert ["shop.orders"] == written()


def test_an_application_that_writes_to_a_file_only(loggers, written):
    kept = Kept()
    loggers("shop").addHandler(kept)
    write_json(Costrel("shop").logger)

    loggers("shop").warning("a")

    assert ([], ["a"]) == (written(), kept.messages)


def test_an_application_with_the_name_of_the_root_logger(loggers, written):
    loggers("x").root.addHandler(logging.StreamHandler(sys.stderr))
    write_json(logging.root)

    loggers("other").warning("a")

    warning, line = written()
    assert warning.startswith("--log-format json does not apply")
    assert "a" == line


def test_the_default_handler_of_other_applications_is_left_alone(loggers, written):
    assert [] == loggers("other").handlers
    other = Costrel("other")
    other.logger.warning("before")
    write_json(Costrel("shop").logger)
    other.logger.warning("after")

    assert ["before", "after"] == [text.rpartition(": ")[2] for text in written()]
