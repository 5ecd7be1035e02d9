"""Signals: one for each event in the life of a request, a context and a template."""

from __future__ import annotations

from blinker import Namespace

SIGNALS = Namespace()
"""The namespace of all signals."""

template_rendered = SIGNALS.signal("template-rendered")
before_render_template = SIGNALS.signal("before-render-template")
request_started = SIGNALS.signal("request-started")
request_finished = SIGNALS.signal("request-finished")
request_tearing_down = SIGNALS.signal("request-tearing-down")
got_request_exception = SIGNALS.signal("got-request-exception")
appcontext_tearing_down = SIGNALS.signal("appcontext-tearing-down")
appcontext_pushed = SIGNALS.signal("appcontext-pushed")
appcontext_popped = SIGNALS.signal("appcontext-popped")
message_flashed = SIGNALS.signal("message-flashed")
got_background_exception = SIGNALS.signal("got-background-exception")
background_refused = SIGNALS.signal("background-refused")
"""Sent for each function after a response that does not run since too many wait. For the metrics of servers."""
response_refused = SIGNALS.signal("response-refused")
"""Sent for each response that is not sent since too many bytes wait for clients. For the metrics of servers."""
