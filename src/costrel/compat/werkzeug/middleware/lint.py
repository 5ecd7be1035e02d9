"""`werkzeug.middleware.lint`: the names of the original, and Costrel behind them."""

from costrel.http.conditional import is_entity_header as is_entity_header
from costrel.http.headers import Headers as Headers
from costrel.legacy.lint import ErrorStream as ErrorStream
from costrel.legacy.lint import GuardedIterator as GuardedIterator
from costrel.legacy.lint import GuardedWrite as GuardedWrite
from costrel.legacy.lint import HTTPWarning as HTTPWarning
from costrel.legacy.lint import InputStream as InputStream
from costrel.legacy.lint import LintMiddleware as LintMiddleware
from costrel.legacy.lint import WSGIWarning as WSGIWarning
from costrel.legacy.lint import check_type as check_type
from costrel.messages.streams import FileWrapper as FileWrapper
