"""`flask.helpers`: the names of the original, and Costrel behind them."""

from costrel.app.packages import get_root_path as get_root_path
from costrel.context import stream_with_context as stream_with_context
from costrel.services.environment import get_debug_flag as get_debug_flag
from costrel.services.environment import get_load_dotenv as get_load_dotenv
from costrel.support.signals import message_flashed as message_flashed
