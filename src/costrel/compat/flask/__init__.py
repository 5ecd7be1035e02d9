"""`flask`: the names of the original, and Costrel behind them."""

from costrel.context import after_this_request as after_this_request
from costrel.context import copy_current_request_context as copy_current_request_context
from costrel.context import has_app_context as has_app_context
from costrel.context import has_request_context as has_request_context
from costrel.context import stream_with_context as stream_with_context
from costrel.services.config import Config as Config
from costrel.services.json import jsonify as jsonify
from costrel.services.templating import render_template as render_template
from costrel.services.templating import render_template_string as render_template_string
from costrel.services.templating import stream_template as stream_template
from costrel.services.templating import stream_template_string as stream_template_string
from costrel.support.signals import appcontext_popped as appcontext_popped
from costrel.support.signals import appcontext_pushed as appcontext_pushed
from costrel.support.signals import appcontext_tearing_down as appcontext_tearing_down
from costrel.support.signals import before_render_template as before_render_template
from costrel.support.signals import got_request_exception as got_request_exception
from costrel.support.signals import message_flashed as message_flashed
from costrel.support.signals import request_finished as request_finished
from costrel.support.signals import request_started as request_started
from costrel.support.signals import request_tearing_down as request_tearing_down
from costrel.support.signals import template_rendered as template_rendered
