"""Views as classes: a view function that makes an object for each request, or one for all."""

from __future__ import annotations

import typing as t
from collections.abc import Awaitable, Callable, Collection
from inspect import isawaitable, iscoroutinefunction

from . import context
from .app.typing import ResponseReturnValue, RouteCallable

http_method_funcs = frozenset({"get", "post", "head", "options", "delete", "put", "trace", "patch"})


class View:
    """A view whose `dispatch_request` answers; `as_view` makes the function to register.

    By default there is a new object for every request, so that what a request needs may be kept on ``self``.
    """

    methods: t.ClassVar[Collection[str] | None] = None
    """The methods that the view is registered for, unless its rule names others."""

    provide_automatic_options: t.ClassVar[bool | None] = None
    """Whether OPTIONS is answered by the application; None: unless the rule's methods have it."""

    decorators: t.ClassVar[list[Callable[..., t.Any]]] = []
    """Applied to the function that `as_view` makes, the first one first, that is, innermost."""

    init_every_request: t.ClassVar[bool] = True
    """Whether each request has an object of its own; False for views that keep nothing on ``self``."""

    # With these parameters a type checker accepts any in a subclass.
    def dispatch_request(self, *args: t.Any, **kwargs: t.Any) -> ResponseReturnValue | Awaitable[ResponseReturnValue]:
        """Answer a request; the URL's values come as keyword arguments. It may be ``async def``."""
        raise NotImplementedError

    @classmethod
    def as_view(cls, name: str, *class_args: t.Any, **class_kwargs: t.Any) -> RouteCallable:
        """A view function named `name`; the other arguments are handed to the class whenever an object is made."""
        shared = None if cls.init_every_request else cls(*class_args, **class_kwargs)

        def instance() -> View:
            if shared is not None:
                return shared
            # By way of the function, where code of others may have put another class.
            made: View = view.view_class(*class_args, **class_kwargs)
            return made

        # Any: the attributes below are set on whatever the decorators return.
        view: t.Any = cls._view_function(instance)
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
    def _view_function(cls, instance: Callable[[], View]) -> Callable[..., t.Any]:
        async def answer_async(**kwargs: t.Any) -> t.Any:
            rv = instance()._answer(**kwargs)
            return await rv if isawaitable(rv) else rv

        def answer(**kwargs: t.Any) -> t.Any:
            return context.current().app.ensure_sync(instance().dispatch_request)(**kwargs)

        # A decorator expects what a call returns, not a coroutine.
        return answer_async if cls._answers_async() and not cls.decorators else answer

    @classmethod
    def _answers_async(cls) -> bool:
        """Whether the view function is to be ``async def``, so that it runs on the server's loop."""
        return iscoroutinefunction(cls.dispatch_request)

    def _answer(self, **kwargs: t.Any) -> t.Any:
        return self.dispatch_request(**kwargs)


class MethodView(View):
    """A view with a method for each HTTP method: `get`, `post` …; `methods` follows from those that there are.

    HEAD is answered by `get` where there is no `head`.
    """

    def __init_subclass__(cls, **kwargs: t.Any) -> None:
        super().__init_subclass__(**kwargs)
        if "methods" in cls.__dict__:
            return
        methods = {key.upper() for key in http_method_funcs if hasattr(cls, key)}
        for base in cls.__bases__:
            methods.update(getattr(base, "methods", None) or ())
        if methods:
            cls.methods = methods

    def dispatch_request(self, *args: t.Any, **kwargs: t.Any) -> ResponseReturnValue | Awaitable[ResponseReturnValue]:
        """Call the method for the request's. Raises AssertionError where the rule allows one that is not there."""
        rv: ResponseReturnValue = context.current().app.ensure_sync(self._handler())(*args, **kwargs)
        return rv

    def _handler(self) -> Callable[..., t.Any]:
        method = context.requesting().request.method
        handler: Callable[..., t.Any] | None = getattr(self, method.lower(), None)
        if handler is None and method == "HEAD":
            handler = getattr(self, "get", None)
        if handler is None:
            raise AssertionError(f"Unimplemented method {method!r}")
        return handler

    @classmethod
    def _answers_async(cls) -> bool:
        if cls.dispatch_request is not MethodView.dispatch_request:
            return super()._answers_async()
        handlers = [getattr(cls, method.lower(), None) for method in cls.methods or ()]
        return bool(handlers) and all(map(iscoroutinefunction, filter(None, handlers)))

    def _answer(self, **kwargs: t.Any) -> t.Any:
        if type(self).dispatch_request is not MethodView.dispatch_request:
            return self.dispatch_request(**kwargs)
        return self._handler()(**kwargs)
