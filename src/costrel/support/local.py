"""Context-local values, and proxies for the value that is bound in the current context.

``request`` and ``current_app`` are global names for a different object in each context. A proxy forwards every
operation to that object. Python looks special methods up on the type, so each of them is listed here.
"""

from __future__ import annotations

import copy
import math
import operator
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from functools import partial, update_wrapper
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

T = TypeVar("T")

Storage: TypeAlias = ContextVar[dict[str, Any]]
Operation: TypeAlias = Callable[..., Any]
Getter: TypeAlias = Callable[[], Any]
Proxy: TypeAlias = "LocalProxy[Any]"
AnyLocal: TypeAlias = "Local | LocalStack[Any]"
Special: TypeAlias = Any
"""A descriptor in place of a method or a string that `object` declares."""

_UNBOUND = "object is not bound"


class Local:
    """A namespace whose attributes have separate values in each context.

    Attributes that are set in one thread or task are not visible in another. Each change binds a new dictionary, so a
    copy of the context keeps its values.
    """

    __slots__ = ("__storage",)
    __storage: Storage

    def __init__(self, context_var: Storage | None = None) -> None:
        storage = ContextVar(f"costrel.Local<{id(self)}>") if context_var is None else context_var
        object.__setattr__(self, "_Local__storage", storage)

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        return iter(self.__storage.get({}).items())

    def __call__(self, name: str, *, unbound_message: str | None = None) -> Proxy:
        """Return a proxy to the attribute `name` of this namespace."""
        return LocalProxy(self, name, unbound_message=unbound_message)

    def __release_local__(self) -> None:
        self.__storage.set({})

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__storage.get({})[name]
        except KeyError:
            raise AttributeError(name) from None

    def __setattr__(self, name: str, value: object) -> None:
        self.__storage.set({**self.__storage.get({}), name: value})

    def __delattr__(self, name: str) -> None:
        remaining = self.__storage.get({}).copy()
        if name not in remaining:
            raise AttributeError(name)
        del remaining[name]
        self.__storage.set(remaining)


class LocalStack(Generic[T]):
    """A stack with separate items in each context."""

    def __init__(self, context_var: ContextVar[list[T]] | None = None) -> None:
        self._storage = ContextVar(f"costrel.LocalStack<{id(self)}>") if context_var is None else context_var

    def __release_local__(self) -> None:
        self._storage.set([])

    def push(self, obj: T) -> list[T]:
        """Put `obj` on top; return the new stack."""
        stack = [*self._storage.get([]), obj]
        self._storage.set(stack)
        return stack

    def pop(self) -> T | None:
        """Remove and return the topmost item. Return None if the stack is empty."""
        stack = self._storage.get([])
        if not stack:
            return None
        self._storage.set(stack[:-1])
        return stack[-1]

    @property
    def top(self) -> T | None:
        """The topmost item, or None if the stack is empty."""
        stack = self._storage.get([])
        return stack[-1] if stack else None

    def __call__(self, name: str | None = None, *, unbound_message: str | None = None) -> Proxy:
        """Return a proxy to the topmost item, or to its attribute `name`."""
        return LocalProxy(self, name, unbound_message=unbound_message)


def release_local(local: AnyLocal) -> None:
    """Remove all values of `local` in the current context."""
    local.__release_local__()


class LocalManager:
    """Several locals that are released together, for instance at the end of every WSGI request."""

    __slots__ = ("locals",)

    def __init__(self, locals: AnyLocal | Iterable[AnyLocal] | None = None) -> None:
        self.locals: list[AnyLocal]
        if locals is None:
            self.locals = []
        elif isinstance(locals, Local | LocalStack):  # checked first, since a Local is iterable too
            self.locals = [locals]
        else:
            self.locals = list(locals)

    def cleanup(self) -> None:
        """Release all locals in the current context."""
        for local in self.locals:
            release_local(local)

    def make_middleware(self, app: WSGIApplication) -> WSGIApplication:
        """Return a WSGI application that releases the locals when the server closes the response of `app`."""

        def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            return _ReleasedAfter(app(environ, start_response), self.cleanup)

        return application

    def middleware(self, func: WSGIApplication) -> WSGIApplication:
        """`make_middleware` as a decorator, which keeps the name and the docstring of the application."""
        return update_wrapper(self.make_middleware(func), func)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} storages: {len(self.locals)}>"


class _ReleasedAfter:
    """The body of a WSGI response, with a clean-up when the server closes it."""

    def __init__(self, body: Iterable[bytes], cleanup: Callable[[], None]) -> None:
        self._body = body
        self._chunks = iter(body)
        self._cleanup = cleanup

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return next(self._chunks)

    def close(self) -> None:
        try:
            if hasattr(self._body, "close"):
                self._body.close()
        finally:
            self._cleanup()


