"""The layouts of header fields: each request gets the one of its own names, in their order."""

import random

import pytest

from costrel.messages.field_layout import LAYOUTS, FieldLayout


def fields(*names):
    return [(bytes(name), b"value") for name in names]


@pytest.mark.parametrize(
    "others",
    [
        [(b"host", b"accept"), (b"accept", b"host")],
        [(b"host", b"cookie"), (b"host", b"te")],
        [(b"host", b"accept", b"accept"), (b"host", b"accept", b"cookie")],
        [(b"content-length",), (b"content-type",)],
        [(b"a-b", b"c"), (b"a", b"b-c")],
        [tuple(b"x-%d" % number for number in range(count)) for count in (63, 64, 65, 66)],
    ],
)
def test_requests_with_as_many_fields_do_not_share_a_layout(others):
    for names in others * 2:
        layout = LAYOUTS.of(fields(*names))

        assert (layout.names, layout.places) == (list(names), FieldLayout(names).places)


def test_clients_that_take_turns():
    choice = random.Random(3)
    names = [b"host", b"accept", b"cookie", b"te", b"dnt", b"content-length"]
    for _ in range(300):
        sent = choice.sample(names, choice.randint(0, 6))
        layout = LAYOUTS.of(fields(*sent))

        assert (layout.names, layout.has_body) == (sent, b"content-length" in sent)


def test_the_same_names_have_one_layout():
    sent = fields(b"host", b"x-mine")

    assert LAYOUTS.of(sent) is LAYOUTS.of(fields(b"host", b"x-mine"))


def test_an_id_is_added_behind_the_other_fields():
    layout = LAYOUTS.of(fields(b"host", b"accept"))

    assert layout.add_id().names == [b"host", b"accept", b"x-request-id"]
    assert layout.with_id is not None
    assert layout.with_id.places["HTTP_X_REQUEST_ID"] == 2
    assert layout.names == [b"host", b"accept"]
