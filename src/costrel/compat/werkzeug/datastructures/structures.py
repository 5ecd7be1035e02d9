"""`werkzeug.datastructures.structures`: the names of the original, and Costrel behind them."""

from costrel.compat.deprecated import datastructures_attribute as __getattr__  # noqa: F401 - the original has this name
from costrel.http.callback import CallbackDict as CallbackDict
from costrel.http.callback import UpdateDictMixin as UpdateDictMixin
from costrel.http.header_set import HeaderSet as HeaderSet
from costrel.http.immutable import ImmutableDict as ImmutableDict
from costrel.http.immutable import ImmutableDictMixin as ImmutableDictMixin
from costrel.http.immutable import ImmutableList as ImmutableList
from costrel.http.immutable import ImmutableListMixin as ImmutableListMixin
from costrel.http.immutable import ImmutableMultiDictMixin as ImmutableMultiDictMixin
from costrel.http.multidict import CombinedMultiDict as CombinedMultiDict
from costrel.http.multidict import ImmutableMultiDict as ImmutableMultiDict
from costrel.http.multidict import ImmutableTypeConversionDict as ImmutableTypeConversionDict
from costrel.http.multidict import MultiDict as MultiDict
from costrel.http.multidict import TypeConversionDict as TypeConversionDict
from costrel.http.multidict import iter_multi_items as iter_multi_items
from costrel.legacy.ordered_multidict import _ImmutableOrderedMultiDict as _ImmutableOrderedMultiDict
from costrel.legacy.ordered_multidict import _OrderedMultiDict as _OrderedMultiDict
