"""Clients and builders with which an application is tested."""

from .app_client import EnvironBuilder as EnvironBuilder
from .app_client import FlaskClient as FlaskClient
from .app_client import FlaskCliRunner as FlaskCliRunner
from .async_client import AsyncTestClient as AsyncTestClient
from .async_client import AsyncTestResponse as AsyncTestResponse
from .captures import CapturedLogs as CapturedLogs
from .captures import RenderedTemplate as RenderedTemplate
from .captures import captured_logs as captured_logs
from .captures import captured_templates as captured_templates
from .client import Client as Client
from .client import ClientRedirectError as ClientRedirectError
from .client import TestResponse as TestResponse
from .client import run_wsgi_app as run_wsgi_app
from .contract import schemathesis_schema as schemathesis_schema
from .cookie_jar import Cookie as Cookie
from .environ_builder import create_environ as create_environ
from .session_view import ClientSession as ClientSession
