"""Attributes of Flask's and Werkzeug's objects, in current and older releases, that Costrel's objects lack."""

from __future__ import annotations

import typing as t

_JSON: t.Final = "Flask 2.3 removed it: derive from flask.json.provider.DefaultJSONProvider, and set app.json."
_INTERNAL: t.Final = "it is part of Werkzeug's own implementation."


class Member(t.NamedTuple):
    """The classes that the attribute belongs to, and the advice."""

    owners: frozenset[str]
    advice: str
    is_silent: bool = False
    """Whether setting or defining it raises no error and has no effect."""


_APP: t.Final = frozenset({"Flask"})
_APP_OR_BLUEPRINT: t.Final = frozenset({"Flask", "Blueprint"})
_BLUEPRINT: t.Final = frozenset({"Blueprint"})
_REQUEST: t.Final = frozenset({"Request"})
_RULE: t.Final = frozenset({"Rule"})
_CONTEXT: t.Final = frozenset({"AppContext", "RequestContext"})

MEMBERS: t.Final[t.Mapping[str, Member]] = {
    "before_first_request": Member(
        _APP, "Flask 2.3 removed it: run the code in the factory, or in @app.while_serving under Costrel's own name."
    ),
    "before_app_first_request": Member(_BLUEPRINT, "Flask 2.3 removed it: run the code in blueprint.record."),
    "before_first_request_funcs": Member(_APP, "Flask 2.3 removed it."),
    "try_trigger_before_first_request_functions": Member(_APP, "Flask 2.3 removed it."),
    "json_encoder": Member(_APP_OR_BLUEPRINT, _JSON, is_silent=True),
    "json_decoder": Member(_APP_OR_BLUEPRINT, _JSON, is_silent=True),
    "send_file_max_age_default": Member(
        _APP, 'Flask 2.3 removed it: set app.config["SEND_FILE_MAX_AGE_DEFAULT"].', is_silent=True
    ),
    "session_cookie_name": Member(_APP, 'Flask 2.3 removed it: set app.config["SESSION_COOKIE_NAME"].', is_silent=True),
    "propagate_exceptions": Member(
        _APP, 'Flask 2.3 removed it: set app.config["PROPAGATE_EXCEPTIONS"].', is_silent=True
    ),
    "use_x_sendfile": Member(_APP, 'Flask 2.3 removed it: set app.config["USE_X_SENDFILE"].', is_silent=True),
    "templates_auto_reload": Member(
        _APP, 'Flask 2.3 removed it: set app.config["TEMPLATES_AUTO_RELOAD"].', is_silent=True
    ),
    "got_first_request": Member(_APP, "Flask 2.3 removed it."),
    "is_xhr": Member(_REQUEST, 'Werkzeug 1.0 removed it: look at request.headers.get("X-Requested-With").'),
    "_max_content_length": Member(_REQUEST, f"{_INTERNAL} Set max_content_length.", is_silent=True),
    "_max_form_memory_size": Member(_REQUEST, f"{_INTERNAL} Set max_form_memory_size.", is_silent=True),
    "_max_form_parts": Member(_REQUEST, f"{_INTERNAL} Set max_form_parts.", is_silent=True),
    "_cv_tokens": Member(_CONTEXT, "it is part of Flask's own implementation."),
    "_partial_build": Member(frozenset({"MapAdapter"}), f"{_INTERNAL} Use build()."),
    "_build": Member(_RULE, f"{_INTERNAL} Use build().", is_silent=True),
    "_build_unknown": Member(_RULE, f"{_INTERNAL} Use build().", is_silent=True),
    "_compile_builder": Member(_RULE, _INTERNAL, is_silent=True),
    "_encode_query_vars": Member(_RULE, f"{_INTERNAL} Derive from Map or use url_defaults.", is_silent=True),
    "_get_func_code": Member(_RULE, _INTERNAL, is_silent=True),
    "_parse_rule": Member(_RULE, _INTERNAL, is_silent=True),
    "_fail_pin_auth": Member(frozenset({"DebuggedApplication"}), _INTERNAL, is_silent=True),
    "_get_form": Member(frozenset({"EnvironBuilder"}), f"{_INTERNAL} Use form.", is_silent=True),
    "_set_form": Member(frozenset({"EnvironBuilder"}), f"{_INTERNAL} Use form.", is_silent=True),
    "_LocalProxy__wrapped": Member(frozenset({"LocalProxy"}), f"{_INTERNAL} Use _get_current_object()."),
    "_parse_data": Member(frozenset({"MultipartDecoder"}), _INTERNAL, is_silent=True),
    "_parse_headers": Member(frozenset({"MultipartDecoder"}), _INTERNAL, is_silent=True),
}
"""Attributes by name. A test compares them with the installed Flask and Werkzeug."""

OF_PROXIES: t.Final[t.Mapping[str, str]] = {
    "current_app": "Flask", "request": "Request", "app_ctx": "AppContext", "request_ctx": "RequestContext",
}  # fmt: skip
"""The proxies of `flask`, and the classes of the objects behind them."""

APPLICATION_NAMES: t.Final = frozenset({"app", "application", "current_app", "flask_app"})
BLUEPRINT_NAMES: t.Final = frozenset({"blueprint", "bp"})
"""Names of variables that hold an application or a blueprint by custom."""
