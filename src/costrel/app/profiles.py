"""The two profiles: the secure defaults of `Costrel`, and exactly the defaults of Flask."""

from __future__ import annotations

import typing as t

from ..http.immutable import ImmutableDict
from ..services.settings import SETTINGS

FLASK: t.Final[ImmutableDict[str, t.Any]] = ImmutableDict(
    {name: setting.flask for name, setting in SETTINGS.items() if setting.is_flasks}
)

NATIVE: t.Final[ImmutableDict[str, t.Any]] = ImmutableDict(
    {name: setting.native for name, setting in SETTINGS.items() if setting.is_flasks or setting.native != setting.flask}
)


def apply_chosen(config: dict[str, t.Any]) -> None:
    """If ``SECURITY_PROFILE`` is "strict", replace each Flask default in the settings with `Costrel`'s default.

    :raises ValueError: for a profile that is neither "strict" nor None.
    """
    chosen = config.get("SECURITY_PROFILE")
    if chosen is None:
        return
    if chosen != "strict":
        raise ValueError(f'SECURITY_PROFILE is {chosen!r}: there is "strict", and None for the settings as they are.')
    for name, value in NATIVE.items():
        if name not in config or (name in FLASK and config[name] == FLASK[name]):
            config[name] = value
