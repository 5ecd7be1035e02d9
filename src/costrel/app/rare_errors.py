"""HTTP errors for which Werkzeug has no class, so that `abort` and `errorhandler` take every status of an error."""

from __future__ import annotations

from ..http.errors import HTTPException
from ..messages.forms import InsufficientStorage


class PaymentRequired(HTTPException):
    """402 (RFC 9110 §15.5.3)."""

    code = 402
    description = "The resource is available only after a payment."


class ProxyAuthenticationRequired(HTTPException):
    """407 (RFC 9110 §15.5.8)."""

    code = 407
    description = "The proxy needs credentials to pass this request on."


class TooEarly(HTTPException):
    """425 (RFC 8470 §5.2)."""

    code = 425
    description = "The server does not process a request that might be replayed."


class UpgradeRequired(HTTPException):
    """426 (RFC 9110 §15.5.22)."""

    code = 426
    description = "The server answers this request only over another protocol."


class VariantAlsoNegotiates(HTTPException):
    """506 (RFC 2295 §8.1)."""

    code = 506
    description = "The chosen variant of the resource negotiates content itself."


class LoopDetected(HTTPException):
    """508 (RFC 5842 §7.2)."""

    code = 508
    description = "The server found an endless loop while processing the request."


class NotExtended(HTTPException):
    """510 (RFC 2774 §7)."""

    code = 510
    description = "The server needs further extensions in the request to answer it."


class NetworkAuthenticationRequired(HTTPException):
    """511 (RFC 6585 §6)."""

    code = 511
    description = "The client must sign in to the network first."


RARE_ERRORS: dict[int, type[HTTPException]] = {
    402: PaymentRequired,
    407: ProxyAuthenticationRequired,
    425: TooEarly,
    426: UpgradeRequired,
    506: VariantAlsoNegotiates,
    507: InsufficientStorage,
    508: LoopDetected,
    510: NotExtended,
    511: NetworkAuthenticationRequired,
}
"""Status code → the class of the error."""
