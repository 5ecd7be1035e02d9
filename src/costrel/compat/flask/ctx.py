"""`flask.ctx`: the names of the original, and Costrel behind them."""

from costrel.context import AppContext as AppContext
from costrel.context import AppCtxGlobals as _AppCtxGlobals  # noqa: F401 - the original has this name
from costrel.context import RequestContext as RequestContext
from costrel.context import after_this_request as after_this_request
from costrel.context import copy_current_request_context as copy_current_request_context
from costrel.context import has_app_context as has_app_context
from costrel.context import has_request_context as has_request_context
from costrel.http.errors import HTTPException as HTTPException
from costrel.support.signals import appcontext_popped as appcontext_popped
from costrel.support.signals import appcontext_pushed as appcontext_pushed
