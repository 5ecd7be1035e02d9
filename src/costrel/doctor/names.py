"""The names of Flask's and Werkzeug's modules that exist on Costrel, and names of older releases."""

from __future__ import annotations

import ast
import typing as t
from collections.abc import Iterator
from functools import cache
from pathlib import Path

_ALIAS: t.Final = Path(__file__).parents[1] / "compat"
"""The folder with a module for each of Flask's and Werkzeug's. It is read, since an import would replace Flask here."""

PACKAGES: t.Final = ("flask", "werkzeug")

_BY_GETATTR: t.Final[t.Mapping[str, frozenset[str]]] = {
    "flask": frozenset({"__version__"}),
    "werkzeug.datastructures": frozenset({"OrderedMultiDict", "ImmutableOrderedMultiDict"}),
    "werkzeug.datastructures.structures": frozenset({"OrderedMultiDict", "ImmutableOrderedMultiDict"}),
}
"""The names that the `__getattr__` of a module returns."""

_FOR_APPLICATIONS: t.Final = frozenset({
    "datastructures", "exceptions", "helpers", "http", "local", "routing", "security", "utils", "wrappers", "wsgi",
})  # fmt: skip

_STACKS: t.Final = "Flask 2.3 removed it. Use g, current_app and request, or flask.globals.request_ctx and app_ctx."
_JSON: t.Final = "Flask 2.3 removed it. Derive from flask.json.provider.DefaultJSONProvider, and set app.json."
_URLS: t.Final = "Werkzeug 3.0 removed it. Use urllib.parse."
_MARKUPSAFE: t.Final = "Flask 3.0 removed it. Import it from markupsafe."

OLDER_NAMES: t.Final[t.Mapping[str, str]] = {
    "flask.Markup": _MARKUPSAFE,
    "flask.escape": _MARKUPSAFE,
    "flask._app_ctx_stack": _STACKS,
    "flask._request_ctx_stack": _STACKS,
    "flask.globals._app_ctx_stack": _STACKS,
    "flask.globals._request_ctx_stack": _STACKS,
    "flask.json.JSONEncoder": _JSON,
    "flask.json.JSONDecoder": _JSON,
    "flask.json_available": "Flask 2.0 has it no more. JSON is always available.",
    "flask.signals_available": "Flask 3.0 removed it. Signals are always available.",
    "flask.signals.signals_available": "Flask 3.0 removed it. Signals are always available.",
    "flask.helpers.locked_cached_property": "Flask 3.0 removed it. Use werkzeug.utils.cached_property.",
    "flask.helpers.safe_join": "Flask 2.1 removed it. Use werkzeug.utils.safe_join.",
    "flask.safe_join": "Flask 2.1 removed it. Use werkzeug.utils.safe_join.",
    "flask._compat": "Flask 2.0 removed it with its support for Python 2.",
    "flask.ext": "Flask 1.0 removed it. Import the extension itself: flask_login, for example.",
    "flask.exthook": "Flask 1.0 removed it.",
    "flask.testing.make_test_environ_builder": "Flask 2.0 removed it. Use flask.testing.EnvironBuilder.",
    "werkzeug.__version__": 'Werkzeug 3.1 removed it. Use importlib.metadata.version("werkzeug").',
    "werkzeug.contrib": "Werkzeug 1.0 removed it. ProxyFix is in werkzeug.middleware.proxy_fix.",
    "werkzeug.security.safe_str_cmp": "Werkzeug 2.1 removed it. Use hmac.compare_digest.",
    "werkzeug.security.pbkdf2_hex": "Werkzeug 2.1 removed it. Use hashlib.pbkdf2_hmac.",
    "werkzeug.security.pbkdf2_bin": "Werkzeug 2.1 removed it. Use hashlib.pbkdf2_hmac.",
    "werkzeug.urls.url_quote": _URLS,
    "werkzeug.urls.url_quote_plus": _URLS,
    "werkzeug.urls.url_unquote": _URLS,
    "werkzeug.urls.url_unquote_plus": _URLS,
    "werkzeug.urls.url_encode": _URLS,
    "werkzeug.urls.url_decode": _URLS,
    "werkzeug.urls.url_parse": _URLS,
    "werkzeug.urls.url_join": _URLS,
    "werkzeug.urls.url_fix": _URLS,
    "werkzeug.urls.url_unparse": _URLS,
    "werkzeug.utils.unescape": "Werkzeug 2.1 removed it. Use html.unescape.",
    "werkzeug.utils.format_string": "Werkzeug 2.1 removed it. Use string.Template.",
    "werkzeug.wrappers.BaseRequest": "Werkzeug 2.1 removed it. Use werkzeug.wrappers.Request.",
    "werkzeug.wrappers.BaseResponse": "Werkzeug 2.1 removed it. Use werkzeug.wrappers.Response.",
    "werkzeug.wrappers.json": "Werkzeug 2.1 removed it. Request and Response have its methods.",
    "werkzeug.useragents": "Werkzeug 2.1 removed it. Use werkzeug.user_agent.",
    "werkzeug.filesystem": "Werkzeug 3.0 removed it.",
    "werkzeug.posixemulation": "Werkzeug 2.1 has it no more.",
    "werkzeug.wsgi.make_chunk_iter": "Werkzeug 3.0 removed it.",
    "werkzeug.wsgi.make_line_iter": "Werkzeug 3.0 removed it.",
    "werkzeug.wsgi.pop_path_info": "Werkzeug 2.3 removed it.",
    "werkzeug.wsgi.peek_path_info": "Werkzeug 2.3 removed it.",
    "werkzeug.wsgi.extract_path_info": "Werkzeug 2.3 removed it.",
    "werkzeug.wsgi.get_query_string": "Werkzeug 2.3 removed it. Use environ['QUERY_STRING'].",
    "werkzeug.wsgi.SharedDataMiddleware": "Werkzeug 1.0 removed it. It is in werkzeug.middleware.shared_data.",
    "werkzeug.wsgi.DispatcherMiddleware": "Werkzeug 1.0 removed it. It is in werkzeug.middleware.dispatcher.",
}
"""Names of older releases → the release without them, and the name to use."""


