"""SQLAdmin, which is an application of Starlette, below a prefix: its pages, its files and its forms."""

import pytest
from sqladmin import Admin, ModelView
from sqlalchemy import String, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from sqlalchemy.pool import StaticPool
from starlette.applications import Starlette

from costrel import Costrel, abort, request


class Base(DeclarativeBase):
    pass


class Item(Base):
    __tablename__ = "items"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(50))


class ItemAdmin(ModelView, model=Item):
    column_list = [Item.id, Item.name]


def admins_only(view):
    def guarded():
        if request.headers.get("Authorization") != "Bearer admin":
            abort(403)
        return view()

    return guarded


@pytest.fixture
def engine():
    engine = create_engine("sqlite://", connect_args={"check_same_thread": False}, poolclass=StaticPool)
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add(Item(name="a lamp"))
        session.commit()
    yield engine
    engine.dispose()


@pytest.fixture
def client(engine):
    inner = Starlette()
    Admin(inner, engine, base_url="/").add_view(ItemAdmin)
    app = Costrel("shop")
    app.add_url_rule("/", "index", lambda: "shop")
    app.mount("/admin", inner, guard=admins_only)
    client = app.test_client(edge="asgi")
    client.environ_base["HTTP_AUTHORIZATION"] = "Bearer admin"
    return client


def test_pages_and_files(client):
    front, found = client.get("/admin/"), client.get("/admin/item/list")

    assert (200, 200, True) == (front.status_code, found.status_code, "a lamp" in found.text)
    assert 'href="http://localhost/admin/item/list"' in front.text
    assert "text/css; charset=utf-8" == client.get("/admin/statics/css/main.css").headers["Content-Type"]
    assert 404 == client.get("/admin/unknown/list").status_code
    assert "shop" == client.get("/").text


def test_a_form(client, engine):
    made = client.post("/admin/item/create", data={"name": "a chair", "save": "Save"})

    assert (302, "http://localhost/admin/item/list") == (made.status_code, made.headers["Location"])
    assert "a chair" in client.get("/admin/item/list").text
    with Session(engine) as session:
        assert 2 == session.query(Item).count()


def test_the_guard(client):
    assert 403 == client.get("/admin/", headers={"Authorization": "Bearer other"}).status_code
