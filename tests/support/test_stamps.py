"""A stamp detects changes of a class; on a Python without support, every request compares all names."""

from __future__ import annotations

import threading
from unittest import mock

import pytest

from costrel import Costrel
from costrel.support import seams
from costrel.support.seams import Seams, Stamp


class Base:
    def first(self) -> str:
        return "first"

    def second(self) -> str:
        return "second"


def made_class() -> type[Base]:
    return type("Made", (Base,), {})


needs_versions = pytest.mark.skipif(not seams._KEEPS_VERSIONS, reason="this Python keeps no versions of classes")


@needs_versions
def test_a_stamp_is_current_until_a_class_or_a_base_changes() -> None:
    one, other = made_class(), type("Other", (), {})
    stamp = Stamp(one, other)
    one().first()
    assert stamp.is_current()
    with mock.patch.object(Base, "first", None):
        assert not stamp.is_current()
    one().first()
    assert not stamp.is_current()  # a change that was taken back is a change too
    stamp = Stamp(one, other)
    other.added = 1  # type: ignore[attr-defined]  # a new attribute
    assert not stamp.is_current()
    stamp = Stamp(one, other)
    del other.added  # type: ignore[attr-defined]  # and its end
    assert not stamp.is_current()


def test_stamps_that_cannot_tell_are_never_current() -> None:
    class Meta(type):
        pass

    class WithMeta(metaclass=Meta):
        pass

    class Narrow:
        __slots__ = ("a",)

    class Other:
        __slots__ = ("b",)

    assert [Stamp().is_current(), Stamp(WithMeta).is_current(), Stamp(Narrow, Other).is_current()] == [False] * 3


def test_a_probe_is_no_subclass_for_the_class() -> None:
    seen: list[type] = []

    class Registry:
        def __init_subclass__(cls) -> None:
            seen.append(cls)

    Stamp(Registry)
    assert seen == []


@pytest.mark.parametrize("keeps_versions", [True, False])
def test_every_change_is_seen_with_and_without_stamps(monkeypatch: pytest.MonkeyPatch, keeps_versions: bool) -> None:
    monkeypatch.setattr(seams, "_KEEPS_VERSIONS", keeps_versions and seams._KEEPS_VERSIONS)
    cls, names = made_class(), Seams(Base, "first", "second")
    assert names.replaced_in(cls) == frozenset()
    for _ in range(100):  # more often than a stamp is made
        with mock.patch.object(cls, "first", None, create=True):
            assert names.replaced_in(cls) == {"first"}
        with mock.patch.object(Base, "second", None):
            assert names.replaced_in(cls) == {"second"}
        assert names.replaced_in(cls) == frozenset()
    one = cls()
    one.first = None  # type: ignore[assignment, method-assign]  # assigned, as by a test
    assert names.replaced(one) == {"first"}
    assert not names.are_original(one)


def test_a_class_that_changes_with_each_request_is_answered_correctly() -> None:
    class Counting(Costrel):
        count = 0

    app = Counting("counting", static_folder=None)

    @app.route("/")
    def index() -> str:
        Counting.count += 1
        return str(Counting.count)

    client = app.test_client()
    assert [client.get("/").text for _ in range(70)] == [str(number) for number in range(1, 71)]
    with mock.patch.object(Counting, "dispatch_request", return_value="patched"):
        assert client.get("/").text == "patched"
    assert client.get("/").text == "71"


def test_what_is_assigned_to_an_application_counts_from_the_next_request() -> None:
    from costrel import Request
    from costrel.sessions.interface import SecureCookieSessionInterface

    opened: list[str] = []

    class Opening(SecureCookieSessionInterface):
        def open_session(self, app: object, request: object) -> None:
            opened.append("opened")

    class Marked(Request):
        pass

    app = Costrel("assigned", static_folder=None)
    app.add_url_rule("/", "index", lambda: "view")
    client = app.test_client()
    client.get("/")
    app.session_interface = Opening()
    client.get("/")
    assert opened == ["opened"]
    app.session_interface = SecureCookieSessionInterface()
    app.request_class = Marked
    with app.test_request_context("/") as ctx:
        assert type(ctx.request) is Marked
    app.session_interface.open_session = lambda app, request: opened.append("assigned")  # type: ignore[method-assign, func-returns-value, assignment, misc]  # as by a test
    client.get("/")
    assert opened == ["opened", "assigned"]


def test_threads_see_a_patch_once_it_is_made() -> None:
    cls, names = made_class(), Seams(Base, "first", "second")
    wrong: list[object] = []

    def look() -> None:
        for _ in range(200):
            if names.replaced_in(cls) != {"first"}:
                wrong.append("missed")

    names.replaced_in(cls)
    with mock.patch.object(Base, "first", None):
        threads = [threading.Thread(target=look) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert wrong == []


def test_an_application_in_test_mode_keeps_its_stamp() -> None:
    app = Costrel("testing", static_folder=None)
    app.testing = True
    app.add_url_rule("/", "index", lambda: "view")
    client = app.test_client()
    client.get("/")
    kept = app.outlook
    client.get("/")
    assert (app.outlook is kept) == seams._KEEPS_VERSIONS
