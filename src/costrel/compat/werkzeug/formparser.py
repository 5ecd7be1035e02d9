"""`werkzeug.formparser`: the names of the original, and Costrel behind them."""

from costrel.http.errors import RequestEntityTooLarge as RequestEntityTooLarge
from costrel.http.grammar import parse_options_header as parse_options_header
from costrel.http.headers import Headers as Headers
from costrel.http.multidict import MultiDict as MultiDict
from costrel.http.uploads import FileStorage as FileStorage
from costrel.legacy.multipart import Data as Data
from costrel.legacy.multipart import Epilogue as Epilogue
from costrel.legacy.multipart import Field as Field
from costrel.legacy.multipart import File as File
from costrel.legacy.multipart import MultipartDecoder as MultipartDecoder
from costrel.legacy.multipart import NeedData as NeedData
from costrel.messages.environ import get_content_length as get_content_length
from costrel.messages.environ import get_input_stream as get_input_stream
from costrel.messages.forms import FormDataParser as FormDataParser
from costrel.messages.forms import MultiPartParser as MultiPartParser
from costrel.messages.forms import default_stream_factory as default_stream_factory
from costrel.messages.forms import parse_form_data as parse_form_data
