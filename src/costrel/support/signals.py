"""Signals: one for each event in the life of a request, a context and a template."""

from __future__ import annotations

from blinker import Namespace

SIGNALS = Namespace()
"""The namespace of all signals."""

template_rendered = SIGNALS.signal("template-rendered")
"""Sent after a template was rendered, with `template` and its `context`."""
before_render_template = SIGNALS.signal("before-render-template")
"""Sent before a template is rendered, with `template` and its `context`."""
request_started = SIGNALS.signal("request-started")
"""Sent when a request begins, before `before_request`."""
request_finished = SIGNALS.signal("request-finished")
"""Sent with the `response` before it is sent to the client."""
request_tearing_down = SIGNALS.signal("request-tearing-down")
"""Sent at the end of each request, also after an error, with `exc`."""
got_request_exception = SIGNALS.signal("got-request-exception")
"""Sent with the `exception` if no error handler handles it."""
appcontext_tearing_down = SIGNALS.signal("appcontext-tearing-down")
"""Sent at the end of each application context, with `exc`."""
appcontext_pushed = SIGNALS.signal("appcontext-pushed")
"""Sent when an application context becomes the current one."""
appcontext_popped = SIGNALS.signal("appcontext-popped")
"""Sent when an application context is no longer the current one."""
message_flashed = SIGNALS.signal("message-flashed")
"""Sent by `flash`, with `message` and `category`."""
got_background_exception = SIGNALS.signal("got-background-exception")
"""Sent with the `exception` that a function after a response raised."""
background_refused = SIGNALS.signal("background-refused")
"""Sent for each function after a response that is dropped because the queue is full. For the servers' metrics."""
response_refused = SIGNALS.signal("response-refused")
"""Sent for each response that is refused because too many bytes wait for clients. For the servers' metrics."""
