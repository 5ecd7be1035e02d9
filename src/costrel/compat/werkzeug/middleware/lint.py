"""`werkzeug.middleware.lint`: the names of the original, and Costrel behind them."""

from costrel.http.conditional import is_entity_header as is_entity_header
from costrel.http.headers import Headers as Headers
from costrel.messages.streams import FileWrapper as FileWrapper
from costrel.middleware.lint import ErrorStream as ErrorStream
from costrel.middleware.lint import GuardedIterator as GuardedIterator
from costrel.middleware.lint import GuardedWrite as GuardedWrite
from costrel.middleware.lint import HTTPWarning as HTTPWarning
from costrel.middleware.lint import InputStream as InputStream
from costrel.middleware.lint import LintMiddleware as LintMiddleware
from costrel.middleware.lint import WSGIWarning as WSGIWarning
from costrel.middleware.lint import check_type as check_type
