"""Checks for settings that are weak, wrong or misspelt."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import typing as t

from ..app.error_format import respond
from ..guards import Guards
from ..guards.csp import unknown_directives
from ..services.setting_checks import OF_EXTENSIONS, misspelt, problem_of
from ..services.settings import SETTINGS
from .finding import Finding, Findings

if t.TYPE_CHECKING:
    from ..context import AppContract

_GENERATE: t.Final = "Set SECRET_KEY to the output of: python -c 'import secrets; print(secrets.token_hex())'"
_WELL_KNOWN: t.Final = frozenset({
    "changeme", "changethis", "default", "dev", "development", "devkey", "flask", "insecure", "key", "mykey",
    "mysecret", "mysecretkey", "password", "secret", "secretkey", "supersecret", "supersecretkey", "test",
    "testing", "thisisasecret", "thisisasecretkey", "thisismysecretkey", "todo", "topsecret", "verysecret",
    "yoursecretkey", "yoursecretkeyhere",
})  # fmt: skip


def check_debug(app: AppContract) -> Findings:
    if app.debug:
        yield Finding("DEBUG", "debug mode is on: errors show code and values.", "Set DEBUG to False; omit --debug.")
    if app.testing:
        yield Finding("TESTING", "errors are not handled, as in tests.", "Set TESTING to False.")


def check_secret_key(app: AppContract) -> Findings:
    if not app.secret_key:
        yield Finding("SECRET_KEY", "it is not set: there are no sessions and no flashed messages.", f"{_GENERATE}.")
        return
    yield from _check_key("SECRET_KEY", app.secret_key, app.root_path)
    for key in app.config["SECRET_KEY_FALLBACKS"] or ():  # their signatures are valid too
        yield from _check_key("SECRET_KEY_FALLBACKS", key, app.root_path)


def _check_key(place: str, key: str | bytes, root_path: str) -> Findings:
    raw = key.encode() if isinstance(key, str) else bytes(key)
    remedy = f"{_GENERATE}." if place == "SECRET_KEY" else "Take it out."
    plain = re.sub(rb"[^a-z0-9]", b"", raw.lower()).decode()
    if plain in _WELL_KNOWN:
        yield Finding(place, "it is a well-known value, so anyone can forge sessions.", remedy)
    elif len(raw) < 32:
        yield Finding(place, f"it has {len(raw)} bytes; a key of fewer than 32 can be guessed.", remedy)
    else:
        for name in _tracked_files_with(key, root_path):
            problem = f"it is in {name}, which Git tracks."
            yield Finding(place, problem, f"{remedy[:-1]}, outside of Git." if place == "SECRET_KEY" else remedy)


def _tracked_files_with(key: str | bytes, folder: str) -> list[str]:
    """Return the files of the Git repository around `folder` that contain the key, which Git reads from a pipe."""
    git = shutil.which("git")
    if git is None or not isinstance(key, str) or "\n" in key:
        return []
    command = [git, "-C", folder, "grep", "-l", "-F", "-f", "-"]
    found = subprocess.run(command, input=key, capture_output=True, text=True, check=False, timeout=30)  # noqa: S603
    return found.stdout.splitlines()


def check_hosts(app: AppContract) -> Findings:
    if not app.config["TRUSTED_HOSTS"]:
        yield Finding(
            "TRUSTED_HOSTS",
            "requests for any host are answered, and its name goes into generated links.",
            'List the names of the site, such as ["example.org"].',
        )


def check_cookies(app: AppContract) -> Findings:
    config = app.config
    if not config["SESSION_COOKIE_SECURE"]:
        yield Finding("SESSION_COOKIE_SECURE", "the session cookie is also sent over plain HTTP.", "Set it to True.")
    if not config["SESSION_COOKIE_HTTPONLY"]:
        yield Finding("SESSION_COOKIE_HTTPONLY", "scripts can read the session cookie.", "Set it to True.")
    if str(config["SESSION_COOKIE_SAMESITE"]).lower() not in ("lax", "strict"):
        yield Finding("SESSION_COOKIE_SAMESITE", "requests from other sites carry the session.", 'Set it to "Lax".')
    if config["SESSION_COOKIE_NAME"].startswith("__Host-"):
        path = config["SESSION_COOKIE_PATH"] or config["APPLICATION_ROOT"]
        if path != "/" or config["SESSION_COOKIE_DOMAIN"] or config["SESSION_COOKIE_SECURE"] is not True:
            yield Finding(
                "SESSION_COOKIE_NAME",
                "browsers reject a __Host- cookie unless it is Secure, has the path / and has no domain.",
                "Set SESSION_COOKIE_SECURE to True, SESSION_COOKIE_PATH to '/', SESSION_COOKIE_DOMAIN to None.",
            )


def check_guards(app: AppContract) -> Findings:
    off = {
        "CSRF_PROTECTION": ("pages of other sites may submit forms here.", "Set it to True"),
        "SECURITY_HEADERS": ("responses have no security headers.", "Set it to True"),
        "CONTENT_SECURITY_POLICY": ("pages have no Content Security Policy.", "Set one"),
        "MAX_CONTENT_LENGTH": ("request bodies may have any size.", "Set it to the largest upload's size in bytes"),
        "HOST_REQUIRED": ("requests without a Host header are answered.", "Set it to True"),
        "REDIRECT_SCHEMES": ("redirects may lead to javascript: and data:.", 'Set it to ("http", "https")'),
    }
    for name, (problem, remedy) in off.items():
        if not app.config.get(name):
            yield Finding(name, problem, f'{remedy}, or SECURITY_PROFILE to "strict".')


def check_setup(app: AppContract) -> Findings:
    """Find settings with which every request would fail."""
    try:
        Guards.of(app, respond)
    except (TypeError, ValueError, RuntimeError) as error:
        named = re.match(r"[A-Z][A-Z_]{3,}", str(error))
        remedy = "Correct it, or take it out: the default works."
        yield Finding(named[0] if named else "settings", f"no request can be answered: {error}", remedy)
        return
    for setting in ("CONTENT_SECURITY_POLICY", "CONTENT_SECURITY_POLICY_REPORT_ONLY"):
        policy = app.config.get(setting)
        for name, near in unknown_directives(policy) if isinstance(policy, str) else ():
            yield Finding(
                setting, f"there is no directive {name!r}.", f"Did you mean {near!r}?" if near else "Take it out."
            )


def check_values(app: AppContract) -> Findings:
    """Find settings with a value of another type, or one that is not allowed."""
    for name, setting in SETTINGS.items():
        if name in app.config:
            problem = problem_of(setting, app.config[name])
            if problem is not None:
                yield Finding(name, problem, "Correct it, or take it out: the default works.")


def check_names(app: AppContract) -> Findings:
    """Find settings that have no effect, since their names are misspelt."""
    for name, (module, own) in sorted(OF_EXTENSIONS.items()):
        if name in app.config and module not in sys.modules:
            yield Finding(name, f"it is for {module}, which is not imported.", f"Did you mean {own}?")
    for name, near in misspelt(app.config):
        yield Finding(name, "there is no such setting.", f"Did you mean {near}?")
