"""`flask.sansio.app`: the names of the original, and Costrel behind them."""

from costrel.app.packages import find_package as find_package
from costrel.app.registration import App as App
from costrel.app.registration import T_shell_context_processor as T_shell_context_processor
from costrel.app.registration import _make_timedelta as _make_timedelta
from costrel.app.scaffold import Scaffold as Scaffold
from costrel.app.scaffold import T_teardown as T_teardown
from costrel.app.scaffold import T_template_filter as T_template_filter
from costrel.app.scaffold import T_template_global as T_template_global
from costrel.app.scaffold import T_template_test as T_template_test
from costrel.app.scaffold import setupmethod as setupmethod
from costrel.http.errors import Aborter as Aborter
from costrel.http.errors import BadRequest as BadRequest
from costrel.http.errors import BadRequestKeyError as BadRequestKeyError
from costrel.legacy.cached_property import cached_property as cached_property
from costrel.messages.response_head import ResponseHead as Response  # noqa: F401 - the original has this name
from costrel.routing.errors import BuildError as BuildError
from costrel.routing.map import Map as Map
from costrel.routing.rule import Rule as Rule
from costrel.services.config import Config as Config
from costrel.services.config import ConfigAttribute as ConfigAttribute
from costrel.services.environment import get_debug_flag as get_debug_flag
from costrel.services.jinja import DispatchingJinjaLoader as DispatchingJinjaLoader
from costrel.services.jinja import Environment as Environment
from costrel.services.json_provider import DefaultJSONProvider as DefaultJSONProvider
from costrel.services.json_provider import JSONProvider as JSONProvider
from costrel.services.logging import create_logger as create_logger
