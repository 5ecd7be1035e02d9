"""`werkzeug.datastructures`: the names of the original, and Costrel behind them."""

from costrel.compat.deprecated import datastructures_attribute as __getattr__  # noqa: F401 - the original has this name
from costrel.http.accept import Accept as Accept
from costrel.http.accept import CharsetAccept as CharsetAccept
from costrel.http.accept import LanguageAccept as LanguageAccept
from costrel.http.accept import MIMEAccept as MIMEAccept
from costrel.http.authentication import Authorization as Authorization
from costrel.http.authentication import WWWAuthenticate as WWWAuthenticate
from costrel.http.cache_control import RequestCacheControl as RequestCacheControl
from costrel.http.cache_control import ResponseCacheControl as ResponseCacheControl
from costrel.http.callback import CallbackDict as CallbackDict
from costrel.http.callback import UpdateDictMixin as UpdateDictMixin
from costrel.http.etags import ETags as ETags
from costrel.http.header_set import HeaderSet as HeaderSet
from costrel.http.headers import Headers as Headers
from costrel.http.immutable import ImmutableDict as ImmutableDict
from costrel.http.immutable import ImmutableDictMixin as ImmutableDictMixin
from costrel.http.immutable import ImmutableHeadersMixin as ImmutableHeadersMixin
from costrel.http.immutable import ImmutableList as ImmutableList
from costrel.http.immutable import ImmutableListMixin as ImmutableListMixin
from costrel.http.immutable import ImmutableMultiDictMixin as ImmutableMultiDictMixin
from costrel.http.multidict import CombinedMultiDict as CombinedMultiDict
from costrel.http.multidict import ImmutableMultiDict as ImmutableMultiDict
from costrel.http.multidict import ImmutableTypeConversionDict as ImmutableTypeConversionDict
from costrel.http.multidict import MultiDict as MultiDict
from costrel.http.multidict import TypeConversionDict as TypeConversionDict
from costrel.http.multidict import iter_multi_items as iter_multi_items
from costrel.http.policies import ContentSecurityPolicy as ContentSecurityPolicy
from costrel.http.ranges import ContentRange as ContentRange
from costrel.http.ranges import IfRange as IfRange
from costrel.http.ranges import Range as Range
from costrel.http.uploads import FileMultiDict as FileMultiDict
from costrel.http.uploads import FileStorage as FileStorage
from costrel.messages.environ import EnvironHeaders as EnvironHeaders
