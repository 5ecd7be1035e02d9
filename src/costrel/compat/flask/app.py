"""`flask.app`: the names of the original, and Costrel behind them."""

from costrel.context import AppContext as AppContext
from costrel.context import RequestContext as RequestContext
from costrel.http.errors import BadRequestKeyError as BadRequestKeyError
from costrel.http.errors import HTTPException as HTTPException
from costrel.http.errors import InternalServerError as InternalServerError
from costrel.http.immutable import ImmutableDict as ImmutableDict
from costrel.services.environment import get_debug_flag as get_debug_flag
from costrel.services.environment import get_load_dotenv as get_load_dotenv
from costrel.services.templating import Environment as Environment
from costrel.support.signals import appcontext_tearing_down as appcontext_tearing_down
from costrel.support.signals import got_request_exception as got_request_exception
from costrel.support.signals import request_finished as request_finished
from costrel.support.signals import request_started as request_started
from costrel.support.signals import request_tearing_down as request_tearing_down
