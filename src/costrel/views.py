"""Class-based views: a view function that creates an object for each request, or shares one."""

from __future__ import annotations

import typing as t
from collections.abc import Awaitable, Callable, Collection
from functools import partial
from inspect import isawaitable, iscoroutinefunction

from . import context
from .app.typing import RouteCallable, TypedResult

http_method_funcs = frozenset({"get", "post", "head", "options", "delete", "put", "trace", "patch"})

Result: t.TypeAlias = TypedResult | Awaitable[TypedResult]


class View:
    """A view whose `dispatch_request` handles the request. `as_view` creates the function to register.

    By default each request gets a new object, so the view can store the state of a request on ``self``.
    """

    methods: t.ClassVar[Collection[str] | None] = None
    """The methods that the view is registered for, unless its rule lists others."""

    provide_automatic_options: t.ClassVar[bool | None] = None
    """Whether the application answers OPTIONS. None means: unless the rule's methods include it."""

    decorators: t.ClassVar[list[Callable[..., t.Any]]] = []
    """Applied to the function that `as_view` creates. The first one is the innermost."""

    init_every_request: t.ClassVar[bool] = True
    """Whether each request gets a new object. Set it to False if the view stores nothing on ``self``."""

    # A method of a subclass may have any parameters: type checkers accept that only for `*args: Any, **kwargs: Any`.
    def dispatch_request(self, *args: t.Any, **kwargs: t.Any) -> Result:
        """Handle a request. The URL values are passed as keyword arguments. It may be ``async def``."""
        raise NotImplementedError

    @classmethod
    def as_view(cls, name: str, *class_args: t.Any, **class_kwargs: t.Any) -> RouteCallable:
        """A view function named `name`. The other arguments are passed to the class."""
        # Decorators expect the result of the view, not a coroutine.
        is_async = cls._answers_async() and not cls.decorators
        # Any: the attributes below are set on the result of the decorators.
        view: t.Any
        if cls.init_every_request:
            # Other code may replace the class on the function. Flask-Injector reads the arguments from the closure.
            if is_async:

                async def view(**kwargs: object) -> object:
                    return await _awaited(view.view_class(*class_args, **class_kwargs)._answer(**kwargs))

            else:

                def view(**kwargs: object) -> object:
                    return _run(view.view_class(*class_args, **class_kwargs), kwargs)

        else:
            self = cls(*class_args, **class_kwargs)
            if is_async:

                async def view(**kwargs: object) -> object:
                    return await _awaited(self._answer(**kwargs))

            else:

                def view(**kwargs: object) -> object:
                    return _run(self, kwargs)

        if cls.decorators:
            view.__name__ = name
            view.__module__ = cls.__module__
            for decorate in cls.decorators:
                view = decorate(view)
        view.view_class = cls
        view.__name__ = name
        view.__doc__ = cls.__doc__
        view.__module__ = cls.__module__
        view.methods = cls.methods
        view.provide_automatic_options = cls.provide_automatic_options
        function: RouteCallable = view
        return function

    @classmethod
    def _answers_async(cls) -> bool:
        """Whether the view function is ``async def``, so that it runs on the server's event loop."""
        return iscoroutinefunction(cls.dispatch_request)

    def _answer(self, **kwargs: object) -> Result:
        result: Result = _planned(self, "dispatch_request")(**kwargs)
        return result


def _planned(view: View, name: str) -> Callable[..., t.Any]:
    """The method `name` of a view; if it is typed, with its inputs read first. Raises AttributeError without one."""
    method: Callable[..., t.Any] = getattr(view, name)
    ctx = context.peek_request()
    if ctx is None or not ctx.app.typed_views.methods:
        return method
    typed = ctx.app.typed_views.methods.get((ctx.request.endpoint, name))
    return method if typed is None else partial(typed, view)


def _run(view: View, kwargs: dict[str, object]) -> object:
    return context.current().app.ensure_sync(_planned(view, "dispatch_request"))(**kwargs)


async def _awaited(rv: Result) -> object:
    return await rv if isawaitable(rv) else rv


class MethodView(View):
    """A view with a method for each HTTP method: `get`, `post` and so on, which determine `methods`.

    Without a method `head`, HEAD is handled by `get`.
    """

    def __init_subclass__(cls, **kwargs: object) -> None:
        super().__init_subclass__(**kwargs)
        if "methods" in cls.__dict__:
            return
        methods = {key.upper() for key in http_method_funcs if hasattr(cls, key)}
        for base in cls.__bases__:
            methods.update(getattr(base, "methods", None) or ())
        if methods:
            cls.methods = methods

    def dispatch_request(self, *args: t.Any, **kwargs: t.Any) -> Result:
        """Call the method for the request's HTTP method. Raises AssertionError if the view does not have it."""
        rv: TypedResult = context.current().app.ensure_sync(self._handler())(*args, **kwargs)
        return rv

    def _handler(self) -> RouteCallable:
        method = context.requesting().request.method
        name = method.lower()
        if method == "HEAD" and getattr(self, name, None) is None:
            name = "get"
        if getattr(self, name, None) is None:
            raise AssertionError(f"Unimplemented method {method!r}")
        return _planned(self, name)

    @classmethod
    def _answers_async(cls) -> bool:
        if cls.dispatch_request is not MethodView.dispatch_request:
            return super()._answers_async()
        handlers = [getattr(cls, method.lower(), None) for method in cls.methods or ()]
        return bool(handlers) and all(map(iscoroutinefunction, filter(None, handlers)))

    def _answer(self, **kwargs: object) -> Result:
        if type(self).dispatch_request is not MethodView.dispatch_request:
            return super()._answer(**kwargs)
        result: Result = self._handler()(**kwargs)
        return result
