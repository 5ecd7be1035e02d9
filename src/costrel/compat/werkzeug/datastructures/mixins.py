"""`werkzeug.datastructures.mixins`: the names of the original, and Costrel behind them."""

from costrel.http.callback import UpdateDictMixin as UpdateDictMixin
from costrel.http.immutable import ImmutableDictMixin as ImmutableDictMixin
from costrel.http.immutable import ImmutableHeadersMixin as ImmutableHeadersMixin
from costrel.http.immutable import ImmutableListMixin as ImmutableListMixin
from costrel.http.immutable import ImmutableMultiDictMixin as ImmutableMultiDictMixin