def module_exists(module: str) -> bool:
    """Whether Costrel has the module with this dotted name under the alias."""
    parts = module.split(".")
    return parts[0] in PACKAGES and (_file_of(module) is not None or _ALIAS.joinpath(*parts).is_dir())


def has_name(module: str, name: str) -> bool:
    """Whether an existing module of the alias has a name, a submodule counting as one."""
    return name in _names_of(module) or module_exists(f"{module}.{name}") or _is_of_every_module(name)


def reaches_costrel(module: str, name: str) -> bool:
    """Whether Costrel itself uses the replacement if a name of a module is replaced."""
    return (module, name) in _replaceable()


def advice_on(name: str) -> str:
    """The advice for a dotted name that Costrel lacks."""
    parts = name.split(".")
    for end in range(len(parts), 1, -1):
        found = OLDER_NAMES.get(".".join(parts[:end]))
        if found is not None:
            return found
    homes = [module for module in _modules_of(parts[0]) if len(parts) > 1 and parts[-1] in _names_of(module)]
    if homes:
        return f"Import it from {min(homes, key=_preference)}."
    return "Costrel has its own code there. Use a public name, or keep this on Flask."


def _is_of_every_module(name: str) -> bool:
    return name.startswith("__") and name.endswith("__") and name != "__version__"


def _file_of(module: str) -> Path | None:
    parts = module.split(".")
    if parts[0] not in PACKAGES:
        return None
    place = _ALIAS.joinpath(*parts)
    for file in (place / "__init__.py", place.with_name(f"{place.name}.py")):
        if file.is_file():
            return file
    return None


def _preference(module: str) -> tuple[bool, int, str]:
    """The order of modules that have the same name: those that are made for applications first."""
    return module.rpartition(".")[2] not in _FOR_APPLICATIONS, module.count("."), module


@cache
def _modules_of(package: str) -> tuple[str, ...]:
    """The modules of a package of the alias, by their dotted names."""
    files = (_ALIAS / package).rglob("*.py")
    return tuple(".".join(file.relative_to(_ALIAS).with_suffix("").parts).removesuffix(".__init__") for file in files)


@cache
def _names_of(module: str) -> frozenset[str]:
    file = _file_of(module)
    if file is None:
        return frozenset()
    return frozenset(_bound(ast.parse(file.read_bytes()))) | _BY_GETATTR.get(module, frozenset())


def _bound(tree: ast.Module) -> Iterator[str]:
    """The names that a module of the alias binds. It has imports, definitions and plain assignments."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from (alias.asname or alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
            yield node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


@cache
def _replaceable() -> frozenset[tuple[str, str]]:
    """The keys of the table in `patched_names.py`."""
    tree = ast.parse((_ALIAS / "patched_names.py").read_bytes())
    tables = [node.value for node in tree.body if isinstance(node, ast.AnnAssign) and isinstance(node.value, ast.Dict)]
    return frozenset(ast.literal_eval(key) for table in tables for key in table.keys if key is not None)
