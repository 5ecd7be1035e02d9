"""`flask.sansio.scaffold`: the names of the original, and Costrel behind them."""

from costrel.app.packages import _find_package_path as _find_package_path
from costrel.app.packages import find_package as find_package
from costrel.app.packages import get_root_path as get_root_path
from costrel.app.scaffold import Scaffold as Scaffold
from costrel.app.scaffold import T_after_request as T_after_request
from costrel.app.scaffold import T_before_request as T_before_request
from costrel.app.scaffold import T_error_handler as T_error_handler
from costrel.app.scaffold import T_route as T_route
from costrel.app.scaffold import T_teardown as T_teardown
from costrel.app.scaffold import T_template_context_processor as T_template_context_processor
from costrel.app.scaffold import T_url_defaults as T_url_defaults
from costrel.app.scaffold import T_url_value_preprocessor as T_url_value_preprocessor
from costrel.app.scaffold import _endpoint_from_view_func as _endpoint_from_view_func
from costrel.app.scaffold import setupmethod as setupmethod
from costrel.http.errors import HTTPException as HTTPException
from costrel.http.errors import default_exceptions as default_exceptions
from costrel.legacy.cached_property import cached_property as cached_property
