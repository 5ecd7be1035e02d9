"""Locals hold one value per context, and a proxy stands for whatever is bound in the running one."""

import asyncio
import contextvars
import copy
import math
import threading
from contextvars import ContextVar

import pytest

from costrel.support.local import Local, LocalManager, LocalProxy, LocalStack, release_local


def proxy_to(value):
    return LocalProxy(lambda: value)


def test_a_local_holds_attributes():
    local = Local()
    local.user = "ada"
    local.role = "admin"
    assert list(local) == [("user", "ada"), ("role", "admin")]
    del local.user
    assert list(local) == [("role", "admin")]


def test_a_local_has_no_names_of_its_own_in_the_way():
    local = Local()
    local._storage = "mine"
    assert local._storage == "mine"


def test_a_missing_attribute_of_a_local_is_named():
    local = Local()
    with pytest.raises(AttributeError, match=r"^user$"):
        local.user
    with pytest.raises(AttributeError, match=r"^user$"):
        del local.user


def test_each_thread_has_its_own_values():
    local = Local()
    local.user = "ada"
    seen = []

    def work():
        seen.append(list(local))
        local.user = "bob"

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [[]]
    assert local.user == "ada"


def test_a_copied_context_keeps_what_it_saw():
    variable = ContextVar("variable")
    local = Local(variable)
    local.user = "ada"
    context = contextvars.copy_context()
    local.user = "bob"
    assert context.run(lambda: local.user) == "ada"
    context.run(setattr, local, "user", "eve")
    assert local.user == "bob"
    assert variable.get() == {"user": "bob"}


def test_a_released_local_is_empty():
    local = Local()
    local.user = "ada"
    release_local(local)
    assert list(local) == []


def test_a_stack_gives_back_the_last_item_first():
    stack = LocalStack()
    assert stack.push("a") == ["a"]
    assert stack.push("b") == ["a", "b"]
    assert stack.top == "b"
    assert [stack.pop(), stack.pop(), stack.pop()] == ["b", "a", None]
    assert stack.top is None


def test_a_stack_takes_a_variable_and_is_released():
    variable = ContextVar("variable")
    stack = LocalStack(variable)
    stack.push(1)
    assert variable.get() == [1]
    release_local(stack)
    assert stack.top is None


@pytest.mark.parametrize(
    ("make", "bind"),
    [
        pytest.param(lambda: ContextVar("variable"), lambda variable: variable.set("ada"), id="variable"),
        pytest.param(LocalStack, lambda stack: stack.push("ada"), id="stack"),
    ],
)
def test_a_proxy_stands_for_what_is_bound(make, bind):
    source = make()
    proxy = LocalProxy(source)
    named = LocalProxy(source, "upper", unbound_message="nobody")
    with pytest.raises(RuntimeError, match=r"^object is not bound$"):
        proxy.upper()
    with pytest.raises(RuntimeError, match=r"^nobody$"):
        named()
    bind(source)
    assert proxy.upper() == named() == "ADA"
    assert proxy._get_current_object() == "ada"


def test_a_proxy_stands_for_an_attribute_of_a_local():
    local = Local()
    proxy = local("user", unbound_message="nobody is logged in")
    with pytest.raises(RuntimeError, match=r"^nobody is logged in$"):
        proxy.upper()
    local.user = "ada"
    assert proxy == "ada"


def test_a_stack_makes_a_proxy_to_its_top():
    stack = LocalStack()
    proxy, named = stack(), stack("real", unbound_message="empty")
    stack.push(4)
    assert proxy + 1 == 5
    assert named == 4


def test_a_callable_decides_itself_what_is_bound():
    values = iter(["a", "b"])
    proxy = LocalProxy(lambda: next(values))
    assert [str(proxy), str(proxy)] == ["a", "b"]
    assert LocalProxy(lambda: "ada", "upper")() == "ADA"


def test_only_some_things_can_be_proxied():
    with pytest.raises(TypeError) as error:
        LocalProxy(5)
    assert str(error.value) == (
        "Don't know how to proxy '<class 'int'>'. Pass a ContextVar, a Local with a name, a LocalStack or a callable."
    )
    with pytest.raises(TypeError) as error:
        LocalProxy(Local())
    assert str(error.value) == "'name' is required when proxying a 'Local' object: it is the name of the attribute."


