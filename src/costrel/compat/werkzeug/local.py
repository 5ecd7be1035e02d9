"""`werkzeug.local`: the names of the original, and Costrel behind them."""

from costrel.messages.streams import ClosingIterator as ClosingIterator
from costrel.support.local import Local as Local
from costrel.support.local import LocalManager as LocalManager
from costrel.support.local import LocalProxy as LocalProxy
from costrel.support.local import LocalStack as LocalStack
from costrel.support.local import release_local as release_local
