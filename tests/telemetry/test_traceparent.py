"""The trace id in the field ``traceparent`` (W3C Trace Context §3.2)."""

import pytest

from costrel.http.traceparent import trace_id_of

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
SPAN_ID = "b7ad6b7169203331"


@pytest.mark.parametrize(
    "field", [f"00-{TRACE_ID}-{SPAN_ID}-01", f"00-{TRACE_ID}-{SPAN_ID}-ff", f"cc-{TRACE_ID}-{SPAN_ID}-01-what-is-new"]
)
def test_a_valid_field(field):
    assert TRACE_ID == trace_id_of(field)


@pytest.mark.parametrize(
    "field",
    [
        None,
        "",
        f"ff-{TRACE_ID}-{SPAN_ID}-01",
        f"00-{TRACE_ID}-{SPAN_ID}",
        f"00-{TRACE_ID}-{SPAN_ID}-01-more",
        f"cc-{TRACE_ID}-{SPAN_ID}-01.more",
        f"00-{'0' * 32}-{SPAN_ID}-01",
        f"00-{TRACE_ID}-{'0' * 16}-01",
        f"00-{TRACE_ID.upper()}-{SPAN_ID}-01",
        f"00-{TRACE_ID}-{SPAN_ID}-01\n",
        f" 00-{TRACE_ID}-{SPAN_ID}-01",
        "0" * 10_000,
    ],
)
def test_any_other_names_no_trace(field):
    assert trace_id_of(field) is None
