"""What is weak in an application as it is configured, each with the setting that mends it: behind ``costrel check``."""

from __future__ import annotations

import re
import shutil
import subprocess
import typing as t
from collections.abc import Callable, Iterator
from difflib import get_close_matches

from jinja2 import TemplateError

from . import profiles


class Finding(t.NamedTuple):
    """One weakness: the setting or place that it is in, what is wrong there, and what to do."""

    place: str
    problem: str
    remedy: str


Findings: t.TypeAlias = Iterator[Finding]

OTHER_SETTINGS: t.Final = frozenset({
    "CSRF_EXEMPT", "CSRF_REQUIRE_TOKEN", "CSRF_TRUSTED_ORIGINS", "HSTS_SECONDS", "SECURITY_PROFILE",
    "SESSION_ABSOLUTE_LIFETIME", "SESSION_IDLE_LIFETIME", "SESSION_MOVE_FROM", "SESSION_REDIS",
    "SESSION_SQLITE", "SESSION_STORE_DOWN", "SESSION_STORE_PREFIX",
})  # fmt: skip
"""Settings of Costrel's own that are in neither profile, since they are off in both."""

_GENERATE: t.Final = "Set SECRET_KEY to the output of: python -c 'import secrets; print(secrets.token_hex())'"
_WELL_KNOWN: t.Final = frozenset({
    "changeme", "changethis", "default", "dev", "development", "devkey", "flask", "insecure", "key", "mykey",
    "mysecret", "mysecretkey", "password", "secret", "secretkey", "supersecret", "supersecretkey", "test",
    "testing", "thisisasecret", "thisisasecretkey", "thisismysecretkey", "todo", "topsecret", "verysecret",
    "yoursecretkey", "yoursecretkeyhere",
})  # fmt: skip
_switches_escaping_off = re.compile(r"\{%[-+]?\s*autoescape\s+false\b", re.IGNORECASE).search
_looks_like_html = re.compile(r"<(?:!doctype|html|head|body|div|form|a\s|p>)", re.IGNORECASE).search
_variable_name = re.compile(r"<(?:([^:<>]*):)?[^<>]*>")


def audit(app: t.Any) -> list[Finding]:
    """All that is weak in `app`, the gravest first."""
    profiles.apply_chosen(app.config)
    return [finding for check in CHECKS for finding in check(app)]


def check_debug(app: t.Any) -> Findings:
    if app.debug:
        yield Finding("DEBUG", "debug mode is on: errors show code and values.", "Set DEBUG to False, and no --debug.")
    if app.testing:
        yield Finding("TESTING", "errors are not handled, as in tests.", "Set TESTING to False.")


def check_secret_key(app: t.Any) -> Findings:
    key = app.secret_key
    if not key:
        yield Finding("SECRET_KEY", "it is not set: there are no sessions and no flashed messages.", f"{_GENERATE}.")
        return
    raw = key.encode() if isinstance(key, str) else bytes(key)
    plain = re.sub(rb"[^a-z0-9]", b"", raw.lower()).decode()
    if plain in _WELL_KNOWN:
        yield Finding("SECRET_KEY", "it is one that everybody knows, so anybody can sign a session.", f"{_GENERATE}.")
    elif len(raw) < 32:
        yield Finding("SECRET_KEY", f"it has {len(raw)} bytes, and can be guessed below 32.", f"{_GENERATE}.")
    else:
        for name in _tracked_files_with(key, app.root_path):
            problem = f"it stands in {name}, which is in the repository."
            yield Finding("SECRET_KEY", problem, f"{_GENERATE}, outside of it.")


def _tracked_files_with(key: t.Any, folder: str) -> list[str]:
    """The files of the git repository around `folder` that have the key in them; it goes through a pipe, unseen."""
    git = shutil.which("git")
    if git is None or not isinstance(key, str) or "\n" in key:
        return []
    command = [git, "-C", folder, "grep", "-l", "-F", "-f", "-"]
    found = subprocess.run(command, input=key, capture_output=True, text=True, check=False, timeout=30)  # noqa: S603
    return found.stdout.splitlines()


def check_hosts(app: t.Any) -> Findings:
    if not app.config["TRUSTED_HOSTS"]:
        yield Finding(
            "TRUSTED_HOSTS",
            "any host is answered, and stands in the links that are made.",
            'List the names of the site, such as ["example.org"].',
        )


