"""`flask.sansio.app`: the names of the original, and Costrel behind them."""

from costrel.app.packages import find_package as find_package
from costrel.http.errors import Aborter as Aborter
from costrel.http.errors import BadRequest as BadRequest
from costrel.http.errors import BadRequestKeyError as BadRequestKeyError
from costrel.services.config import Config as Config
from costrel.services.config import ConfigAttribute as ConfigAttribute
from costrel.services.environment import get_debug_flag as get_debug_flag
from costrel.services.json_provider import DefaultJSONProvider as DefaultJSONProvider
from costrel.services.json_provider import JSONProvider as JSONProvider
from costrel.services.logging import create_logger as create_logger
from costrel.services.templating import DispatchingJinjaLoader as DispatchingJinjaLoader
from costrel.services.templating import Environment as Environment
from costrel.support.properties import cached_property as cached_property
