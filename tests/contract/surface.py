"""Reads the public surface of ``flask`` and ``werkzeug`` in this process, as JSON: `python surface.py [alias]`.

For every module: its public names; for functions their parameters, for classes their public bases and members. Run
as a program, because the real packages and the alias cannot live in one process.
"""

import importlib
import inspect
import json
import pkgutil
import sys
import types
import typing
import warnings

DUNDERS = {"__init__", "__call__", "__enter__", "__exit__", "__iter__", "__len__", "__contains__", "__getitem__"}


def modules():
    """The names of all modules of the two packages, as the real ones have them."""
    for package in ("flask", "werkzeug"):
        imported = importlib.import_module(package)
        yield package
        for found in pkgutil.walk_packages(imported.__path__, f"{package}."):
            if not found.name.endswith("__main__"):
                yield found.name
    yield from ("flask.sansio.app", "flask.sansio.blueprints", "flask.sansio.scaffold")


def parameters(function):
    """The parameters of a function: name, kind and whether there is a default; None if Python cannot determine them."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return None
    return [[p.name, p.kind.name, p.default is not p.empty] for p in signature.parameters.values()]


def member(cls, name):
    """One attribute of a class: the parameters of a method, "attribute" for all else."""
    raw = inspect.getattr_static(cls, name)
    try:
        value = getattr(cls, name)
    except Exception:
        return "attribute"
    if isinstance(raw, (staticmethod, classmethod)) or inspect.isroutine(value):
        return parameters(value)
    return "attribute"


def describe(value):
    """The public properties of a class, a function or another value."""
    if inspect.isclass(value):
        names = [n for n in dir(value) if not n.startswith("_")]
        own = {"object", value.__name__}
        bases = sorted({b.__name__ for b in value.__mro__ if b.__name__ not in own and not b.__name__.startswith("_")})
        return {
            "kind": "class",
            "home": value.__module__,
            "bases": bases,
            "init": parameters(value.__init__),
            "members": {n: member(value, n) for n in names},
        }
    if inspect.isroutine(value):
        return {"kind": "function", "home": value.__module__, "parameters": parameters(value)}
    return {"kind": "value"}


def is_public(module, name, value):
    """Whether a name belongs to the module's package: no private names, and no imports from elsewhere."""
    if name.startswith("_") or isinstance(value, (types.ModuleType, typing.TypeVar)) or name in ("annotations",):
        return False
    if inspect.isclass(value) or inspect.isroutine(value):
        return str(value.__module__).partition(".")[0] in ("flask", "werkzeug")
    return True


def surface(names):
    """Every public name of the modules, described."""
    found = {}
    for module_name in names:
        try:
            module = importlib.import_module(module_name)
        except ImportError as error:
            found[module_name] = {"error": str(error)}
            continue
        items = sorted(vars(module).items())
        found[module_name] = {n: describe(v) for n, v in items if is_public(module, n, v)}
    return found


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    if sys.argv[1:] == ["alias"]:
        import costrel

        names = json.load(sys.stdin)
        costrel.install_as_flask()
        json.dump(surface(names), sys.stdout)
    else:
        json.dump(surface(list(modules())), sys.stdout)
