"""`werkzeug.sansio.request`: the names of the original, and Costrel behind them."""

from costrel.compat.older_names import get_content_length as get_content_length
from costrel.compat.older_names import parse_set_header as parse_set_header
from costrel.http.accept import Accept as Accept
from costrel.http.accept import CharsetAccept as CharsetAccept
from costrel.http.accept import LanguageAccept as LanguageAccept
from costrel.http.accept import MIMEAccept as MIMEAccept
from costrel.http.accept import parse_accept_header as parse_accept_header
from costrel.http.authentication import Authorization as Authorization
from costrel.http.cache_control import RequestCacheControl as RequestCacheControl
from costrel.http.cache_control import parse_cache_control_header as parse_cache_control_header
from costrel.http.cookies import parse_cookie as parse_cookie
from costrel.http.dates import parse_date as parse_date
from costrel.http.etags import ETags as ETags
from costrel.http.etags import parse_etags as parse_etags
from costrel.http.grammar import parse_list_header as parse_list_header
from costrel.http.grammar import parse_options_header as parse_options_header
from costrel.http.header_set import HeaderSet as HeaderSet
from costrel.http.headers import Headers as Headers
from costrel.http.hosts import get_current_url as get_current_url
from costrel.http.hosts import get_host as get_host
from costrel.http.immutable import ImmutableList as ImmutableList
from costrel.http.multidict import ImmutableMultiDict as ImmutableMultiDict
from costrel.http.multidict import MultiDict as MultiDict
from costrel.http.ranges import IfRange as IfRange
from costrel.http.ranges import Range as Range
from costrel.http.ranges import parse_if_range_header as parse_if_range_header
from costrel.http.ranges import parse_range_header as parse_range_header
from costrel.http.user_agent import UserAgent as UserAgent
from costrel.legacy.cached_property import cached_property as cached_property
from costrel.messages.properties import header_property as header_property
from costrel.messages.request_head import RequestHead as Request  # noqa: F401 - the original has this name
