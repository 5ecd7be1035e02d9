"""Costrel: Flask's API on a fast core. This module contains the public names only."""

import typing as _t

from . import wiring as _wiring  # noqa: F401 - connects the rooms
from .app.application import Costrel as Costrel
from .app.blueprint import Blueprint as Blueprint
from .app.request import Request as Request
from .app.response import Response as Response
from .app.websocket import WebSocket as WebSocket
from .app.websocket import WebSocketDisconnect as WebSocketDisconnect
from .compat.install import install_as_flask as install_as_flask
from .globals import current_app as current_app
from .globals import g as g
from .globals import request as request
from .globals import session as session
from .globals import websocket as websocket
from .http.errors import BadRequest as BadRequest
from .http.errors import Conflict as Conflict
from .http.errors import Forbidden as Forbidden
from .http.errors import Gone as Gone
from .http.errors import HTTPException as HTTPException
from .http.errors import InternalServerError as InternalServerError
from .http.errors import MethodNotAllowed as MethodNotAllowed
from .http.errors import NotFound as NotFound
from .http.errors import ServiceUnavailable as ServiceUnavailable
from .http.errors import TooManyRequests as TooManyRequests
from .http.errors import Unauthorized as Unauthorized
from .http.errors import UnprocessableEntity as UnprocessableEntity
from .http.headers import Headers as Headers
from .http.multidict import MultiDict as MultiDict
from .http.uploads import FileStorage as FileStorage
from .services import json as json
from .services.config import Config as Config
from .shortcuts import CSP as CSP
from .shortcuts import CORSPolicy as CORSPolicy
from .shortcuts import RateLimit as RateLimit
from .shortcuts import abort as abort
from .shortcuts import after_this_request as after_this_request
from .shortcuts import content_security_policy as content_security_policy
from .shortcuts import copy_current_request_context as copy_current_request_context
from .shortcuts import cors as cors
from .shortcuts import csp_nonce as csp_nonce
from .shortcuts import csrf_exempt as csrf_exempt
from .shortcuts import csrf_token as csrf_token
from .shortcuts import flash as flash
from .shortcuts import get_flashed_messages as get_flashed_messages
from .shortcuts import get_template_attribute as get_template_attribute
from .shortcuts import has_app_context as has_app_context
from .shortcuts import has_request_context as has_request_context
from .shortcuts import jsonify as jsonify
from .shortcuts import make_response as make_response
from .shortcuts import rate_limit as rate_limit
from .shortcuts import redirect as redirect
from .shortcuts import render_template as render_template
from .shortcuts import render_template_string as render_template_string
from .shortcuts import safe_next as safe_next
from .shortcuts import send_file as send_file
from .shortcuts import send_from_directory as send_from_directory
from .shortcuts import stream_template as stream_template
from .shortcuts import stream_template_string as stream_template_string
from .shortcuts import stream_with_context as stream_with_context
from .shortcuts import url_for as url_for
from .support.passwords import check_password_hash as check_password_hash
from .support.passwords import generate_password_hash as generate_password_hash
from .support.paths import safe_join as safe_join
from .support.paths import secure_filename as secure_filename
from .support.signals import appcontext_popped as appcontext_popped
from .support.signals import appcontext_pushed as appcontext_pushed
from .support.signals import appcontext_tearing_down as appcontext_tearing_down
from .support.signals import before_render_template as before_render_template
from .support.signals import got_request_exception as got_request_exception
from .support.signals import message_flashed as message_flashed
from .support.signals import request_finished as request_finished
from .support.signals import request_started as request_started
from .support.signals import request_tearing_down as request_tearing_down
from .support.signals import template_rendered as template_rendered
from .version import __version__ as __version__
from .views import MethodView as MethodView
from .views import View as View

if not _t.TYPE_CHECKING:  # with a module __getattr__, type checkers would accept any name
    from .compat.missing_names import missing_name as __getattr__  # noqa: F401 - called by Python
