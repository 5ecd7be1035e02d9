"""`flask.sansio.scaffold`: the names of the original, and Costrel behind them."""

from costrel.app.packages import _find_package_path as _find_package_path
from costrel.app.packages import find_package as find_package
from costrel.app.packages import get_root_path as get_root_path
from costrel.http.errors import HTTPException as HTTPException
from costrel.support.properties import cached_property as cached_property
