"""`flask.config`: the names of the original, and Costrel behind them."""

from costrel.services.config import Config as Config
from costrel.services.config import ConfigAttribute as ConfigAttribute
from costrel.support.importing import import_string as import_string
