"""`flask.globals`: the names of the original, and Costrel behind them."""

from costrel.compat.older_names import current_app_context as _cv_app  # noqa: F401 - the original has this name
from costrel.compat.older_names import current_request_context as _cv_request  # noqa: F401 - the original has this name
from costrel.globals import app_ctx as app_ctx
from costrel.globals import current_app as current_app
from costrel.globals import g as g
from costrel.globals import request as request
from costrel.globals import request_ctx as request_ctx
from costrel.globals import session as session
from costrel.support.local import LocalProxy as LocalProxy
