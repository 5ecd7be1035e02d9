"""`flask.app`: the names of the original, and Costrel behind them."""

from inspect import iscoroutinefunction as iscoroutinefunction

from costrel import cli as cli
from costrel.app.application import Flask as Flask
from costrel.app.registration import App as App
from costrel.app.registration import T_shell_context_processor as T_shell_context_processor
from costrel.app.registration import _make_timedelta as _make_timedelta
from costrel.app.request import Request as Request
from costrel.app.response import Response as Response
from costrel.app.scaffold import T_teardown as T_teardown
from costrel.app.scaffold import T_template_filter as T_template_filter
from costrel.app.scaffold import T_template_global as T_template_global
from costrel.app.scaffold import T_template_test as T_template_test
from costrel.compat.older_names import current_app_context as _cv_app  # noqa: F401 - the original has this name
from costrel.compat.older_names import current_request_context as _cv_request  # noqa: F401 - likewise
from costrel.context import AppContext as AppContext
from costrel.context import RequestContext as RequestContext
from costrel.devserver.banner import is_running_from_reloader as is_running_from_reloader
from costrel.globals import current_app as current_app
from costrel.globals import g as g
from costrel.globals import request as request
from costrel.globals import request_ctx as request_ctx
from costrel.globals import session as session
from costrel.http.errors import BadRequestKeyError as BadRequestKeyError
from costrel.http.errors import HTTPException as HTTPException
from costrel.http.errors import InternalServerError as InternalServerError
from costrel.http.headers import Headers as Headers
from costrel.http.immutable import ImmutableDict as ImmutableDict
from costrel.messages.environ import get_host as get_host
from costrel.messages.response import Response as BaseResponse  # noqa: F401 - the original has this name
from costrel.routing.adapter import MapAdapter as MapAdapter
from costrel.routing.errors import BuildError as BuildError
from costrel.routing.errors import RequestRedirect as RequestRedirect
from costrel.routing.errors import RoutingException as RoutingException
from costrel.routing.rule import Rule as Rule
from costrel.services.environment import get_debug_flag as get_debug_flag
from costrel.services.environment import get_load_dotenv as get_load_dotenv
from costrel.services.jinja import Environment as Environment
from costrel.sessions.interface import SecureCookieSessionInterface as SecureCookieSessionInterface
from costrel.sessions.interface import SessionInterface as SessionInterface
from costrel.shortcuts import get_flashed_messages as get_flashed_messages
from costrel.shortcuts import send_from_directory as send_from_directory
from costrel.support.signals import appcontext_tearing_down as appcontext_tearing_down
from costrel.support.signals import got_request_exception as got_request_exception
from costrel.support.signals import request_finished as request_finished
from costrel.support.signals import request_started as request_started
from costrel.support.signals import request_tearing_down as request_tearing_down
