"""`flask.helpers`: the names of the original, and Costrel behind them."""

import werkzeug.utils  # noqa: F401 - packages read flask.helpers.werkzeug.utils

from costrel.app.packages import get_root_path as get_root_path
from costrel.globals import current_app as current_app
from costrel.globals import request as request
from costrel.globals import request_ctx as request_ctx
from costrel.globals import session as session
from costrel.messages.response import Response as BaseResponse  # noqa: F401 - the original has this name
from costrel.routing.endpoints import blueprint_path as _split_blueprint_path  # noqa: F401 - the original has this name
from costrel.services.environment import get_debug_flag as get_debug_flag
from costrel.services.environment import get_load_dotenv as get_load_dotenv
from costrel.shortcuts import abort as abort
from costrel.shortcuts import flash as flash
from costrel.shortcuts import get_flashed_messages as get_flashed_messages
from costrel.shortcuts import get_template_attribute as get_template_attribute
from costrel.shortcuts import make_response as make_response
from costrel.shortcuts import redirect as redirect
from costrel.shortcuts import send_file as send_file
from costrel.shortcuts import send_from_directory as send_from_directory
from costrel.shortcuts import stream_with_context as stream_with_context
from costrel.shortcuts import url_for as url_for
from costrel.support.signals import message_flashed as message_flashed
