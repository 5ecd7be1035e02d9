"""`werkzeug.sansio.multipart`: the names of the original, and Costrel behind them."""

from costrel.http.errors import RequestEntityTooLarge as RequestEntityTooLarge
from costrel.http.grammar import parse_options_header as parse_options_header
from costrel.http.headers import Headers as Headers
from costrel.legacy.multipart import LINE_BREAK as LINE_BREAK
from costrel.legacy.multipart import NEED_DATA as NEED_DATA
from costrel.legacy.multipart import SEARCH_EXTRA_LENGTH as SEARCH_EXTRA_LENGTH
from costrel.legacy.multipart import Data as Data
from costrel.legacy.multipart import Epilogue as Epilogue
from costrel.legacy.multipart import Event as Event
from costrel.legacy.multipart import Field as Field
from costrel.legacy.multipart import File as File
from costrel.legacy.multipart import MultipartDecoder as MultipartDecoder
from costrel.legacy.multipart import MultipartEncoder as MultipartEncoder
from costrel.legacy.multipart import NeedData as NeedData
from costrel.legacy.multipart import Preamble as Preamble
from costrel.legacy.multipart import State as State