def test_an_unbound_proxy_can_be_looked_at():
    variable = ContextVar("variable")
    proxy = LocalProxy(variable)
    assert repr(proxy) == "<LocalProxy unbound>"
    assert dir(proxy) == []
    assert not proxy
    assert proxy != 1
    assert isinstance(proxy, LocalProxy)
    assert proxy.__class__ is LocalProxy
    with pytest.raises(RuntimeError, match=r"^object is not bound$"):
        list(proxy)
    assert proxy.__doc__ == LocalProxy.__doc__
    assert proxy.__wrapped__ is variable
    assert LocalProxy.__doc__.startswith("A proxy for the object that is bound")


def test_a_proxy_is_an_instance_of_its_objects_class():
    proxy = proxy_to([1])
    assert isinstance(proxy, list)
    assert issubclass(type(proxy), LocalProxy)
    assert repr(proxy) == "[1]"
    assert proxy.__doc__ == list.__doc__
    with pytest.raises(AttributeError):
        proxy.__wrapped__


def test_a_proxy_to_a_class_is_one():
    class Base:
        pass

    class Derived(Base):
        pass

    proxy = proxy_to(Base)
    assert isinstance(Derived(), proxy)
    assert issubclass(Derived, proxy)
    assert isinstance(proxy(), Base)


def test_attributes_belong_to_the_object():
    class User:
        pass

    user = User()
    proxy = proxy_to(user)
    proxy.name = "ada"
    proxy._get_current_object = "its own"
    assert vars(user) == {"name": "ada", "_get_current_object": "its own"}
    assert proxy.__dict__ == vars(user)
    del proxy.name
    assert not hasattr(proxy, "name")
    assert "_get_current_object" in dir(proxy)


def test_a_missing_attribute_is_looked_for_once():
    class Picky:
        asked = 0

        @property
        def answer(self):
            Picky.asked += 1
            raise AttributeError("no answer")

    assert not hasattr(proxy_to(Picky()), "answer")
    assert Picky.asked == 1


def test_items_belong_to_the_object():
    items = {"a": 1}
    proxy = proxy_to(items)
    proxy["b"] = 2
    del proxy["a"]
    assert items == {"b": 2}
    assert proxy["b"] == 2
    assert "b" in proxy
    assert len(proxy) == 1
    assert list(proxy) == ["b"]
    assert list(reversed(proxy_to([1, 2]))) == [2, 1]
    assert next(proxy_to(iter([7]))) == 7


