"""Functions that act on the current application and request, for use in views."""

from __future__ import annotations

import typing as t

from . import context
from .app.files import send_file as send_file
from .app.files import send_from_directory as send_from_directory
from .context import after_this_request as after_this_request
from .context import copy_current_request_context as copy_current_request_context
from .context import has_app_context as has_app_context
from .context import has_request_context as has_request_context
from .guards.cors import CORSPolicy as CORSPolicy
from .guards.cors import cors as cors
from .guards.csp import CSP as CSP
from .guards.csp import content_security_policy as content_security_policy
from .guards.csp import csp_nonce as csp_nonce
from .guards.csrf import csrf_exempt as csrf_exempt
from .guards.csrf import csrf_token as csrf_token
from .guards.limits import RateLimit as RateLimit
from .guards.limits import rate_limit as rate_limit
from .guards.redirects import safe_next as safe_next
from .http import errors
from .messages import redirects
from .services.flashing import flash as flash
from .services.flashing import get_flashed_messages as get_flashed_messages
from .services.templating import render_template as render_template
from .services.templating import render_template_string as render_template_string
from .services.templating import stream_template as stream_template
from .services.templating import stream_template_string as stream_template_string
from .streaming import stream_with_context as stream_with_context
from .work.held import after_response as after_response
from .work.threads import context_thread as context_thread

if t.TYPE_CHECKING:
    from .app.application import Costrel
    from .app.response import Response
    from .messages.response import Response as MessageResponse

    R = t.TypeVar("R", bound=MessageResponse)

    def jsonify(*args: t.Any, **kwargs: t.Any) -> Response: ...

else:  # its room cannot name the class
    from .services.json import jsonify as jsonify


def url_for(
    endpoint: str,
    *,
    _anchor: str | None = None,
    _method: str | None = None,
    _scheme: str | None = None,
    _external: bool | None = None,
    **values: t.Any,
) -> str:
    """The URL of `endpoint` in the current application, as `Costrel.url_for` builds it.

    :param endpoint: the endpoint, including the blueprint's name; ``.name`` is relative to the request's blueprint.
    :param _anchor: the fragment, without ``#``.
    :param _method: a method that the rule must allow, if the endpoint has several rules.
    :param _scheme: the scheme of an external URL, such as ``"https"``.
    :param _external: whether to include scheme and host; by default only outside of a request.
    :param values: the variables of the rule; other values become the query.
    :raises BuildError: if no rule of the endpoint matches the values.
    :raises RuntimeError: outside of an application context, or if the host is unknown.
    """
    app = t.cast("Costrel", context.current().app)
    return app.url_for(endpoint, _anchor=_anchor, _method=_method, _scheme=_scheme, _external=_external, **values)


@t.overload
def redirect(location: str, code: int = 302, Response: None = None) -> Response: ...
@t.overload
def redirect(location: str, code: int = 302, *, Response: type[R]) -> R: ...
def redirect(location: str, code: int = 302, Response: type[MessageResponse] | None = None) -> MessageResponse:
    """A response that redirects the client to `location`. The current application, if there is one, creates it.

    :param location: a path or a URL.
    :param code: 301, 302, 303, 305, 307 or 308. After 302 and 303 the client sends a GET; 307 and 308 keep the method.
    :param Response: the response class if there is no current application.
    """
    ctx = context.peek()
    if ctx is not None:
        return t.cast("Costrel", ctx.app).redirect(location, code=code)
    return redirects.redirect(location, code=code, Response=Response)


def abort(code: int | MessageResponse, *args: t.Any, **kwargs: t.Any) -> t.NoReturn:
    """Raise the HTTP error with the status `code`. A response can be passed instead of a code.

    :param args: positional arguments for the error class; the first is the description.
    :param kwargs: keyword arguments for the error class.
    :raises HTTPException: the error, for example `InternalServerError` for 500.
    :raises LookupError: for a code without an error class.
    """
    ctx = context.peek()
    if ctx is not None:
        t.cast("Costrel", ctx.app).aborter(code, *args, **kwargs)
    errors.abort(code, *args, **kwargs)


def make_response(*args: t.Any) -> Response:
    """Convert the return value of a view to a response, on which headers and cookies can be set.

    :param args: a value that a view may return. Several values are treated as a tuple of body, status and headers;
        without any, the response is empty.
    :raises TypeError: for a value that cannot be converted to a response.
    :raises RuntimeError: outside of an application context.
    """
    app = t.cast("Costrel", context.current().app)
    made: MessageResponse = app.make_response(args[0] if len(args) == 1 else args) if args else app.response_class()
    return t.cast("Response", made)


def get_template_attribute(template_name: str, attribute: str) -> t.Any:
    """A macro or variable that the template `template_name` exports.

    :param attribute: the name of the macro or variable.
    :raises TemplateNotFound: if there is no such template.
    :raises AttributeError: if the template has no such macro or variable.
    """
    template = context.current().app.jinja_env.get_template(template_name)
    return getattr(template.module, attribute)
