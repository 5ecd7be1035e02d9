"""`werkzeug.sansio.multipart`: the names of the original, and Costrel behind them."""

from costrel.http.errors import RequestEntityTooLarge as RequestEntityTooLarge
from costrel.http.grammar import parse_options_header as parse_options_header
from costrel.http.headers import Headers as Headers
from costrel.http.multipart import LINE_BREAK as LINE_BREAK
from costrel.http.multipart import NEED_DATA as NEED_DATA
from costrel.http.multipart import SEARCH_EXTRA_LENGTH as SEARCH_EXTRA_LENGTH
from costrel.http.multipart import Data as Data
from costrel.http.multipart import Epilogue as Epilogue
from costrel.http.multipart import Event as Event
from costrel.http.multipart import Field as Field
from costrel.http.multipart import File as File
from costrel.http.multipart import MultipartDecoder as MultipartDecoder
from costrel.http.multipart import MultipartEncoder as MultipartEncoder
from costrel.http.multipart import NeedData as NeedData
from costrel.http.multipart import Preamble as Preamble
from costrel.http.multipart import State as State
