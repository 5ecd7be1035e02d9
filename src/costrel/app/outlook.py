"""Asks which parts of Costrel an application and its session interface replace."""

from __future__ import annotations

from ..context import AppContract, Outlook
from ..messages.request import REQUEST
from ..routing.map import MATCHING
from ..sessions.interface import OpensLate
from .request import BLUEPRINTS, Request


def look_at(app: AppContract) -> Outlook:
    """The answers that each request needs about `app`, until a class is changed or an attribute of `app` is assigned.

    A session interface is asked in each request if the setup has not ended, or if its class has its own property
    `opens_late`.
    """
    interface = app.__dict__.get("session_interface")
    map_classes = MATCHING.classes(type(app.url_map))
    classes = [type(app), app.request_class, *map_classes]
    if interface is not None:
        classes.append(type(interface))
    outlook = Outlook(*classes, changes=app.outlook.changes + 1)
    outlook.overridden = app.overridden
    outlook.adapts = "ensure_sync" in outlook.overridden
    outlook.entrances = app.overridden_entrances
    matches_alike = MATCHING.are_original_in(type(app.url_map))
    outlook.matches_apart = app.subdomain_matching or "create_url_adapter" in app.overridden or not matches_alike
    own_request = issubclass(app.request_class, Request)
    outlook.names_blueprints = not own_request or not BLUEPRINTS.are_original_in(app.request_class)
    outlook.takes_sources = REQUEST.are_original_in(app.request_class)
    says = getattr(type(interface), "opens_late", False)
    if interface is not None and isinstance(says, (bool, OpensLate)):
        outlook.early = not getattr(interface, "opens_late", False)
        outlook.attributes = getattr(interface, "__dict__", outlook.attributes)
    return outlook
