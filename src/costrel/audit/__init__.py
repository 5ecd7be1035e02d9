"""The weaknesses of an application, each with the setting that corrects it: the checks of ``costrel check``."""

from __future__ import annotations

import typing as t
from collections.abc import Callable

from ..app import profiles
from . import reads, routes, settings, sharing, templates, typed
from .finding import Finding as Finding
from .finding import Findings

if t.TYPE_CHECKING:
    from ..context import AppContract

CHECKS: t.Final[tuple[Callable[[AppContract], Findings], ...]] = (
    settings.check_debug,
    settings.check_secret_key,
    settings.check_hosts,
    settings.check_cookies,
    settings.check_guards,
    settings.check_setup,
    settings.check_values,
    sharing.check_origins,
    sharing.check_counting,
    sharing.check_logins,
    routes.check_mounts,
    routes.check_frontends,
    routes.check_shadows,
    routes.check_parameters,
    routes.check_strictness,
    routes.check_order,
    reads.check_changing_reads,
    typed.check_inputs,
    typed.check_document,
    typed.check_security,
    templates.check_escaping,
    templates.check_forms,
    settings.check_names,
)


def audit(app: AppContract) -> list[Finding]:
    """Return the weaknesses of `app` that ``CHECK_IGNORE`` does not list, the most serious first."""
    profiles.apply_chosen(app.config)
    ignored = app.config.get("CHECK_IGNORE") or ()
    ignored = {ignored} if isinstance(ignored, str) else set(ignored)
    return [finding for check in CHECKS for finding in check(app) if finding.place not in ignored]