class _Forwarded:
    """A descriptor of the proxy class, whose value on an instance is an operation on the proxied object.

    The object is fetched when the attribute is looked up, not when the result is called. Python then treats an unbound
    proxy like an object without the operation: ``==`` is False, and ``hash()`` raises "unhashable".
    """

    def __init__(
        self,
        operation: Operation | None,
        unbound: Operation | None = None,
        *,
        at_once: bool = False,
        on_class: object = None,
    ) -> None:
        self.operation = operation
        self.unbound = unbound
        self.at_once = at_once
        self.on_class = self if on_class is None else on_class

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, proxy: Proxy | None, owner: type | None = None) -> Any:
        if proxy is None:
            return self.on_class
        try:
            current = _getter_of(proxy)()
        except RuntimeError:
            if self.unbound is None:
                raise
            return self.unbound(proxy) if self.at_once else partial(self.unbound, proxy)
        if self.operation is None:
            return getattr(current, self.name)
        return partial(self.operation, current)

    def __call__(self, proxy: Proxy, /, *args: object, **kwargs: object) -> Any:
        """Support calls such as ``type(proxy).__repr__(proxy)``."""
        return self.__get__(proxy, type(proxy))(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"


class _ForwardedInPlace(_Forwarded):
    """An in-place operation: it changes the proxied object, and its result is the proxy."""

    def __get__(self, proxy: Proxy | None, owner: type | None = None) -> Any:
        if proxy is None:
            return self
        operation = super().__get__(proxy, owner)

        def change(other: object) -> Proxy:
            operation(other)
            return proxy

        return change


def _function(operation: Operation, unbound: Operation | None = None) -> Special:
    """Forward as ``operation(current, ...)``. If no object is bound, `unbound` is called with the proxy."""
    return _Forwarded(operation, unbound)


def _method() -> Special:
    """Forward to the method of the same name, which the object need not have."""
    return _Forwarded(None)


def _value(unbound: Operation, on_class: object = None) -> Special:
    """Forward to the attribute of the same name, which is not a method. `on_class` is its value on the class."""
    return _Forwarded(None, unbound, at_once=True, on_class=on_class)


def _swapped(operation: Operation) -> Special:
    """Forward a reflected operator: the proxied object is the right operand."""
    return _function(lambda current, other: operation(other, current))


def _in_place(operation: Operation) -> Special:
    return _ForwardedInPlace(operation)


class LocalProxy(Generic[T]):
    """A proxy for the object that is bound in the current context.

    `local` is a `ContextVar`, a `Local` (with a `name`), a `LocalStack` or a callable without arguments. With `name`,
    the proxy is for that attribute of the object. If no object is bound, every use raises RuntimeError with
    `unbound_message`, except for ``bool`` (False), ``dir`` (empty), ``repr`` and ``__class__``.

    ``isinstance(proxy, type_of_the_object)`` is true. To test whether `x` is a proxy, use
    ``issubclass(type(x), LocalProxy)``.
    """

    __slots__ = ("__proxied", "_get_current_object")

    _get_current_object: Callable[[], T]
    """Return the object itself. Raises RuntimeError if no object is bound."""

    def __init__(
        self,
        local: ContextVar[T] | Local | LocalStack[T] | Callable[[], T],
        name: str | None = None,
        *,
        unbound_message: str | None = None,
    ) -> None:
        message = _UNBOUND if unbound_message is None else unbound_message
        object.__setattr__(self, "_LocalProxy__proxied", local)
        _getter_slot.__set__(self, _getter(local, name, message))

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if cls.__getattribute__ is LocalProxy.__getattribute__:
            cls.__getattribute__ = _own_attributes_first  # type: ignore[method-assign]  # a subclass may declare attributes

    def __getattribute__(self, name: str) -> Any:
        # PERF: page. Python calls __getattr__ only after a failed lookup, which takes longer than this method.
        if name in NAMES_OF_THE_PROXY:
            return object.__getattribute__(self, name)
        return getattr(_getter_of(self)(), name)

    # PERF: page. The operations that views use most take half the time of a _Forwarded.

    def __setattr__(self, name: str, value: object) -> None:
        setattr(_getter_of(self)(), name, value)

    def __delattr__(self, name: str) -> None:
        delattr(_getter_of(self)(), name)

    def __getitem__(self, key: object) -> Any:
        return _getter_of(self)()[key]

    def __setitem__(self, key: object, value: object) -> None:
        _getter_of(self)()[key] = value

    def __contains__(self, item: object) -> bool:
        return item in _getter_of(self)()

    def __iter__(self) -> Iterator[Any]:
        return iter(_getter_of(self)())

    __doc__ = _value(lambda proxy: type(proxy).__doc__, __doc__)
    __wrapped__ = _value(lambda proxy: proxy.__proxied)
    __class__ = _value(type)
    __dir__ = _function(dir, lambda proxy: [])
    __repr__ = _function(repr, lambda proxy: f"<{type(proxy).__name__} unbound>")
    __str__ = _function(str)
    __bytes__ = _function(bytes)
    __format__ = _function(format)
    __hash__ = _function(hash)
    __bool__ = _function(bool, lambda proxy: False)
    __call__ = _function(lambda current, *args, **kwargs: current(*args, **kwargs))
    __instancecheck__ = _function(lambda current, other: isinstance(other, current))
    __subclasscheck__ = _function(lambda current, other: issubclass(other, current))
    __copy__ = _function(copy.copy)
    __deepcopy__ = _function(copy.deepcopy)

    __lt__ = _function(operator.lt)
    __le__ = _function(operator.le)
    __eq__ = _function(operator.eq)
    __ne__ = _function(operator.ne)
    __gt__ = _function(operator.gt)
    __ge__ = _function(operator.ge)

    __len__ = _function(len)
    __length_hint__ = _function(operator.length_hint)
    __delitem__ = _function(operator.delitem)
    __next__ = _function(next)
    __reversed__ = _function(reversed)

    __add__ = _function(operator.add)
    __sub__ = _function(operator.sub)
    __mul__ = _function(operator.mul)
    __matmul__ = _function(operator.matmul)
    __truediv__ = _function(operator.truediv)
    __floordiv__ = _function(operator.floordiv)
    __mod__ = _function(operator.mod)
    __divmod__ = _function(divmod)
    __pow__ = _function(pow)
    __lshift__ = _function(operator.lshift)
    __rshift__ = _function(operator.rshift)
    __and__ = _function(operator.and_)
    __xor__ = _function(operator.xor)
    __or__ = _function(operator.or_)

    __radd__ = _swapped(operator.add)
    __rsub__ = _swapped(operator.sub)
    __rmul__ = _swapped(operator.mul)
    __rmatmul__ = _swapped(operator.matmul)
    __rtruediv__ = _swapped(operator.truediv)
    __rfloordiv__ = _swapped(operator.floordiv)
    __rmod__ = _swapped(operator.mod)
    __rdivmod__ = _swapped(divmod)
    __rpow__ = _swapped(pow)
    __rlshift__ = _swapped(operator.lshift)
    __rrshift__ = _swapped(operator.rshift)
    __rand__ = _swapped(operator.and_)
    __rxor__ = _swapped(operator.xor)
    __ror__ = _swapped(operator.or_)

    __iadd__ = _in_place(operator.iadd)
    __isub__ = _in_place(operator.isub)
    __imul__ = _in_place(operator.imul)
    __imatmul__ = _in_place(operator.imatmul)
    __itruediv__ = _in_place(operator.itruediv)
    __ifloordiv__ = _in_place(operator.ifloordiv)
    __imod__ = _in_place(operator.imod)
    __ipow__ = _in_place(operator.ipow)
    __ilshift__ = _in_place(operator.ilshift)
    __irshift__ = _in_place(operator.irshift)
    __iand__ = _in_place(operator.iand)
    __ixor__ = _in_place(operator.ixor)
    __ior__ = _in_place(operator.ior)

    __neg__ = _function(operator.neg)
    __pos__ = _function(operator.pos)
    __abs__ = _function(abs)
    __invert__ = _function(operator.invert)
    __complex__ = _function(complex)
    __int__ = _function(int)
    __float__ = _function(float)
    __index__ = _function(operator.index)
    __round__ = _function(round)
    __trunc__ = _function(math.trunc)
    __floor__ = _function(math.floor)
    __ceil__ = _function(math.ceil)

    __enter__ = _method()
    __exit__ = _method()
    __await__ = _method()
    __aiter__ = _method()
    __anext__ = _method()
    __aenter__ = _method()
    __aexit__ = _method()


NAMES_OF_THE_PROXY = frozenset(dir(LocalProxy))
"""The attributes of the proxy itself. It forwards all other attributes."""
_getter_slot = vars(LocalProxy)["_get_current_object"]
_getter_of: Callable[[Proxy], Getter] = _getter_slot.__get__


def _own_attributes_first(proxy: Proxy, name: str) -> Any:
    """Look up an attribute of a proxy whose subclass may declare attributes of its own."""
    try:
        return object.__getattribute__(proxy, name)
    except AttributeError:
        return getattr(proxy._get_current_object(), name)


def _getter(local: object, name: str | None, message: str) -> Getter:
    """The function that returns the object of a proxy."""
    if isinstance(local, Local):
        return _from_namespace(local, name, message)
    if isinstance(local, LocalStack):
        return _named(_from_stack(local, message), name)
    if isinstance(local, ContextVar):
        return _named(_from_variable(local, message), name)
    if callable(local):
        return _named(local, name)
    raise TypeError(
        f"Don't know how to proxy '{type(local)}'. Pass a ContextVar, a Local with a name, a LocalStack or a callable."
    )


def _named(fetch: Getter, name: str | None) -> Getter:
    if name is None:
        return fetch
    return lambda: getattr(fetch(), name)


def _from_namespace(local: Local, name: str | None, message: str) -> Getter:
    if name is None:
        raise TypeError("'name' is required when proxying a 'Local' object: it is the name of the attribute.")

    def current() -> Any:
        try:
            return getattr(local, name)
        except AttributeError:
            raise RuntimeError(message) from None

    return current


def _from_stack(stack: LocalStack[Any], message: str) -> Getter:
    def current() -> Any:
        top = stack.top
        if top is None:
            raise RuntimeError(message)
        return top

    return current


def _from_variable(variable: ContextVar[Any], message: str) -> Getter:
    def current() -> Any:
        try:
            return variable.get()
        except LookupError:
            raise RuntimeError(message) from None

    return current
