"""Parameter types of the command line: certificates, lists of paths, and options with environment variables."""

from __future__ import annotations

import os
import typing as t

import click

from ..services.environment import PREFIXES
from ..support.importing import import_string

if t.TYPE_CHECKING:
    import ssl

    ParamType = click.ParamType[t.Any]
else:
    ParamType = click.ParamType  # generic since click 8.2


class EnvironmentOption(click.Option):
    """An option that can also be set by an environment variable, ``COSTREL_…`` or ``FLASK_…``."""

    def resolve_envvar_value(self, ctx: click.Context) -> str | None:
        """The first non-empty value of these variables; None if there is none."""
        prefix, _, rest = (ctx.auto_envvar_prefix or "").partition("_")
        if prefix not in PREFIXES:
            return super().resolve_envvar_value(ctx)
        name = "_".join(filter(None, (rest, (self.name or "").upper())))
        values = (os.environ.get(f"{prefix}_{name}") for prefix in PREFIXES)
        return next(filter(None, values), None)


class CertParamType(ParamType):
    """A certificate: the path of a file, "adhoc", or the import name of an :class:`ssl.SSLContext`."""

    name = "path"

    def __init__(self) -> None:
        self.path_type = click.Path(exists=True, dir_okay=False, resolve_path=True)

    def convert(self, value: t.Any, param: click.Parameter | None, ctx: click.Context | None) -> str | ssl.SSLContext:
        """The resolved path, the word "adhoc", or the context. Raises :exc:`click.BadParameter` for other values."""
        try:
            import ssl
        except ImportError:
            raise click.BadParameter("HTTPS requires a Python that was built with SSL.", ctx, param) from None
        try:
            path: str = self.path_type(value, param, ctx)
            return path
        except click.BadParameter:
            text: str = click.STRING(value, param, ctx)
            if text.lower() == "adhoc":
                _require_cryptography(ctx, param)
                return text.lower()
            context: object = import_string(text, silent=True)
            if isinstance(context, ssl.SSLContext):
                return context
            raise


class SeparatedPathType(click.Path):
    """Several paths in one value, separated as in ``PATH``."""

    def convert(self, value: t.Any, param: click.Parameter | None, ctx: click.Context | None) -> t.Any:
        """The list of paths. Raises :exc:`click.BadParameter` for the first invalid path."""
        convert_one = super().convert
        return [convert_one(item, param, ctx) for item in self.split_envvar_value(value)]


def validate_key(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Check ``--key`` and ``--cert`` together, and store both paths in the parameter ``cert``."""
    cert = ctx.params.get("cert")
    needs_key = isinstance(cert, str) and cert != "adhoc"
    if value is None:
        if needs_key:
            raise click.BadParameter('Required with "--cert": the file with the key.', ctx, param)
        return None
    if cert is None:
        raise click.BadParameter('Requires "--cert": the file with the certificate.', ctx, param)
    if not needs_key:
        kind = "adhoc" if cert == "adhoc" else "an SSLContext object"
        raise click.BadParameter(f'Not used if "--cert" is {kind}.', ctx, param)
    ctx.params["cert"] = (cert, value)
    return value


def _require_cryptography(ctx: click.Context | None, param: click.Parameter | None) -> None:
    try:
        import cryptography  # noqa: F401
    except ImportError:
        raise click.BadParameter(
            "Generating a certificate requires the cryptography library: pip install cryptography", ctx, param
        ) from None
