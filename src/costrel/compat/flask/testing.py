"""`flask.testing`: the names of the original, and Costrel behind them."""

from costrel.messages.request import Request as BaseRequest  # noqa: F401 - the original has this name
from costrel.services.commands import ScriptInfo as ScriptInfo
from costrel.sessions.interface import SessionMixin as SessionMixin
from costrel.testing import Client as Client
from costrel.testing.app_client import EnvironBuilder as EnvironBuilder
from costrel.testing.app_client import FlaskClient as FlaskClient
from costrel.testing.app_client import FlaskCliRunner as FlaskCliRunner
