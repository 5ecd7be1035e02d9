"""`werkzeug.datastructures.accept`: the names of the original, and Costrel behind them."""

from costrel.http.accept import Accept as Accept
from costrel.http.accept import CharsetAccept as CharsetAccept
from costrel.http.accept import LanguageAccept as LanguageAccept
from costrel.http.accept import MIMEAccept as MIMEAccept
from costrel.http.immutable import ImmutableList as ImmutableList