def test_operators_reach_the_object_from_both_sides():
    six = proxy_to(6)
    assert (six + 2, six - 2, six * 2, six / 2, six // 4, six % 4) == (8, 4, 12, 3.0, 1, 2)
    assert (2 + six, 2 - six, 2 * six, 12 / six, 13 // six, 13 % six) == (8, -4, 12, 2.0, 2, 1)
    assert (six**2, 2**six, pow(six, 2, 5), divmod(six, 4), divmod(13, six)) == (36, 64, 1, (1, 2), (2, 1))
    assert (six << 1, six >> 1, 1 << six, 128 >> six) == (12, 3, 64, 2)
    assert (six & 3, six | 1, six ^ 2, 3 & six, 1 | six, 2 ^ six) == (2, 7, 4, 2, 7, 4)
    assert (six < 7, six <= 6, six > 7, six >= 6, six == 6, six != 6) == (True, True, False, True, True, False)
    assert (-six, +six, abs(proxy_to(-6)), ~six) == (-6, 6, 6, -7)


def test_matrix_multiplication_reaches_the_object():
    class Matrix:
        def __matmul__(self, other):
            return ("left", other)

        def __rmatmul__(self, other):
            return ("right", other)

        def __imatmul__(self, other):
            self.changed = other
            return self

    matrix = Matrix()
    proxy = proxy_to(matrix)
    assert (proxy @ 1, 1 @ proxy) == (("left", 1), ("right", 1))
    proxy @= 2
    assert matrix.changed == 2


def test_conversions_reach_the_object():
    value = proxy_to(2.6)
    assert (int(value), float(value), complex(value)) == (2, 2.6, 2.6 + 0j)
    assert (round(value), round(proxy_to(2.66), 1)) == (3, 2.7)
    assert (math.trunc(value), math.floor(value), math.ceil(value)) == (2, 2, 3)
    assert (str(value), f"{value:.2f}", bytes(proxy_to(b"x"))) == ("2.6", "2.60", b"x")
    assert hash(value) == hash(2.6)
    assert "abc"[proxy_to(1)] == "b"
    assert proxy_to([1]).__length_hint__() == 1


def test_an_operation_in_place_keeps_the_proxy():
    items = [1]
    proxy = also = proxy_to(items)
    proxy += [2]
    proxy *= 2
    assert proxy is also
    assert items == [1, 2, 1, 2]
    flags = {1, 2, 3}
    proxy = also = proxy_to(flags)
    proxy |= {4}
    proxy -= {1}
    proxy &= {2, 4, 5}
    proxy ^= {2, 6}
    assert proxy is also
    assert flags == {4, 6}


def test_an_immutable_object_is_not_replaced_in_place():
    number = proxy = proxy_to(8)
    number += 1
    number //= 3
    number /= 2
    number %= 5
    number **= 2
    number <<= 1
    number >>= 1
    assert number is proxy
    assert number == 8


def test_copies_are_of_the_object():
    inner = [1]
    outer = proxy_to([inner])
    assert type(copy.copy(outer)) is list
    assert copy.copy(outer)[0] is inner
    assert copy.deepcopy(outer)[0] is not inner


def test_a_special_method_can_be_called_on_the_class():
    assert type(proxy_to(5)).__add__(proxy_to(5), 1) == 6
    assert repr(LocalProxy.__add__) == "<_Forwarded __add__>"
    assert repr(LocalProxy.__iadd__) == "<_ForwardedInPlace __iadd__>"


def test_context_managers_and_awaitables():
    events = []

    class Resource:
        def __enter__(self):
            events.append("enter")
            return "inside"

        def __exit__(self, *exc):
            events.append("exit")

        async def __aenter__(self):
            events.append("aenter")
            return "inside"

        async def __aexit__(self, *exc):
            events.append("aexit")

        def __aiter__(self):
            self.left = iter("ab")
            return self

        async def __anext__(self):
            for item in self.left:
                return item
            raise StopAsyncIteration

        def __await__(self):
            yield from ()
            return "awaited"

    async def use(proxy):
        async with proxy as inside:
            assert inside == "inside"
        return [item async for item in proxy], await proxy, await anext(proxy_to(Resource().__aiter__()))

    proxy = proxy_to(Resource())
    with proxy as inside:
        assert inside == "inside"
    assert asyncio.run(use(proxy)) == (["a", "b"], "awaited", "a")
    assert events == ["enter", "exit", "aenter", "aexit"]
    with pytest.raises(AttributeError, match="__enter__"), proxy_to(5):
        pass


def test_a_subclass_may_add_attributes_of_its_own():
    class Titled(LocalProxy):
        title = "proxy"

        def greet(self):
            return f"hello {self.name}"

    class User:
        name = "ada"

    titled = Titled(User)
    assert (titled.title, titled.greet(), titled.name) == ("proxy", "hello ada", "ada")

    class Own(LocalProxy):
        def __getattribute__(self, name):
            return name

    assert Own(User).anything == "anything"

    class Below(Titled):
        pass

    assert Below(User).title == "proxy"


def test_a_manager_releases_its_locals():
    local, stack = Local(), LocalStack()
    local.user = "ada"
    stack.push(1)
    manager = LocalManager([local, stack])
    assert repr(manager) == "<LocalManager storages: 2>"
    manager.cleanup()
    assert (list(local), stack.top) == ([], None)
    assert [LocalManager().locals, LocalManager(local).locals, LocalManager(stack).locals] == [[], [local], [stack]]


@pytest.mark.parametrize("closeable", [True, False])
def test_a_managers_middleware_releases_when_the_response_is_closed(closeable):
    local = Local()
    manager = LocalManager(local)
    events = []

    class Body:
        def __iter__(self):
            return iter([b"a", b"b"])

        def close(self):
            events.append("closed")

    @manager.middleware
    def app(environ, start_response):
        """Answer."""
        local.user = "ada"
        return Body() if closeable else [b"a", b"b"]

    body = app({}, None)
    assert list(body) == [b"a", b"b"]
    assert local.user == "ada"
    body.close()
    assert list(local) == []
    assert events == (["closed"] if closeable else [])
    assert app.__doc__ == "Answer."


def test_proxies_can_be_parameterized_for_type_checkers():
    assert LocalProxy[int].__origin__ is LocalProxy
    assert LocalStack[int].__origin__ is LocalStack
