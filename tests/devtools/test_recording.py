"""What the recording of a request keeps: stages, and statements and log lines up to a number."""

import logging
import sys

from costrel.devtools.inspector.recording import MAX_NOTES, Recording


def record(message, *arguments, exc_info=None):
    return logging.LogRecord("shop", logging.WARNING, __file__, 1, message, arguments, exc_info)


def test_notes_beyond_the_limit_are_counted():
    recording = Recording()
    for number in range(MAX_NOTES + 2):
        recording.note_sql(f"SELECT {number}", None, 1.0)
        recording.note_log(record("line %d", number))

    assert (MAX_NOTES, MAX_NOTES, 4) == (len(recording.sql), len(recording.logs), recording.left_out)
    assert ("WARNING", "shop", "line 0") == recording.logs[0]


def test_a_line_whose_arguments_do_not_fit_is_kept_as_it_is():
    recording = Recording()
    recording.note_log(record("%d lines", "five"))

    assert [("WARNING", "shop", "'%d lines' (its arguments raised TypeError)")] == recording.logs


def test_a_line_names_its_error():
    recording = Recording()
    try:
        raise LookupError("gone")
    except LookupError:
        recording.note_log(record("not found", exc_info=sys.exc_info()))
    recording.note_log(record("no error", exc_info=(None, None, None)))

    assert ["not found (LookupError: gone)", "no error"] == [message for _, _, message in recording.logs]


def test_stages_are_as_deep_as_those_around_them():
    recording = Recording()
    outer = recording.begin("preprocess_request")
    inner = recording.begin("mine")
    recording.end(inner)
    recording.end(outer)
    recording.begin("view")

    assert [("before_request", 0), ("mine", 1), ("view", 0)] == [
        (stage.name, stage.depth) for stage in recording.stages
    ]
