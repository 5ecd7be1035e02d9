"""`flask.debughelpers`: the names of the original, and Costrel behind them."""

from costrel.app.blueprint import Blueprint as Blueprint
from costrel.app.debug_errors import DebugFilesKeyError as DebugFilesKeyError
from costrel.app.debug_errors import FormDataRoutingRedirect as FormDataRoutingRedirect
from costrel.app.debug_errors import UnexpectedUnicodeError as UnexpectedUnicodeError
from costrel.app.debug_errors import attach_enctype_error_multidict as attach_enctype_error_multidict
from costrel.app.registration import App as App
from costrel.globals import request_ctx as request_ctx
from costrel.routing.errors import RequestRedirect as RequestRedirect
from costrel.services.template_explanation import explain_template_loading_attempts as explain_template_loading_attempts
