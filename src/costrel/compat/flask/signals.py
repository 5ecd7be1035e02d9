"""`flask.signals`: the names of the original, and Costrel behind them."""

from blinker import Namespace as Namespace

from costrel.support.signals import SIGNALS as _signals  # noqa: F401 - the original has this name
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
