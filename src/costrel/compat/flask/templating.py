"""`flask.templating`: the names of the original, and Costrel behind them."""

from costrel.compat.patched_names import reach_home
from costrel.globals import current_app as current_app
from costrel.globals import request as request
from costrel.services.jinja import DispatchingJinjaLoader as DispatchingJinjaLoader
from costrel.services.jinja import Environment as Environment
from costrel.services.templating import _default_template_ctx_processor as _default_template_ctx_processor
from costrel.services.templating import _render as _render
from costrel.services.templating import _stream as _stream
from costrel.services.templating import render_template as render_template
from costrel.services.templating import render_template_string as render_template_string
from costrel.services.templating import stream_template as stream_template
from costrel.services.templating import stream_template_string as stream_template_string
from costrel.shortcuts import stream_with_context as stream_with_context
from costrel.support.signals import before_render_template as before_render_template
from costrel.support.signals import template_rendered as template_rendered

reach_home(__name__)