def check_cookies(app: t.Any) -> Findings:
    config = app.config
    if not config["SESSION_COOKIE_SECURE"]:
        yield Finding("SESSION_COOKIE_SECURE", "the session's cookie is sent over plain HTTP too.", "Set it to True.")
    if not config["SESSION_COOKIE_HTTPONLY"]:
        yield Finding("SESSION_COOKIE_HTTPONLY", "scripts can read the session's cookie.", "Set it to True.")
    if str(config["SESSION_COOKIE_SAMESITE"]).lower() not in ("lax", "strict"):
        yield Finding("SESSION_COOKIE_SAMESITE", "other sites' requests carry the session.", 'Set it to "Lax".')
    if config["SESSION_COOKIE_NAME"].startswith("__Host-"):
        path = config["SESSION_COOKIE_PATH"] or config["APPLICATION_ROOT"]
        if path != "/" or config["SESSION_COOKIE_DOMAIN"] or config["SESSION_COOKIE_SECURE"] is not True:
            yield Finding(
                "SESSION_COOKIE_NAME",
                "browsers refuse a __Host- cookie that is not secure, for the path / and without a domain.",
                "Set SESSION_COOKIE_SECURE to True, SESSION_COOKIE_PATH to '/', SESSION_COOKIE_DOMAIN to None.",
            )


def check_guards(app: t.Any) -> Findings:
    off = {
        "CSRF_PROTECTION": ("other sites' pages may send forms here.", "Set it to True"),
        "SECURITY_HEADERS": ("browsers are not told to be careful.", "Set it to True"),
        "CONTENT_SECURITY_POLICY": ("pages have no policy.", "Set one"),
        "MAX_CONTENT_LENGTH": ("a body may have any size.", "Set it to as many bytes as the largest upload has"),
        "REDIRECT_SCHEMES": ("redirects may lead to javascript: and data:.", 'Set it to ("http", "https")'),
    }
    for name, (problem, remedy) in off.items():
        if not app.config.get(name):
            yield Finding(name, problem, f'{remedy}, or SECURITY_PROFILE to "strict".')


def check_routes(app: t.Any) -> Findings:
    """Rules that are alike but for the names of their variables, of which only the first is ever reached."""
    seen: dict[tuple[t.Any, ...], t.Any] = {}
    for rule in app.url_map.iter_rules():
        pattern = _variable_name.sub(lambda match: f"<{match[1] or 'string'}>", rule.rule)
        for method in sorted((rule.methods or {"*"}) - {"HEAD", "OPTIONS"}):
            first = seen.setdefault((pattern, rule.host, rule.subdomain, rule.websocket, method), rule)
            if first is not rule and first.endpoint != rule.endpoint:
                yield Finding(
                    rule.rule,
                    f"{method} never reaches {rule.endpoint!r}: {first.endpoint!r} has the rule {first.rule!r}.",
                    "Change one of the rules, or its methods.",
                )


def check_templates(app: t.Any) -> Findings:
    env = app.jinja_env
    if env.loader is None:
        return
    for name in sorted(env.list_templates()):
        try:
            source = env.loader.get_source(env, name)[0]
        except (TemplateError, UnicodeDecodeError):
            continue
        if _switches_escaping_off(source):
            yield Finding(name, "it switches escaping off.", "Mark what is safe with |safe instead.")
        escape = env.autoescape(name) if callable(env.autoescape) else env.autoescape
        if not escape and _looks_like_html(source):
            yield Finding(name, "it looks like HTML, and its name turns escaping off.", "Let it end with .html.")


def check_names(app: t.Any) -> Findings:
    """Settings that nothing reads, since they are nearly called like one that is."""
    known = profiles.NATIVE.keys() | OTHER_SETTINGS
    for name in sorted(key for key in app.config if isinstance(key, str) and key not in known):
        close = get_close_matches(name, known, n=1, cutoff=0.9)
        if close:
            yield Finding(name, "there is no such setting.", f"Did you mean {close[0]}?")


CHECKS: t.Final[tuple[Callable[[t.Any], Findings], ...]] = (
    check_debug,
    check_secret_key,
    check_hosts,
    check_cookies,
    check_guards,
    check_routes,
    check_templates,
    check_names,
)
