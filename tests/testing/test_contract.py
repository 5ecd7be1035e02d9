"""Which generated requests a contract test leaves out or changes, since no client can send them."""

from types import SimpleNamespace

import pytest

from costrel.testing import contract

FORM = "application/x-www-form-urlencoded"


def case(negative, query=None, body=None, media_type=None):
    meta = SimpleNamespace(generation=SimpleNamespace(mode=SimpleNamespace(is_negative=negative)))
    return SimpleNamespace(meta=meta, query=query, body=body, media_type=media_type, headers={})


@pytest.mark.parametrize(
    ("generated", "kept"),
    [
        (case(False, {"a": ""}), True),
        (case(True, {"a": ""}), False),
        (case(True, {"a": None}), False),
        (case(True, {"a": ["x", None]}), False),
        (case(True, {"a": "x"}), True),
        (case(True, None, {"a": ""}, FORM), False),
        (case(True, None, {"a": ""}, "application/json"), True),
    ],
)
def test_an_invalid_request_is_invalid_as_text(generated, kept):
    assert kept is contract._is_distinct(None, generated)


def test_fields_whose_names_no_client_can_send_are_left_out():
    form = case(True, None, {"a": "1", "b\x00": "2"}, FORM)
    json = case(True, None, {"b\x00": "2"}, "application/json")

    assert {"a": "1"} == contract._without_unsendable(None, form).body
    assert {"b\x00": "2"} == contract._without_unsendable(None, json).body
    assert {"Accept-Encoding": "identity"} == contract._uncompressed(None, json).headers
